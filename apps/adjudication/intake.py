"""May this claim be taken in? (machines (d), (e), (f); APT-02, RMB-01, INT-*, VAC-06, LAW-07 …)

Each check is one function over an `Intake`; a rule key that the series does not have is a check
that does not run. The order of `CHECKS` is the order in which an adjuster reads the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from apps.adjudication import intake_places, intake_scope
from apps.adjudication.calendar import WEEKDAYS_ONLY, WorkCalendar
from apps.adjudication.decision import Finding
from apps.adjudication.facts import Facts, Override
from apps.adjudication.findings import answer, check, overrides_of, settled_by
from apps.adjudication.handbook import Level
from apps.adjudication.intake_base import Findings, Intake

ACCEPT, REFUSE, HOLD = "ACCEPT", "REFUSE", "HOLD"


def assess_intake(facts: Facts, calendar: WorkCalendar = WEEKDAYS_ONLY) -> tuple[Finding, ...]:
    """Findings of all `intake.*` rules. BLOCK refuses (a person confirms, PR-06); REFER and
    SOFT_BLOCK hold until a person answers (`facts.overrides`); WARN goes on."""
    intake = Intake(facts, facts.handbook, calendar)
    found = (finding for run in CHECKS for finding in run(intake))
    overrides = overrides_of(facts)
    return tuple(_heard(finding, overrides) for finding in found)


def intake_outcome(findings: Sequence[Finding]) -> str:
    """ACCEPT | REFUSE | HOLD."""
    levels = {finding.level for finding in findings if not finding.overridden}
    if Level.BLOCK in levels:
        return REFUSE
    return HOLD if levels & {Level.REFER, Level.SOFT_BLOCK} else ACCEPT


def is_small_claim(facts: Facts) -> bool:
    """PR-21: the claimant is told what is needed within one working day."""
    maximum = facts.handbook.value("small_claim.maximum")
    small = maximum is not None and facts.claimed <= maximum and not facts.direct
    return check(facts.handbook.rule("intake.small_claim"), small)


def _heard(finding: Finding, overrides: dict[str, Override]) -> Finding:
    """A person's answer: an accepted finding stops no more, a refused one blocks."""
    override = answer(finding, overrides.get(finding.ref))
    if override is None:
        return finding
    return settled_by(finding, override) if override.accept else replace(finding, level=Level.BLOCK)


CHECKS: tuple[Callable[[Intake], Findings], ...] = (
    intake_scope.series,
    intake_scope.version,
    intake_scope.in_force,
    intake_scope.catalogue,
    intake_scope.service,
    intake_places.private,
    intake_places.direct_billed,
    intake_places.network,
    intake_places.rider,
    intake_places.optional_direct_only,
    intake_places.vaccine,
    intake_places.internet,
    intake_places.internet_late,
    intake_scope.channel,
    intake_places.limitation,
)
