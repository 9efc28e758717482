"""What must be there beside the bills: authorization, photo identity, social settlement."""

from __future__ import annotations

from apps.adjudication.authorization import Hit, authorized, hits
from apps.adjudication.facts import ZERO, VisitFacts
from apps.adjudication.findings import check, cited
from apps.adjudication.handbook import Level, Rule
from apps.adjudication.identity import EXPIRED, NO_PHOTO, PAYEE, identity_gaps, identity_needed
from apps.adjudication.words import gap_name
from apps.adjudication.work import Claim, Line

SETTLED_BENEFITS = ("OUTPATIENT", "EMERGENCY", "INPATIENT")


def authorization(claim: Claim) -> None:
    """PA-05: direct-billed treatment without authorization *may* be refused, only the related
    lines; PR-07: in a series without penalty it is noted. Never for post-claims (APP-02)."""
    parameter = claim.handbook.parameters.get("authorization.missing")
    found = hits(claim.facts)
    if parameter is None:
        return
    rule = cited(claim.handbook, parameter.rule, parameter.source)
    for visit in claim.facts.visits if claim.facts.direct else ():
        of_visit = [hit for hit in found if hit.visit is visit and hit.required]
        missing = [hit for hit in of_visit if not authorized(hit, claim.facts)]
        lines = _related(claim.of_visit(visit), missing)
        if check(rule, bool(lines)):
            _missing(claim, visit, missing, lines, rule, str(parameter.value))


def _missing(
    claim: Claim, visit: VisitFacts, missing: list[Hit], lines: list[Line], rule: Rule, level: str
) -> None:
    place, also = f"visit:{visit.ref}", [cited(claim.handbook, hit.trigger.rule, "") for hit in missing]
    triggers = "、".join(f"{hit.trigger.rule} {hit.trigger.title.zh}" for hit in missing)
    triggers_en = ", ".join(f"{hit.trigger.rule} {hit.trigger.title.en}" for hit in missing)
    affected = sum((line.open for line in lines), ZERO)
    asked = level == Level.REFER
    claim.refer(
        "PA_MISSING" if asked else "PA_MISSING_NOTED", rule, lines, level=Level.REFER if asked else Level.WARN,
        place=place, also=also, triggers=triggers, triggers_en=triggers_en, affected=affected,
    )  # fmt: skip


def letter(claim: Claim, lines: list[Line]) -> None:
    """REC-01: a guarantee letter binds within its amount; only what exceeds it is at discretion, as
    treatment without authorization is in the series (PA-05, PR-07)."""
    left, parameter = claim.facts.letter_left, claim.handbook.parameters.get("authorization.missing")
    if left is None or parameter is None:
        return
    rule = cited(claim.handbook, parameter.rule, parameter.source)
    above = sum((line.open for line in lines), ZERO) - left
    if check(rule, above > 0):
        asked = str(parameter.value) == Level.REFER
        claim.refer_above(
            "LETTER_EXCEEDED" if asked else "LETTER_EXCEEDED_NOTED", rule, lines, left,
            level=Level.REFER if asked else Level.WARN, place=f"visit:{lines[0].visit.ref}", above=above, left=left,
        )  # fmt: skip


def _related(lines: list[Line], missing: list[Hit]) -> list[Line]:
    """The lines behind the triggers; all of the visit when one is about the visit as a whole."""
    if any(not hit.lines for hit in missing):
        return lines
    refs = {fact.ref for hit in missing for fact in hit.lines}
    return [line for line in lines if line.fact.ref in refs]


def photo_identity(claim: Claim) -> None:
    """KYC-01, KYC-02: without it nothing of a large claim is approved; a compliance exception is
    a person's (PR-02)."""
    rule = claim.rule("papers.photo_id")
    needed = identity_needed(claim.facts)
    gaps = identity_gaps(claim.facts) if needed else ()
    if rule and check(rule, bool(gaps)):
        unfit = any(gap.why in (EXPIRED, NO_PHOTO) for gap in gaps)
        claim.refer(
            "PHOTO_ID_MISSING", rule, (), level=Level.PEND, also=[claim.rule("papers.photo_id_valid") if unfit else None],
            claimed=claim.facts.claimed, threshold=claim.handbook.value("photo_id.threshold"),
            missing="；".join(gap_name(gap.subject, gap.why) for gap in gaps),
            subjects=[gap.subject for gap in gaps], payee=any(gap.subject == PAYEE for gap in gaps),
        )  # fmt: skip


def social_settlement(claim: Claim) -> None:
    """PR-11: only a plan priced net of social insurance minds that it was not used, and only
    where it could have been; another coinsurance of the plan settles it, else a person."""
    for visit in claim.facts.visits:
        lines = [line for line in claim.of_visit(visit) if line.benefit in SETTLED_BENEFITS]
        absent = claim.plan.priced_net_of_social and bool(lines) and unused_social(claim, visit)
        rule = claim.check("decide.priced_net", absent)
        covered = all(line.planned and line.planned.coinsurance.unused_social is not None for line in lines)
        if absent and not covered:
            claim.refer(
                "SOCIAL_SETTLEMENT_MISSING", rule or claim.contract("decide.priced_net"), lines,
                place=f"visit:{visit.ref}", day=visit.started_on,
            )  # fmt: skip


def unused_social(claim: Claim, visit: VisitFacts) -> bool:
    """Insured with social insurance, not used, at a place that settles it: an ordinary department
    of a public hospital. Private, special and international departments do not."""
    hospital = visit.hospital
    possible = hospital.ownership == "PUBLIC" and hospital.department_group == "GENERAL"
    settled = visit.used_social_insurance or any(bill.settled > 0 for bill in visit.bills)
    return claim.facts.member.social_insurance and possible and not settled
