"""What an appeal writes: the acknowledgement, what papers it asks for, the answer."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from apps.adjudication.handbook import Basis, Handbook
from apps.appeals.models import Appeal, Result
from apps.appeals.target import Compared, compared, decision_of, takes_away
from apps.cases.context import Ctx
from apps.claims.letters import about, local_day
from apps.claims.models import Decision
from apps.core.money import format_yuan, to_fen
from apps.documents.letter_contexts import (
    AppealedDecision,
    AppealReceivedContext,
    AppealReplyContext,
    ComparedLine,
    Reason,
)
from apps.documents.letters import queue_letter
from apps.messaging.outbox import notify_member

FIRST_WORDS = {
    Result.UPHELD: "经由未参与原决定的审核人员复审，我们维持原决定。",
    Result.WHOLLY: "经由未参与原决定的审核人员复审，原决定有误，我们予以改判。",
    Result.PARTLY: "经由未参与原决定的审核人员复审，原决定部分有误，我们予以部分改判。",
}


def acknowledge(ctx: Ctx[Any], row: Appeal) -> None:
    """The acknowledgement (own addition): what was received, and that nobody of the decision reviews it."""
    context = AppealReceivedContext(
        about=about(row.origin), appeal=ctx.case.number, received_on=local_day(ctx.now), said=row.text,
        decision=_decision(row), lines=tuple(line.name for line in compared(row) if line.contested and row.places),
    )  # fmt: skip
    letter = queue_letter(ctx, context)
    _tell(ctx, row, "appeal_received", "received", letter=letter)


def ask_papers(ctx: Ctx[Any], row: Appeal) -> None:
    _tell(ctx, row, "appeal_information", f"asked:{ctx.case.version}", asked=row.asked)


def send_answer(ctx: Ctx[Any], row: Appeal) -> None:
    letter = queue_letter(ctx, reply(ctx.case, row))
    more = {
        "result": row.result,
        "change": format_yuan(row.change_fen) if row.change_fen else "",
        "answer": row.answer,
    }
    _tell(ctx, row, "appeal_answer", "answer", letter=letter, **more)


def first_words(row: Appeal) -> str:
    """What an answer begins with, to be put in the reviewer's own words."""
    words = [FIRST_WORDS[Result(row.result)]] if row.result else []
    if row.result != Result.UPHELD:
        words += [row.why, _outcome(row)]
    return "\n".join(line for line in words if line)


def _outcome(row: Appeal) -> str:
    if row.at_intake:
        return "您的报案已受理，我们将继续审核，结果另行书面通知。" if row.settled_at else ""
    if row.change_fen is None or row.new_fen is None:
        return "该赔案未作出新的决定，原决定的金额不变。"
    if row.change_fen > 0:
        return f"赔付金额由 {format_yuan(row.former_fen)} 元改为 {format_yuan(row.new_fen)} 元，差额 {format_yuan(row.change_fen)} 元另行支付。"
    return f"重新核定后赔付金额仍为 {format_yuan(row.new_fen)} 元。"


def reply(case: Any, row: Appeal) -> AppealReplyContext:
    """The answer: upheld with its reasons by rule, or every line before and after with what still stands."""
    handbook = case.handbook.handbook
    lines = compared(row)
    return AppealReplyContext(
        about=about(row.origin), appeal=case.number, received_on=local_day(row.received_at), said=row.text,
        decision=_decision(row), result=row.result, answer=row.answer, new_fen=row.new_fen, change_fen=row.change_fen,
        lines=tuple(_line(line, row) for line in lines), reasons=tuple(_reasons(row, handbook)),
    )  # fmt: skip


def _decision(row: Appeal) -> AppealedDecision:
    return AppealedDecision(
        on=timezone.localtime(row.decided_at).date(), at_intake=row.at_intake, paid_fen=row.former_fen
    )


def _line(line: Compared, row: Appeal) -> ComparedLine:
    shown = line.after or line.before
    assert shown is not None  # it stands in one of the two
    before = line.before.insurer_fen if line.before else 0
    after = line.after.insurer_fen if line.after else before if row.new_version is None else 0
    return ComparedLine(
        place=line.place, name=line.name, contested=bool(row.places) and line.contested, billed_fen=shown.billed_fen,
        before_fen=before, after_fen=after,
    )  # fmt: skip


def _reasons(row: Appeal, handbook: Handbook) -> Iterable[Reason]:
    """Of an upheld decision the reviewer's, of a new one what it still takes away."""
    if row.result == Result.UPHELD:
        for given in row.reasons:
            yield _reason(handbook, given["rule"], given["text"])
        return
    decision: Decision | None = decision_of(row, row.new_version)
    for found in decision.result.get("findings", ()) if decision else ():
        if takes_away(found):
            amount = to_fen(Decimal(found.get("amount") or 0))
            yield _reason(handbook, found["rule"], found["message_zh"], amount)


def _reason(handbook: Handbook, rule_id: str, text: str, amount_fen: int = 0) -> Reason:
    rule = handbook.rules.get(rule_id)
    printed = rule is not None and rule.basis in (Basis.PRINTED, Basis.LAW)
    return Reason(
        text=text, clause=rule.says.zh if rule else "", rule=rule_id, amount_fen=amount_fen,
        source=rule.source if rule and printed else "",
    )  # fmt: skip


def _tell(ctx: Ctx[Any], row: Appeal, template: str, key: str, *, letter: Any = None, **words: Any) -> None:
    """No more of a child than needed (LAW-09)."""
    context = {
        "case": ctx.case.number,
        "claim": row.origin.number,
        "child": ctx.case.member.masked_name,
        **words,
    }
    notify_member(ctx, template=template, context=context, key=f"{ctx.case.number}:{key}", letter=letter)
