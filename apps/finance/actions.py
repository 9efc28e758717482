"""What finance does on a claim: set its reserve, and go on after a bank return."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Max
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker
from apps.claims import letters
from apps.claims.actions import KIND
from apps.claims.actions.payment import order_parts
from apps.claims.models import Decision
from apps.claims.roles import CLERKS, FINANCE, REVIEWERS
from apps.claims.workflow import BEFORE_DECISION
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.core.money import format_yuan, to_fen, to_yuan
from apps.finance.access import of_the_house
from apps.finance.config import meaning_of
from apps.finance.reckoning import Basis, CaseBook, Kind, Target, split
from apps.finance.subscriptions import Claimed, estimates, less_paid, load, note
from apps.messaging.outbox import notify_member
from apps.payments.models import PaymentOrder
from apps.payments.queries import unordered_fen

ADJUSTERS = frozenset({"senior_adjuster", "final_approval", "supervisor", "adjuster_lead"})

# --- The reserve ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReserveInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=4, max_length=400)
    amount: Decimal | None = ask(
        _("Outstanding amount"), widget="money", default=None, minimum=Decimal(0),
        help=_("Empty = back to the estimation rule"),
    )  # fmt: skip


def _adjust_reserve(ctx: Ctx[ReserveInput]) -> None:
    """A person's estimate stands until a proposal or a decision replaces it."""
    given = ctx.input
    assert given is not None
    book = load({ctx.case.pk: ctx.case})[0][ctx.case.pk]
    ctx.reason = given.reason
    if given.amount is None:
        if book.basis == Basis.RULE:
            raise InvalidInput(_("The reserve follows its rule already."), code="unchanged", field="amount")
        note(ctx, "reserve_adjusted", lambda now, claimed: _by_rule(ctx, now, claimed))
        return
    amount = to_fen(given.amount)
    if amount > ctx.actor.authority_fen:
        words = _("%(amount)s yuan are above your authority of %(limit)s yuan.")
        raise NotAllowed(
            words % {"amount": format_yuan(amount), "limit": format_yuan(ctx.actor.authority_fen)},
            code="authority",
            field="amount",
        )
    owed = max(book.due - book.paid, 0)
    if amount < owed:
        words = _("%(owed)s yuan are decided and not paid yet; the reserve cannot be less.")
        raise InvalidInput(words % {"owed": format_yuan(owed)}, code="owed", field="amount", rule="LAW-05")
    if amount == book.reserve and book.basis == Basis.MANUAL:
        raise InvalidInput(_("This is the reserve already."), code="unchanged", field="amount")
    ctx.data |= {"before_fen": book.reserve, "after_fen": amount}
    note(ctx, "reserve_adjusted", lambda now, claimed: _by_hand(ctx, now, claimed, amount))


def _by_rule(ctx: Ctx[Any], book: CaseBook, claimed: Claimed) -> Target:
    return estimates(ctx, less_paid(claimed, book), Kind.CHANGE, reason=ctx.reason)


def _by_hand(ctx: Ctx[Any], book: CaseBook, claimed: Claimed, amount: int) -> Target:
    """Over the parts as the reserve lay on them, or as the claim does."""
    now = {key: part.reserve for key, part in book.parts.items() if part.open}
    weights = now if any(now.values()) else claimed
    return Target(Kind.CHANGE, Basis.MANUAL, split(amount, weights), reason=ctx.reason)


def _house_only(ctx: Ctx[Any]) -> Blocker | None:
    if of_the_house(ctx.actor):
        return None
    return Blocker("house_only", _("The insurer's books are for its own staff."))


def _now(ctx: Ctx[Any]) -> dict[str, Any]:
    book = load({ctx.case.pk: ctx.case})[0][ctx.case.pk]
    return {"amount": to_yuan(book.reserve)}


# --- After a bank return --------------------------------------------------------------------------


@dataclass(frozen=True)
class RetryInput:
    reason: str = ask(
        _("Reason"), widget="textarea", min_length=4, max_length=400, help=_("Why the same account works now")
    )


@dataclass(frozen=True)
class AskAccountInput:
    note: str = ask(_("Note"), default="", widget="textarea", max_length=400)


def last_return(case: Any) -> PaymentOrder | None:
    """The order the bank returned last."""
    returned = PaymentOrder.objects.filter(case=case.pk, state=PaymentOrder.State.RETURNED)
    return returned.select_related("payee").order_by("-attempt", "-pk").first()


def _retry_payment(ctx: Ctx[RetryInput]) -> None:
    """The same account again, when the fault was the bank's or ours."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    version = Decision.objects.filter(claim=ctx.case.pk).aggregate(last=Max("version"))["last"] or 0
    order_parts(ctx, unordered_fen(ctx.case), version)
    ctx.emit("payment_ordered")


def _account_may_work(ctx: Ctx[Any]) -> Blocker | None:
    """An account the bank has refused for itself would come back again."""
    order = last_return(ctx.case)
    if order is None or meaning_of(order.return_reason).next != "ACCOUNT":
        return None
    words = _("The bank refuses this account (%(why)s). Enter another account.")
    return Blocker("account_refused", words % {"why": meaning_words(order.return_reason)})


def meaning_words(reason: str) -> str:
    meaning = meaning_of(reason)
    return meaning.en if (get_language() or "").startswith("en") else meaning.zh


def _ask_account(ctx: Ctx[AskAccountInput]) -> None:
    """Ask the member for another account once more, with what the bank's answer means."""
    assert ctx.input is not None
    order = last_return(ctx.case)
    if order is None:
        raise Blocked(_("The bank returned no payment of this case."), code="no_return")
    ctx.reason = ctx.input.note
    ctx.data |= {"order": order.number}
    words = letters.message_context(
        ctx.case, reason=meaning_of(order.return_reason).zh, account=order.payee.account_masked
    )
    key = f"{order.number}:asked:{ctx.case.version}"
    notify_member(ctx, template="payment_returned", context=words, key=key)


FAILED = frozenset({"PAYMENT_FAILED"})


def connect() -> None:
    """Add these actions to claims; called once at start."""
    if "adjust_reserve" in KIND.actions:
        return
    KIND.action(
        Action(
            "adjust_reserve", _("Set reserve"), ADJUSTERS, _adjust_reserve, states=BEFORE_DECISION, input=ReserveInput,
            guards=(_house_only,), event="reserve_adjusted", initial=_now, order=600,
        )
    )  # fmt: skip
    KIND.action(
        Action(
            "retry_payment", _("Pay the same account again"), FINANCE, _retry_payment, transition="order_payment",
            states=FAILED, input=RetryInput, guards=(_account_may_work,), order=20,
        )
    )  # fmt: skip
    KIND.action(
        Action(
            "ask_account", _("Ask for another account"), CLERKS | REVIEWERS | FINANCE, _ask_account, states=FAILED,
            input=AskAccountInput, event="account_asked", order=15,
        )
    )  # fmt: skip
