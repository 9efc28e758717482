"""What is asked back: how much was paid and is not covered, by which payment, and why, line by line.

Two origins. A claim that was paid and then decided lower owes what its account with the member says
(negative: the member owes us). A direct claim whose hospital was paid before or above its decision owes
what `direct` says. Nothing paid, nothing asked back (REC-03, REC-04).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook, Title
from apps.adjudication.trace import observe
from apps.cases.models import CaseFile
from apps.claims.models import Decision, DecisionLine
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import format_yuan
from apps.direct.queries import own_lines, paid_not_covered
from apps.ledger.models import MoneyAccount
from apps.members.names import mask_name
from apps.payments.models import PaymentOrder
from apps.payments.queries import payable_fen, payable_key
from apps.recoveries.models import Reason, Recovery

CLAIM, DIRECT = "claim", "direct"
DECIDED, RETURNED = "decided", "returned"  # what a demand is reckoned after
WORDS = {
    Reason.NOT_COVERED: Title("不在保障范围内的费用", "Costs outside the cover"),
    Reason.ANNUAL_LIMIT: Title("超出年度最高限额的费用", "Costs above the annual maximum"),
    Reason.EXCLUDED: Title("除外责任的费用", "Excluded costs"),
    Reason.OVERPAID: Title("多付的赔款", "Claim money paid too much"),
}
MOST_NAMES = 6  # items of a bill that a line of the letter names
ADJUSTED = "核定结论变更的其余差额"
UNJUST = Title(
    "审核结论变更后，已付赔款高于应付赔款的部分没有支付依据，应予退还。",
    "After a new decision nothing supports the part of the payment that exceeds what is payable; it is to be refunded.",
)
UNJUST_SOURCE = "《中华人民共和国民法典》第九百八十五条"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the amount (fen) with its reason."""

    reason: str
    name: str
    amount_fen: int
    text: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """`owed_fen`: what should be open or written off. `back_fen`: what of refunds is no longer owed to us."""

    owed_fen: int
    back_fen: int
    payment: str  # the order or bank reference of what was paid; "" when nothing was


def rule_of(handbook: Handbook) -> str:
    """The rule that asks for the refund: REC-03 where the series prints one, else REC-05."""
    parameter = handbook.parameters.get("recovery.due")
    return parameter.rule if parameter else "REC-05"


def unpaid_rule(handbook: Handbook) -> str:
    """The rule by which nothing is asked back that was not paid: REC-04, else REC-05."""
    return "REC-04" if "REC-04" in handbook.rules else "REC-05"


def clause_of(row: Recovery, handbook: Handbook) -> tuple[Title, str, str]:
    """(words, rule id, source) of what the letter rests on."""
    if row.reason == Reason.OVERPAID:
        return UNJUST, "", UNJUST_SOURCE
    rule = handbook.rules.get(row.rule)
    return (rule.says, rule.id, rule.source) if rule else (UNJUST, "", UNJUST_SOURCE)


def demand_of(origin: CaseFile, standing: Iterable[Recovery], after: str = "") -> Demand:
    """What is owed on an origin, given the recoveries that are not canceled. A few queries.

    `after` is what just happened. Only a decision says that refunds of a claim are no longer owed (DECIDED);
    later the same money is under way to the family, or back from a bank that returned it (RETURNED).
    """
    kept = sum(row.kept_fen for row in standing)
    if origin.kind == DIRECT:
        found = paid_not_covered(origin)
        gross = sum(fen for _reason, fen, _payment in found)
        payment = next((reference for _reason, fen, reference in found if fen), "")
        return Demand(max(gross - kept, 0), max(kept - gross, 0), payment)
    balance = payable_fen(origin)
    back = min(kept, max(balance, 0)) if after == DECIDED else 0
    if after == RETURNED and kept and _nothing_paid(origin):
        back = kept
    return Demand(max(-balance, 0), back, _last_payment(origin))


def _nothing_paid(origin: CaseFile) -> bool:
    """Whether the bank sent back all that the claim had paid for its decisions."""
    settled = MoneyAccount.objects.filter(key=payable_key(origin)).values_list("settled", flat=True).first()
    given = Recovery.objects.filter(origin=origin).aggregate(fen=Sum("given_back_fen"))["fen"]
    return (settled or 0) <= (given or 0)


def _last_payment(origin: CaseFile) -> str:
    """The order of the last payment that the bank confirmed."""
    paid = PaymentOrder.objects.filter(case=origin, state=PaymentOrder.State.PAID).order_by("-paid_at", "-pk")
    return paid.values_list("number", flat=True).first() or ""


