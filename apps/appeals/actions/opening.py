"""Recording an appeal (APL-01, APP-27, PR-06), also one that a complaint became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.accounts.visibility import visible_to
from apps.adjudication.handbook import Handbook
from apps.appeals import guards, letters
from apps.appeals.inputs import AppealInput, RecordInput
from apps.appeals.models import Appeal, AppealedRule, Decider
from apps.appeals.roles import FAMILY, RECORDERS
from apps.appeals.target import Target, lines_of, target_of
from apps.appeals.workflow import KIND, AppealFlow
from apps.cases.context import Ctx
from apps.cases.engine import open_case, perform
from apps.cases.inputs import parse_input
from apps.cases.models import CaseEvent, CaseFile
from apps.core.errors import Blocked, InvalidInput
from apps.enquiries.actions import ONLINE
from apps.enquiries.models import Enquiry

RELATED = ("handbook", "member", "policy__plan", "policy__policyholder", "claim")


@dataclass(frozen=True)
class Said:
    """Who says what, by what way and since when; `complaints` are those that become the appeal."""

    appellant: str
    text: str
    channel: str
    since: datetime
    places: tuple[str, ...]
    complaints: tuple[Enquiry, ...]


def open_appeal(
    actor: Actor, data: AppealInput | Mapping[str, Any], *, now: datetime | None = None
) -> CaseFile:
    """Record an appeal against the decision in force on a claim, direct claim or refusal at intake.

    Of a family's front end `AppealInput`, of everybody else `RecordInput`. The complaint it takes up is
    answered by it. Raises NotAllowed, InvalidInput(s), Blocked with the rule of the series (APL-01, APP-27),
    Conflict when somebody else was faster.
    """
    if not actor.roles & RECORDERS:
        raise role_needed(actor, RECORDERS)
    now = now or timezone.now()
    cls = AppealInput if FAMILY in actor.roles else RecordInput
    given = data if isinstance(data, cls) else parse_input(cls, data)  # type: ignore[arg-type]
    with transaction.atomic():
        complaint = _complaint(actor, given.complaint)
        origin = _origin(actor, given.claim, complaint)
        target = target_of(origin)
        guards.refuse(guards.appealable(origin, target), "claim")
        assert target is not None  # else it was refused
        said = _said(actor, given, origin, target, complaint, now)
        case = AppealFlow(
            kind=KIND.code, series=origin.series, tpa=origin.tpa, handbook=origin.handbook, member=origin.member,
            policy=origin.policy,
        )  # fmt: skip
        return open_case(
            KIND.code, actor, case=case, state="RECEIVED", fill=lambda ctx: _fill(ctx, origin, target, said),
            event="appeal_recorded", now=now,
        )  # fmt: skip


# --- What is appealed, by whom ------------------------------------------------------------------------


def _complaint(actor: Actor, number: str) -> Enquiry | None:
    if not number:
        return None
    rows = visible_to(Enquiry.objects.filter(case__number=number.upper()), actor)
    row = rows.select_related("case__handbook", "about").first()
    if row is None:
        raise InvalidInput(
            _("No such case: %(numbers)s") % {"numbers": number}, code="unknown_case", field="complaint"
        )
    if not row.appeal_wished:
        words = _("No appeal is wished in %(number)s, or it was taken up already.") % {"number": number}
        raise Blocked(words, code="not_wished", field="complaint", rule=row.rule)
    return row


def _origin(actor: Actor, number: str, complaint: Enquiry | None) -> CaseFile:
    """Locked: nobody reopens it, and no second appeal begins, meanwhile."""
    about = complaint.about.number if complaint is not None and complaint.about is not None else ""
    if number and about and number.upper() != about:
        words = _("The complaint is about %(number)s.") % {"number": about}
        raise InvalidInput(words, code="other_case", field="claim")
    if not number and not about:
        raise InvalidInput(_("Name the claim or a complaint."), code="required", field="claim")
    seen = visible_to(CaseFile.objects.filter(number=(number or about).upper()), actor).values("pk")
    found: QuerySet[CaseFile] = CaseFile.objects.filter(pk__in=seen).select_for_update(of=("self",))
    origin = found.select_related(*RELATED).first()
    if origin is None:
        raise InvalidInput(
            _("No such case: %(numbers)s") % {"numbers": number}, code="unknown_case", field="claim"
        )
    return origin


def _said(
    actor: Actor,
    given: AppealInput,
    origin: CaseFile,
    target: Target,
    complaint: Enquiry | None,
    now: datetime,
) -> Said:
    appellant = given.appellant or (complaint.asker if complaint else "")
    text = given.text or (complaint.text if complaint else "")
    for name, value in (("appellant", appellant), ("text", text)):
        if len(value) < 2:
            raise InvalidInput(_("This is required."), code="required", field=name)
    way = _channel(given, origin.handbook.handbook, complaint)
    wished = _wished_about(origin, complaint)
    since = min((_wished_at(one) for one in wished), default=now)
    return Said(appellant, text, way, since, _places(given.lines, origin, target), wished)


def _channel(given: AppealInput, handbook: Handbook, complaint: Enquiry | None) -> str:
    """A complaint keeps its own way where the series prints that it becomes the appeal (APP-27)."""
    if complaint is not None and guards.converts(handbook):
        return complaint.channel
    service = handbook.service(guards.SERVICE)
    channels = service.channels if service else ()
    way = (
        given.channel
        if isinstance(given, RecordInput)
        else next((one for one in ONLINE if one in channels), ONLINE[0])
    )
    guards.refuse(guards.channel(handbook, way), "channel" if isinstance(given, RecordInput) else "claim")
    return way


def _wished_about(origin: CaseFile, named: Enquiry | None) -> tuple[Enquiry, ...]:
    """The complaints about this result whose family wishes an appeal, the named one first: all become this one."""
    rows = Enquiry.objects.filter(about=origin.pk, appeal_wished=True).select_related("case")
    return tuple(sorted(rows, key=lambda row: (named is None or row.pk != named.pk, row.pk)))


def _wished_at(complaint: Enquiry) -> datetime:
    """Since when the family waits: the days of the answer run from there."""
    wished = CaseEvent.objects.filter(case=complaint.pk, name="appeal_wished").order_by("-seq").first()
    return wished.at if wished else complaint.received_at


def _places(named: tuple[str, ...], origin: CaseFile, target: Target) -> tuple[str, ...]:
    if not named:
        return ()
    known = {place for place, _row in lines_of(origin.pk, target.version)}
    wrong = [place for place in named if place not in known]
    if wrong:
        words = _("The decision has no line %(lines)s. It has: %(known)s.") % {
            "lines": ", ".join(wrong)[:60], "known": ", ".join(sorted(known))[:300] or "–",
        }  # fmt: skip
        raise InvalidInput(words, code="unknown_line", field="lines")
    return tuple(dict.fromkeys(named))


# --- The case -----------------------------------------------------------------------------------------


def _fill(ctx: Ctx[Any], origin: CaseFile, target: Target, said: Said) -> None:
    case = ctx.case
    row = Appeal(
        case=case, origin=origin, version=target.version, decided_at=target.decided_at, former_fen=target.former_fen,
        rule=guards.rule_of(ctx.handbook), channel=said.channel, appellant=said.appellant, text=said.text,
        places=list(said.places), complaint=said.complaints[0].case if said.complaints else None, received_at=said.since,
        recorded_by=ctx.actor.label,
    )  # fmt: skip
    case.team = Team.objects.filter(tpa=case.tpa, code__startswith="claims").order_by("code").first()
    case.amount_fen = origin.amount_fen
    ctx.add(row)
    for rule in target.rules:
        ctx.add(AppealedRule(appeal=row, rule=rule))
    complained = {one.complained_of_id for one in said.complaints if one.complained_of_id}
    for user in sorted(target.concerned | complained):
        ctx.add(Decider(appeal=row, user_id=user, decided=user in target.deciders))
    ctx.data |= {"claim": origin.number, "version": target.version, "channel": said.channel, "rule": row.rule}
    ctx.emit("appeal_received", said.since)
    letters.acknowledge(ctx, row)
    if said.complaints:
        ctx.data["complaints"] = [one.case.number for one in said.complaints]
    for one in said.complaints:
        perform(one.case, "take_up", SYSTEM, now=ctx.now, appeal=case.number)
