"""The stay: admitted on the letter, costs reported, more asked (DBI-03), billed, discharged, closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.authorizations import guards
from apps.authorizations.actions.request import plan_rows
from apps.authorizations.actions.review import ReasonInput
from apps.authorizations.assess import first_rule
from apps.authorizations.inputs import PlannedInput
from apps.authorizations.letters import issue, send
from apps.authorizations.models import Supplement
from apps.authorizations.promises import give_back, promise, use
from apps.authorizations.requesting import planned_lines
from apps.authorizations.roles import AT_THE_BED, DECIDERS, DESK, SIGNERS
from apps.authorizations.workflow import AT_HOSPITAL, KIND
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import format_yuan, to_fen, to_yuan


@dataclass(frozen=True)
class AdmitInput:
    admitted_on: date = ask(_("Admitted on"))


@dataclass(frozen=True)
class CostsInput:
    amount: Decimal = ask(
        _("Costs so far"), widget="money", minimum=Decimal(0), help=_("of the whole stay, not only of today")
    )


@dataclass(frozen=True)
class SupplementInput:
    """More money, more days, or both."""

    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)
    lines: tuple[PlannedInput, ...] = ask(_("Further items"), widget="lines", default=())
    until: date | None = ask(_("Stay until"), default=None)


@dataclass(frozen=True)
class GrantInput:
    amount: Decimal = ask(_("Further amount"), widget="money", minimum=Decimal(0))
    valid_until: date = ask(_("Valid until"))
    answer: str = ask(_("Reason"), default="", widget="textarea", max_length=2000)


@dataclass(frozen=True)
class RefuseInput:
    answer: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class BillInput:
    amount: Decimal = ask(_("Billed within the letter"), widget="money", minimum=Decimal("0.01"))
    bill: str = ask(_("Number of the bill or claim"), max_length=60, min_length=2)


@dataclass(frozen=True)
class DischargeInput:
    discharged_on: date = ask(_("Discharged on"))
    amount: Decimal | None = ask(_("Costs so far"), widget="money", minimum=Decimal(0), default=None)


def _today(ctx: Ctx[Any]) -> date:
    return timezone.localtime(ctx.now).date()


def _admit(ctx: Ctx[AdmitInput]) -> None:
    """DBI-01, DBI-02: on a letter, within its days."""
    assert ctx.input is not None
    given, day = ctx.subject, ctx.input.admitted_on
    _card_served(ctx, day)
    if not given.valid_from <= day <= min(_today(ctx), given.valid_until):
        words = _("A day between %(first)s and %(until)s that has come is expected.") % {
            "first": given.valid_from, "until": given.valid_until,
        }  # fmt: skip
        rule = first_rule(ctx.handbook, "DBI-02", "DBI-01")
        raise InvalidInput(words, code="not_valid_then", field="admitted_on", rule=rule)
    given.admitted_on = day
    ctx.update(given, "admitted_on")
    ctx.data["admitted_on"] = day.isoformat()


def _card_served(ctx: Ctx[AdmitInput], day: date) -> None:
    """BIL-03, BIL-21: no direct billing of a stay that begins after the card was greyed; one that had
    begun by then is honored, and flagged."""
    card = guards.greyed_in(ctx)
    rule = guards.stopping_rule(ctx.handbook, card)
    if card is None or card.greyed_at is None:
        observe(rule, False)
        return
    since = timezone.localtime(card.greyed_at).date()
    if observe(rule, day > since):
        words = _("The card is greyed since %(day)s (%(reason)s): this stay is not billed directly.")
        raise Blocked(
            words % {"day": since, "reason": card.greyed_for}, code="greyed", field="admitted_on", rule=rule
        )
    ctx.data["card_greyed"] = rule


def _report_costs(ctx: Ctx[CostsInput]) -> None:
    """What the stay costs so far; DBI-03: beyond the letter more has to be asked for."""
    assert ctx.input is not None
    given = ctx.subject
    given.incurred_fen = to_fen(ctx.input.amount)
    ctx.update(given, "incurred_fen")
    over = observe(
        first_rule(ctx.handbook, "DBI-03", "DBI-01"), given.incurred_fen > (given.approved_fen or 0)
    )
    ctx.data |= {"incurred_fen": given.incurred_fen, "over": over}


# --- More -------------------------------------------------------------------------------------------


def _ask_supplement(ctx: Ctx[SupplementInput]) -> None:
    """DBI-03: during a stay the lead time may be impossible, so it is not asked for."""
    asked, given = ctx.input, ctx.subject
    assert asked is not None
    if not asked.lines and asked.until is None:
        raise InvalidInput(_("Say what more is needed: items, days or both."), code="required", field="lines")
    if asked.until and asked.until < _today(ctx):
        raise InvalidInput(_("This day has passed."), code="past", field="until")
    rule = first_rule(ctx.handbook, "DBI-03", "DBI-01")
    observe(rule, True)
    number = given.supplements.count() + 1
    lines = planned_lines(asked.lines, number)
    ctx.add(
        Supplement(
            authorization=given, number=number, reason=asked.reason, asked_until=asked.until, asked_by=ctx.actor.label,
            asked_fen=to_fen(sum((line.amount for line in lines), Decimal(0))), asked_at=ctx.now,
        )
    )  # fmt: skip
    for row in plan_rows(given, lines, number):
        ctx.add(row)
    given.estimate_fen += sum(to_fen(line.amount) for line in lines)
    ctx.update(given, "estimate_fen")
    ctx.case.priority = 1
    ctx.reason = asked.reason
    ctx.data["rule"] = rule


def _open_supplement(ctx: Ctx[Any]) -> Supplement:
    found: Supplement = ctx.subject.supplements.get(state=Supplement.State.ASKED)
    return found


def _as_asked(ctx: Ctx[Any]) -> dict[str, Any]:
    asked = _open_supplement(ctx)
    until = max(asked.asked_until or ctx.subject.valid_until, ctx.subject.valid_until)
    fen = asked.asked_fen if asked.proposed_fen is None else asked.proposed_fen
    return {"amount": to_yuan(fen), "valid_until": asked.proposed_until or until, "answer": asked.answer}


def _grant(ctx: Ctx[GrantInput]) -> None:
    """Within one's own authority."""
    row, more = _open_supplement(ctx), _terms(ctx)
    assert ctx.input is not None
    total = (ctx.subject.approved_fen or 0) + more
    if ctx.actor.authority_fen < total:
        raise Blocked(guards.above_authority(ctx.actor, total).message, code="authority", field="amount")
    _raise_cap(ctx, row, more, ctx.input.valid_until, ctx.input.answer)


