"""At intake: what is missing, what has no authorization, whose identity is not shown; then the review."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.handbook import Level
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker, NoInput
from apps.claims import guards as claim_guards
from apps.claims.actions.common import ReasonInput, answer_row
from apps.claims.actions.inquiries import end_all
from apps.claims.assess import Assessment, assessment_in, reassess
from apps.claims.originals import only_unseen, unseen
from apps.core.errors import InvalidInput, InvalidInputs
from apps.core.money import format_yuan
from apps.direct.actions.submit import CHECKED, check_paper
from apps.direct.letter import find
from apps.direct.models import DirectClaim, Flag
from apps.direct.roles import DESK, REVIEWERS, SUBMITTERS
from apps.direct.submission import check_card, differs
from apps.direct.workflow import AT_INTAKE, BEFORE_DECISION, KIND
from apps.documents.actions import paper_actions
from apps.documents.register import release_bills
from apps.members.models import IdType
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_message

PHOTO_ID = "PHOTO_ID"
UNAUTHORIZED = frozenset({"PA_MISSING", "PA_MISSING_NOTED", "LETTER_EXCEEDED", "LETTER_EXCEEDED_NOTED"})
ASKS = {
    "INTAKE_INCOMPLETE": "lack_papers",
    "PA_EXCEPTION": "ask_exception",
    "ID_PENDING": "ask_identity",
    "UNDER_REVIEW": "start_review",
}


# --- The way -----------------------------------------------------------------------------------------------


def _route(ctx: Ctx[NoInput]) -> None:
    """Where the claim stands now. A picture nobody has looked at leaves it at intake."""
    found = assessment_in(ctx)
    target = where(found)
    ctx.loaded["target"] = target
    ctx.data |= {"to": target, "lacking": [entry.ref for entry in found.lacking]}
    ctx.data["findings"] = [finding.ref for finding in unauthorized(found) if not finding.overridden]
    if target == ctx.case.state:
        return
    if target == "INTAKE_INCOMPLETE":
        ctx.emit("papers_asked")
        _tell_lacking(ctx, found)
    elif target == "ID_PENDING":
        _ask_identity(ctx, found)
    elif target == "UNDER_REVIEW":
        ctx.emit("materials_complete")


def where(found: Assessment) -> str:
    if not found.rows.visits:  # its appointment announced it; the bills are still to come
        return "INTAKE_INCOMPLETE"
    papers = [entry for entry in found.lacking if entry.key != PHOTO_ID]
    unlooked = any(unseen(paper) for paper in found.rows.papers)
    if papers and not (unlooked and all(only_unseen(found, entry.key) for entry in papers)):
        return "INTAKE_INCOMPLETE"
    if papers or unlooked:
        return "INTAKE"
    if any(finding.level is Level.REFER and not finding.overridden for finding in unauthorized(found)):
        return "PA_EXCEPTION"
    return "ID_PENDING" if _identity_lacking(found) else "UNDER_REVIEW"


def _identity_lacking(found: Assessment) -> bool:
    return any(entry.key == PHOTO_ID for entry in found.lacking)


def unauthorized(found: Assessment) -> list[Any]:
    """PA-05, PR-07: what was done without authorization or beyond the letter."""
    return [finding for finding in found.decision.findings if finding.code in UNAUTHORIZED]


def _way(ctx: Ctx[Any]) -> str:
    """A claim whose papers are complete now passes through INTAKE again."""
    target, state = ctx.loaded["target"], ctx.case.state
    if target == state:
        return ""
    if state == "INTAKE_INCOMPLETE" or target == "INTAKE":
        if target != "INTAKE":
            ctx.then("route")
        return "take_in" if state == "INTAKE_INCOMPLETE" else ""
    return ASKS[target]


def _tell_lacking(ctx: Ctx[Any], found: Assessment) -> None:
    """Everything missing at once, to the hospital; one with a program of its own reads it there."""
    direct: DirectClaim = ctx.subject
    if not direct.contact_email and direct.source != DirectClaim.Source.DESK:
        return
    queue_message(
        ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="direct_papers", recipient=direct.contact_email,
        context={
            "addressee": direct.contact_name or str(ctx.case.hospital),
            "missing": list(dict.fromkeys(entry.title.zh for entry in found.lacking)),
        },
        key=f"{ctx.case.number}:papers:{ctx.case.version}",
    )  # fmt: skip


def _ask_identity(ctx: Ctx[Any], found: Assessment) -> None:
    """KYC-01: regulation asks for it before anything of a large claim is approved."""
    threshold = found.facts.handbook.value("photo_id.threshold")
    context = {
        "claimed": format_yuan(ctx.case.claim.claimed_fen), "threshold": f"{threshold:,.2f}",
        "hospital": str(ctx.case.hospital), "child": ctx.case.member.masked_name,
    }  # fmt: skip
    notify_member(
        ctx, template="direct_identity", context=context, key=f"{ctx.case.number}:identity:{ctx.case.version}"
    )


KIND.action(
    Action(
        "route", _("Route"), frozenset(), _route, transition=_way,
        transitions=("take_in", "lack_papers", "ask_exception", "ask_identity", "start_review"), states=AT_INTAKE,
        event="routed", system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "check_intake", _("Check papers"), DESK, lambda ctx: ctx.then("route"),
        states=frozenset({"INTAKE", "INTAKE_INCOMPLETE", "ID_PENDING"}), guards=(claim_guards.papers_seen,),
        event="materials_checked", style="primary", order=10,
    )
)  # fmt: skip


# --- Papers --------------------------------------------------------------------------------------------------


def _papers_changed(ctx: Ctx[Any]) -> None:
    """What arrived or was looked at may complete the claim; the system looks at once."""
    ctx.loaded.pop("assessment", None)
    if ctx.case.state not in AT_INTAKE:
        return
    found = assessment_in(ctx)
    known = {id(paper) for paper in found.rows.papers} | {paper.pk for paper in found.rows.papers}
    for paper in ctx.loaded.get("papers", ()):
        if paper.pk is None or paper.pk not in known:
            found.rows.papers.append(paper)
        else:
            found.rows.papers[:] = [paper if row.pk == paper.pk else row for row in found.rows.papers]
    fresh = reassess(found.rows, ctx.now, found.facts.balances)
    ctx.loaded |= {"assessment": fresh, "facts": fresh.facts}
    if where(fresh) != ctx.case.state:
        ctx.then("route")


for action in paper_actions(
    uploaders=SUBMITTERS, checkers=DESK, changed=_papers_changed, states=BEFORE_DECISION | {"ADMITTED"}
):
    KIND.action(action)


@dataclass(frozen=True)
class IdentityInput:
    card: str = ask(_("Card shown"), default="", max_length=200, rule="VIS-04", help=_("number or code"))
    id_type: str = ask(
        _("Identity paper shown"), choices=list(IdType.choices), widget="select", default="", rule="VIS-04"
    )
    id_photo: bool = ask(_("It has a photo"), default=False, rule="VIS-01")


def _record_identity(ctx: Ctx[IdentityInput]) -> None:
    """VIS-01, VIS-04: what the hospital's desk checked, when it was not sent with the bill."""
    given, direct = ctx.input, ctx.subject
    assert given is not None
    number, errors = check_card(given.card, ctx.case.member)
    if not (given.card or given.id_type):
        errors = [
            InvalidInput(_("Say which card or identity paper was shown."), code="required", field="card")
        ]
    if errors:
        raise InvalidInputs(errors)
    direct.card_number = number or direct.card_number
    if given.id_type:
        direct.id_type, direct.id_photo = given.id_type, given.id_photo
        if differs(ctx.handbook, ctx.case.member, given.id_type, given.id_photo):
            direct.flag(Flag.IDENTITY_DIFFERS)
    ctx.update(direct, "card_number", "id_type", "id_photo", "flags")
    shown = {"CARD_CHECK": number, "IDENTITY_CHECK": given.id_type}
    papers = [check_paper(ctx, kind, shown[kind]) for kind in CHECKED if shown[kind]]
    for paper in papers:
        ctx.add(paper)
    ctx.loaded["papers"] = papers
    _papers_changed(ctx)


