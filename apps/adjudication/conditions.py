"""The closed vocabulary of conditions (`keys.CONDITIONS`) over one subject.

Documents, triggers and clocks of a handbook carry `Condition`s; nothing here knows a series.
A subject is a claim, one of its visits, or whatever a caller has before there is a claim (an
appointment, an application for authorization): it fills what it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from apps.adjudication.clocks import local
from apps.adjudication.errors import HandbookError
from apps.adjudication.facts import ZERO, Facts, LineFacts, VisitFacts
from apps.adjudication.handbook import ClockSpec, Condition, Handbook

ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Subject:
    """What conditions are asked about. `amount` is claimed after third-party settlement (PR-12);
    `cumulative` is the cost of the course in the policy period, incurred and expected (PA-12)."""

    handbook: Handbook
    category: str = ""
    channel: str = ""
    route: str = ""
    visit_types: frozenset[str] = frozenset()
    benefits: frozenset[str] = frozenset()
    diagnoses: tuple[str, ...] = ()
    lines: tuple[LineFacts, ...] = ()
    amount: Decimal = ZERO
    cumulative: Decimal = ZERO
    minor: bool = False
    surgery: bool = False
    drugs: bool = False
    third_party: bool = False
    accident: bool = False
    mental_health: bool = False
    e_signed: bool = False
    bank_data_structured: bool = False
    e_card_held: bool = False
    payee_is_guardian: bool = False


def subject_of(facts: Facts, route: str = "", visit: VisitFacts | None = None) -> Subject:
    """A claim, or one visit of it, as the subject of conditions."""
    visits = facts.visits if visit is None else (visit,)
    lines = tuple(line for row in visits for bill in row.bills if bill.live for line in bill.lines)
    kinds = {line.kind for line in lines}
    benefits = {row.benefit for row in visits} | {line.benefit for line in lines if line.benefit}
    minor = is_minor(facts)
    return Subject(
        handbook=facts.handbook,
        category=facts.category,
        channel=facts.channel,
        route=route,
        visit_types=frozenset(row.visit_type for row in visits),
        benefits=frozenset(benefits),
        diagnoses=tuple(code for row in visits for code in row.diagnoses),
        lines=lines,
        amount=sum((row.claimed for row in visits), ZERO),
        cumulative=max((row.course_cost + _billed(row) for row in visits), default=ZERO),
        minor=minor,
        surgery="SURGERY" in kinds or any(row.surgery for row in visits),
        drugs="DRUG" in kinds or any(row.drugs_prescribed for row in visits),
        third_party=any(bill.settled > 0 for row in visits for bill in row.bills),
        accident=any(row.cause == "ACCIDENT" for row in visits),
        mental_health="COUNSELING" in kinds or "MENTAL_HEALTH" in benefits,
        e_signed=facts.e_signed,
        bank_data_structured=facts.payee_structured,
        e_card_held=facts.e_card,
        payee_is_guardian=facts.payee_relation == "GUARDIAN" or (minor and not facts.payee_relation),
    )


def is_minor(facts: Facts) -> bool:
    """Under age on the day of the report (RMB-14, RMB-36)."""
    return age_on(facts.member.birth_date, local(facts.reported_at).date()) < adult_age(facts.handbook)


def adult_age(handbook: Handbook) -> int:
    return int(handbook.value("minor.age", ADULT_AGE))


def age_on(born: date, day: date) -> int:
    """Completed years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def holds(condition: Condition, subject: Subject) -> bool:
    """Whether one condition holds; raises HandbookError for a test outside the vocabulary."""
    try:
        test = TESTS[condition.test]
    except KeyError as error:
        raise HandbookError("condition", condition.test, f"one of {sorted(TESTS)}") from error
    return test(subject, condition.args)


def all_hold(conditions: Iterable[Condition], subject: Subject) -> bool:
    return all(holds(condition, subject) for condition in conditions)


def pick_clock(handbook: Handbook, key: str, subject: Subject) -> ClockSpec | None:
    """The first clock of a key whose conditions hold: put the particular before the general."""
    specs = (spec for spec in handbook.clocks if spec.key == key)
    return next((spec for spec in specs if all_hold(spec.when, subject)), None)


def lines_behind(condition: Condition, subject: Subject) -> tuple[LineFacts, ...]:
    """The lines that make a condition on lines hold; empty for conditions on the whole."""
    pick = LINE_TESTS.get(condition.test)
    return tuple(pick(subject, condition.args)) if pick else ()


# --- the vocabulary ---------------------------------------------------------------------------

Args = Mapping[str, Any]
Test = Callable[[Subject, Args], bool]
LineTest = Callable[[Subject, Args], list[LineFacts]]


def _billed(visit: VisitFacts) -> Decimal:
    return sum((bill.amount for bill in visit.bills if bill.live), ZERO)


