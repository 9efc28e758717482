"""Reminding: by e-mail or phone, counted when it counts, repeated by the other way when it does not
(BIL-02, BIL-20); when the last one has passed unpaid, the card is greyed (BIL-03, BIL-21)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.billing.greying import grey_cards, release_cards
from apps.billing.inputs import (
    ANSWERED,
    DELIVERED,
    BounceInput,
    DeliveredInput,
    ReminderInput,
)
from apps.billing.models import BillReminder, Channel, SelfPayBill
from apps.billing.roles import CALLERS, CLERKS
from apps.billing.terms import Terms, terms_of
from apps.billing.workflow import KIND, REMIND, REMINDED, UNPAID, UNREMIND
from apps.cases.engine import Ctx
from apps.cases.kinds import Action, Blocker, NoInput
from apps.cases.models import Clock
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import format_yuan
from apps.messaging.calls import RecordCall
from apps.messaging.contacts import contact_of, staff_for
from apps.messaging.models import CallTask, Message
from apps.messaging.outbox import queue_call, queue_message
from apps.messaging.texts import words_for

TEMPLATE = "bill_reminder"
PERIODS = ("bill.reminder", "bill.grace", "bill.payment")  # what runs from a notice
FAILED_CALL = "delivery_failed"  # queued by the outbox for a message that could not be delivered
Result = BillReminder.Result


# --- Sending ----------------------------------------------------------------------------------------


def send(ctx: Ctx[Any], bill: SelfPayBill, *, instead_of: str = "") -> BillReminder:
    """Queue the next reminder: by e-mail where there is an address, else a call with its script.

    `instead_of` is the way that just failed: the other one is tried, where there is one.
    """
    terms, person = terms_of(ctx.handbook), contact_of(ctx, ctx.case)
    by_mail = bool(person.email) and Channel.EMAIL in terms.channels and instead_of != Channel.EMAIL
    words = {"addressee": person.name, **words_of(ctx, bill, terms)}
    key = f"{ctx.case.number}:reminder:{bill.tried + 1}"
    reminder = _attempt(ctx, bill, Channel.EMAIL if by_mail else Channel.PHONE)
    if by_mail:
        reminder.message = queue_message(  # type: ignore[assignment]  # with a recipient it is a message
            ctx, case=ctx.case, channel=Message.Channel.EMAIL, template=TEMPLATE, recipient=person.email,
            context=words, key=key,
        )  # fmt: skip
    else:
        script = words_for(TEMPLATE, "CALL", "zh-hans", ctx.case, words).body
        reminder.call = queue_call(
            ctx, case=ctx.case, purpose=TEMPLATE, script=script, key=key, due_at=ctx.now, attempt=bill.tried
        )
    ctx.add(reminder)
    bill.waiting = True
    bill.trying_since = bill.trying_since or ctx.now
    ctx.update(bill, "tried", "waiting", "trying_since")
    ctx.data["reminder"] = reminder.number
    return reminder


def words_of(ctx: Ctx[Any], bill: SelfPayBill, terms: Terms) -> dict[str, Any]:
    """What the message and the script say: what is owed to whom, the how-manieth notice, what follows."""
    ordinal = bill.reminders + 1
    last = bool(terms.limit) and ordinal >= terms.limit
    return {
        "hospital": str(bill.hospital), "amount": format_yuan(bill.open_fen), "visited_on": bill.visited_on,
        "ordinal": ordinal, "limit": terms.limit, "last": last, "period": last_period(ctx) if last else 0,
    }  # fmt: skip


def last_period(ctx: Ctx[Any]) -> str:
    """'3 个工作日' after the last notice, as the series' clock counts."""
    for spec in ctx.handbook.clocks:
        if spec.start == "bill_final_notice":
            return f"{spec.duration} 个工作日" if spec.unit == "workdays" else f"{spec.duration} 天"
    return ""


def _attempt(ctx: Ctx[Any], bill: SelfPayBill, channel: str, result: str = Result.WAITING) -> BillReminder:
    bill.tried += 1
    done = {} if result == Result.WAITING else {"result_at": ctx.now, "operator_label": ctx.actor.label}
    return BillReminder(bill=bill, number=bill.tried, channel=channel, result=result, made_at=ctx.now, **done)


def _under_way(bill: SelfPayBill) -> BillReminder | None:
    found = BillReminder.objects.select_related("call", "message")
    return found.filter(bill=bill.pk, result=Result.WAITING).first()


# --- What became of it ------------------------------------------------------------------------------