KIND.action(
    Action(
        "record_identity", _("Record the identity check"), SUBMITTERS, _record_identity, states=AT_INTAKE | {"ADMITTED"},
        input=IdentityInput, event="identity_recorded", order=40,
    )
)  # fmt: skip


# --- Without authorization -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExceptionInput:
    pay: bool = ask(
        _("Decision"), widget="select",
        choices=[(True, _("pay nevertheless")), (False, pgettext_lazy("finding", "refuse"))],
    )  # fmt: skip
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000, rule="PA-05")
    finding: str = ask(
        _("Finding"),
        default="",
        max_length=120,
        widget="hidden",
        help=_("empty = all that lack an authorization"),
    )
    clause: str = ask(
        _("Contract clause"), default="", max_length=200, rule="PR-07",
        help=_("needed for a refusal where the series prints no consequence"),
    )  # fmt: skip


def something_unauthorized(ctx: Any) -> Blocker | None:
    if any(not finding.overridden for finding in unauthorized(assessment_in(ctx))):
        return None
    return Blocker("nothing_open", _("Nothing of this claim lacks an authorization."), "PA-05")


def _decide_exception(ctx: Ctx[ExceptionInput]) -> None:
    """PA-05: the insurer may refuse, it need not; only the related lines, only what exceeds the letter."""
    given, found = ctx.input, assessment_in(ctx)
    assert given is not None
    chosen = given.finding
    asked = [
        finding
        for finding in unauthorized(found)
        if not finding.overridden and (not chosen or finding.ref == chosen)
    ]
    if not asked:
        words = _("Nothing of this claim lacks an authorization.")
        raise InvalidInput(words, code="nothing_open", field="pay", rule="PA-05")
    noted = next((finding for finding in asked if finding.level is Level.WARN), None)
    if not given.pay and noted is not None and len(given.clause.strip()) < 2:
        words = _("This series prints no consequence: a refusal names the clause of the contract.")
        raise InvalidInput(words, code="clause", field="clause", rule=noted.rule)
    reason = (
        f"{given.clause.strip()}：{given.reason}" if given.clause.strip() and not given.pay else given.reason
    )
    for finding in asked:
        found.rows.overrides.append(
            answer_row(ctx, finding.ref, finding.rule, accept=given.pay, reason=reason)
        )
    fresh = reassess(found.rows, ctx.now, found.facts.balances)
    ctx.loaded |= {"assessment": fresh, "facts": fresh.facts}
    ctx.reason = reason
    ctx.data |= {"pay": given.pay, "rules": sorted({finding.rule for finding in asked})}
    ctx.data["findings"] = [finding.ref for finding in asked]
    if ctx.case.state == "PA_EXCEPTION":
        ctx.then("route")


