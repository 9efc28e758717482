"""Demo of settlements: terms and accounts of the hospitals that bill directly, statements in every state, a list of
a hospital with differences. Made by the same actions as real ones, dated around today."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from openpyxl import Workbook

from apps.accounts.actors import Actor, actor_of_user
from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.money import to_yuan
from apps.hospitals.models import Hospital
from apps.payments.actions import BankResult, book_results, make_file, release_file
from apps.settlements import actions, contracts, reconciling, runs
from apps.settlements.claims import KIND, unpaid
from apps.settlements.models import HospitalList, PaymentTerms, Statement, StatementLine

TERMS: tuple[dict[str, Any], ...] = (
    {"kind": "DAYS", "days": 30, "unit": "CALENDAR"},
    {"kind": "MONTHLY", "days": 10, "unit": "WORKING", "cutoff_day": 25},
    {"kind": "DAYS", "days": 15, "unit": "WORKING"},
)
BANKS = (("招商银行", "上海徐家汇支行"), ("中国银行", "北京朝阳支行"), ("工商银行", "广州天河支行"))


def build(now: datetime | None = None) -> int:
    """Make what is missing; returns how many statements were made (0 when some were there)."""
    now = now or timezone.now()
    codes = Hospital.objects.filter(cases__kind=KIND).distinct().order_by("code")
    hospitals = list(codes[: len(TERMS)])
    if PaymentTerms.objects.exists() or not hospitals:
        return 0
    for number, place in enumerate(hospitals):
        _contract(place, number, now)
    made = list(_statements(hospitals, now))
    for act, statement in zip((_paid, _returned, _ordered), made, strict=False):
        act(statement, now)
    return len(made)


def _actor(role: str) -> Actor:
    return actor_of_user(User.objects.get(username=role))


def _contract(place: Hospital, number: int, now: datetime) -> None:
    """Terms of both series, and an account; a corrected account of the first waits to be confirmed."""
    finance, checker = _actor("finance"), _actor("payment_check")
    bank, branch = BANKS[number]
    for series in ("2024", "2026"):
        given = {
            "series": series, "contract": f"HT-{series}-{number + 11:03d}", "starts_on": f"{now.year - 1}-01-01",
            "contact_name": "结算中心", "contact_email": f"{place.code.lower()}@hospital.example", "reason": "直付服务合同",
        } | TERMS[number]  # fmt: skip
        row = contracts.propose_terms(finance, place.code, given, now=now - timedelta(days=60))
        contracts.confirm_terms(checker, row.pk, now=now - timedelta(days=59))
    account = {
        "name": place.name, "bank": bank, "branch": branch, "account": f"12190{number}876543210",
        "clearing_number": f"30829000302{number}", "reason": "开户许可证",
    }  # fmt: skip
    opened = contracts.propose_account(finance, place.code, account, now=now - timedelta(days=60))
    contracts.confirm_account(checker, opened.pk, now=now - timedelta(days=59))
    if number == 0:
        changed = account | {"account": "1219009900112233", "reason": "医院来函：账户变更"}
        contracts.propose_account(finance, place.code, changed, now=now - timedelta(days=1))


def _statements(hospitals: list[Hospital], now: datetime) -> Iterator[Statement]:
    """One for each hospital and series; the last claims of each wait for the next run."""
    finance, then = _actor("finance"), now - timedelta(hours=6)
    until = timezone.localtime(then).date()
    for place in hospitals:
        for series in sorted(set(unpaid(finance, place).values_list("series", flat=True))):
            try:
                yield from runs.make(finance, place.code, until, series=series, now=then)
            except DomainError:  # nothing of it is complete yet
                continue


def _ordered(statement: Statement, now: datetime) -> Statement:
    return actions.check(_actor("payment_check"), statement.number, now=now - timedelta(hours=5))


def _answered(statement: Statement, now: datetime, **answer: Any) -> None:
    checked = _ordered(statement, now)
    assert checked.order is not None
    file = make_file(_actor("finance"), [checked.order.number], now=now - timedelta(hours=4))
    release_file(_actor("payment_check"), file.number, now=now - timedelta(hours=3))
    book_results(
        _actor("finance"), [BankResult(checked.order.number, **answer)], now=now - timedelta(hours=1)
    )


def _paid(statement: Statement, now: datetime) -> None:
    _answered(statement, now, paid=True, reference="20260001873")
    _reconcile(statement, now)


def _returned(statement: Statement, now: datetime) -> None:
    _answered(statement, now, paid=False, reason="AC05 账号户名不符")


def _reconcile(statement: Statement, now: datetime) -> HospitalList | None:
    """The hospital's list: one amount differs, one claim is missing, one is unknown to us."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["案件号", "发票号码", "患者姓名", "就诊日期", "应付金额"])
    lines = StatementLine.objects.filter(statement=statement, living=True).select_related("case__member")
    rows = list(lines.order_by("position"))
    for index, line in enumerate(rows[:-1] if len(rows) > 2 else rows):
        extra = 5000 if index == 0 else 0
        sheet.append(
            [
                line.case.number, "", line.case.member.name, line.visited_on.isoformat(),
                to_yuan(line.amount_fen + extra),
            ]
        )  # fmt: skip
    sheet.append(["", "0099887766", "李**", timezone.localtime(now).date().isoformat(), 386])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    found, _report = reconciling.reconcile(
        _actor("finance"), statement.number, out, "直付结算清单.xlsx", now=now
    )
    return found
