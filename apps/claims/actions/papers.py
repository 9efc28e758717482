"""Originals, papers, the check list and the one supplement notice (LAW-01, PR-05)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.cases.engine import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.claims import guards, letters
from apps.claims.actions.intake import reason_required
from apps.claims.assess import assessment_in
from apps.claims.roles import CLERKS, DESK, REVIEWERS, SUPERVISORS, UPLOADERS
from apps.claims.workflow import BEFORE_DECISION, KIND, STATES
from apps.core.errors import InvalidInput
from apps.core.money import format_yuan
from apps.documents.actions import paper_actions
from apps.documents.letters import queue_letter
from apps.messaging.calls import call_action
from apps.messaging.models import CallTask
from apps.messaging.outbox import notify_member

CHECKABLE = frozenset({"ONLINE_SUBMITTED", "ORIGINALS_RECEIVED", "MATERIALS_CHECK"})
WAITING = "MATERIALS_PENDING"


# --- Originals ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OriginalsInput:
    tracking_number: str = ask(_("Courier number"), default="", max_length=40)
    collect_on_delivery: bool = ask(_("Collect on delivery"), default=False, rule="RMB-23")
    arrived_at: datetime | None = ask(_("Arrived at"), default=None)
    note: str = ask(_("Note"), default="", max_length=200)


@dataclass(frozen=True)
class TrackingInput:
    tracking_number: str = ask(_("Courier number"), min_length=5, max_length=40)
    sent_on: date | None = ask(_("Sent on"), default=None)


def _log_originals(ctx: Ctx[OriginalsInput]) -> None:
    """A parcel is here. One that asks for payment is refused where the series says so (RMB-23)."""
    given, claim = ctx.input, ctx.case.claim
    assert given is not None
    ctx.data |= {"tracking_number": given.tracking_number, "note": given.note}
    _must_match(claim.tracking_number, given.tracking_number)
    if _refused_parcel(ctx, given):
        ctx.data["refused"] = "collect on delivery"
        ctx.emit("parcel_refused")
        key = f"{ctx.case.number}:parcel:{ctx.case.version}"
        notify_member(
            ctx, template="originals_wanted", context=letters.message_context(ctx.case, refused=True), key=key
        )
        return
    arrived = _past(ctx, given.arrived_at)
    if given.tracking_number:
        claim.tracking_number = given.tracking_number
        ctx.update(claim, "tracking_number")
    ctx.emit("originals_received", arrived)
    ctx.emit("tracking_received")
    ctx.resume(
        "missing_papers",
        at=arrived,
        evidence=given.tracking_number or timezone.localtime(arrived).isoformat(),
    )
    _received(ctx, arrived)


def _must_match(known: str, given: str) -> None:
    """The number the member announced and the one on the parcel (RMB-25)."""
    if known and given and known != given:
        raise InvalidInput(
            _("The member announced %(known)s; this parcel carries %(given)s.")
            % {"known": known, "given": given},
            code="other_parcel",
            field="tracking_number",
            rule="RMB-25",
        )


def _refused_parcel(ctx: Ctx[Any], given: OriginalsInput) -> bool:
    rule = ctx.handbook.rule("decide.postage")
    return rule is not None and observe(rule.id, given.collect_on_delivery)


def _past(ctx: Ctx[Any], at: datetime | None) -> datetime:
    if at is not None and at > ctx.now:
        raise InvalidInput(_("The time lies in the future."), code="future", field="arrived_at")
    return at or ctx.now


def _received(ctx: Ctx[Any], at: datetime) -> None:
    """The first papers of a claim start the statutory clock (LAW-02)."""
    claim = ctx.case.claim
    if claim.first_received_at is None:
        claim.first_received_at = at
        ctx.update(claim, "first_received_at")
        ctx.emit("first_received", at)


def _record_tracking(ctx: Ctx[TrackingInput]) -> None:
    assert ctx.input is not None
    claim = ctx.case.claim
    claim.tracking_number = ctx.input.tracking_number
    ctx.update(claim, "tracking_number")
    ctx.data["tracking_number"] = ctx.input.tracking_number


def _parcel_taken(ctx: Ctx[OriginalsInput]) -> str:
    return "" if "refused" in ctx.data else "receive_originals"


KIND.action(
    Action(
        "log_originals", _("Log originals"), CLERKS | frozenset({"first_review", "tpa_manager", "api_tpa"}), _log_originals,
        transition=_parcel_taken, transitions=("receive_originals",), input=OriginalsInput, style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "record_tracking", _("Record courier number"), UPLOADERS, _record_tracking, event="tracking_received",
        states=frozenset({"AWAITING_ORIGINALS", WAITING}), input=TrackingInput, order=40,
    )
)  # fmt: skip


# --- Papers: attach and tick come from `documents` ------------------------------------------------


def _papers_changed(ctx: Ctx[Any]) -> None:
    """New papers start the statutory clock, and wake a claim that waited for them."""
    ctx.loaded.pop("assessment", None)
    if ctx.action != "attach_paper":
        return
    _received(ctx, ctx.now)
    if ctx.case.state == WAITING:
        ctx.then("papers_arrived")


for action in paper_actions(
    uploaders=UPLOADERS, checkers=DESK, changed=_papers_changed, states=BEFORE_DECISION | {"PAYMENT_FAILED"}
):
    KIND.action(action)


# --- Check list -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckInput:
    ask_for_missing: bool = ask(
        _("Ask for what is missing"),
        default=True,
        help=_("Sends the one supplement notice with everything that is missing."),
    )
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)


def _check_materials(ctx: Ctx[CheckInput]) -> None:
    """Compute the check list: complete, or one notice with everything that is missing."""
    assert ctx.input is not None
    found = assessment_in(ctx)
    ctx.data["lacking"] = [entry.ref for entry in found.lacking]
    if not found.lacking:
        ctx.then("complete")
    elif ctx.input.ask_for_missing and not ctx.case.claim.notices:
        ctx.then("request_supplement", text=ctx.input.text)


def _complete(ctx: Ctx[NoInput]) -> None:
    """The contract clock starts; originals by mail are complete with it (RMB-22, RMB-40)."""
    if ctx.case.claim.route == "MAIL":
        ctx.emit("originals_complete")


KIND.action(
    Action(
        "check_materials", _("Check papers"), DESK, _check_materials, transition="check_papers", states=CHECKABLE,
        input=CheckInput, guards=(guards.papers_seen,), event="materials_checked", style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "complete", _("Complete"), frozenset(), _complete, transition="complete", event="materials_complete", system=True,
        manual=False,
    )
)  # fmt: skip


# --- Supplement -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SupplementInput:
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)
    reason: str = ask(
        _("Reason for asking again"), default="", widget="textarea", max_length=2000, rule="LAW-01"
    )


def _request_supplement(ctx: Ctx[SupplementInput]) -> None:
    assert ctx.input is not None
    _send_notice(ctx, ctx.input.text, ctx.input.reason)


def _send_notice(ctx: Ctx[Any], text: str, reason: str) -> None:
    """ONE notice with everything missing (LAW-01), the mailing instructions inside (PR-05)."""
    claim = ctx.case.claim
    if claim.notices:
        ctx.reason = reason_required(reason, guards.rule_of(ctx, "papers.once", "LAW-01"))
    found = assessment_in(ctx)
    guards.fires(ctx, "papers.instructions_inside", claim.route == "MAIL", "PR-05")
    letter = queue_letter(ctx, letters.supplement(found, text))
    claim.notices, claim.notice_at, claim.notice_reached_at = claim.notices + 1, ctx.now, None
    ctx.update(claim, "notices", "notice_at", "notice_reached_at")
    context = letters.message_context(ctx.case, missing=[entry.title.zh for entry in found.lacking])
    key = f"{ctx.case.number}:supplement:{claim.notices}"
    notify_member(ctx, template="supplement", context=context, key=key, letter=letter)
    ctx.data |= {"lacking": [entry.ref for entry in found.lacking], "notice": claim.notices}


def _pending(ctx: Ctx[Any]) -> str:
    """While originals are on their way the claim goes on waiting for them."""
    return "" if ctx.case.state == "AWAITING_ORIGINALS" else "wait_for_papers"


@dataclass(frozen=True)
class DeliveredInput:
    at: datetime = ask(_("Reached the claimant at"))
    evidence: str = ask(_("Evidence"), default="", max_length=200)


def _supplement_delivered(ctx: Ctx[DeliveredInput]) -> None:
    assert ctx.input is not None
    notice_reached(ctx, ctx.input.at, ctx.input.evidence)


def notice_reached(ctx: Ctx[Any], at: datetime, evidence: str) -> None:
    """LAW-02: the clock pauses from the day the notice reaches the claimant. Papers that came
    before it leave nothing to wait for."""
    claim = ctx.case.claim
    if (
        ctx.case.state not in (WAITING, "AWAITING_ORIGINALS")
        or claim.notice_reached_at
        or not claim.notice_at
    ):
        return
    claim.notice_reached_at = at
    ctx.update(claim, "notice_reached_at")
    ctx.pause("missing_papers", at=at, evidence=evidence)
    ctx.data["evidence"] = evidence


def _refusal_delivered(ctx: Ctx[DeliveredInput]) -> None:
    """LAW-04: the refusal letter with its reasons has gone out."""
    assert ctx.input is not None
    ctx.emit("refusal_sent", ctx.input.at)
    ctx.data["evidence"] = ctx.input.evidence


def _call_answered(ctx: Ctx[Any], task: CallTask) -> None:
    """Somebody without e-mail and mobile was told by phone: that is when the notice reached them."""
    evidence = f"{CallTask._meta.verbose_name} #{task.pk}"
    if task.purpose == "supplement":
        notice_reached(ctx, ctx.now, evidence)
    elif task.purpose == "refusal":
        ctx.emit("refusal_sent")


KIND.action(replace(call_action(roles=DESK, answered=_call_answered), states=frozenset(STATES)))


@dataclass(frozen=True)
class ArrivedInput:
    arrived_at: datetime | None = ask(_("Arrived at"), default=None)
    evidence: str = ask(_("Evidence"), default="", max_length=200)


def _papers_arrived(ctx: Ctx[ArrivedInput]) -> None:
    assert ctx.input is not None
    arrived = _past(ctx, ctx.input.arrived_at)
    ctx.resume(
        "missing_papers", at=arrived, evidence=ctx.input.evidence or timezone.localtime(arrived).isoformat()
    )
    ctx.emit("papers_arrived", arrived)
    _received(ctx, arrived)


KIND.action(
    Action(
        "request_supplement", _("Ask for missing papers"), DESK, _request_supplement, transition=_pending,
        transitions=("wait_for_papers",), states=CHECKABLE | {"AWAITING_ORIGINALS"}, input=SupplementInput,
        guards=(guards.something_missing, guards.one_notice), event="supplement_sent", system=True, order=20,
    )
)  # fmt: skip
KIND.action(
    Action(
        "supplement_delivered", _("Notice delivered"), CLERKS, _supplement_delivered,
        states=BEFORE_DECISION, input=DeliveredInput, system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "refusal_delivered", _("Refusal delivered"), CLERKS, _refusal_delivered, states=frozenset({"REJECTED_INTAKE", "DENIED"}),
        input=DeliveredInput, event="refusal_sent", system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "papers_arrived", _("Papers arrived"), DESK, _papers_arrived, transition="check_papers", states=frozenset({WAITING}),
        input=ArrivedInput, system=True, style="primary", order=10,
    )
)  # fmt: skip


@dataclass(frozen=True)
class ReturnInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)


def _return_to_materials(ctx: Ctx[ReturnInput]) -> None:
    """Papers found missing in the review: asked for under the one-shot guard (LAW-01)."""
    assert ctx.input is not None
    _send_notice(ctx, ctx.input.text, ctx.input.reason)
    ctx.reason = ctx.input.reason


KIND.action(
    Action(
        "return_to_materials", _("Return for papers"), REVIEWERS, _return_to_materials, transition="wait_for_papers",
        states=frozenset({"UNDER_REVIEW"}), input=ReturnInput, guards=(guards.something_missing, guards.one_notice),
        event="supplement_sent", order=60,
    )
)  # fmt: skip


# --- Papers that never come -----------------------------------------------------------------------


def _close_no_papers(ctx: Ctx[NoInput]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("withdrawn")  # nothing is owed any more: every promise ends
    ctx.emit("closed")
    key = f"{ctx.case.number}:no_papers:{ctx.case.version}"
    context = letters.message_context(ctx.case, closed=True, claimed=format_yuan(ctx.case.claim.claimed_fen))
    notify_member(ctx, template="papers_reminder", context=context, key=key)


KIND.action(
    Action(
        "close_no_papers", _("Close: papers never came"), SUPERVISORS | {"intake", "first_review"}, _close_no_papers,
        transition="give_up_papers", guards=(guards.long_enough_without_papers,), event="closed_no_papers", system=True,
        style="danger", order=80,
    )
)  # fmt: skip
