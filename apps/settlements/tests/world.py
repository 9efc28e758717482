"""The world of direct claims, and the hospital PRI with terms and account in both series."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook

from apps.accounts.actors import Actor
from apps.accounts.tests.factories import make_actor
from apps.cases.models import CaseFile
from apps.direct.tests.world import Direct
from apps.payments.actions import BankResult, book_results, make_file, release_file
from apps.settlements import actions, contracts, runs
from apps.settlements.models import HospitalAccount, PaymentTerms, Statement

TERMS = {
    "series": "2026", "kind": "DAYS", "days": 30, "unit": "CALENDAR", "contract": "HT-2026-018", "starts_on": "2026-01-01",
    "contact_name": "国际医疗部", "contact_email": "settle@hospital.example", "reason": "合同第7条",
}  # fmt: skip
ACCOUNT = {
    "name": "悦安诊所有限公司", "bank": "招商银行", "branch": "上海徐家汇支行", "account": "121909876543210",
    "clearing_number": "308290003020", "reason": "开户许可证",
}  # fmt: skip


class Settled(Direct):
    """Finance makes, `checker` checks; `lead` is the finance lead."""

    def __init__(self, *series: str, **more: Any) -> None:
        super().__init__(*series, **more)
        self._people["lead"] = make_actor("finance_lead", username="lead")

    def terms(self, **fields: Any) -> PaymentTerms:
        row = contracts.propose_terms(self.actor("finance"), "PRI", TERMS | fields, now=self.now)
        return contracts.confirm_terms(self.actor("checker"), row.pk, now=self.now)

    def account(self, **fields: Any) -> HospitalAccount:
        row = contracts.propose_account(self.actor("finance"), "PRI", ACCOUNT | fields, now=self.now)
        return contracts.confirm_account(self.actor("checker"), row.pk, now=self.now)

    def contract(self, *series: str) -> None:
        for one in series or self.series:
            self.terms(series=one)
        self.account()

    def claims(self, count: int = 2, series: str = "2026", **fields: Any) -> list[CaseFile]:
        """Decided claims of different days."""
        return [
            self.decided(
                self.visit(hospital="PRI", started_on=f"2026-09-{8 + n:02d}"), series=series, **fields
            )
            for n in range(count)
        ]

    def draft(self, series: str = "2026", by: str = "finance") -> Statement:
        return runs.make(self.actor(by), "PRI", date(2026, 9, 16), series=series, now=self.now)[0]

    def ordered(self, count: int = 2, series: str = "2026") -> Statement:
        self.claims(count, series)
        return actions.check(self.actor("checker"), self.draft(series).number, now=self.now)

    def to_bank(self, statement: Statement) -> str:
        """In a released file; the number of its order."""
        statement.refresh_from_db()
        assert statement.order is not None
        file = make_file(self.actor("finance"), [statement.order.number], now=self.now)
        release_file(self.actor("checker"), file.number, now=self.now)
        return statement.order.number

    def answer(self, order: str, *, paid: bool = True, now: datetime | None = None) -> None:
        result = BankResult(
            order, paid, reference="BANK-1" if paid else "", reason="" if paid else "AC05 已销户"
        )
        book_results(self.actor("finance"), [result], now=now or self.now)

    def paid(self, count: int = 2, series: str = "2026") -> Statement:
        statement = self.ordered(count, series)
        self.answer(self.to_bank(statement))
        statement.refresh_from_db()
        return statement

    def tpa(self, role: str = "finance") -> Actor:
        return make_actor(role, tpa=self.handbook("2024").handbook.tpa, series=["2024"])


def workbook(*rows: list[Any], header: list[str] | None = None) -> io.BytesIO:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["悦安诊所 2026年9月直付清单"])
    sheet.append(header or ["案件号", "医院流水号", "发票号码", "患者姓名", "就诊日期", "应付金额（元）"])
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out