def _propose_supplement(ctx: Ctx[GrantInput]) -> None:
    """What exceeds one's authority: somebody else signs it."""
    row, more = _open_supplement(ctx), _terms(ctx)
    assert ctx.input is not None
    row.proposed_fen, row.proposed_until, row.answer = more, ctx.input.valid_until, ctx.input.answer
    row.proposed_by = ctx.actor.label
    ctx.update(row, "proposed_fen", "proposed_until", "proposed_by", "answer")
    ctx.reason = ctx.input.answer
    ctx.data |= {"supplement": row.number, "amount_fen": more}


def _sign_supplement(ctx: Ctx[NoInput]) -> None:
    row = _open_supplement(ctx)
    assert row.proposed_fen is not None  # the state follows from the proposal
    assert row.proposed_until is not None
    _raise_cap(ctx, row, row.proposed_fen, row.proposed_until, row.answer)


def _send_back(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason


def _terms(ctx: Ctx[GrantInput]) -> int:
    """Fen granted or proposed, within what was asked; the days within the cover. InvalidInput otherwise."""
    granted, given = ctx.input, ctx.subject
    assert granted is not None
    row, more = _open_supplement(ctx), to_fen(granted.amount)
    if more > row.asked_fen:
        words = _("%(amount)s were asked.") % {"amount": format_yuan(row.asked_fen)}
        raise InvalidInput(words, code="above_asked", field="amount", rule="DBI-03")
    if not given.valid_until <= granted.valid_until <= ctx.case.policy.covered_until:
        words = _("Between %(first)s and %(last)s is expected.") % {
            "first": given.valid_until, "last": ctx.case.policy.covered_until,
        }  # fmt: skip
        raise InvalidInput(words, code="range", field="valid_until", rule="PA-02")
    return more


def _raise_cap(ctx: Ctx[Any], row: Supplement, more: int, until: date, answer: str) -> None:
    """The cap grows by what is reserved now; the letter of the next version replaces the former.

    A card greyed meanwhile does not stop it: the child is in hospital on this letter (BIL-03). It is flagged.
    """
    given = ctx.subject
    if more:
        promise(ctx, more)
    given.approved_fen, given.valid_until = (given.approved_fen or 0) + more, until
    ctx.update(given, "approved_fen", "valid_until")
    ctx.case.amount_fen = given.approved_fen
    _answer(ctx, row, Supplement.State.GRANTED, answer, more)
    card = guards.greyed_in(ctx)
    if card is not None:
        ctx.data["card_greyed"] = guards.stopping_rule(ctx.handbook, card)
    letter = issue(ctx)
    if given.contact_email:
        send(ctx, letter)


def _refuse(ctx: Ctx[RefuseInput]) -> None:
    assert ctx.input is not None
    _answer(ctx, _open_supplement(ctx), Supplement.State.REFUSED, ctx.input.answer, 0)


def _answer(ctx: Ctx[Any], row: Supplement, state: str, answer: str, granted: int) -> None:
    row.state, row.answer, row.granted_fen = state, answer, granted
    row.decided_by, row.decided_at = ctx.actor.label, ctx.now
    ctx.update(row, "state", "answer", "granted_fen", "decided_by", "decided_at")
    ctx.reason = answer
    ctx.data |= {"supplement": row.number, "granted_fen": granted}


# --- The end ----------------------------------------------------------------------------------------


def _bill(ctx: Ctx[BillInput]) -> None:
    """A bill of the hospital within the letter uses the limits, out of the reservation."""
    given, amount = ctx.subject, to_fen(ctx.input.amount if ctx.input else Decimal(0))
    assert ctx.input is not None
    left = (given.approved_fen or 0) - given.drawn_fen
    if amount > left:
        words = _("%(left)s of the letter are left; more needs a supplement.") % {"left": format_yuan(left)}
        raise InvalidInput(
            words, code="over_letter", field="amount", rule=first_rule(ctx.handbook, "DBI-03", "DBI-01")
        )
    use(ctx, amount)
    given.drawn_fen += amount
    ctx.update(given, "drawn_fen")
    ctx.data |= {"amount_fen": amount, "bill": ctx.input.bill}


def _discharge(ctx: Ctx[DischargeInput]) -> None:
    assert ctx.input is not None
    given, day = ctx.subject, ctx.input.discharged_on
    if not given.admitted_on <= day <= _today(ctx):
        words = _("Between %(first)s and %(last)s is expected.") % {
            "first": given.admitted_on,
            "last": _today(ctx),
        }
        raise InvalidInput(words, code="range", field="discharged_on")
    given.discharged_on = day
    if ctx.input.amount is not None:
        given.incurred_fen = to_fen(ctx.input.amount)
    ctx.update(given, "discharged_on", "incurred_fen")
    ctx.data |= {"discharged_on": day.isoformat(), "days": (day - given.admitted_on).days}


def _close(ctx: Ctx[NoInput]) -> None:
    give_back(ctx)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("closed")


IN_USE, REVIEWED = frozenset({"IN_USE"}), frozenset({"SUPPLEMENTARY_REVIEW"})
for action in (
    Action("admit", _("Admitted"), AT_THE_BED, _admit, transition="admit", input=AdmitInput,
           guards=(guards.valid_today,), initial=lambda ctx: {"admitted_on": _today(ctx)}, event="admitted",
           style="primary", order=10),
    Action("report_costs", _("Report the costs so far"), AT_THE_BED, _report_costs, states=AT_HOSPITAL,
           input=CostsInput, guards=(guards.still_there,), event="costs_reported", order=30),
    Action("ask_supplement", _("Ask for more"), AT_THE_BED, _ask_supplement, transition="ask_supplement",
           input=SupplementInput, guards=(guards.still_there,), event="supplement_asked", order=40),
    Action("grant_supplement", _("Grant the supplement"), SIGNERS, _grant, transition="answer_supplement",
           states=REVIEWED, input=GrantInput, four_eyes=("ask_supplement",), guards=(guards.in_cover,), initial=_as_asked,
           event="supplement_granted", style="primary", order=10),
    Action("propose_supplement", _("Propose to a second signature"), DECIDERS, _propose_supplement,
           transition="propose_supplement", input=GrantInput, guards=(guards.in_cover,), initial=_as_asked,
           event="supplement_proposed", order=15),
    Action("sign_supplement", _("Sign the supplement"), SIGNERS, _sign_supplement, transition="answer_supplement",
           states=frozenset({"SUPPLEMENT_SIGNING"}), four_eyes=("ask_supplement", "propose_supplement"),
           guards=(guards.supplement_within_authority, guards.in_cover), event="supplement_granted", style="primary",
           order=10),
    Action("send_back_supplement", _("Send back"), SIGNERS, _send_back, transition="send_back_supplement",
           input=ReasonInput, order=30),
    Action("refuse_supplement", _("Refuse the supplement"), SIGNERS, _refuse, transition="answer_supplement",
           states=REVIEWED, input=RefuseInput, four_eyes=("ask_supplement",), event="supplement_refused", style="danger", order=20),
    Action("record_bill", _("Record a bill"), DESK, _bill, states=IN_USE, input=BillInput, event="billed", system=True,
           order=50),
    Action("discharge", _("Discharged"), AT_THE_BED, _discharge, states=IN_USE, input=DischargeInput,
           guards=(guards.still_there,), initial=lambda ctx: {"discharged_on": _today(ctx)}, event="discharged",
           style="primary", system=True, order=20),
    Action("close", _("Close"), DESK, _close, transition="close", guards=(guards.has_left,), system=True, order=60),
):  # fmt: skip
    KIND.action(action)
