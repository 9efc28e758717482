"""Every rule of the two printed series that the core enforces, seen firing and not firing.

One row per rule: (series, rule id, how to ask, facts in which it fires, facts in which it does
not). The trace tells both; `make test` adds the same evidence to the rulebook.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from apps.adjudication.checklist import checklist
from apps.adjudication.engine import adjudicate
from apps.adjudication.facts import Balance, Facts, PaperFacts
from apps.adjudication.intake import assess_intake, is_small_claim
from apps.adjudication.plan import Plan, WaitingPeriod
from apps.adjudication.routing import route
from apps.adjudication.tests.builders import (
    CALENDAR,
    at,
    benefit,
    bill,
    hospital,
    line,
    make_facts,
    make_plan,
    member,
    paid,
    policy,
    printed,
    visit,
    yuan,
)
from apps.adjudication.trace import listen

VERSIONS = {"2024": "GROWTH_PLUS", "2026": "NATIONAL"}
CHANNELS = {"2024": "ONLINE", "2026": "MINIPROGRAM"}
PERIOD = "P1:M1:2026-01-01|"
LISTED = hospital("HP", "PRIVATE", networks=("OUTPATIENT", "INPATIENT", "VACCINE"))
PRIVATE = hospital("HX", "PRIVATE")
HEALTH = {"benefit": "HEALTH_CHECK"}
SHOT = {"benefit": "VACCINE"}
Ask = Callable[[Facts], Any]


def plan_of(series: str, **more: Any) -> Plan:
    terms: dict[str, Any] = {
        "limits": [("YEAR", 5000)], "deductible_visit": yuan(50), "full_pay_visits": 1,
        "shares": {"standard": Decimal(1), "after_full_visits": Decimal("0.8"), "unused_social": Decimal("0.6")},
        "waiting": (WaitingPeriod("ILLNESS", 30),),
    }  # fmt: skip
    benefits = [
        benefit("OUTPATIENT", **terms),
        benefit("INPATIENT"),
        benefit("MENTAL_HEALTH"),
        benefit("HEALTH_CHECK"),
    ]
    benefits.append(benefit("VACCINE", rider="VACCINE" if series == "2026" else ""))
    fields = {"annual": 8000, "version": VERSIONS[series], "priced_net_of_social": True} | more
    return make_plan(*benefits, series=series, **fields)


def beijing(series: str) -> Plan:
    return plan_of(series, version="BEIJING")


def facts_of(series: str, *visits: Any, **more: Any) -> Facts:
    plan = more.pop("plan", None) or plan_of(series)
    fields = {"channel": CHANNELS[series], "policy": policy(riders=("VACCINE",))} | more
    return make_facts(*visits, handbook=printed(series), plan=plan, **fields)


def intake(facts: Facts) -> object:
    return assess_intake(facts, CALENDAR)


def papers(facts: Facts) -> object:
    return checklist(facts, route(facts).route)


def advance_papers(facts: Facts) -> object:
    return checklist(facts, "MAIL", "ADVANCE")


def discharge_papers(facts: Facts) -> object:
    return checklist(facts, "MAIL", "DISCHARGE")


def used(what: str, limit: object, amount: object) -> tuple[Balance, ...]:
    return (Balance(PERIOD + what, yuan(limit), yuan(amount)),)


@contextmanager
def heard() -> Iterator[dict[str, set[bool]]]:
    seen: dict[str, set[bool]] = {}
    stop = listen(lambda rule, fired: seen.setdefault(rule, set()).add(fired))
    try:
        yield seen
    finally:
        stop()


def both(
    rule: str, ask: Ask, yes: Callable[[str], Facts], no: Callable[[str], Facts]
) -> list[tuple[Any, ...]]:
    return [(series, rule, ask, yes, no) for series in ("2024", "2026")]


def one(
    series: str, rule: str, ask: Ask, yes: Callable[[str], Facts], no: Callable[[str], Facts]
) -> tuple[Any, ...]:
    return (series, rule, ask, yes, no)


def plain(series: str) -> Facts:
    return facts_of(series, paid(100))


def direct(series: str, **more: Any) -> Facts:
    return facts_of(series, paid(100, hospital=LISTED, **more), category="DIRECT", channel="HOSPITAL")


def full(*kinds: str, form: str = "ORIGINAL", **more: Any) -> tuple[PaperFacts, ...]:
    return tuple(PaperFacts(kind, form, 2, signed=True, has_photo=True, **more) for kind in kinds)


def with_paper(*kinds: str, visits: Any = None, **more: Any) -> Callable[[str], Facts]:
    chosen = visits or [visit(bill(line(100), ref="B1"))]
    return lambda series: facts_of(series, *chosen, papers=full(*kinds), **more)


STAY = visit(bill(line(100), ref="B1"), visit_type="INPATIENT")
CONSULT = visit(bill(line(80, "DRUG"), ref="B1"), visit_type="INTERNET")
ROWS: list[tuple[Any, ...]] = [
    *both("C9", intake, lambda s: facts_of(s, paid(1), policy=policy(status="PENDING")), plain),
    *both("C9", adjudicate, lambda s: facts_of(s, paid(1), plan=make_plan(series="1999")), plain),
    *both("LAW-06", intake, lambda s: facts_of(s, paid(1), reported_at=at("2029-01-01 10:00")), plain),
    *both("PR-21", is_small_claim, plain, lambda s: facts_of(s, paid("3000.01"))),
    *both("LAW-11", adjudicate, lambda s: facts_of(s, visit(bill(line(1), state="VOID"))), plain),
    *both("PR-11", adjudicate, lambda s: facts_of(s, paid(100), member=member(social_insurance=True)), plain),
    *both("PR-13", route, lambda s: facts_of(s, paid(1), paid(2)), plain),
    *both("PR-12", route, lambda s: facts_of(s, visit(bill(line(9), third_party=1))), plain),
    *both("PR-14", adjudicate, lambda s: facts_of(s, paid(
        1, visit_type="INPATIENT", on=date(2026, 12, 30), until=date(2027, 1, 2))), plain),
    *both("PR-16", adjudicate, lambda s: facts_of(s, paid(1, on=date(2026, 1, 5))), plain),
    *both("HLC-01", adjudicate,
          lambda s: facts_of(s, paid(1, "HEALTH_CHECK", **HEALTH), balances=used("benefit:HEALTH_CHECK:count", 8, 8)),
          lambda s: facts_of(s, paid(1, "HEALTH_CHECK", **HEALTH))),
    *both("HLC-02", adjudicate, lambda s: facts_of(s, paid(1, "TREATMENT", **HEALTH)),
          lambda s: facts_of(s, paid(1, "HEALTH_CHECK", **HEALTH))),
    *both("HLC-04", adjudicate, lambda s: facts_of(s, visit(bill(line(1, "VACCINE", vaccine_approved=False)), **SHOT)),
          lambda s: facts_of(s, paid(1, "VACCINE", **SHOT))),
    *both("KYC-01", adjudicate, lambda s: facts_of(s, paid(10000), papers=()), lambda s: facts_of(s, paid(10000))),
    *both("KYC-02", adjudicate,
          lambda s: facts_of(s, paid(10000), papers=full("INSURED_ID", valid_until=date(2020, 1, 1))),
          lambda s: facts_of(s, paid(10000))),
    *both("PR-02", adjudicate, lambda s: facts_of(s, paid(10000), papers=full("HOUSEHOLD_REGISTER")),
          lambda s: facts_of(s, paid(10000))),
    *both("LAW-07", intake, lambda s: facts_of(s, paid(1, hospital=PRIVATE, emergency=True)), plain),
    *both("PR-20", intake, lambda s: facts_of(s, paid(1, hospital=PRIVATE, emergency=True)), plain),
    *both("PR-01", papers,
          lambda s: facts_of(s, visit(bill(line(1), ref="B1", electronic=True, verified=True)),
                             papers=full("INVOICE", form="SOURCE_FILE")), plain),
    *both("PR-03", papers, lambda s: facts_of(s, paid(1), e_signed=True),
          lambda s: facts_of(s, paid(1), channel="HOTLINE")),
    one("2024", "GEN-02", intake, lambda s: facts_of(s, paid(1), plan=plan_of(s, version="X")), plain),
    one("2026", "GEN-01", intake, lambda s: facts_of(s, paid(1), plan=plan_of(s, version="X")), plain),
    one("2024", "GEN-03", intake, lambda s: facts_of(s, paid(1), plan=plan_of(s, version="BASE")), plain),
    one("2024", "GEN-03", intake, lambda s: facts_of(s, paid(1, hospital=PRIVATE), category="DIRECT"), direct),
    one("2026", "NET-01", intake, lambda s: facts_of(s, paid(1, hospital=PRIVATE), category="DIRECT"), direct),
    one("2026", "NET-02", intake, lambda s: facts_of(s, paid(1, hospital=PRIVATE), category="DIRECT", plan=beijing(s)),
        lambda s: facts_of(s, paid(1, hospital=LISTED), category="DIRECT", plan=beijing(s))),
    one("2026", "NET-03", intake, lambda s: facts_of(s, paid(1, **SHOT), policy=policy()), plain),
    one("2026", "PR-17", adjudicate, lambda s: facts_of(s, paid(1, "HEALTH_CHECK", **HEALTH), policy=policy()),
        lambda s: facts_of(s, paid(1, "HEALTH_CHECK", **HEALTH))),
    one("2026", "PR-15", route, lambda s: facts_of(s, paid(6000), day_total=yuan(6000)), plain),
    one("2026", "TST-03", adjudicate, lambda s: facts_of(s, paid(1, "HOME_TEST")), plain),
    one("2026", "RMB-23", adjudicate, lambda s: facts_of(s, paid(1, "POSTAGE")), plain),
    one("2026", "APT-13", adjudicate, lambda s: facts_of(s, paid(1, "NO_SHOW")), plain),
    one("2024", "APT-25", adjudicate, lambda s: facts_of(s, paid(1, "NO_SHOW")), plain),
    one("2024", "VAS-12", adjudicate, lambda s: facts_of(s, paid(1, "FREE_CONSULT")), plain),
    one("2024", "VAS-17", adjudicate, lambda s: facts_of(s, paid(1, "COUNSELING", benefit="MENTAL_HEALTH")),
        lambda s: facts_of(s, paid(
            1, "COUNSELING", benefit="MENTAL_HEALTH", hospital=LISTED, psychiatrist_diagnosed=True,
            psychiatrist_recommended=True, conditions=("DEPRESSION",)))),
    one("2026", "D46", adjudicate, lambda s: facts_of(s, paid(1, "COUNSELING", benefit="MENTAL_HEALTH")), plain),
    one("2026", "REC-02", adjudicate, lambda s: facts_of(s, paid(1, benefit="EYE")), plain),
    one("2026", "REC-02", adjudicate, lambda s: facts_of(s, paid(1, visit_type="INPATIENT"),
                                                        balances=used("annual", 8000, 8000)), plain),
    one("2024", "APP-20", adjudicate, lambda s: facts_of(s, paid(9000)), lambda s: facts_of(s, paid(0))),
    one("2026", "GEN-07", adjudicate, lambda s: facts_of(s, paid(9000)), lambda s: facts_of(s, paid(0))),
    one("2024", "REC-05", adjudicate, lambda s: facts_of(s, paid(1, benefit="EYE")), plain),
    one("2026", "REC-01", adjudicate, lambda s: facts_of(s, paid(1, "NO_SHOW", hospital=LISTED), category="DIRECT"),
        lambda s: direct(s)),
    one("2024", "EPY-01", adjudicate, lambda s: facts_of(s, paid(100), full_visits_used=1), plain),
    one("2026", "RMB-16", adjudicate, lambda s: facts_of(s, visit(bill(line(9), third_party=1))), plain),
    one("2024", "VAC-24", intake, lambda s: facts_of(s, paid(1, **SHOT), category="VACCINE",
                                                    reported_at=at("2026-09-15 09:00")),
        lambda s: facts_of(s, paid(1, **SHOT), category="VACCINE")),
    one("2024", "VAC-23", intake, lambda s: facts_of(s, paid(1, **SHOT, hospital=hospital(grade=1)), category="VACCINE"),
        lambda s: facts_of(s, paid(1, **SHOT), category="VACCINE")),
    one("2026", "VAC-06", intake,
        lambda s: facts_of(s, paid(1, **SHOT, hospital=hospital(department_group="SPECIAL")), category="VACCINE"),
        lambda s: facts_of(s, paid(1, **SHOT), category="VACCINE")),
    # papers
    *both("VIS-04", lambda f: checklist(f, "DIRECT"), lambda s: direct(s),
          lambda s: facts_of(s, paid(1, hospital=LISTED), category="DIRECT",
                             papers=full("CARD_CHECK", "IDENTITY_CHECK", form="DATA"))),
    one("2024", "RMB-31", papers, plain, with_paper("MEDICAL_RECORD")),
    one("2024", "RMB-32", papers, plain, with_paper("INSURED_ID", "E_CARD")),
    one("2024", "RMB-33", papers, plain, with_paper(payee_structured=True)),
    one("2024", "RMB-34", papers, plain, with_paper("INVOICE", "ITEMIZED_BILL")),
    one("2024", "RMB-35", papers, lambda s: facts_of(s, STAY), with_paper("DISCHARGE_SUMMARY", visits=[STAY])),
    one("2024", "RMB-36", papers, plain, with_paper("BIRTH_CERTIFICATE", "GUARDIAN_ID")),
    one("2024", "RMB-37", papers, plain, with_paper(e_signed=True)),
    one("2024", "INT-02", papers, lambda s: facts_of(s, CONSULT, category="INTERNET"),
        with_paper("E_INVOICE_CONSULT", "E_INVOICE_PRESCRIPTION", visits=[CONSULT], category="INTERNET")),
    one("2026", "RMB-10", papers, plain, with_paper(e_signed=True)),
    one("2026", "RMB-11", papers, lambda s: facts_of(s, paid(1), channel="HOTLINE"), plain),
    one("2026", "RMB-12", papers, plain, with_paper(payee_structured=True)),
    one("2026", "RMB-13", papers, lambda s: facts_of(s, paid(1), papers=()), with_paper("INSURED_ID")),
    one("2026", "RMB-14", papers, plain, with_paper("BIRTH_CERTIFICATE_NAMING_PARENTS")),
    one("2026", "RMB-15", papers, plain, with_paper("INVOICE")),
    one("2026", "RMB-17", papers, plain, with_paper("ITEMIZED_BILL")),
    one("2026", "RMB-18", papers, plain, with_paper("MEDICAL_RECORD")),
    one("2026", "RMB-20", papers, lambda s: facts_of(s, paid(1), papers=(PaperFacts("ITEMIZED_BILL", "IMAGE", color=False),)),
        plain),
    one("2026", "RMB-21", papers, plain, with_paper(visits=[visit(bill(line(1), ref="B1", annotated=True))])),
    one("2026", "VIS-03", papers, lambda s: facts_of(s, paid(1, emergency=True)),
        with_paper("INVOICE", "ITEMIZED_BILL", "MEDICAL_RECORD", visits=[visit(bill(line(1)), emergency=True)])),
    one("2026", "APT-06", lambda f: checklist(f, "DIRECT"), lambda s: direct(s),
        with_paper("DIRECT_CLAIM_FORM", "SIGNED_RECEIPT", "MEDICAL_RECORD", "INVOICE", "ITEMIZED_BILL",
                   category="DIRECT")),
    one("2026", "ADV-06", advance_papers, lambda s: facts_of(s, STAY),
        with_paper("ADMISSION_RECORD", "MEDICAL_RECORD", "EXAM_REPORT", "DIAGNOSIS_CERTIFICATE", visits=[STAY])),
    one("2026", "ADV-10", discharge_papers, lambda s: facts_of(s, STAY),
        with_paper("INVOICE", "DIAGNOSIS_CERTIFICATE", "DISCHARGE_SUMMARY", "INPATIENT_RECORD", "MEDICAL_RECORD",
                   "ITEMIZED_BILL", visits=[STAY])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("series", "rule", "ask", "yes", "no"), ROWS, ids=[f"{row[0]}-{row[1]}-{n}" for n, row in enumerate(ROWS)]
)
def test_a_rule_fires_and_does_not_fire(
    series: str, rule: str, ask: Ask, yes: Callable[[str], Facts], no: Callable[[str], Facts]
) -> None:
    with heard() as seen:
        with_it = ask(yes(series))
    assert True in seen.get(rule, set())
    with heard() as seen:
        without = ask(no(series))
    assert False in seen.get(rule, set())
    if rule in SHOWN:
        assert SHOWN[rule](with_it), with_it
        assert not SHOWN[rule](without), without
    else:
        assert rule in shown(with_it)
        assert rule not in shown(without)


def shown(answer: Any) -> set[str]:
    """The rules that findings cite, that took the route, or whose papers are missing."""
    if isinstance(answer, tuple):
        return {rule for part in answer for rule in shown(part)}
    if hasattr(answer, "satisfied"):
        return set() if answer.satisfied else {answer.rule}
    found = {rule for finding in getattr(answer, "findings", ()) for rule in shown(finding)}
    return found | {answer.rule, *answer.also} if hasattr(answer, "also") else found


def entries_of(key: str, **fields: Any) -> Callable[[Any], bool]:
    """A check list holds an entry of this key with these values."""
    return lambda answer: any(
        entry.key == key and all(getattr(entry, name) == value for name, value in fields.items())
        for entry in answer
    )


def reported(code: str) -> Callable[[Any], bool]:
    return lambda answer: any(finding.code == code for finding in getattr(answer, "findings", answer))


# Rules that move something instead of being cited: what they move.
SHOWN: dict[str, Callable[[Any], bool]] = {
    "PR-01": entries_of("INVOICE", status="SATISFIED"),
    "PR-02": lambda decision: any(
        finding.figures.get("subjects") == "PAYEE" for finding in decision.findings
    ),
    "PR-03": entries_of("CLAIM_FORM", automatic=True),
    "PR-12": lambda routing: routing.visits[0].amount == 8,
    "PR-13": lambda routing: [visit.amount for visit in routing.visits] == [3],
    "PR-14": lambda decision: decision.outcome == "APPROVE" and decision.insurer > 0,
    "PR-20": reported("EMERGENCY_HOLD"),
    "REC-01": lambda decision: decision.disallowed > 0,  # direct billing is no final word
    "PR-21": lambda small: small is True,
    "RMB-20": lambda entries: any(entry.fault == "NOT_COLOR" for entry in entries),
}


def test_nobody_listens_after_a_listener_has_left() -> None:
    with heard() as seen:
        adjudicate(plain("2026"))
    count = len(seen)
    adjudicate(plain("2024"))
    assert len(seen) == count