def refuse_unpaid(origin: CaseFile, found: Demand, standing: Sequence[Recovery]) -> None:
    """REC-04: without a payment of ours the hospital settles with the family; nothing is asked back."""
    if origin.kind not in (CLAIM, DIRECT):
        raise InvalidInput(
            _("%(number)s is no claim; a recovery is opened on a claim or a direct claim.")
            % {"number": origin.number},
            field="case", code="wrong_kind",
        )  # fmt: skip
    rule = unpaid_rule(origin.handbook.handbook)
    missing = found.owed_fen - sum(row.open_fen + row.written_off_fen for row in standing)
    if observe(rule, missing <= 0):
        if standing:
            raise Blocked(
                _("%(number)s asks back all that was paid too much: %(recoveries)s.")
                % {"number": origin.number, "recoveries": ", ".join(str(row) for row in standing)},
                code="asked_already", field="case", rule=rule,
            )  # fmt: skip
        raise Blocked(
            _("Nothing was paid on %(number)s that is not covered, so there is nothing to ask back.")
            % {"number": origin.number},
            code="not_paid", field="case", rule=rule,
        )  # fmt: skip


def items_of(origin: CaseFile, amount_fen: int) -> list[Item]:
    """The amount line by line; the lines add up to it, whatever the decisions say."""
    found = _direct_items(origin) if origin.kind == DIRECT else _claim_items(origin)
    rest = amount_fen - sum(item.amount_fen for item in found)
    if found and rest:
        reason = found[0].reason
        found.append(Item(reason, ADJUSTED, rest))
    return found or [Item(Reason.OVERPAID, WORDS[Reason.OVERPAID].zh, amount_fen)]


def main_reason(items: Sequence[Item]) -> str:
    """The reason that the largest part has."""
    sums: dict[str, int] = {}
    for item in items:
        sums[item.reason] = sums.get(item.reason, 0) + item.amount_fen
    return max(sums, key=lambda reason: sums[reason])


def _claim_items(origin: CaseFile) -> list[Item]:
    """Lines of which the latest decision pays less than the one before."""
    latest = list(Decision.objects.filter(claim=origin.pk).order_by("-version")[:2])
    if len(latest) < 2:
        return []
    now, before = latest
    former = {row.line_id: row.insurer_fen for row in DecisionLine.objects.filter(decision=before)}
    messages = _messages(now)
    rows = DecisionLine.objects.filter(decision=now).select_related("line").order_by("pk")
    found = []
    for row in rows:
        less = former.get(row.line_id, row.insurer_fen) - row.insurer_fen
        if less > 0:
            text, rule = next((messages[ref] for ref in row.reasons if ref in messages), ("", ""))
            paid = f"核定由 {format_yuan(former[row.line_id])} 元改为 {format_yuan(row.insurer_fen)} 元"
            found.append(Item(Reason.OVERPAID, row.line.name, less, text or paid, rule))
    return found


def _direct_items(origin: CaseFile) -> list[Item]:
    """One line a reason, with the items of the bill that the decision took out."""
    taken = sorted((line for line in own_lines(origin.pk) if line.own_fen), key=lambda line: -line.own_fen)
    names = "、".join(f"{line.name} {format_yuan(line.own_fen)}" for line in taken[:MOST_NAMES])
    rule = rule_of(origin.handbook.handbook)
    return [
        Item(reason, WORDS[Reason(reason)].zh, fen, names, rule)
        for reason, fen, _payment in paid_not_covered(origin)
    ]


def _messages(decision: Decision) -> dict[str, tuple[str, str]]:
    """What the findings of a decision say, by their ref."""
    return {
        str(finding.get("ref", "")): (str(finding.get("message_zh", "")), str(finding.get("rule", "")))
        for finding in decision.result.get("findings", [])
    }


def paid_to(origin: CaseFile) -> Title:
    """Who got the money: the hospital of a direct claim, the family's account of a claim."""
    if origin.kind == DIRECT and origin.hospital is not None:
        return Title(origin.hospital.name, origin.hospital.name_en or origin.hospital.name)
    order = PaymentOrder.objects.filter(case=origin, state="PAID").select_related("payee").last()
    name = mask_name(order.payee.name) if order is not None and order.payee is not None else ""
    tail = order.payee.account_masked[-4:] if order is not None and order.payee is not None else ""
    return Title(
        f"{name}（账号尾号 {tail}）" if tail else "您", f"{name} (account ending {tail})" if tail else "you"
    )


def account_key(row: Recovery, case: CaseFile) -> tuple[str, CaseFile]:
    """The account that says what is owed, and the case it belongs to: the claim's own, or the recovery's
    where the money went to a hospital. (`party` is the member in both.)"""
    owner = row.origin if row.origin.kind == CLAIM else case
    return payable_key(owner), owner


def written_off_key(case: CaseFile) -> str:
    """The contra account of what is not pursued. The debt stands beside it, so that a later decision that
    pays again pays only what the family really gave back."""
    return f"written-off:{case.number}:MEMBER"