def count(ctx: Ctx[Any], reminder: BillReminder, *, result: str, at: datetime) -> None:
    """It counts: the next state, and the clock of the interval or of the last period from `at`."""
    bill, terms = ctx.subject, terms_of(ctx.handbook)
    bill.reminders += 1
    bill.waiting = False
    reminder.result, reminder.result_at, reminder.counted_as = result, at, bill.reminders
    observe(terms.channel_rule, True)
    forget_trying(ctx)
    start_period(ctx, at)
    ctx.loaded["counted"] = True
    ctx.update(reminder, *KEPT)
    ctx.update(bill, "reminders", "waiting")
    ctx.data |= {"reminder": reminder.number, "counted_as": bill.reminders, "channel": reminder.channel}


def start_period(ctx: Ctx[Any], at: datetime) -> None:
    """The clock that follows the last reminder: the interval, or the last period."""
    bill, terms = ctx.subject, terms_of(ctx.handbook)
    last = bool(terms.limit) and bill.reminders >= terms.limit
    if bill.reminders < terms.notices or (last and not terms.has_last_period):
        ctx.emit("bill_notified", at)
    elif last:
        ctx.emit("bill_final_notice", at)


def forget_trying(ctx: Ctx[Any]) -> None:
    """The family was reached, or reminding begins anew."""
    ctx.subject.trying_since = ctx.subject.handed_over_at = None
    ctx.update(ctx.subject, "trying_since", "handed_over_at")


def fail(ctx: Ctx[Any], reminder: BillReminder, *, result: str) -> None:
    """It does not count; the other way is tried at once (BIL-02)."""
    rule = terms_of(ctx.handbook).channel_rule
    observe(rule, False)
    reminder.result, reminder.result_at, reminder.rule = result, ctx.now, rule
    reminder.why_not = _why(result)
    reminder.save(update_fields=KEPT)  # at once: the next may only begin when this one has ended
    ctx.data |= {"failed": reminder.number, "result": result, "rule": rule}
    send(ctx, ctx.subject, instead_of=reminder.channel)


def _why(result: str) -> str:
    return str(Result(result).label)


KEPT = ("result", "result_at", "counted_as", "rule", "why_not", "operator_label", "note")


def _delivered(ctx: Ctx[DeliveredInput]) -> None:
    assert ctx.input is not None
    reminder = _under_way(ctx.subject)
    if reminder is None or reminder.pk != ctx.input.reminder:
        raise Blocked(_("This reminder is no longer under way."), code="reminder_over", rule="BIL-02")
    count(ctx, reminder, result=DELIVERED, at=ctx.input.at)


def _mail_failed(ctx: Ctx[NoInput]) -> None:
    """The outbox gave up and asked for a call with the same words: that call is now the reminder."""
    reminder = _under_way(ctx.subject)
    assert reminder is not None
    assert reminder.message is not None
    rule = terms_of(ctx.handbook).channel_rule
    reminder.result, reminder.result_at, reminder.rule = Result.BOUNCED, ctx.now, rule
    reminder.why_not, reminder.note = _why(Result.BOUNCED), reminder.message.error[:500]
    reminder.save(update_fields=KEPT)
    asked = CallTask.objects.filter(
        idempotency_key=f"failed:{reminder.message.idempotency_key}"[:120], outcome=CallTask.Outcome.OPEN
    ).first()
    ctx.data |= {"failed": reminder.number, "rule": rule}
    if asked is None:
        send(ctx, ctx.subject, instead_of=Channel.EMAIL)
        return
    again = _attempt(ctx, ctx.subject, Channel.PHONE)
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
    reminder = _under_way(ctx.subject)
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
    waiting = _under_way(bill)
    reached = given.result in (ANSWERED, DELIVERED)
    reminder = _attempt(ctx, bill, given.channel, Result.NOTED if why_not and reached else given.result)
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
        return _why(given.result)
    if ctx.subject.reminders >= terms.notices:
        return str(_("all reminders have been given"))
    from_day = next_reminder_on(ctx)
    if from_day and timezone.localtime(ctx.now).date() < from_day:
        return str(_("too early: the interval ends on %(day)s") % {"day": from_day})
    return ""


def next_reminder_on(ctx: Ctx[Any]) -> date | None:
    """The day on which the interval since the last counted reminder has passed; None before the first."""
    clock = running_period(ctx.case.pk)
    return clock.day if clock and ctx.subject.reminders else None


