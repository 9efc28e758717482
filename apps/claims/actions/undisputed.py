"""Day 60: the part that is not in dispute is paid first, the rest is decided later (LAW-05)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker, NoInput
from apps.cases.models import Clock
from apps.claims import booking, guards
from apps.claims.actions.payment import pay_out
from apps.claims.assess import Assessment, assessment_in
from apps.claims.models import Inquiry, Outcome
from apps.claims.roles import DECIDERS, FINANCE
from apps.claims.undisputed import CLOCK, Undisputed, part_of
from apps.claims.workflow import KIND, REVIEW
from apps.core.errors import Blocked, NotAllowed
from apps.core.money import format_yuan
from apps.payments.queries import returned_by_the_bank, unordered_fen


@dataclass(frozen=True)
class UndisputedInput:
    reason: str = ask(
        _("Why the rest cannot be decided yet"),
        widget="textarea",
        min_length=2,
        max_length=2000,
        rule="LAW-05",
    )
    member_text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=4000)


def _part(ctx: Ctx[Any], found: Assessment) -> Undisputed | None:
    if "undisputed" not in ctx.loaded:
        inquiries = Inquiry.objects.filter(claim=ctx.case.pk, state=Inquiry.State.OPEN)
        ctx.loaded["undisputed"] = part_of(ctx.case, found, inquiries)
    part: Undisputed | None = ctx.loaded["undisputed"]
    return part


def something_certain(ctx: Any) -> Blocker | None:
    """LAW-05: a part must be certain, and is paid once; from the review on, also before day 60."""
    rule = guards.rule_of(ctx, "pay.undisputed", "LAW-05")
    if ctx.case.claim.decided_fen is not None:
        return Blocker(
            "decided_before", _("A decision was made on this claim already; decide the rest."), rule
        )
    if not Clock.objects.filter(case=ctx.case.pk, key=CLOCK).exclude(state=Clock.State.STOPPED).exists():
        return Blocker("no_clock", _("The sixty days of the law do not run."), rule)
    nothing = _part(ctx, assessment_in(ctx)) is None
    if guards.fires(ctx, "pay.undisputed", nothing, "LAW-05"):
        return Blocker("nothing_certain", _("Nothing of this claim is beyond dispute."), rule)
    return None


def _pay_undisputed(ctx: Ctx[UndisputedInput]) -> None:
    """A decision of its own over what is certain. The claim stays where it is and its time limits run on;
    the final decision takes this one back and adds the whole, so that only the difference is paid."""
    given, found = ctx.input, ctx.loaded["assessment"]
    assert given is not None
    ctx.loaded.pop("undisputed", None)
    part = _part(ctx, found)
    if part is None:
        raise Blocked(_("Nothing of this claim is beyond dispute."), code="nothing_certain", rule="LAW-05")
    if part.fen > ctx.actor.authority_fen:
        raise NotAllowed(
            _("%(amount)s is above your authority of %(limit)s.")
            % {"amount": format_yuan(part.fen), "limit": format_yuan(ctx.actor.authority_fen)},
            code="authority",
        )  # fmt: skip
    ctx.loaded |= {"assessment": Assessment(found.rows, part.facts), "facts": part.facts}
    verdict = booking.Verdict(
        Outcome.UNDISPUTED,
        part.decision,
        part.fen,
        given.reason,
        given.member_text,
        proposed_by=ctx.actor.user_id,
    )
    booking.book(ctx, verdict)
    ctx.data |= {"disputed": ", ".join(part.disputed), "refused": ", ".join(part.refused)}


def _nothing_ordered_yet(ctx: Ctx[Any]) -> Blocker | None:
    """Only for a part that was decided and is owed: its first order, or another one after a bank return."""
    if ctx.loaded.get("payable_fen", 0) > 0:  # decided in this very action
        return None
    if ctx.case.claim.decided_fen is None or unordered_fen(ctx.case) <= 0:
        return Blocker("nothing_owed", _("Nothing is left to pay."))
    failed = returned_by_the_bank(ctx.case, ctx.case.claim.payee_id)
    if failed is not None:
        words = _("The bank returned it from this account: %(reason)s. Set the payee anew first.")
        return Blocker("account_returned", words % {"reason": failed.return_reason})
    return None


def _order_part(ctx: Ctx[NoInput]) -> None:
    pay_out(ctx)


KIND.action(
    Action(
        "pay_undisputed", _("Pay the undisputed part"), DECIDERS, _pay_undisputed, states=REVIEW, input=UndisputedInput,
        guards=(guards.identity_settled, something_certain), prepare=booking.prepare, event="undisputed_decided", order=160,
    )
)  # fmt: skip
KIND.action(
    Action(
        "order_undisputed", _("Order payment of the undisputed part"), FINANCE | DECIDERS, _order_part, states=REVIEW,
        guards=(guards.payee_known, _nothing_ordered_yet), event="undisputed_ordered", system=True, order=165,
    )
)  # fmt: skip
