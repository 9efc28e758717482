"""Small handbooks, plans and facts for tests of the core.

In a built handbook every rule key is carried by a rule whose id *is* the key, so tests read
`finding.rule == "decide.annual_limit"`; `without` takes rules away. The two printed series come
from `printed(series)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from apps.adjudication import keys
from apps.adjudication.calendar import WorkCalendar
from apps.adjudication.clocks import SHANGHAI
from apps.adjudication.facts import (
    ZERO,
    Balance,
    BillFacts,
    Facts,
    HospitalFacts,
    LineFacts,
    MemberFacts,
    Override,
    PaperFacts,
    PolicyFacts,
    VisitFacts,
)
from apps.adjudication.handbook import (
    Basis,
    ClockSpec,
    Condition,
    Document,
    Handbook,
    Level,
    NetworkBenefit,
    Parameter,
    Rule,
    RuleClass,
    Service,
    Title,
    Trigger,
    Version,
)
from apps.adjudication.parse import parse_handbook
from apps.adjudication.plan import BenefitPlan, Coinsurance, Limit, Plan

ROOT = Path(__file__).resolve().parents[3]
SERIES = "2027"
DAY = date(2026, 9, 16)
TITLE = Title("标题", "title")
_numbers = count(1)

# Keys of one series only; a built handbook has neither unless asked for.
SPECIAL = (
    "intake.service_closed", "intake.network_private_visit", "intake.internet_closed", "intake.plan_group",
    "intake.vaccine_grade", "decide.mental_health_closed",
)  # fmt: skip
PARAMETERS: dict[str, Any] = {
    "routing.basis": "AMOUNT",
    "routing.online_maximum": Decimal("10000.00"),
    "routing.split_flag": True,
    "photo_id.threshold": Decimal("10000.00"),
    "small_claim.maximum": Decimal("3000.00"),
    "limitation.years": 2,
    "minor.age": 18,
    "annotation.required": True,
    "annotation.text": "已索赔",
    "annotation.waived_for_electronic": True,
    "vaccine.department_groups": ("GENERAL",),
    "health_check.maximum": 8,
    "health_check.items": ("CHECK_UP", "FEEDING_ADVICE"),
    "mental_health.conditions": ("DEPRESSION", "AUTISM"),
    "home_test.provider": "JD_HEALTH",
    "authorization.missing": "REFER",
}


def yuan(amount: object) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


# --- handbooks --------------------------------------------------------------------------------


@cache
def printed(series: str) -> Handbook:
    """The handbook of fixtures/handbooks."""
    path = ROOT / "fixtures" / "handbooks" / f"{series}.toml"
    return parse_handbook(path.read_text(encoding="utf-8"))


def make_rule(key: str, level: Level = Level.DENY) -> Rule:
    return Rule(key, "test", TITLE, TITLE, f"27:{len(key)}", level, RuleClass.COMPUTE, (key,))


def make_parameter(key: str, value: Any) -> Parameter:
    return Parameter(key, value, keys.PARAMETERS.get(key, "text"), key, "27:1", Basis.PRINTED, TITLE)


def make_service(key: str, offered: bool = True, channels: tuple[str, ...] = ()) -> Service:
    return Service(key, offered, f"service.{key}", "27:2", Title(key, key), channels)


def make_document(
    key: str, form: str = "COPY", lists: tuple[str, ...] = ("REIMBURSEMENT",), **more: Any
) -> Document:
    return Document(key, Title(key, key), f"paper.{key}", "27:3", form, lists, **more)


def make_trigger(key: str, *when: Condition, level: Level = Level.REFER) -> Trigger:
    return Trigger(key, f"trigger.{key}", "27:4", level, Title(key, key), when)


def when(test: str, **args: Any) -> Condition:
    return Condition(test, args)


def make_clock(key: str, duration: int, unit: str, **more: Any) -> ClockSpec:
    return ClockSpec(
        key, f"DL-{key}", (key,), TITLE, "start", ("stop",), duration, unit, Basis.PRINTED, **more
    )


def make_handbook(
    *,
    series: str = SERIES,
    without: Iterable[str] = SPECIAL,
    parameters: Mapping[str, Any] | None = None,
    services: Iterable[Service] = (),
    documents: Iterable[Document] = (),
    triggers: Iterable[Trigger] = (),
    clocks: Iterable[ClockSpec] = (),
    networks: Iterable[NetworkBenefit] = (),
) -> Handbook:
    rules = {key: make_rule(key) for key in keys.RULES if key not in set(without)}
    values = PARAMETERS | dict(parameters or {})
    return Handbook(
        series=series,
        title=TITLE,
        operator="INSURER",
        tpa="",
        rules=rules,
        parameters={key: make_parameter(key, value) for key, value in values.items() if value is not None},
        contacts={},
        services={service.key: service for service in services},
        documents=tuple(documents),
        triggers=tuple(triggers),
        clocks=tuple(clocks),
        versions={"NATIONAL": Version("NATIONAL", TITLE, "NATIONAL", "intake.versions")},
        networks=tuple(networks),
    )


HANDBOOK = make_handbook()


# --- plans ------------------------------------------------------------------------------------


def benefit(code: str = "OUTPATIENT", **more: Any) -> BenefitPlan:
    limits = tuple(Limit(per, Decimal(value)) for per, value in more.pop("limits", ()))
    items = tuple((kind, Limit(per, Decimal(value))) for kind, per, value in more.pop("items", ()))
    coinsurance = Coinsurance(**more.pop("shares", {}))
    return BenefitPlan(code, limits=limits, item_limits=items, coinsurance=coinsurance, **more)


def make_plan(*benefits: BenefitPlan, annual: object = 100000, **more: Any) -> Plan:
    chosen = benefits or tuple(benefit(code) for code in ("OUTPATIENT", "EMERGENCY", "INPATIENT"))
    return Plan(
        "P", more.pop("series", SERIES), more.pop("version", "NATIONAL"), yuan(annual), chosen, **more
    )


# --- facts ------------------------------------------------------------------------------------


def line(amount: object = 100, kind: str = "EXAM", **more: Any) -> LineFacts:
    ref = more.pop("ref", f"L{next(_numbers)}")
    third = yuan(more.pop("third_party", 0))
    return LineFacts(ref, more.pop("name", kind), kind, yuan(amount), third_party=third, **more)


def bill(*lines: LineFacts, third_party: object = 0, **more: Any) -> BillFacts:
    ref = more.pop("ref", f"B{next(_numbers)}")
    amount = more.pop("amount", sum((one.amount for one in lines), ZERO))
    return BillFacts(
        ref, more.pop("bill_type", "FISCAL_PAPER"), more.pop("identity", f"ID-{ref}"),
        more.pop("issued_on", DAY), amount, lines, yuan(third_party), **more,
    )  # fmt: skip


def hospital(ref: str = "H1", ownership: str = "PUBLIC", **more: Any) -> HospitalFacts:
    fields = {"grade": 3, "city": "北京", "department_group": "GENERAL"} | more
    return HospitalFacts(ref, f"医院{ref}", ownership, **fields)


def visit(*bills: BillFacts, on: date = DAY, until: date | None = None, **more: Any) -> VisitFacts:
    ref = more.pop("ref", f"V{next(_numbers)}")
    kind = more.pop("visit_type", "OUTPATIENT")
    at = more.pop("hospital", hospital())
    chosen = more.pop("benefit", kind if kind in ("OUTPATIENT", "EMERGENCY", "INPATIENT") else "OUTPATIENT")
    return VisitFacts(ref, kind, chosen, on, until or on, at, bills, **more)


def paid(amount: object, kind: str = "EXAM", **more: Any) -> VisitFacts:
    """A visit of one bill of one line."""
    return visit(bill(line(amount, kind)), **more)


def member(**more: Any) -> MemberFacts:
    fields = {"birth_date": date(2020, 5, 1), "sex": "F", "id_type": "RESIDENT_ID", "social_insurance": False}
    return MemberFacts("M1", **(fields | more))


def policy(**more: Any) -> PolicyFacts:
    fields: dict[str, Any] = {
        "status": "IN_FORCE", "effective_on": date(2026, 1, 1), "expires_on": date(2026, 12, 31),
        "continuous_since": date(2026, 1, 1), "renewed": False,
    }  # fmt: skip
    return PolicyFacts("P1", **(fields | more))


def photo_id(**more: Any) -> PaperFacts:
    return PaperFacts("INSURED_ID", "COPY", 2, has_photo=True, **more)


def make_facts(
    *visits: VisitFacts, handbook: Handbook = HANDBOOK, plan: Plan | None = None, **more: Any
) -> Facts:
    last = max((one.ended_on for one in visits), default=DAY)
    overrides = tuple(
        Override(ref, accept, "理由", "reviewer") for ref, accept in more.pop("answers", {}).items()
    )
    fields: dict[str, Any] = {
        "category": "REIMBURSEMENT",
        "channel": "MINIPROGRAM",
        "reported_at": datetime(last.year, last.month, last.day, 20, tzinfo=SHANGHAI),
        "decided_on": last,
        "member": member(),
        "policy": policy(),
        "papers": (photo_id(),),
        "overrides": overrides,
    }
    return Facts(
        claim_ref="C1", handbook=handbook, plan=plan or make_plan(series=handbook.series),
        visits=visits, **(fields | more),
    )  # fmt: skip


def with_balances(facts: Facts, used: Mapping[str, Decimal], limits: Mapping[str, Decimal]) -> Facts:
    balances = tuple(Balance(key, limits[key], amount) for key, amount in used.items())
    return replace(facts, balances=balances)


# --- calendars --------------------------------------------------------------------------------


def days(*spans: str) -> frozenset[date]:
    """ "2026-10-01..07" → seven days; single days alone."""
    found: list[date] = []
    for span in spans:
        first, _, last = span.partition("..")
        start = date.fromisoformat(first)
        found += [start.replace(day=number) for number in range(start.day, int(last or start.day) + 1)]
    return frozenset(found)


CALENDAR = WorkCalendar(
    off=days(
        "2024-10-01..07", "2026-01-01..03", "2026-02-15..23", "2026-04-04..06", "2026-05-01..05",
        "2026-06-19..21", "2026-09-25..27", "2026-10-01..07",
    ),
    work=days(
        "2024-09-29", "2024-10-12", "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20",
        "2026-10-10",
    ),
    known_years=frozenset({2024, 2026}),
)  # fmt: skip
"""The State Council days that the worked examples use."""


def at(text: str) -> datetime:
    """ "2026-10-01 22:15" in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
