"""What the demo claims report: ordinary bills, stays, private clinics, lines that are not covered."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from stdnum import luhn

if TYPE_CHECKING:
    from apps.claims.demo import Demo

ILLNESSES = (
    ("J20.900", "急性支气管炎", "呼吸科"), ("J06.900", "急性上呼吸道感染", "儿科"), ("A09.900", "胃肠炎", "消化科"),
    ("H66.900", "中耳炎", "耳鼻喉科"), ("L20.900", "特应性皮炎", "皮肤科"), ("J45.900", "支气管哮喘", "呼吸科"),
)  # fmt: skip
ITEMS = (
    ("血常规", "EXAM", "A"), ("C反应蛋白", "EXAM", "A"), ("胸部X线", "EXAM", "B"), ("雾化吸入", "TREATMENT", "A"),
    ("头孢克肟颗粒", "DRUG", "B"), ("布地奈德混悬液", "DRUG", "B"), ("氨溴索口服液", "DRUG", "A"), ("诊察费", "CONSULT", "A"),
)  # fmt: skip
CARD = "622202100109855"


def report(
    demo: Demo, at: datetime, series: str, *, lines: list[dict[str, Any]] | None = None, **visit: Any
) -> dict[str, Any]:
    turn = next(demo.turn)
    member = demo.children[series][turn % len(demo.children[series])]
    guardian = member.guardians.get()
    day = timezone.localtime(at).date() - timedelta(days=2 + turn % 4)
    code, name, department = ILLNESSES[turn % len(ILLNESSES)]
    given: dict[str, Any] = {
        "visit_type": "OUTPATIENT", "hospital": demo.public[turn % len(demo.public)].code, "department": f"{department}{turn}",
        "started_on": day, "diagnoses": [{"code": code, "name": name}], "record_number": f"MZ{turn:06d}",
        "bills": [bill(demo, lines or ordinary_lines(turn), day)],
    } | visit  # fmt: skip
    number = f"{CARD}{turn % 1000:03d}"
    return {
        "member": {"number": member.number},
        "reporter": {"name": guardian.name, "relation": guardian.relation, "phone": guardian.mobile},
        "channel": "MINIPROGRAM" if series == "2026" else "ONLINE", "visits": [given], "e_signed": True,
        "payee": {"name": guardian.name, "relation": guardian.relation, "bank": "中国工商银行", "branch": "上海市徐汇支行",
                  "account": number + _luhn(number)},
    }  # fmt: skip


def _luhn(number: str) -> str:
    return str(luhn.calc_check_digit(number))


def bill(demo: Demo, lines: list[dict[str, Any]], day: date, **more: Any) -> dict[str, Any]:
    total = sum(Decimal(line["amount"]) for line in lines)
    return {
        "bill_type": "FISCAL_PAPER", "code": "31010124", "number": f"{next(demo.numbers):010d}", "issued_on": day,
        "amount": str(total), "lines": lines,
    } | more  # fmt: skip


def ordinary_lines(turn: int) -> list[dict[str, Any]]:
    chosen = [ITEMS[(turn + step) % len(ITEMS)] for step in range(3 + turn % 5)]
    return [
        {
            "name": name,
            "kind": kind,
            "category": category,
            "amount": f"{(35 + 17 * ((turn + step) % 13)) * (1 + step % 3)}.50",
        }
        for step, (name, kind, category) in enumerate(chosen)
    ]


def ordinary(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    return report(demo, at, series)


def mixed(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    """With lines that are not covered or only in part."""
    lines = [*ordinary_lines(next(demo.turn)), {"name": "快递费", "kind": "POSTAGE", "amount": "18.00"},
             {"name": "爽约费", "kind": "NO_SHOW", "amount": "100.00"}]  # fmt: skip
    return report(demo, at, series, lines=lines)


def settled(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    data = report(demo, at, series, used_social_insurance=True)
    data["visits"][0]["bills"][0] |= {"pooled_fund": "60.00", "insurance_type": "城乡居民医保"}
    return data


def stay(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    """A stay of 12,600: originals by mail in both series, photo identity in 2026."""
    day = timezone.localtime(at).date() - timedelta(days=9)
    lines = [
        {"name": "床位费", "kind": "BED", "amount": "6400.00", "quantity": "4", "unit_price": "1600.00"},
        {"name": "阑尾切除术", "kind": "SURGERY", "amount": "4200.00"},
        {"name": "头孢曲松", "kind": "DRUG", "amount": "1500.00"},
        {"name": "护理费", "kind": "NURSING", "amount": "500.00"},
    ]  # fmt: skip
    return report(
        demo, at, series, lines=lines, visit_type="INPATIENT", started_on=day, ended_on=day + timedelta(days=4),
        admission_number=f"ZY{next(demo.turn):06d}", department="外科", diagnoses=[{"code": "K35.900", "name": "急性阑尾炎"}],
        procedures=[{"code": "47.0901", "name": "阑尾切除术"}], surgery=True,
    )  # fmt: skip


def large(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    return report(demo, at, series, lines=[{"name": "磁共振平扫", "kind": "EXAM", "category": "B", "amount": "7600.00"},
                                           {"name": "诊察费", "kind": "CONSULT", "amount": "300.00"}])  # fmt: skip


def unpayable(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    return report(demo, at, series, lines=[{"name": "爽约费", "kind": "NO_SHOW", "amount": "150.00"}])


def private(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    assert demo.private is not None
    return report(demo, at, series, hospital=demo.private.code)


def private_emergency(demo: Demo, at: datetime, series: str) -> dict[str, Any]:
    assert demo.private is not None
    return report(demo, at, series, hospital=demo.private.code, visit_type="EMERGENCY", emergency=True)