def running_period(case_id: int) -> Clock | None:
    """The clock that runs from the last notice: interval, grace or payment period."""
    clocks = Clock.objects.filter(case=case_id, key__in=PERIODS).exclude(state=Clock.State.STOPPED)
    return clocks.order_by("due_at").first()


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
    last.rule, last.why_not = terms_of(ctx.handbook).channel_rule, _why(Result.BOUNCED)
    last.operator_label = ctx.actor.label
    last.save(update_fields=KEPT)
    waiting = _under_way(bill)
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


def withdraw(ctx: Ctx[Any], reminder: BillReminder) -> None:
    """Take back what is still under way: the message stays in the house, nobody is called."""
    reminder.result, reminder.result_at = Result.CANCELED, ctx.now
    reminder.save(update_fields=["result", "result_at"])
    ctx.subject.waiting = False
    ctx.update(ctx.subject, "waiting")
    if reminder.message_id:
        Message.objects.filter(pk=reminder.message_id, state=Message.State.QUEUED).update(
            state=Message.State.CANCELLED, next_attempt_at=None
        )
    if reminder.call_id:
        CallTask.objects.filter(pk=reminder.call_id, outcome=CallTask.Outcome.OPEN).update(
            outcome=CallTask.Outcome.CANCELED, called_at=ctx.now
        )


def withdraw_all(ctx: Ctx[Any]) -> None:
    """The bill is paid or canceled: scheduled reminders with it."""
    reminder = _under_way(ctx.subject) if ctx.subject.waiting else None
    if reminder is not None:
        withdraw(ctx, reminder)
        ctx.data["reminder_canceled"] = reminder.number


# --- The sweep's two steps --------------------------------------------------------------------------


def _not_under_way(ctx: Ctx[Any]) -> Blocker | None:
    return Blocker("under_way", _("A reminder is under way.")) if ctx.subject.waiting else None


def _more_to_give(ctx: Ctx[Any]) -> Blocker | None:
    terms = terms_of(ctx.handbook)
    if ctx.subject.reminders < terms.notices:
        return None
    return Blocker("all_given", _("All reminders have been given."), terms.channel_rule)


def _interval_over(ctx: Ctx[Any]) -> Blocker | None:
    day = next_reminder_on(ctx)
    if day is None or timezone.localtime(ctx.now).date() >= day:
        return None
    words = _("The next reminder is due on %(day)s.") % {"day": day}
    return Blocker("too_early", words, terms_of(ctx.handbook).channel_rule)


def _remind(ctx: Ctx[NoInput]) -> None:
    send(ctx, ctx.subject)


def _last_period_over(ctx: Ctx[Any]) -> Blocker | None:
    """The last notice was given and its period has passed (DL-13, DL-36); the last day counts whole."""
    terms, clock = terms_of(ctx.handbook), running_period(ctx.case.pk)
    if not terms.limit or ctx.subject.reminders < terms.limit:
        return Blocker("more_to_give", _("Not all reminders have been given."), terms.grey_rule)
    if clock is None or clock.due_at > ctx.now:
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


IN_ROUND = frozenset(REMINDED)
REMINDABLE = UNPAID - {"EXHAUSTED"}
for action in (
    Action("record_call", _("Record a call"), CALLERS, _record_call, states=REMINDABLE, transition=_as_counted,
           input=RecordCall, guards=(_somebody_to_call,), initial=_first_call,
           event="reminder_called", style="primary", order=10),
    Action("record_reminder", _("Note a reminder"), CALLERS, _record_reminder, states=REMINDABLE,
           transition=_as_counted, input=ReminderInput, event="reminder_noted", order=20),
    Action("remind", _("Remind now"), CALLERS, _remind, states=IN_ROUND, guards=(_not_under_way, _more_to_give,
           _interval_over), event="reminder_sent", system=True, order=30),
    Action("record_bounce", _("The e-mail came back"), CLERKS, _bounced, states=UNPAID - {"OPEN"},
           transition=lambda ctx: UNREMIND[ctx.loaded["uncounted"] - 1], input=BounceInput,
           event="reminder_bounced", order=40),
    Action("reminder_delivered", _("Reminder delivered"), frozenset(), _delivered, states=REMINDABLE,
           transition=_as_counted, input=DeliveredInput, system=True, manual=False),
    Action("reminder_failed", _("Reminder not delivered"), frozenset(), _mail_failed, states=UNPAID, system=True,
           manual=False),
    Action("hand_over", _("Hand over to the manager"), CALLERS, _hand_over, states=REMINDABLE, guards=(_not_reached,),
           event="bill_unreached", system=True, order=75),
    Action("exhaust", _("Grey the card"), frozenset(), _exhaust, transition="exhaust",
           guards=(_not_under_way, _last_period_over), event="exhausted", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
__all__ = ["send", "withdraw_all"]