KIND.action(
    Action(
        "decide_exception", _("Decide without authorization"), REVIEWERS, _decide_exception,
        states=frozenset({"PA_EXCEPTION", "UNDER_REVIEW", "DISPUTED"}), input=ExceptionInput, event="exception_decided",
        guards=(something_unauthorized,), style="primary", order=20,
    )
)  # fmt: skip


@dataclass(frozen=True)
class LinkInput:
    authorization: str = ask(
        _("Guarantee letter or authorization"), max_length=30, min_length=2, rule="PA-01"
    )


def _link(ctx: Ctx[LinkInput]) -> None:
    """The letter came to light, or follows an emergency: it speaks for this claim from now on."""
    assert ctx.input is not None
    direct = ctx.subject
    letter = find(
        ctx.input.authorization, ctx.case.member_id, ctx.case.hospital_id or 0, field_name="authorization"
    )
    if direct.drawn_fen:
        words = _("A decision has used another letter.")
        raise InvalidInput(words, code="drawn", field="authorization", rule="PA-01")
    direct.authorization = letter
    ctx.update(direct, "authorization")
    ctx.data["authorization"] = letter.case.number
    ctx.loaded.pop("assessment", None)
    if ctx.case.state in AT_INTAKE:
        ctx.then("route")


KIND.action(
    Action(
        "link_authorization", _("Link an authorization"), SUBMITTERS, _link, states=BEFORE_DECISION, input=LinkInput,
        event="authorization_linked", order=50,
    )
)  # fmt: skip


# --- Taken back ----------------------------------------------------------------------------------------------


def _withdraw(ctx: Ctx[ReasonInput]) -> None:
    """The hospital takes the bill back: it is free for another claim, and for the family's own."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    release_bills(ctx.case)
    end_all(ctx, ctx.input.reason)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("withdrawn")
    ctx.emit("closed")


KIND.action(
    Action(
        "withdraw", _("Withdraw"), SUBMITTERS, _withdraw, transition="withdraw", input=ReasonInput,
        guards=(claim_guards.nothing_decided_yet, claim_guards.nothing_proposed), event="withdrawn", style="danger", order=90,
    )
)  # fmt: skip
