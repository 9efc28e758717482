"""What an advance writes: the letter to sign, the notice of its end, the request for the difference, messages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from apps.adjudication.handbook import Handbook, Title
from apps.advances.models import Advance
from apps.cases.context import Ctx
from apps.core.money import format_yuan
from apps.documents.letter_contexts import (
    About,
    AdvanceEndContext,
    DifferenceContext,
    EntrustmentContext,
    PayeeBlock,
)
from apps.documents.letters import queue_letter
from apps.documents.models import Letter
from apps.messaging.contacts import contact_of, staff_for
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_call, queue_message
from apps.messaging.texts import words_for

ENDS = {
    "FALSE_INFO": Title("提供虚假信息", "False information"),
    "NON_DISCLOSURE": Title("未履行如实告知义务", "Non-disclosure"),
    "FRAUD": Title("欺诈", "Fraud"),
    "THIRD_PARTY": Title("有第三方资金介入", "Third-party funds are involved"),
    "LITIGATION": Title("存在诉讼", "A lawsuit is pending"),
    "NOT_COVERED": Title("本次住院不属于保险责任", "The stay is not covered"),
    "INCOMPLETE": Title("申请材料不完整", "The papers are not complete"),
    "OUT_OF_AREA": Title(
        "异地医保不能实时结算、不能确认报销比例，且出院时不能提交理赔材料",
        "Out-of-area social insurance: no settlement at once, unknown share, no papers at discharge",
    ),
    "NETWORK": Title("医院不在服务商垫付网络内", "The hospital is outside the provider's network"),
}
REFUND_DAYS = 30  # where a series sets no figure (DL-42)


# --- Letters ------------------------------------------------------------------------------------------


def issue_entrustment(ctx: Ctx[Any]) -> Letter:
    """The letter to be signed, with the message that carries it (ADV-08)."""
    given: Advance = ctx.subject
    assert given.provider is not None  # approved just now
    assert given.approved_fen is not None
    letter = queue_letter(
        ctx,
        EntrustmentContext(
            about=about(ctx), hospital=str(ctx.case.hospital), department=given.department,
            diagnosis=given.diagnosis_name, admitted_on=given.admitted_on, admission_number=given.admission_number,
            amount_fen=given.approved_fen, provider=given.provider.name, provider_phone=given.provider.phone,
        ),
    )  # fmt: skip
    tell_family(ctx, "approved", letter=letter)
    return letter


def issue_end(ctx: Ctx[Any], rule: str) -> Letter:
    """ADV-07: the notice with its reason; without an address a call to make instead."""
    given: Advance = ctx.subject
    clause, source = clause_of(ctx.handbook, rule)
    letter = queue_letter(
        ctx,
        AdvanceEndContext(
            about=about(ctx), hospital=str(ctx.case.hospital), amount_fen=given.approved_fen or given.estimate_fen,
            because=ENDS[given.ended_for], clause=clause, rule=rule, source=source, text=given.ended_text,
        ),
    )  # fmt: skip
    tell_family(ctx, "terminated", letter=letter, reason=ENDS[given.ended_for].zh, text=given.ended_text)
    return letter


def issue_difference(ctx: Ctx[Any], outcome: str = "difference") -> Letter:
    """ADV-14: what is still to be refunded to the provider, and where to."""
    given: Advance = ctx.subject
    assert given.refund_due_on is not None  # set with the difference
    assert given.claim is not None
    clause, source = clause_of(ctx.handbook, "ADV-14")
    account = given.provider.payee if given.provider else None
    payee = PayeeBlock(account.name, account.bank, account.account) if account else None
    letter = queue_letter(
        ctx,
        DifferenceContext(
            about=about(ctx), claim=given.claim.number, hospital=str(ctx.case.hospital),
            advanced_fen=given.advanced_fen or 0, adjudicated_fen=given.adjudicated_fen or 0,
            refunded_fen=given.refunded_fen, open_fen=given.open_fen, due_on=given.refund_due_on,
            provider=given.provider.name if given.provider else "", payee=payee, clause=clause, rule="ADV-14",
            source=source,
        ),
    )  # fmt: skip
    tell_family(ctx, outcome, letter=letter)
    return letter


def about(ctx: Ctx[Any]) -> About:
    case = ctx.case
    return About(
        addressee=contact_of(ctx, case).name, child=case.member.masked_name, policy=case.policy.number,
        case=case.number, reported_on=timezone.localtime(case.opened_at).date(), plan=case.policy.plan.name,
    )  # fmt: skip


def clause_of(handbook: Handbook, rule: str) -> tuple[Title, str]:
    """What the letter rests on, in our own words, and where it is printed."""
    found = handbook.rules.get(rule)
    return (found.says, found.source) if found else (Title("", ""), "")


def refund_until(ctx: Ctx[Any]) -> date:
    """DL-42: the last day in time; calendar days, inclusive."""
    days = int(ctx.handbook.value("advance.refund_due", REFUND_DAYS))
    return timezone.localtime(ctx.now).date() + timedelta(days=days)


# --- Messages -----------------------------------------------------------------------------------------


def tell_family(ctx: Ctx[Any], outcome: str, *, letter: Letter | None = None, **more: Any) -> None:
    """What became of the advance; `outcome` picks the words."""
    key = f"{ctx.case.number}:{outcome}:{ctx.case.version}"
    notify_member(ctx, template="advance", context=words(ctx, outcome, **more), key=key, letter=letter)


def words(ctx: Ctx[Any], outcome: str, **more: Any) -> dict[str, Any]:
    given: Advance = ctx.subject
    return {
        "outcome": outcome, "hospital": str(ctx.case.hospital), "estimate": format_yuan(given.estimate_fen),
        "approved": format_yuan(given.approved_fen or 0), "advanced": format_yuan(given.advanced_fen or 0),
        "adjudicated": format_yuan(given.adjudicated_fen or 0), "open": format_yuan(given.open_fen),
        "due_on": given.refund_due_on.isoformat() if given.refund_due_on else "",
        "discharged_on": given.discharged_on.isoformat() if given.discharged_on else "",
        "provider": given.provider.name if given.provider else "",
        "claim": given.claim.number if given.claim else "", **more,
    }  # fmt: skip


def queue_first_call(ctx: Ctx[Any]) -> None:
    """ADV-05: a specialist asks about needs and costs; the words to say come with the task."""
    script = words_for("advance", "CALL", "zh-hans", ctx.case, words(ctx, "first_call")).body
    queue_call(
        ctx, case=ctx.case, purpose="advance_first_call", script=script, key=f"{ctx.case.number}:first-call"
    )


def tell_staff(ctx: Ctx[Any], role: str, outcome: str, **more: Any) -> None:
    """An e-mail to each who holds the role and may see the case (ADV-11, ADV-19)."""
    for person in staff_for(role, ctx.case):
        if person.email:
            queue_message(
                ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="advance_staff", recipient=person.email,
                context=words(ctx, outcome, **more) | {"addressee": str(person)},
                key=f"{ctx.case.number}:{outcome}:{ctx.case.version}:{person.pk}",
            )  # fmt: skip
