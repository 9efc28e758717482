"""Facts that contradict themselves: exact errors for people and machines who sent them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from apps.adjudication.clocks import local
from apps.adjudication.codes import BENEFITS, PROCEDURES
from apps.adjudication.errors import FactsError
from apps.adjudication.facts import ZERO, BillFacts, Facts, VisitFacts
from apps.adjudication.keys import CHANNELS, PAPERS

MAXIMUM_LINES = 2000


def count_lines(data: Mapping[str, Any]) -> int:
    """Lines in raw JSON, before anything else is looked at."""
    visits = data.get("visits")
    bills = (bill for visit in _dicts(visits) for bill in _dicts(visit.get("bills")))
    return sum(len(bill["lines"]) for bill in bills if isinstance(bill.get("lines"), list))


def check_sound(facts: Facts) -> None:
    """Raises FactsError for the first contradiction, in reading order."""
    _check_people(facts)
    _known("channel", facts.channel, _channels(facts))
    kinds = _paper_kinds(facts)
    for path, paper in _numbered("papers", facts.papers):
        _known(f"{path}.kind", paper.kind, kinds)
    _unique("visits", (visit.ref for visit in facts.visits))
    bills = [bill for visit in facts.visits for bill in visit.bills]
    _unique("bills", (bill.ref for bill in bills))
    _unique("lines", (line.ref for bill in bills for line in bill.lines))
    for path, visit in _numbered("visits", facts.visits):
        _check_visit(path, visit, facts)
        for bill_path, bill in _numbered(f"{path}.bills", visit.bills):
            _not_after(f"{bill_path}.issued_on", bill.issued_on, facts.decided_on)
            check_bill(bill_path, bill)


def check_bill(path: str, bill: BillFacts) -> None:
    """Lines add up to the bill; nobody has paid more than was billed (forms use this too)."""
    total = ZERO
    for line_path, line in _numbered(f"{path}.lines", bill.lines):
        if line.amount < 0:
            raise FactsError(f"{line_path}.amount", line.amount, "an amount that is not negative")
        if not ZERO <= line.third_party <= line.amount:
            raise FactsError(f"{line_path}.third_party", line.third_party, f"0.00 to {line.amount}")
        total += line.amount
    if total != bill.amount:
        raise FactsError(f"{path}.amount", bill.amount, f"the sum of its lines, {total}")
    if bill.third_party < 0 or bill.settled > bill.amount:
        raise FactsError(f"{path}.third_party", bill.settled, f"0.00 to {bill.amount}")


def _check_people(facts: Facts) -> None:
    policy = facts.policy
    _not_after("reported_at", local(facts.reported_at).date(), facts.decided_on)
    _not_after("member.birth_date", facts.member.birth_date, facts.decided_on)
    if policy.expires_on < policy.effective_on:
        raise FactsError("policy.expires_on", policy.expires_on, f"not before {policy.effective_on}")
    if policy.continuous_since > policy.effective_on:
        raise FactsError(
            "policy.continuous_since", policy.continuous_since, f"not after {policy.effective_on}"
        )


def _check_visit(path: str, visit: VisitFacts, facts: Facts) -> None:
    _not_after(f"{path}.started_on", visit.started_on, facts.decided_on)
    _not_after(f"{path}.ended_on", visit.ended_on, facts.decided_on)
    if visit.ended_on < visit.started_on:
        raise FactsError(f"{path}.ended_on", visit.ended_on, f"not before {visit.started_on}")
    if visit.started_on < facts.member.birth_date:
        raise FactsError(f"{path}.started_on", visit.started_on, "a day in the life of the insured")
    known = (*BENEFITS, *(benefit.code for benefit in facts.plan.benefits))
    _known(f"{path}.benefit", visit.benefit, known)
    procedures = _procedures(facts)
    for bill_path, bill in _numbered(f"{path}.bills", visit.bills):
        for line_path, line in _numbered(f"{bill_path}.lines", bill.lines):
            _known(f"{line_path}.benefit", line.benefit, ("", *known))
            for code in line.procedure_categories:
                _known(f"{line_path}.procedure_categories", code, procedures)


def _procedures(facts: Facts) -> tuple[str, ...]:
    """Those of the series and our own."""
    listed = tuple(facts.handbook.value("authorization.procedures", ()))
    exams = tuple(facts.handbook.value("authorization.major_exams", ()))
    return tuple(dict.fromkeys((*PROCEDURES, *listed, *exams)))


def _channels(facts: Facts) -> tuple[str, ...]:
    """Ours and those of the series' services."""
    offered = (channel for service in facts.handbook.services.values() for channel in service.channels)
    return tuple(dict.fromkeys((*CHANNELS, "API", *offered)))


def _paper_kinds(facts: Facts) -> tuple[str, ...]:
    """Ours and those on the series' check lists."""
    listed = (kind for one in facts.handbook.documents for kind in (one.key, *one.satisfied_by))
    return tuple(dict.fromkeys((*PAPERS, "OTHER", *listed)))


def _not_after(path: str, day: date, limit: date) -> None:
    if day > limit:
        raise FactsError(path, day.isoformat(), f"not after the day of the decision, {limit.isoformat()}")


def _known(path: str, code: str, known: Iterable[str]) -> None:
    if code not in known:
        raise FactsError(path, code, f"one of {', '.join(code or '(empty)' for code in known)}")


def _unique(path: str, refs: Iterable[str]) -> None:
    seen: set[str] = set()
    for ref in refs:
        if ref in seen or not ref:
            raise FactsError(f"{path}.ref", ref, "a reference of its own")
        seen.add(ref)


def _numbered(path: str, items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{path}[{index}]", item) for index, item in enumerate(items))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
