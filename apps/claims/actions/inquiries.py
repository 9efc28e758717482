"""Questions to others while a claim is reviewed: disputes, investigations, medical opinions (PR-04).

An inquiry is somebody's task and its answer stands beside the decision; it decides nothing itself. A
dispute or an investigation takes the claim out of the review; a medical review leaves it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.roles import role_names
from apps.cases.clocks import Evidence
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.claims import guards
from apps.claims.actions.common import ReasonInput
from apps.claims.assess import assessment_in
from apps.claims.models import Inquiry
from apps.claims.roles import REVIEWERS, SENIORS, SUPERVISORS
from apps.claims.workflow import KIND, REVIEW
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message

INVESTIGATORS = SENIORS | {"investigation"}
PARTIES = [(Inquiry.Kind.HOSPITAL.value, _("the hospital")), (Inquiry.Kind.MEMBER.value, _("the member"))]
GROUNDS = [("dispute", _("dispute")), ("investigation", _("investigation"))]
ANSWERS: dict[str, frozenset[str]] = {
    Inquiry.Kind.MEDICAL: frozenset({"medical_review"}),
    Inquiry.Kind.INVESTIGATION: INVESTIGATORS,
    Inquiry.Kind.HOSPITAL: INVESTIGATORS,
    Inquiry.Kind.MEMBER: INVESTIGATORS,
}


def disputable(ctx: Ctx[Any]) -> list[tuple[str, Any]]:
    """The lines of the claim, as somebody ticks what is in dispute."""
    found = assessment_in(ctx)
    return [(ref, f"{ref} {line.name}") for ref, line in found.rows.lines().items()]


@dataclass(frozen=True)
class DisputeInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)
    ground: str = ask(_("Ground"), choices=GROUNDS, widget="select", default="dispute")
    party: str = ask(_("Dispute with"), choices=PARTIES, widget="select", default=Inquiry.Kind.HOSPITAL.value)
    lines: tuple[str, ...] = ask(
        _("Lines in dispute"), choices=disputable, default=(), help=_("none ticked = the whole claim")
    )
    given_to: int | None = ask(_("Given to"), default=None, widget="user", roles=INVESTIGATORS)
    due_on: date | None = ask(_("Answer wanted by"), default=None)


@dataclass(frozen=True)
class MedicalInput:
    question: str = ask(_("Question"), widget="textarea", min_length=2, max_length=2000)
    lines: tuple[str, ...] = ask(_("Lines in question"), choices=disputable, default=())
    given_to: int | None = ask(
        _("Given to"), default=None, widget="user", roles=ANSWERS[Inquiry.Kind.MEDICAL]
    )
    due_on: date | None = ask(_("Answer wanted by"), default=None)


def open_inquiries(ctx: Ctx[Any]) -> list[tuple[str, Any]]:
    """Those of the case that the actor may answer."""
    return [
        (str(row.pk), f"{row.get_kind_display()}: {row.question[:60]}")
        for row in _open_ones(ctx)
        if ctx.actor.is_system or ctx.actor.roles & (ANSWERS[row.kind] | REVIEWERS)
    ]


@dataclass(frozen=True)
class AnswerInquiryInput:
    inquiry: int = ask(_("Inquiry"), choices=open_inquiries, widget="select")
    opinion: str = ask(_("Opinion"), choices=list(Inquiry.Opinion.choices), widget="select")
    answer: str = ask(_("What was found"), widget="textarea", min_length=2, max_length=4000)


@dataclass(frozen=True)
class CancelInquiryInput:
    inquiry: int = ask(_("Inquiry"), choices=open_inquiries, widget="select")
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


def _open_ones(ctx: Ctx[Any]) -> list[Inquiry]:
    if not ctx.case.claim.inquiries_open:
        return []
    return list(Inquiry.objects.filter(claim=ctx.case.pk, state=Inquiry.State.OPEN).order_by("pk"))


# --- Dispute and investigation ----------------------------------------------------------------------


def _open_dispute(ctx: Ctx[DisputeInput]) -> None:
    """Contract clocks stand still when the series prints the ground and a supervisor says so (PR-04); the
    statutory ones run on: only missing papers stop them (LAW-02)."""
    given = ctx.input
    assert given is not None
    kind = Inquiry.Kind.INVESTIGATION if given.ground == "investigation" else Inquiry.Kind(given.party)
    _order(ctx, kind, given.reason, given.lines, given.given_to, given.due_on)
    ctx.reason = given.reason
    ctx.data["ground"] = given.ground
    printed = guards.prints_pause(ctx, given.ground)
    pausing = printed and (ctx.actor.is_system or bool(ctx.actor.roles & SUPERVISORS))
    guards.fires(ctx, "clock.pauses", not pausing, "PR-04")
    ctx.data["clock_pauses"] = pausing
    if pausing:
        _stand_still(ctx, given.ground, given.reason, str(kind.label))


def _stand_still(ctx: Ctx[Any], ground: str, why: str, party: str) -> None:
    order = f"{ctx.case.number} #{ctx.case.version + 1}"  # the event that orders it
    ctx.pause(ground, evidence=Evidence(f"{ctx.actor.label}: {why}", paper=order, reached=party))


def _suspend(ctx: Ctx[ReasonInput]) -> None:
    """A supervisor lets the contract clock of an open dispute stand still (PR-04)."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    for row in _open_ones(ctx):
        if row.kind != Inquiry.Kind.MEDICAL and guards.prints_pause(ctx, guards.ground_of(row)):
            _stand_still(ctx, guards.ground_of(row), ctx.input.reason, row.get_kind_display())


