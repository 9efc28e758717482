"""What follows a missed visit: a manager looks at it, and a hospital may take the child no more.

The list is the hospital's own act and only recorded when it tells us (APT-25); where the series prints
none, a manager decides (APT-12). Nothing is listed by counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.appointments import guards
from apps.appointments.judging import missed_rule, today
from apps.appointments.models import HospitalBan
from apps.appointments.roles import DESK, HOSPITAL, MANAGERS
from apps.appointments.workflow import KIND, MISSED, STATES
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker
from apps.core.errors import Conflict, InvalidInput, NotAllowed

NOTHING, BAN = "NOTHING", "BAN"


@dataclass(frozen=True)
class BanInput:
    since: date = ask(_("On the list since"), rule="APT-25")
    reason: str = ask(
        _("What the hospital said"), widget="textarea", min_length=2, max_length=400, rule="APT-25"
    )


@dataclass(frozen=True)
class ReviewInput:
    decision: str = ask(
        _("Decision"), choices=[(NOTHING, _("nothing follows")), (BAN, _("no more bookings there"))], widget="select",
        rule="APT-12",
    )  # fmt: skip
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=400)


def _lists(ctx: Any) -> bool:
    return bool(ctx.handbook.value("appointment.blacklist_recorded"))


def _printed(ctx: Any) -> Blocker | None:
    if _lists(ctx):
        return None
    words = _("Series %(series)s knows no list of the hospital; a manager decides on missed visits.")
    return Blocker("no_list", words % {"series": ctx.handbook.series}, missed_rule(ctx.handbook))


def _not_yet(ctx: Any) -> Blocker | None:
    known = HospitalBan.objects.filter(
        member=ctx.case.member_id, hospital=ctx.case.hospital_id, lifted_at=None
    )
    if not known.exists():
        return None
    return Blocker("banned", _("It is recorded already."), missed_rule(ctx.handbook))


def _record(ctx: Ctx[BanInput]) -> None:
    told = ctx.input
    assert told is not None
    if told.since > today(ctx.now):
        raise InvalidInput(_("A day up to today is expected."), code="future", field="since", rule="APT-25")
    _ban(ctx, HospitalBan.Source.HOSPITAL, told.since, told.reason)


def _review(ctx: Ctx[ReviewInput]) -> None:
    decided = ctx.input
    assert decided is not None
    rule = missed_rule(ctx.handbook)
    if decided.decision == BAN:
        if _lists(ctx):
            words = _("Here only the hospital lists a child; record it when the hospital says so.")
            raise InvalidInput(words, code="hospital_lists", field="decision", rule=rule)
        if blocker := _not_yet(ctx):
            raise Conflict(blocker.message, code=blocker.code, field="decision", rule=rule)
        _ban(ctx, HospitalBan.Source.MANAGER, today(ctx.now), decided.reason)
    ctx.subject.flagged = False
    ctx.update(ctx.subject, "flagged")
    ctx.reason = decided.reason
    ctx.data["decision"] = decided.decision


def _ban(ctx: Ctx[Any], source: str, since: date, reason: str) -> None:
    ctx.add(
        HospitalBan(
            member=ctx.case.member, hospital=ctx.case.hospital, source=source, rule=missed_rule(ctx.handbook),
            since=since, reason=reason, recorded_by=ctx.actor.label[:80], recorded_at=ctx.now,
        )
    )  # fmt: skip
    ctx.reason = reason
    ctx.data["banned_since"] = since.isoformat()


def lift_ban(actor: Actor, ban: HospitalBan, *, reason: str, now: datetime | None = None) -> HospitalBan:
    """The child may book there again. Raises NotAllowed, InvalidInput, Conflict when it is lifted already."""
    if not actor.roles & MANAGERS:
        raise NotAllowed(gettext("Only a lead or manager lifts this."), code="role", rule=ban.rule)
    if not reason.strip():
        raise InvalidInput(gettext("A reason is needed."), field="reason", code="required", rule=ban.rule)
    done = HospitalBan.objects.filter(pk=ban.pk, lifted_at=None).update(
        lifted_at=now or timezone.now(), lifted_by=actor.label[:80], lifted_because=reason.strip()[:400]
    )
    if not done:
        raise Conflict(gettext("It was lifted meanwhile."), code="lifted", rule=ban.rule)
    ban.refresh_from_db()
    return ban


ACTIONS: tuple[Action[Any], ...] = (
    Action("record_ban", _("The hospital lists the child"), DESK | {HOSPITAL}, _record,
           states=frozenset(STATES) - {"REJECTED"}, input=BanInput, guards=(_printed, _not_yet),
           initial=lambda ctx: {"since": today(ctx.now)}, event="banned", order=200),
    Action("review_missed", _("Look at the missed visit"), MANAGERS, _review, states=MISSED, input=ReviewInput,
           guards=(guards.unseen,), initial=lambda ctx: {"decision": NOTHING}, event="missed_reviewed",
           style="primary", order=10),
)  # fmt: skip
for action in ACTIONS:
    KIND.action(action)
