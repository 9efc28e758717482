"""Originals by mail: the announced parcel, the parcel that arrives, and the one that is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.cases.engine import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.claims import letters
from apps.claims.roles import CLERKS, UPLOADERS
from apps.claims.workflow import KIND
from apps.core.errors import InvalidInput
from apps.messaging.outbox import notify_member

WAITING = "MATERIALS_PENDING"


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
    arrived = past(ctx, given.arrived_at)
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
    received(ctx, arrived)


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


def past(ctx: Ctx[Any], at: datetime | None) -> datetime:
    if at is not None and at > ctx.now:
        raise InvalidInput(_("The time lies in the future."), code="future", field="arrived_at")
    return at or ctx.now


def received(ctx: Ctx[Any], at: datetime) -> None:
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