def _close_dispute(ctx: Ctx[ReasonInput]) -> None:
    """Settled: what nobody has answered yet is answered by the reason; medical reviews stay open."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    for row in _open_ones(ctx):
        if row.kind != Inquiry.Kind.MEDICAL:
            _end(ctx, row, Inquiry.State.ANSWERED, ctx.input.reason)
    proof = Evidence(
        f"{ctx.actor.label}: {ctx.input.reason}", paper=f"{ctx.case.number} #{ctx.case.version + 1}"
    )
    for ground, _words in GROUNDS:
        ctx.resume(ground, evidence=proof)


# --- Ordering and answering -------------------------------------------------------------------------


def _order(
    ctx: Ctx[Any],
    kind: Inquiry.Kind,
    question: str,
    lines: tuple[str, ...],
    given_to: int | None,
    due_on: date | None,
) -> None:
    _known_lines(ctx, lines)
    if due_on is not None and due_on < timezone.localtime(ctx.now).date():
        raise InvalidInput(_("The date lies in the past."), code="past", field="due_on")
    person = _person(ctx, kind, given_to)
    claim = ctx.case.claim
    claim.inquiries_open += 1
    ctx.update(claim, "inquiries_open")
    ctx.add(
        Inquiry(
            claim=claim, kind=kind, question=question, places=list(lines), assignee=person, due_on=due_on,
            ordered_by=ctx.actor.label, ordered_at=ctx.now,
        )
    )  # fmt: skip
    ctx.data |= {"inquiry": str(kind), "given_to": str(person or ""), "lines": ", ".join(lines)}
    if person is not None and person.email:
        queue_message(
            ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="inquiry", recipient=person.email,
            context={"addressee": str(person), "question": question, "due_on": due_on},
            key=f"{ctx.case.number}:inquiry:{ctx.case.version}",
        )  # fmt: skip


def _known_lines(ctx: Ctx[Any], lines: tuple[str, ...]) -> None:
    known = assessment_in(ctx).rows.lines() if lines else {}
    unknown = [ref for ref in lines if ref not in known]
    if unknown:
        raise InvalidInput(
            _("No line “%(line)s” is on this claim. Expected: %(known)s.")
            % {"line": unknown[0], "known": ", ".join(list(known)[:20])},
            code="unknown_line", field="lines",
        )  # fmt: skip


def _person(ctx: Ctx[Any], kind: str, given_to: int | None) -> Any:
    """Somebody who works for this series and whose role answers such a question."""
    if given_to is None:
        return None
    from apps.accounts.actors import actor_of_user
    from apps.accounts.models import User

    person = User.objects.filter(pk=given_to, is_active=True).first()
    actor = actor_of_user(person) if person else None
    if actor is None or (actor.tpa and actor.tpa != ctx.case.tpa):
        raise InvalidInput(
            _("Nobody with this number works on this series."), code="unknown_user", field="given_to"
        )
    if not actor.roles & ANSWERS[kind]:
        raise InvalidInput(
            _("%(who)s has none of the roles that answer this: %(roles)s.")
            % {"who": person, "roles": role_names(ANSWERS[kind])},
            code="role", field="given_to",
        )  # fmt: skip
    return person


def _order_medical(ctx: Ctx[MedicalInput]) -> None:
    given = ctx.input
    assert given is not None
    _order(ctx, Inquiry.Kind.MEDICAL, given.question, given.lines, given.given_to, given.due_on)
    ctx.reason = given.question


def _answer_inquiry(ctx: Ctx[AnswerInquiryInput]) -> None:
    given = ctx.input
    assert given is not None
    row = _inquiry(ctx, given.inquiry)
    if not ctx.actor.roles & ANSWERS[row.kind]:
        raise NotAllowed(
            _("“%(kind)s” is answered by: %(roles)s.")
            % {"kind": row.get_kind_display(), "roles": role_names(ANSWERS[row.kind])},
            code="role", field="inquiry",
        )  # fmt: skip
    row.opinion = given.opinion
    _end(ctx, row, Inquiry.State.ANSWERED, given.answer)
    ctx.reason = given.answer
    ctx.data |= {"inquiry": row.kind, "opinion": given.opinion}


def _cancel_inquiry(ctx: Ctx[CancelInquiryInput]) -> None:
    given = ctx.input
    assert given is not None
    row = _inquiry(ctx, given.inquiry)
    if row.kind not in (Inquiry.Kind.MEDICAL, Inquiry.Kind.INVESTIGATION):
        raise InvalidInput(_("A dispute is closed, not canceled."), code="dispute", field="inquiry")
    _end(ctx, row, Inquiry.State.CANCELED, given.reason)
    ctx.reason = given.reason
    ctx.data["inquiry"] = row.kind


def _inquiry(ctx: Ctx[Any], pk: int) -> Inquiry:
    row = next((row for row in _open_ones(ctx) if row.pk == pk), None)
    if row is None:
        if Inquiry.objects.filter(claim=ctx.case.pk, pk=pk).exists():
            raise Conflict(_("This inquiry was ended meanwhile."), code="ended", field="inquiry")
        raise InvalidInput(_("No such inquiry on this claim."), code="unknown_inquiry", field="inquiry")
    return row


def end_all(ctx: Ctx[Any], reason: str) -> None:
    """The claim ends without an answer (withdrawn): nobody has to look any more."""
    for row in _open_ones(ctx):
        _end(ctx, row, Inquiry.State.CANCELED, reason)


def _end(ctx: Ctx[Any], row: Inquiry, state: str, answer: str) -> None:
    row.state, row.answer = state, answer
    row.answered_by, row.answered_at = ctx.actor.label, ctx.now
    ctx.update(row, "state", "opinion", "answer", "answered_by", "answered_at")
    claim = ctx.case.claim
    claim.inquiries_open -= 1
    ctx.update(claim, "inquiries_open")


def inquiry_actions() -> Iterator[Action[Any]]:
    """The same for every kind whose subject is a claim; its workflow has `dispute` and `settle_dispute`."""
    yield Action(
        "open_dispute", _("Dispute or investigate"), INVESTIGATORS, _open_dispute, transition="dispute",
        input=DisputeInput, event="dispute_opened", order=70,
    )  # fmt: skip
    yield Action(
        "suspend", _("Suspend the contract clock"), SUPERVISORS, _suspend, states=frozenset({"DISPUTED"}),
        input=ReasonInput, guards=(guards.may_stand_still,), event="clock_suspended", order=60,
    )  # fmt: skip
    yield Action(
        "close_dispute", _("Close dispute"), INVESTIGATORS, _close_dispute, transition="settle_dispute",
        input=ReasonInput, event="dispute_closed", style="primary", order=10,
    )  # fmt: skip
    yield Action(
        "order_medical_review", _("Ask for a medical review"), REVIEWERS, _order_medical, states=REVIEW,
        input=MedicalInput, event="medical_review_ordered", order=75,
    )  # fmt: skip
    yield Action(
        "answer_inquiry", _("Answer an inquiry"), INVESTIGATORS | {"medical_review"}, _answer_inquiry, states=REVIEW,
        input=AnswerInquiryInput, guards=(guards.something_asked,), event="inquiry_answered", order=15,
    )  # fmt: skip
    yield Action(
        "cancel_inquiry", _("Cancel an inquiry"), REVIEWERS, _cancel_inquiry, states=REVIEW,
        input=CancelInquiryInput, guards=(guards.something_asked,), event="inquiry_canceled", order=180,
    )  # fmt: skip


for action in inquiry_actions():
    KIND.action(action)
