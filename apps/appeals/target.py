"""What an appeal is against: the decision in force on a claim or direct claim, or a refusal at intake (PR-06)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.appeals.models import AT_INTAKE, Appeal
from apps.cases.models import CaseEvent, CaseFile
from apps.claims.letters import REASONS
from apps.claims.models import Decision, DecisionLine
from apps.direct.workflow import DECIDED
from apps.enquiries.guards import DECIDING

REFUSED = "REJECTED_INTAKE"
DECIDED_STATES: dict[str, frozenset[str]] = {
    "claim": frozenset({"APPROVED", "PARTIAL", "PAYMENT_PENDING", "PAYMENT_FAILED", "PAID", "CLOSED", "DENIED", REFUSED}),
    "direct": DECIDED,
}  # fmt: skip
REOPENABLE: dict[str, frozenset[str]] = {"claim": frozenset({"CLOSED", "DENIED", REFUSED}), "direct": DECIDED}
TAKING = {str(level) for level in REASONS}


@dataclass(frozen=True)
class Target:
    """The decision: its version, when it was made, what it gave (fen), the rules that took something away,
    who made it, and who had any part in decisions on the claim."""

    version: int
    decided_at: datetime
    former_fen: int
    rules: tuple[str, ...]
    deciders: frozenset[int]
    concerned: frozenset[int]


def target_of(origin: CaseFile) -> Target | None:
    """None while nothing is decided, or while the claim is being decided again. Three queries."""
    if origin.state not in DECIDED_STATES.get(origin.kind, ()):
        return None
    events = CaseEvent.objects.filter(case=origin.pk, action__in=DECIDING).order_by("seq")
    if origin.state == REFUSED:
        return _at_intake(origin, list(events))
    decision = Decision.objects.filter(claim=origin.pk).order_by("-version").first()
    if decision is None:
        return None
    deciders = {decision.proposed_by_id, decision.signed_by_id}
    return Target(
        decision.version, decision.decided_at, decision.insurer_fen, rules_in(decision.result.get("findings", ())),
        _people(deciders), _people({*deciders, *(event.user_id for event in events)}),
    )  # fmt: skip


def _at_intake(origin: CaseFile, events: Sequence[CaseEvent]) -> Target | None:
    refusal = CaseEvent.objects.filter(case=origin.pk, to_state=REFUSED).order_by("-seq")
    event = refusal.exclude(from_state=REFUSED).first()
    if event is None:
        return None
    rules = tuple(event.data.get("rules", ()))
    people = {event.user_id for event in events}
    return Target(AT_INTAKE, event.at, 0, rules, _people({event.user_id}), _people(people))


def _people(ids: Iterable[int | None]) -> frozenset[int]:
    return frozenset(one for one in ids if one is not None)


def rules_in(findings: Iterable[Any]) -> tuple[str, ...]:
    """Ids of the rules that take something away, each once, as the decision lists them."""
    taking = (found["rule"] for found in findings if takes_away(found))
    return tuple(dict.fromkeys(taking))


def takes_away(found: Any) -> bool:
    return found.get("level") in TAKING and not found.get("overridden")


def lines_of(origin: int, version: int | None) -> list[tuple[str, DecisionLine]]:
    """The lines of a decision by their place in the claim ("1.2.3"); one query."""
    if not version:
        return []
    rows = DecisionLine.objects.filter(decision__claim=origin, decision__version=version)
    return [
        (place_of(row), row) for row in rows.select_related("line__bill__visit", "decision").order_by("pk")
    ]


def place_of(row: DecisionLine) -> str:
    bill = row.line.bill
    return f"{bill.visit.position}.{bill.position}.{row.line.position}"


def decision_of(row: Appeal, version: int | None) -> Decision | None:
    if not version:
        return None
    related = ("proposed_by", "signed_by")
    return Decision.objects.filter(claim=row.origin_id, version=version).select_related(*related).first()


@dataclass(frozen=True)
class Compared:
    """One line before and after; None where that decision has no such line. Fen."""

    place: str
    name: str
    contested: bool
    before: DecisionLine | None
    after: DecisionLine | None

    @property
    def change_fen(self) -> int:
        return (self.after.insurer_fen if self.after else 0) - (self.before.insurer_fen if self.before else 0)


def compared(row: Appeal) -> list[Compared]:
    """The decision under appeal line by line, beside the one that followed it; two queries."""
    before, after = dict(lines_of(row.origin_id, row.version)), dict(lines_of(row.origin_id, row.new_version))
    contested = set(row.places)
    found = []
    for place in sorted({*before, *after}, key=lambda place: [int(part) for part in place.split(".")]):
        line = (after.get(place) or before[place]).line
        one, other = before.get(place), after.get(place)
        found.append(Compared(place, line.name, not contested or place in contested, one, other))
    return found
