"""`adjudicate(facts) -> Decision`: the documented order (docs/adjudication.md), nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from apps.adjudication.decision import Decision, Finding, LineDecision
from apps.adjudication.facts import ZERO, Facts
from apps.adjudication.handbook import Level
from apps.adjudication.rules import bills, causes, ceilings, children, items, permission, scope, shares
from apps.adjudication.work import Claim, Line

Rule = Callable[[Claim], None]

# Who may be paid for what: each takes lines away or asks a person.
COVER: tuple[tuple[str, Rule], ...] = (
    ("series_of_service", scope.series_of_service),
    ("void_bills", bills.void_bills),
    ("duplicate_bills", bills.duplicate_bills),
    ("third_party", bills.third_party),
    ("in_force", scope.in_force),
    ("stay_period", scope.stay_period),
    ("exclusions", causes.exclusions),
    ("never_payable", items.never_payable),
    ("home_test", items.home_test),
    ("counselling", children.counselling),
    ("benefit_and_rider", items.benefit_and_rider),
    ("post_claim_only", children.post_claim_only),
    ("waiting_period", causes.waiting_period),
    ("excluded_items", items.excluded_items),
    ("vaccines", children.vaccines),
    ("health_checks", children.health_checks),
    ("social_settlement", permission.social_settlement),
    ("authorization", permission.authorization),
    ("photo_identity", permission.photo_identity),
)


def adjudicate(facts: Facts) -> Decision:
    """Decide every line. Pure and deterministic; raises FactsError on contradictory bills.

    An unanswered referral leaves its amount payable and makes the outcome REFER; an override
    with accept=False takes it away, with accept=True settles it (only where `discretion`).
    """
    claim, trace = Claim(facts), list[dict[str, Any]]()
    for name, rule in COVER:
        rule(claim)
        trace.append({"step": name, "open": str(_open(claim.lines)), "findings": len(claim.findings)})
    if not _blocked(claim.findings):
        for lines in _visits(claim):
            _money(claim, lines)
            trace.append({
                "step": "money", "visit": lines[0].visit.ref, "open": str(_open(claim.lines)),
                "findings": len(claim.findings),
            })  # fmt: skip
    ignored = claim.ignored_overrides()
    if ignored:
        trace.append({"step": "overrides_ignored", "findings": ignored})
    return _decision(claim, tuple(trace))


def _money(claim: Claim, lines: Sequence[Line]) -> None:
    """One visit (PR-13): per benefit ceilings, count, deductible, coinsurance; over the visit what
    exceeds a guarantee letter; per benefit the yearly limit; then the annual maximum over the visit,
    then the counts of what was really paid."""
    booked = []
    for code in dict.fromkeys(line.benefit for line in lines):
        planned = claim.plans.get(code)
        chosen = [line for line in lines if line.benefit == code]
        if planned is None:
            continue
        ceilings.count(claim, planned, chosen)
        chosen = [line for line in chosen if not line.denied]
        if not chosen:
            continue
        ceilings.item_limits(claim, planned, chosen)
        ceilings.visit_and_day(claim, planned, chosen)
        shares.deductible(claim, planned, chosen)
        rate = shares.coinsurance(claim, planned, chosen)
        booked.append((planned, chosen, rate))
    permission.letter(claim, [line for _planned, chosen, _rate in booked for line in chosen])
    for planned, chosen, _rate in booked:
        shares.benefit_year(claim, planned, chosen)
    shares.annual_maximum(claim, lines)
    for planned, chosen, rate in booked:
        ceilings.book_count(claim, planned, chosen)
        shares.book_full_visit(claim, planned, chosen, rate)


def _visits(claim: Claim) -> list[list[Line]]:
    """Payable lines by visit in the sense of PR-13, in order of first appearance."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in claim.alive():
        groups.setdefault(line.group, []).append(line)
    return list(groups.values())


def _decision(claim: Claim, trace: tuple[dict[str, Any], ...]) -> Decision:
    if _blocked(claim.findings):
        for line in claim.lines:
            line.disallow(line.open)
    lines = tuple(line.decided() for line in claim.lines)
    findings = tuple(claim.findings)
    # REC-01, REC-05: what was direct-billed may still turn out not to be covered.
    claim.check("decide.not_final", claim.facts.direct and any(line.disallowed for line in lines))
    return Decision(
        outcome=_outcome(findings, lines),
        findings=findings,
        lines=lines,
        movements=() if _blocked(findings) else claim.accounts.movements(),
        billed=_sum(line.billed for line in lines),
        third_party=_sum(line.third_party for line in lines),
        disallowed=_sum(line.disallowed for line in lines),
        deductible=_sum(line.deductible for line in lines),
        member=_sum(line.member for line in lines),
        insurer=_sum(line.insurer for line in lines),
        trace=trace,
    )


def _outcome(findings: Sequence[Finding], lines: Sequence[LineDecision]) -> str:
    """BLOCKED > PEND > REFER > money. DENY: nothing is payable and everything was disallowed;
    a claim that deductible, coinsurance or a third party used up is APPROVE or PARTIAL (zero
    payment), not a refusal."""
    if _blocked(findings):
        return "BLOCKED"
    open_levels = {finding.level for finding in findings if not finding.overridden}
    for level, outcome in ((Level.PEND, "PEND"), (Level.REFER, "REFER")):
        if level in open_levels:
            return outcome
    claimed = _sum(line.billed - line.third_party for line in lines)
    insurer, disallowed = _sum(line.insurer for line in lines), _sum(line.disallowed for line in lines)
    if insurer == claimed:
        return "APPROVE"
    return "DENY" if disallowed == claimed else "PARTIAL"


def _blocked(findings: Sequence[Finding]) -> bool:
    return any(finding.level is Level.BLOCK for finding in findings)


def _open(lines: Sequence[Line]) -> Decimal:
    return _sum(line.open for line in lines)


def _sum(amounts: Any) -> Decimal:
    return sum(amounts, ZERO)
