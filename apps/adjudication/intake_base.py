"""What the checks of intake look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apps.adjudication.calendar import WorkCalendar
from apps.adjudication.decision import Finding
from apps.adjudication.facts import Facts, VisitFacts
from apps.adjudication.findings import write
from apps.adjudication.handbook import Handbook, Level, Rule
from apps.adjudication.words import benefit_name

Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Intake:
    """What the checks look at."""

    facts: Facts
    handbook: Handbook
    calendar: WorkCalendar

    def rule(self, key: str) -> Rule | None:
        return self.handbook.rule(key)

    @property
    def post_claims(self) -> tuple[VisitFacts, ...]:
        return () if self.facts.direct else self.facts.visits


def is_internet(facts: Facts, visit: VisitFacts) -> bool:
    """Filed or visited as an internet-hospital consult."""
    return facts.category == "INTERNET" or visit.visit_type == "INTERNET"


def is_closed(handbook: Handbook, key: str) -> bool:
    """A service of the handbook that it does not offer."""
    service = handbook.service(key)
    return service is not None and not service.offered


def direct_only(rule: Rule, visit: VisitFacts, other: Rule) -> Finding:
    """VAC-06, NET-05: the benefit is direct billing only."""
    return write(
        "DIRECT_ONLY", rule, Level.BLOCK, place=f"visit:{visit.ref}", also=[other],
        benefit=benefit_name(visit.benefit),
    )  # fmt: skip
