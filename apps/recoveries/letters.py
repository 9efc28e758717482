"""What a recovery writes: the request for refund, its reminders, receipts and changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from apps.cases.context import Ctx
from apps.cases.models import CaseFile
from apps.claims.letters import message_context
from apps.core.money import format_yuan
from apps.documents.letter_contexts import About, PayeeBlock, RecoveryContext, RefundDate, RefundLine
from apps.documents.letters import queue_letter
from apps.documents.models import Letter
from apps.messaging.contacts import contact_of, staff_for
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_call, queue_message
from apps.messaging.texts import words_for
from apps.recoveries.config import account_for
from apps.recoveries.demand import WORDS, clause_of, paid_to
from apps.recoveries.models import Instalment, Reason, Recovery, RecoveryLine

DAYS = 30  # where a series sets no figure (DL-41)


def last_day(ctx: Ctx[Any]) -> date:
    """DL-41: the last day in time when contacted now; calendar days, inclusive."""
    days = int(ctx.handbook.value("recovery.due", DAYS))
    return timezone.localtime(ctx.now).date() + timedelta(days=days)


def send_request(
    ctx: Ctx[Any], *, plan: tuple[Instalment, ...] = (), template: str = "recovery", text: str = ""
) -> Letter:
    """The letter as it stands now (a former one is superseded) and the message that carries it."""
    row: Recovery = ctx.subject
    letter = queue_letter(
        ctx, request(ctx.case, row, lines_of(ctx), plan=plan, addressee=_name(ctx), text=text)
    )
    words = message_words(ctx, instalments=len(plan))
    key = f"{ctx.case.number}:{template}:{letter.version}"
    notify_member(ctx, template=template, context=words, key=key, letter=letter)
    return letter


def first_call(ctx: Ctx[Any]) -> None:
    """The call of the first contact, with the words to say."""
    script = words_for("recovery", "CALL", "zh-hans", ctx.case, message_words(ctx)).body
    key = f"{ctx.case.number}:first-call:{ctx.case.version}"
    queue_call(ctx, case=ctx.case, purpose="recovery", script=script, key=key)


def request(
    case: CaseFile,
    row: Recovery,
    lines: list[RecoveryLine],
    *,
    plan: tuple[Instalment, ...] = (),
    addressee: str = "",
    text: str = "",
) -> RecoveryContext:
    clause, rule, source = clause_of(row, case.handbook.handbook)
    account = account_for(case.series)
    assert row.due_on is not None  # set with the contact
    return RecoveryContext(
        about=About(
            addressee=addressee, child=case.member.masked_name, policy=case.policy.number, case=case.number,
            reported_on=timezone.localtime(row.origin.opened_at).date(), plan=case.policy.plan.name,
            external=row.origin.number,
        ),
        amount_fen=row.amount_fen, refunded_fen=row.kept_fen, open_fen=row.open_fen, due_on=row.due_on,
        lines=tuple(
            RefundLine(line.name, line.amount_fen, WORDS[Reason(line.reason)], line.text, line.rule) for line in lines
        ),
        paid_to=paid_to(row.origin), payment=row.payment, clause=clause, rule=rule, source=source,
        payee=PayeeBlock(account.name, account.bank, account.account),
        plan=tuple(RefundDate(one.due_on, one.amount_fen - one.paid_fen) for one in plan), text=text,
    )  # fmt: skip


def lines_of(ctx: Ctx[Any]) -> list[RecoveryLine]:
    """The items, those of this very action included."""
    fresh: list[RecoveryLine] = ctx.loaded.get("new_lines", [])
    stored = [] if ctx.action == "open" else list(ctx.subject.lines.order_by("position"))
    return [*stored, *fresh]


def message_words(ctx: Ctx[Any], **more: Any) -> dict[str, Any]:
    row: Recovery = ctx.subject
    words = {
        "amount": format_yuan(row.amount_fen),
        "open": format_yuan(row.open_fen),
        "refunded": format_yuan(row.kept_fen),
        "due_on": row.due_on.isoformat() if row.due_on else "",
        "reasons": "；".join(f"{line.name} {format_yuan(line.amount_fen)} 元" for line in lines_of(ctx)[:8]),
    }
    return message_context(ctx.case, **(words | more))


def tell(ctx: Ctx[Any], template: str, key: str, **more: Any) -> None:
    """A message without a letter."""
    words = message_words(ctx, **more)
    notify_member(ctx, template=template, context=words, key=f"{ctx.case.number}:{template}:{key}")


def tell_managers(ctx: Ctx[Any]) -> None:
    """Overdue: the manager hears of it, who decides how it goes on (machine j)."""
    tell_staff(ctx, "manager", "recovery_escalated", why=ctx.reason)


def tell_staff(ctx: Ctx[Any], role: str, template: str, **more: Any) -> None:
    """An e-mail to each who holds the role and may see the case."""
    row: Recovery = ctx.subject
    for person in staff_for(role, ctx.case):
        if person.email:
            queue_message(
                ctx, case=ctx.case, channel=Message.Channel.EMAIL, template=template, recipient=person.email,
                context=message_words(ctx, **more) | {"addressee": str(person)},
                key=f"{ctx.case.number}:{template}:{ctx.case.version}:{person.pk}:{row.postings}",
            )  # fmt: skip


def _name(ctx: Ctx[Any]) -> str:
    return contact_of(ctx, ctx.case).name
