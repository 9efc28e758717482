"""Reasons why an action on an advance is not possible now; each cites its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.adjudication.checklist import Requirement
from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.advances.assess import DISCHARGE, SERVICE, SIGNATURE, Look, look_in, missing, most_fen
from apps.advances.inputs import TREATMENT
from apps.advances.models import Advance
from apps.advances.roles import SUPERVISORS
from apps.cases.kinds import Blocker
from apps.cases.models import CaseFile
from apps.core.money import format_yuan

Found = Blocker | None
Redirect = Advance.Redirect


def say(zh: str, en: str) -> str:
    return en if (get_language() or "").startswith("en") else zh


# --- Entitlement ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Objection:
    """Why there is no advance, and what the family may do instead."""

    code: str
    rule: str
    words: Any
    redirect: str


def objections(case: CaseFile, given: Advance, found: Look) -> list[Objection]:
    """Everything that rules the advance out before papers are asked for, in the order it is told."""
    tests = (_closed, _direct, _public, _stay, _cause, _cost, _cover, _network)
    return [one for test in tests if (one := test(case.handbook.handbook, given, found)) is not None]


def _closed(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    service = handbook.service(SERVICE)
    rule = service.rule if service else "GEN-04"
    if service is not None and service.offered:
        return None
    words = _("Series %(series)s knows no inpatient advance.") % {"series": handbook.series}
    return Objection("closed", rule, words, Redirect.REIMBURSEMENT)


def _direct(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    """ADV-20: direct billing comes first, where it covers stays for the plan on the day. PR-18: a supervisor may
    say that it cannot be used."""
    direct = found.billing.direct
    if observe("ADV-20", direct and not given.exception):
        words = _("The hospital bills stays directly: direct billing comes first.")
        return Objection("direct_billing", "ADV-20", words, Redirect.AUTHORIZATION)
    return None


def _public(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    """ADV-01; what the family pays at a private hospital is no claim either (RMB-01)."""
    public = found.plan.hospital.ownership in handbook.value("advance.ownerships", ())
    if observe("ADV-01", not public):
        words = _("Only stays at public hospitals are advanced; this one is private (a later claim: RMB-01).")
        return Objection("private", "ADV-01", words, Redirect.NONE)
    return None


def _stay(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    if observe("ADV-02", given.visit_type != "INPATIENT"):
        return Objection("no_stay", "ADV-02", _("Only stays are advanced."), Redirect.REIMBURSEMENT)
    return None


def _cause(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    if observe("ADV-02", given.cause not in handbook.value("advance.causes", ())):
        words = _("Only stays because of illness or an accident are advanced.")
        return Objection("cause", "ADV-02", words, Redirect.REIMBURSEMENT)
    return None


def _cost(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    if observe(
        "ADV-18", given.cost in handbook.value("advance.excluded_costs", ()) or given.cost != TREATMENT
    ):
        words = _("Deposits, their top-ups, outpatient and emergency costs are not advanced.")
        return Objection("cost", "ADV-18", words, Redirect.REIMBURSEMENT)
    return None


def _cover(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    """ADV-13: the stay is covered: in force, after the waiting period, something left of the limits."""
    outside = found.outside
    if observe("ADV-13", bool(outside)):
        first = outside[0] if outside else None
        words = say(first.message_zh, first.message_en) if first else _("The stay is not covered.")
        return Objection("not_covered", first.rule if first else "ADV-13", words, Redirect.NONE)
    return None


def _network(handbook: Handbook, given: Advance, found: Look) -> Objection | None:
    """ADV-20, ADV-21: the provider judges its own network."""
    if observe("ADV-21", given.network == Advance.Network.OUTSIDE):
        words = _("The provider says that the hospital is outside its network.")
        return Objection("network", "ADV-21", words, Redirect.REIMBURSEMENT)
    return None


def objections_in(ctx: Any) -> list[Objection]:
    return objections(ctx.case, ctx.subject, look_in(ctx))


def entitled(ctx: Any) -> Found:
    found = objections_in(ctx)
    return Blocker(found[0].code, found[0].words, found[0].rule) if found else None


def not_entitled(ctx: Any) -> Found:
    if objections_in(ctx):
        return None
    return Blocker("entitled", _("Nothing rules the advance out: verify the entitlement."), "ADV-05")


def direct_objected(ctx: Any) -> Found:
    """PR-18: an exception is about direct billing alone."""
    if any(one.code == "direct_billing" for one in objections_in(ctx)):
        return None
    return Blocker("no_exception", _("Direct billing does not stand against this advance."), "PR-18")


# --- Papers -----------------------------------------------------------------------------------------


def papers_complete(ctx: Any) -> Found:
    """ADV-06, ADV-13: with the family's consent, and the evidence where it was an accident."""
    return _lacking(missing(look_in(ctx)))