def _strings(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _yuan(args: Args) -> Decimal:
    return Decimal(str(args["yuan"]))


def _of_kinds(subject: Subject, args: Args) -> list[LineFacts]:
    kinds = _strings(args.get("kinds"))
    return [line for line in subject.lines if not kinds or line.kind in kinds]


def unit_price(line: LineFacts) -> Decimal:
    """Printed unit price, else the amount by the quantity."""
    if line.unit_price > 0 or line.quantity <= 0:
        return line.unit_price if line.unit_price > 0 else line.amount
    return line.amount / line.quantity


def _unit_price_at_least(subject: Subject, args: Args) -> list[LineFacts]:
    """Unit price, not line total: 2 × 3,000 does not reach 5,000 (PA-09, PA-24)."""
    least = _yuan(args)
    return [line for line in _of_kinds(subject, args) if unit_price(line) >= least]


def _item_above(subject: Subject, args: Args) -> list[LineFacts]:
    """One item, exclusive (PA-34): an examination or treatment is one item per unit, a drug is
    one item whatever its quantity."""
    above = _yuan(args)
    drugs = ("DRUG", "INJECTION")
    lines = _of_kinds(subject, args)
    return [line for line in lines if (line.amount if line.kind in drugs else unit_price(line)) > above]


def _single_treatment_above(subject: Subject, args: Args) -> list[LineFacts]:
    """One drug or injection over one treatment, all its lines together, exclusive (PA-10)."""
    above, sums = _yuan(args), dict[str, Decimal]()
    lines = _of_kinds(subject, args)
    for line in lines:
        sums[line.code or line.name] = sums.get(line.code or line.name, ZERO) + line.amount
    return [line for line in lines if sums[line.code or line.name] > above]


def _treatment_total_above(subject: Subject, args: Args) -> list[LineFacts]:
    """All items of the kinds in one treatment together, exclusive (PA-10, the second reading)."""
    lines = _of_kinds(subject, args)
    return lines if sum((line.amount for line in lines), ZERO) > _yuan(args) else []


def _procedure(subject: Subject, args: Args) -> list[LineFacts]:
    wanted = set(_strings(args["any_of"]))
    return [line for line in subject.lines if wanted.intersection(line.procedure_categories)]


def _item_kind(subject: Subject, args: Args) -> list[LineFacts]:
    """By kind or code; `none_of` takes out (DME, but not NEBULISER)."""
    wanted, out = set(_strings(args["any_of"])), set(_strings(args.get("none_of")))
    return [
        line
        for line in subject.lines
        if (line.kind in wanted or line.code in wanted) and line.kind not in out and line.code not in out
    ]


def _diagnosis_in(subject: Subject, args: Args) -> bool:
    """ICD-10 prefixes: a parameter of the handbook by name, or the list itself."""
    given = args["list"]
    listed = subject.handbook.value(given, ()) if isinstance(given, str) else given
    prefixes = _strings(listed)
    return any(code.startswith(prefix) for code in subject.diagnoses for prefix in prefixes)


def _any_of(values: Iterable[str], args: Args) -> bool:
    return not set(_strings(args["any_of"])).isdisjoint(values)


LINE_TESTS: Mapping[str, LineTest] = {
    "procedure": _procedure,
    "item_kind": _item_kind,
    "unit_price_at_least": _unit_price_at_least,
    "item_above": _item_above,
    "single_treatment_above": _single_treatment_above,
    "treatment_total_above": _treatment_total_above,
}


def _by_lines(name: str) -> Test:
    pick = LINE_TESTS[name]
    return lambda subject, args: bool(pick(subject, args))


TESTS: Mapping[str, Test] = {
    "always": lambda subject, args: True,
    "minor": lambda subject, args: subject.minor,
    "adult": lambda subject, args: not subject.minor,
    "visit_type": lambda subject, args: _any_of(subject.visit_types, args),
    "benefit": lambda subject, args: _any_of(subject.benefits, args),
    "category": lambda subject, args: _any_of((subject.category,), args),
    "channel": lambda subject, args: _any_of((subject.channel,), args),
    "route": lambda subject, args: _any_of((subject.route,), args),
    "surgery": lambda subject, args: subject.surgery,
    "drugs": lambda subject, args: subject.drugs,
    "third_party": lambda subject, args: subject.third_party,
    "accident": lambda subject, args: subject.accident,
    "mental_health": lambda subject, args: subject.mental_health,
    "amount_at_least": lambda subject, args: subject.amount >= _yuan(args),
    "amount_at_most": lambda subject, args: subject.amount <= _yuan(args),
    "e_signed": lambda subject, args: subject.e_signed,
    "bank_data_structured": lambda subject, args: subject.bank_data_structured,
    "e_card_held": lambda subject, args: subject.e_card_held,
    "payee_is_guardian": lambda subject, args: subject.payee_is_guardian,
    "cumulative_above": lambda subject, args: subject.cumulative > _yuan(args),
    "diagnosis_in": _diagnosis_in,
    "in_stay": lambda subject, args: "INPATIENT" in subject.visit_types,
    "outside_stay": lambda subject, args: "INPATIENT" not in subject.visit_types,
    **{name: _by_lines(name) for name in LINE_TESTS},
}
