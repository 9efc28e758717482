"""What comes of time alone: the next reminder (BIL-02), the grey card after the last (BIL-03, BIL-21), the
manager where nobody is reached. The sweep performs these; people may press the first and the last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.billing.actions.notices import running_period, send
from apps.billing.greying import grey_cards
from apps.billing.models import BillReminder
from apps.billing.roles import CALLERS
from apps.billing.terms import terms_of
from apps.billing.workflow import KIND, REMINDABLE
from apps.cases.context import Ctx
from apps.cases.kinds import Action, Blocker, NoInput
from apps.core.money import format_yuan
from apps.messaging.contacts import staff_for
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message


def _not_under_way(ctx: Ctx[Any]) -> Blocker | None:
    return Blocker("under_way", _("A reminder is under way.")) if ctx.subject.waiting else None


def _more_to_give(ctx: Ctx[Any]) -> Blocker | None:
    terms = terms_of(ctx.handbook)
    if ctx.subject.reminders < terms.notices:
        return None
    return Blocker("all_given", _("All reminders have been given."), terms.channel_rule)


def _interval_over(ctx: Ctx[Any]) -> Blocker | None:
    """DL-36: a reminder may go out on the last day of the interval."""
    clock = running_period(ctx.case.pk) if ctx.subject.reminders else None
    if clock is None or observe(clock.spec_id, timezone.localtime(ctx.now).date() >= clock.day):
        return None
    words = _("The next reminder is due on %(day)s.") % {"day": clock.day}
    return Blocker("too_early", words, terms_of(ctx.handbook).channel_rule)


def _remind(ctx: Ctx[NoInput]) -> None:
    send(ctx, ctx.subject)


def _last_period_over(ctx: Ctx[Any]) -> Blocker | None:
    """The last notice was given and its period has passed (DL-13, DL-36); the last day counts whole."""
    terms, clock = terms_of(ctx.handbook), running_period(ctx.case.pk)
    if not terms.limit or ctx.subject.reminders < terms.limit:
        return Blocker("more_to_give", _("Not all reminders have been given."), terms.grey_rule)
    if clock is None or not observe(clock.spec_id, clock.due_at <= ctx.now):
        observe(terms.grey_rule, False)
        return Blocker("not_over", _("The last period has not passed."), terms.grey_rule)
    return None


def _exhaust(ctx: Ctx[NoInput]) -> None:
    bill, terms = ctx.subject, terms_of(ctx.handbook)
    observe(terms.grey_rule, True)
    bill.exhausted_at = ctx.now
    ctx.update(bill, "exhausted_at")
    ctx.emit("bill_exhausted")
    ctx.data |= {"greyed": grey_cards(ctx), "rule": terms.grey_rule, "open_fen": bill.open_fen}


def _not_reached(ctx: Ctx[Any]) -> Blocker | None:
    bill, days = ctx.subject, settings.BILL_UNREACHED_DAYS
    rule = terms_of(ctx.handbook).channel_rule
    if bill.handed_over_at:
        return Blocker("handed_over", _("The manager knows already."), rule)
    if observe(rule, bill.trying_since is not None and bill.trying_since + timedelta(days=days) <= ctx.now):
        return None
    words = _("The family has not been tried for %(days)d days.")
    return Blocker("not_long", words % {"days": days}, rule)


def _hand_over(ctx: Ctx[NoInput]) -> None:
    """Nobody was reached for long: nothing counts, so nothing would ever follow. A manager decides (DL-36);
    the calls go on."""
    bill = ctx.subject
    bill.handed_over_at, ctx.case.priority = ctx.now, 1
    ctx.update(bill, "handed_over_at")
    attempts = BillReminder.objects.filter(bill=bill.pk, made_at__gte=bill.trying_since).count()
    ctx.data |= {"attempts": attempts, "rule": terms_of(ctx.handbook).channel_rule}
    words = {
        "hospital": str(bill.hospital), "amount": format_yuan(bill.open_fen), "attempts": attempts,
        "since": timezone.localtime(bill.trying_since).date(),
    }  # fmt: skip
    for person in staff_for("manager", ctx.case):
        if person.email:
            queue_message(
                ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="bill_unreached", recipient=person.email,
                context=words | {"addressee": str(person)},
                key=f"{ctx.case.number}:unreached:{bill.tried}:{person.pk}",
            )  # fmt: skip


for action in (
    Action("remind", _("Remind now"), CALLERS, _remind, states=REMINDABLE, guards=(_not_under_way,
           _more_to_give, _interval_over), event="reminder_sent", system=True, order=30),
    Action("hand_over", _("Hand over to the manager"), CALLERS, _hand_over, states=REMINDABLE, guards=(_not_reached,),
           event="bill_unreached", system=True, order=75),
    Action("exhaust", _("Grey the card"), frozenset(), _exhaust, transition="exhaust",
           guards=(_not_under_way, _last_period_over), event="exhausted", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
