"""One reminder: sent, counted or not, taken back (BIL-02, BIL-20), and the period that runs from it (DL-13,
DL-36). What people, the outbox and the sweep do with it stands in `remind` and `lapse`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from apps.adjudication.trace import observe
from apps.billing.models import BillReminder, Channel, SelfPayBill
from apps.billing.terms import Terms, terms_of
from apps.cases.context import Ctx
from apps.cases.models import Clock
from apps.core.money import format_yuan
from apps.messaging.contacts import contact_of
from apps.messaging.models import CallTask, Message
from apps.messaging.outbox import queue_call, queue_message
from apps.messaging.texts import words_for

TEMPLATE = "bill_reminder"
PERIODS = ("bill.reminder", "bill.grace", "bill.payment")  # what runs from a notice
KEPT = ("result", "result_at", "counted_as", "rule", "why_not", "operator_label", "note")
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
    reminder = attempt(ctx, bill, Channel.EMAIL if by_mail else Channel.PHONE)
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


def attempt(ctx: Ctx[Any], bill: SelfPayBill, channel: str, result: str = Result.WAITING) -> BillReminder:
    bill.tried += 1
    done = {} if result == Result.WAITING else {"result_at": ctx.now, "operator_label": ctx.actor.label}
    return BillReminder(bill=bill, number=bill.tried, channel=channel, result=result, made_at=ctx.now, **done)


def under_way(bill: SelfPayBill) -> BillReminder | None:
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
    reminder.why_not = why(result)
    reminder.save(update_fields=KEPT)  # at once: the next may only begin when this one has ended
    ctx.data |= {"failed": reminder.number, "result": result, "rule": rule}
    send(ctx, ctx.subject, instead_of=reminder.channel)


def why(result: str) -> str:
    return str(Result(result).label)


# --- The period from it -----------------------------------------------------------------------------


def next_reminder_on(ctx: Ctx[Any]) -> date | None:
    """The day on which the interval since the last counted reminder has passed; None before the first."""
    clock = running_period(ctx.case.pk)
    return clock.day if clock and ctx.subject.reminders else None


def running_period(case_id: int) -> Clock | None:
    """The clock that runs from the last notice: interval, grace or payment period."""
    clocks = Clock.objects.filter(case=case_id, key__in=PERIODS).exclude(state=Clock.State.STOPPED)
    return clocks.order_by("due_at").first()


# --- Taken back -------------------------------------------------------------------------------------


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
    reminder = under_way(ctx.subject) if ctx.subject.waiting else None
    if reminder is not None:
        withdraw(ctx, reminder)
        ctx.data["reminder_canceled"] = reminder.number