def signed_papers(ctx: Any) -> Found:
    """ADV-08: nothing is paid before the entrustment letter came back signed."""
    lacking = missing(look_in(ctx), SIGNATURE)
    observe("ADV-08", bool(lacking))
    return _lacking(lacking)


def discharge_papers(ctx: Any) -> Found:
    """ADV-10: all six."""
    lacking = missing(look_in(ctx), DISCHARGE)
    observe("ADV-10", bool(lacking))
    return _lacking(lacking)


def _lacking(found: tuple[Requirement, ...]) -> Found:
    if not found:
        return None
    titles = "、".join(say(entry.title.zh, entry.title.en) for entry in found)
    return Blocker("papers", _("Still missing: %(papers)s") % {"papers": titles}, found[0].rule)


# --- Review -----------------------------------------------------------------------------------------


def checked(ctx: Any) -> Found:
    if ctx.subject.checked_at is not None:
        return None
    return Blocker("unchecked", _("Record the findings of the review first."), "ADV-12")


def clean(ctx: Any) -> Found:
    """What the review may have found, each with its rule (ADV-11, ADV-12, ADV-16, ADV-20)."""
    given: Advance = ctx.subject
    return next((found for test in FINDINGS if (found := test(ctx, given)) is not None), None)


def _third_party(ctx: Any, given: Advance) -> Found:
    if observe("ADV-12", bool(given.third_party_funds or given.litigation)):
        words = _("Third-party funds or a lawsuit are involved: no advance.")
        return Blocker("third_party", words, "ADV-12")
    return None


def _suspected(ctx: Any, given: Advance) -> Found:
    if observe("ADV-11", bool(given.suspicion)):
        words = _("A ground for refusal is recorded: terminate, or record that it was cleared.")
        return Blocker("suspicion", words, "ADV-11")
    return None


def _out_of_area(ctx: Any, given: Advance) -> Found:
    """ADV-16: all three conditions rule it out; with the first two a supervisor decides."""
    two = bool(given.no_real_time and given.ratio_unknown)
    if observe("ADV-16", two and bool(given.no_hand_over)):
        words = _("Out-of-area insurance: no settlement at once, share unknown and no papers at discharge.")
        return Blocker("out_of_area", words, "ADV-16")
    if two and not ctx.actor.roles & SUPERVISORS:
        words = _("Out-of-area insurance with an unknown share: a supervisor decides.")
        return Blocker("manual_review", words, "ADV-16")
    return None


def _inside(ctx: Any, given: Advance) -> Found:
    if given.network == Advance.Network.INSIDE:
        return None
    words = _("The provider has not said that the hospital is inside its network.")
    return Blocker("network", words, "ADV-21" if given.network == Advance.Network.OUTSIDE else "ADV-20")


FINDINGS: tuple[Callable[[Any, Advance], Found], ...] = (_third_party, _suspected, _out_of_area, _inside)


def something_covered(ctx: Any) -> Found:
    """ADV-03, ADV-13: something of the stay is covered that no other advance takes."""
    if most_fen(ctx.subject, look_in(ctx)) > 0:
        return None
    return Blocker("nothing_covered", _("Nothing is left of the cover that could be advanced."), "ADV-03")


def proposal_there(ctx: Any) -> Found:
    if ctx.subject.proposed_fen:
        return None
    return Blocker("no_proposal", _("No amount is proposed."))


def no_proposal(ctx: Any) -> Found:
    if not ctx.subject.proposed_fen:
        return None
    return Blocker("proposed", _("An amount is proposed and waits for the second signature."))


def within_authority(ctx: Any) -> Found:
    proposed = ctx.subject.proposed_fen or 0
    return None if ctx.actor.authority_fen >= proposed else above_authority(ctx.actor, proposed)


def above_authority(actor: Any, fen: int) -> Blocker:
    words = _("%(amount)s is above your authority of %(limit)s.")
    return Blocker(
        "authority", words % {"amount": format_yuan(fen), "limit": format_yuan(actor.authority_fen)}
    )


# --- Stay -------------------------------------------------------------------------------------------


def in_hospital(ctx: Any) -> Found:
    """ADV-02: money goes to the hospital during the stay."""
    given: Advance = ctx.subject
    if given.admitted and given.admitted_on <= timezone.localtime(ctx.now).date():
        return None
    return Blocker("not_admitted", _("The child is not admitted yet."), "ADV-02")


def not_admitted(ctx: Any) -> Found:
    return Blocker("admitted", _("The admission is recorded.")) if ctx.subject.admitted else None


def claim_over(ctx: Any) -> Found:
    """The provider is reimbursed by payments of the claim: until they are through, nothing is closed."""
    claim = ctx.subject.claim
    if claim is None or not claim.open:
        return None
    return Blocker(
        "claim_open", _("Claim %(number)s is not closed yet.") % {"number": claim.number}, "ADV-14"
    )
