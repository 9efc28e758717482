"""The one supplement notice (LAW-01, PR-05): sent, delivered, answered (LAW-02)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.cases.clocks import Evidence
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker
from apps.claims import guards, letters
from apps.claims.actions.common import reason_required
from apps.claims.actions.originals import WAITING, past, received
from apps.claims.actions.papers import CHECKABLE
from apps.claims.assess import assessment_in
from apps.claims.roles import CLERKS, DESK, REVIEWERS
from apps.claims.workflow import BEFORE_DECISION, KIND, STATES
from apps.core.errors import InvalidInput
from apps.documents.letters import queue_letter
from apps.documents.models import Letter
from apps.messaging.calls import call_action
from apps.messaging.models import CallTask
from apps.messaging.outbox import notify_member


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
    claim.reminders = 0
    ctx.update(claim, "notices", "notice_at", "notice_reached_at", "reminders")
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
    evidence: str = ask(_("Evidence"), default="", max_length=200, rule="LAW-02")
    reached: str = ask(_("Reached whom, by what way"), default="", max_length=120)


@dataclass(frozen=True)
class ProofInput:
    """What a clerk knows of a notice that went by registered mail, or was handed over."""

    at: datetime = ask(_("Reached the claimant at"), rule="LAW-02")
    evidence: str = ask(
        _("Evidence"),
        min_length=4,
        max_length=200,
        rule="LAW-02",
        help=_("advice of delivery, signature, screenshot …"),
    )
    reached: str = ask(_("Reached whom, by what way"), min_length=2, max_length=120, rule="LAW-02")


def _supplement_delivered(ctx: Ctx[DeliveredInput]) -> None:
    assert ctx.input is not None
    notice_reached(ctx, ctx.input.at, ctx.input.evidence, ctx.input.reached)


def _record_delivery(ctx: Ctx[ProofInput]) -> None:
    given, claim = ctx.input, ctx.case.claim
    assert given is not None
    if claim.notice_at is None or not claim.notice_at <= given.at <= ctx.now:
        raise InvalidInput(
            _("Between the notice of %(day)s and now is expected.")
            % {"day": f"{timezone.localtime(claim.notice_at):%Y-%m-%d %H:%M}"},
            code="not_after_notice", field="at", rule="LAW-02",
        )  # fmt: skip
    notice_reached(ctx, given.at, given.evidence, given.reached)


def _not_reached_yet(ctx: Ctx[Any]) -> Blocker | None:
    claim = ctx.case.claim
    if claim.notice_at is None:
        return Blocker("not_asked", _("Nobody was told yet what is missing."), "LAW-01")
    if claim.notice_reached_at is not None:
        return Blocker("reached", _("It is recorded already when the notice reached the claimant."), "LAW-02")
    return None


def notice_reached(ctx: Ctx[Any], at: datetime, evidence: str, reached: str = "") -> None:
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
    letter = Letter.objects.filter(case=ctx.case.pk, kind=Letter.Kind.SUPPLEMENT).order_by("version").last()
    paper = f"{letter.get_kind_display()} {letter.number} v{letter.version}" if letter else ""
    ctx.pause("missing_papers", at=at, evidence=Evidence(evidence, paper=paper, reached=reached))
    ctx.data |= {"evidence": evidence, "reached": reached}


def refusal_delivered(ctx: Ctx[DeliveredInput]) -> None:
    """LAW-04: the refusal letter with its reasons has gone out."""
    assert ctx.input is not None
    ctx.emit("refusal_sent", ctx.input.at)
    ctx.data["evidence"] = ctx.input.evidence


def _call_answered(ctx: Ctx[Any], task: CallTask) -> None:
    """Somebody without e-mail and mobile was told by phone: that is when the notice reached them."""
    evidence = f"{CallTask._meta.verbose_name} #{task.pk}"
    if task.purpose == "supplement":
        notice_reached(ctx, ctx.now, evidence, f"{ctx.actor.label}: {task.note}"[:120])
    elif task.purpose == "refusal":
        ctx.emit("refusal_sent")


KIND.action(replace(call_action(roles=DESK, answered=_call_answered), states=frozenset(STATES)))


@dataclass(frozen=True)
class ArrivedInput:
    arrived_at: datetime | None = ask(_("Arrived at"), default=None)
    evidence: str = ask(_("Evidence"), default="", max_length=200)


def _papers_arrived(ctx: Ctx[ArrivedInput]) -> None:
    assert ctx.input is not None
    arrived = past(ctx, ctx.input.arrived_at)
    seen = ctx.input.evidence or f"{ctx.actor.label} {timezone.localtime(arrived):%Y-%m-%d %H:%M}"
    ctx.resume("missing_papers", at=arrived, evidence=seen)
    ctx.emit("papers_arrived", arrived)
    received(ctx, arrived)


KIND.action(
    Action(
        "request_supplement", _("Ask for missing papers"), DESK, _request_supplement, transition=_pending,
        transitions=("wait_for_papers",), states=CHECKABLE | {"AWAITING_ORIGINALS"}, input=SupplementInput,
        guards=(guards.papers_seen, guards.something_missing, guards.one_notice), event="supplement_sent",
        system=True, order=20,
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
        "record_delivery", _("Notice reached the claimant"), CLERKS, _record_delivery,
        states=frozenset({WAITING, "AWAITING_ORIGINALS"}), input=ProofInput, guards=(_not_reached_yet,),
        event="supplement_delivered", order=50,
    )
)  # fmt: skip
KIND.action(
    Action(
        "refusal_delivered", _("Refusal delivered"), CLERKS, refusal_delivered, states=frozenset({"REJECTED_INTAKE", "DENIED"}),
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
