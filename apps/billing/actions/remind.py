"""What people and the outbox say of reminders: delivered, answered, in vain, given by the way, come back
(BIL-02, BIL-20)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.billing.actions.notices import (
    KEPT,
    Result,
    attempt,
    count,
    fail,
    forget_trying,
    next_reminder_on,
    send,
    under_way,
    why,
    withdraw,
)
from apps.billing.greying import release_cards
from apps.billing.inputs import ANSWERED, DELIVERED, BounceInput, DeliveredInput, ReminderInput
from apps.billing.models import BillReminder, Channel, SelfPayBill
from apps.billing.roles import CALLERS, CLERKS
from apps.billing.terms import Terms, terms_of
from apps.billing.workflow import KIND, REMIND, REMINDABLE, UNPAID, UNREMIND
from apps.cases.context import Ctx
from apps.cases.kinds import Action, Blocker, NoInput
from apps.core.errors import Blocked, InvalidInput
from apps.messaging.calls import RecordCall
from apps.messaging.models import CallTask


def _delivered(ctx: Ctx[DeliveredInput]) -> None:
    assert ctx.input is not None
    reminder = under_way(ctx.subject)
    if reminder is None or reminder.pk != ctx.input.reminder:
        raise Blocked(_("This reminder is no longer under way."), code="reminder_over", rule="BIL-02")
    count(ctx, reminder, result=DELIVERED, at=ctx.input.at)


def _mail_failed(ctx: Ctx[NoInput]) -> None:
    """The outbox gave up and asked for a call with the same words: that call is now the reminder."""
    reminder = under_way(ctx.subject)
    assert reminder is not None
    assert reminder.message is not None
    rule = terms_of(ctx.handbook).channel_rule
    reminder.result, reminder.result_at, reminder.rule = Result.BOUNCED, ctx.now, rule
    reminder.why_not, reminder.note = why(Result.BOUNCED), reminder.message.error[:500]
    reminder.save(update_fields=KEPT)
    asked = CallTask.objects.filter(
        idempotency_key=f"failed:{reminder.message.idempotency_key}"[:120], outcome=CallTask.Outcome.OPEN
    ).first()
    ctx.data |= {"failed": reminder.number, "rule": rule}
    if asked is None:
        send(ctx, ctx.subject, instead_of=Channel.EMAIL)
        return
    again = attempt(ctx, ctx.subject, Channel.PHONE)
    again.call = asked
    ctx.add(again)
    ctx.update(ctx.subject, "tried")


def _record_call(ctx: Ctx[RecordCall]) -> None:
    """What came of a call: answered counts; otherwise the other way is tried."""
    given = ctx.input
    assert given is not None
    task = CallTask.objects.filter(case=ctx.case.pk, pk=given.task, outcome=CallTask.Outcome.OPEN).first()
    if task is None:
        raise InvalidInput(
            _("There is no such call to make on this case."), code="unknown_call", field="task"
        )
    task.outcome, task.note = given.outcome, given.note
    task.operator_label, task.called_at = ctx.actor.label, ctx.now
    ctx.update(task, "outcome", "note", "operator_label", "called_at")
    ctx.reason = given.note
    ctx.data |= {"call": task.purpose, "outcome": given.outcome, "attempt": task.attempt}
    reminder = under_way(ctx.subject)
    if reminder is None or reminder.call_id != task.pk:
        return  # a call about something else
    reminder.operator_label, reminder.note = ctx.actor.label, given.note
    if given.outcome == CallTask.Outcome.ANSWERED:
        count(ctx, reminder, result=ANSWERED, at=ctx.now)
    else:
        fail(ctx, reminder, result=given.outcome)


def _record_reminder(ctx: Ctx[ReminderInput]) -> None:
    """A reminder outside the round. It counts when its way does, it reached somebody, and the interval
    has passed; otherwise it is kept with the reason (BIL-02)."""
    given, bill, terms = ctx.input, ctx.subject, terms_of(ctx.handbook)
    assert given is not None
    _fits(given)
    why_not = why_it_does_not_count(ctx, given, terms)
    waiting = under_way(bill)
    reached = given.result in (ANSWERED, DELIVERED)
    reminder = attempt(ctx, bill, given.channel, Result.NOTED if why_not and reached else given.result)
    reminder.note, reminder.rule, reminder.why_not = (
        given.note,
        terms.channel_rule if why_not else "",
        why_not,
    )
    ctx.add(reminder)
    ctx.reason = given.note
    ctx.data |= {"channel": given.channel, "result": given.result}
    if why_not:
        observe(terms.channel_rule, False)
        ctx.data |= {"not_counted": why_not, "rule": terms.channel_rule}
        ctx.update(bill, "tried")
        return
    if waiting is not None:  # it is done already, so nobody is called or written to once more
        withdraw(ctx, waiting)
    count(ctx, reminder, result=given.result, at=ctx.now)
    ctx.update(bill, "tried")


def _fits(given: ReminderInput) -> None:
    spoken = {ANSWERED, Result.UNANSWERED, Result.UNREACHABLE, Result.WRONG_NUMBER}
    written = {DELIVERED, Result.BOUNCED}
    if given.result not in (spoken if given.channel == Channel.PHONE else written):
        words = _("A call is answered or not; a message is delivered or bounces.")
        raise InvalidInput(words, code="result", field="result", rule="BIL-02")


def why_it_does_not_count(ctx: Ctx[Any], given: ReminderInput, terms: Terms) -> str:
    """The reason in words; '' when it counts."""
    if given.channel not in terms.channels:
        return str(
            _("only calls and e-mails count, not %(channel)s") % {"channel": Channel(given.channel).label}
        )
    if given.result not in (ANSWERED, DELIVERED):
        return why(given.result)
    if ctx.subject.reminders >= terms.notices:
        return str(_("all reminders have been given"))
    from_day = next_reminder_on(ctx)
    if from_day and timezone.localtime(ctx.now).date() < from_day:
        return str(_("too early: the interval ends on %(day)s") % {"day": from_day})
    return ""


def _bounced(ctx: Ctx[BounceInput]) -> None:
    """An e-mail that had counted came back: it no longer counts, the period from it ends, a grey card
    that hung on it is restored, and the family is called."""
    assert ctx.input is not None
    bill = ctx.subject
    last = BillReminder.objects.filter(bill=bill.pk, counted_as=bill.reminders).first()
    if last is None or last.channel != Channel.EMAIL:
        words = _("The last reminder that counts was no e-mail.")
        raise Blocked(words, code="no_mail", rule=terms_of(ctx.handbook).channel_rule)
    last.result, last.counted_as, last.note = Result.BOUNCED, None, ctx.input.reason
    last.rule, last.why_not = terms_of(ctx.handbook).channel_rule, why(Result.BOUNCED)
    last.operator_label = ctx.actor.label
    last.save(update_fields=KEPT)
    waiting = under_way(bill)
    if waiting is not None:
        withdraw(ctx, waiting)
    ctx.loaded["uncounted"] = bill.reminders
    bill.reminders -= 1
    forget_trying(ctx)
    was_exhausted, bill.exhausted_at = bill.exhausted_at, None
    ctx.update(bill, "reminders", "exhausted_at")
    ctx.emit("bill_notice_failed")
    if was_exhausted:
        SelfPayBill.objects.filter(pk=bill.pk).update(exhausted_at=None)
        ctx.data["restored"] = release_cards(ctx)
    ctx.reason = ctx.input.reason
    send(ctx, bill, instead_of=Channel.EMAIL)


# --- Registration -----------------------------------------------------------------------------------


def calls_of(ctx: Any) -> list[tuple[str, Any]]:
    tasks = CallTask.objects.filter(case=ctx.case.pk, outcome=CallTask.Outcome.OPEN).order_by("pk")
    return [
        (str(task.pk), _("Reminder by phone (%(attempt)d)") % {"attempt": task.attempt}) for task in tasks
    ]


def _first_call(ctx: Ctx[Any]) -> dict[str, Any]:
    tasks = calls_of(ctx)
    return {"task": tasks[0][0]} if tasks else {}


def _somebody_to_call(ctx: Ctx[Any]) -> Blocker | None:
    found = CallTask.objects.filter(case=ctx.case.pk, outcome=CallTask.Outcome.OPEN).exists()
    return None if found else Blocker("no_call", _("There is no call to make."))


def _as_counted(ctx: Ctx[Any]) -> str:
    return REMIND[ctx.subject.reminders - 1] if ctx.loaded.get("counted") else ""


for action in (
    Action("record_call", _("Record a call"), CALLERS, _record_call, states=REMINDABLE, transition=_as_counted,
           input=RecordCall, guards=(_somebody_to_call,), initial=_first_call,
           event="reminder_called", style="primary", order=10),
    Action("record_reminder", _("Note a reminder"), CALLERS, _record_reminder, states=REMINDABLE,
           transition=_as_counted, input=ReminderInput, event="reminder_noted", order=20),
    Action("record_bounce", _("The e-mail came back"), CLERKS, _bounced, states=UNPAID - {"OPEN"},
           transition=lambda ctx: UNREMIND[ctx.loaded["uncounted"] - 1], input=BounceInput,
           event="reminder_bounced", order=40),
    Action("reminder_delivered", _("Reminder delivered"), frozenset(), _delivered, states=REMINDABLE,
           transition=_as_counted, input=DeliveredInput, system=True, manual=False),
    Action("reminder_failed", _("Reminder not delivered"), frozenset(), _mail_failed, states=UNPAID, system=True,
           manual=False),
):  # fmt: skip
    KIND.action(action)
