"""The review: its findings, an investigation, the decision within authority, the end (ADV-03, ADV-06 … ADV-21)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.trace import observe
from apps.advances import guards
from apps.advances.assess import look_in, most_fen
from apps.advances.inputs import REASONS, ReasonInput
from apps.advances.letters import issue_end, issue_entrustment, tell_family, tell_staff
from apps.advances.models import Advance, Provider
from apps.advances.promises import give_back, promise
from apps.advances.roles import INVESTIGATORS, REVIEWERS, SIGNERS, SPECIALISTS, SUPERVISORS
from apps.advances.workflow import BEFORE_ADVANCED, KIND, REVIEWING
from apps.cases.context import Ctx
from apps.cases.inputs import ask, codes
from apps.cases.kinds import Action, NoInput
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import format_yuan, to_fen, to_yuan

FRAUD = ("FALSE_INFO", "NON_DISCLOSURE", "FRAUD")
AT_ANY_TIME = frozenset({*FRAUD, "THIRD_PARTY", "LITIGATION"})  # found before the money is out (machine g)
RULE_OF = {
    **dict.fromkeys(FRAUD, "ADV-11"), "THIRD_PARTY": "ADV-12", "LITIGATION": "ADV-12", "NOT_COVERED": "ADV-13",
    "INCOMPLETE": "ADV-13", "OUT_OF_AREA": "ADV-16", "NETWORK": "ADV-21",
}  # fmt: skip


def _grounds(ctx: Any) -> list[tuple[str, Any]]:
    """What the series lets the provider refuse for (ADV-11)."""
    listed = ctx.handbook.value("advance.refusal_reasons", ()) if ctx is not None else FRAUD
    return [("", _("none")), *((code, REASONS.get(code, code)) for code in listed)]


@dataclass(frozen=True)
class ChecksInput:
    """What the reviewer found; every question is answered yes or no."""

    third_party_funds: bool = ask(_("Third-party funds involved"), widget="select", choices=[(False, _("no")), (True, _("yes"))], rule="ADV-12")  # fmt: skip
    litigation: bool = ask(
        _("Lawsuit"), widget="select", choices=[(False, _("no")), (True, _("yes"))], rule="ADV-12"
    )
    no_real_time: bool = ask(
        _("Out-of-area insurance that does not settle at once"), default=False, rule="ADV-16"
    )
    ratio_unknown: bool = ask(_("Share of its reimbursement unknown"), default=False, rule="ADV-16")
    no_hand_over: bool = ask(_("Papers cannot be handed over at discharge"), default=False, rule="ADV-16")
    suspicion: str = ask(
        _("Ground for refusal"), default="", choices=_grounds, widget="select", rule="ADV-11"
    )
    note: str = ask(_("Findings"), default="", widget="textarea", max_length=2000)


@dataclass(frozen=True)
class InvestigateInput:
    reason: str = ask(
        _("Special circumstance"), widget="textarea", min_length=4, max_length=2000, rule="ADV-19"
    )


@dataclass(frozen=True)
class FindingInput:
    finding: str = ask(_("Result of the investigation"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class ApproveInput:
    amount: Decimal = ask(_("To be advanced"), widget="money", minimum=Decimal("0.01"), rule="ADV-03")
    reason: str = ask(_("Reason"), default="", widget="textarea", max_length=2000)


@dataclass(frozen=True)
class EndInput:
    because: str = ask(_("Because of"), choices=codes(REASONS), widget="select")
    reason: str = ask(
        _("Reason for the family"), widget="textarea", min_length=4, max_length=1000, rule="ADV-07"
    )


# --- Findings and investigation -----------------------------------------------------------------------


def _record_checks(ctx: Ctx[ChecksInput]) -> None:
    found, given = ctx.input, ctx.subject
    assert found is not None
    names = ("third_party_funds", "litigation", "no_real_time", "ratio_unknown", "no_hand_over", "suspicion")
    for name in names:
        setattr(given, name, getattr(found, name))
    given.checks_note, given.checked_by, given.checked_at = found.note, ctx.actor.label, ctx.now
    ctx.update(given, *names, "checks_note", "checked_by", "checked_at")
    ctx.reason = found.note
    ctx.data |= {name: getattr(found, name) for name in names}
    if found.suspicion:
        tell_staff(ctx, "investigation_lead", "suspected", ground=str(REASONS[found.suspicion]))


def _known_checks(ctx: Ctx[Any]) -> dict[str, Any]:
    given = ctx.subject
    if given.checked_at is None:
        return {}
    names = ("third_party_funds", "litigation", "no_real_time", "ratio_unknown", "no_hand_over", "suspicion")
    return {name: getattr(given, name) for name in names} | {"note": given.checks_note}


def _open_investigation(ctx: Ctx[InvestigateInput]) -> None:
    """ADV-19: seven to fifteen working days instead of two, from the same start. Whoever opens it approves it."""
    assert ctx.input is not None
    observe("ADV-19", True)
    given = ctx.subject
    given.investigated_for = ctx.input.reason
    ctx.update(given, "investigated_for")
    ctx.reason = ctx.input.reason
    ctx.data["approved_by"] = ctx.actor.label
    ctx.emit("investigation_opened", given.complete_at)
    tell_family(ctx, "investigation")
    tell_staff(ctx, "investigation_lead", "investigation", ground=ctx.input.reason)


def _close_investigation(ctx: Ctx[FindingInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.finding


# --- Decision -----------------------------------------------------------------------------------------


def _suggest(ctx: Ctx[Any]) -> dict[str, Any]:
    """The most that may be advanced; the handbook prints no share of it (ADV-03)."""
    return {"amount": to_yuan(most_fen(ctx.subject, look_in(ctx)))}


def _amount(ctx: Ctx[ApproveInput]) -> int:
    assert ctx.input is not None
    amount, most = to_fen(ctx.input.amount), most_fen(ctx.subject, look_in(ctx))
    if observe("ADV-03", amount > most):
        raise InvalidInput(
            _("At most %(most)s of the expected cost are covered.") % {"most": format_yuan(most)},
            code="above_cover", field="amount", rule="ADV-03", data={"most_fen": most},
        )  # fmt: skip
    ctx.reason = ctx.input.reason
    return amount


def _approve(ctx: Ctx[ApproveInput]) -> None:
    amount = _amount(ctx)
    if ctx.actor.authority_fen < amount:
        found = guards.above_authority(ctx.actor, amount)
        raise Blocked(found.message, code=found.code, field="amount")
    _grant(ctx, amount)


def _propose(ctx: Ctx[ApproveInput]) -> None:
    given = ctx.subject
    given.proposed_fen = _amount(ctx)
    ctx.update(given, "proposed_fen")
    ctx.data["amount_fen"] = given.proposed_fen


def _sign_off(ctx: Ctx[NoInput]) -> None:
    """On what is covered now: between the two signatures a claim may have used the limits."""
    given = ctx.subject
    if given.proposed_fen > most_fen(given, look_in(ctx)):
        words = _("Less than the proposed amount is covered by now; send it back.")
        raise Blocked(words, code="above_cover", rule="ADV-03")
    _grant(ctx, given.proposed_fen)


def _send_back(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.subject.proposed_fen = None
    ctx.update(ctx.subject, "proposed_fen")


def _grant(ctx: Ctx[Any], amount: int) -> None:
    """Reserved, and the letter to sign goes out; who pays is the designated provider (ADV-03, ADV-08)."""
    given: Advance = ctx.subject
    provider = Provider.objects.filter(series=ctx.case.series).first()
    if provider is None:
        raise Blocked(_("No provider is designated for this series yet."), code="no_provider", rule="ADV-03")
    promise(ctx, amount)
    given.approved_fen, given.provider = amount, provider
    ctx.update(given, "approved_fen", "provider")
    ctx.case.amount_fen = amount
    ctx.data |= {"amount_fen": amount, "provider": provider.name}
    ctx.emit("advance_decided")
    issue_entrustment(ctx)


def _terminate(ctx: Ctx[EndInput]) -> None:
    """ADV-07: final, and the family is told by message and letter with the same act."""
    assert ctx.input is not None
    because, given = ctx.input.because, ctx.subject
    if ctx.case.state not in REVIEWING and because not in AT_ANY_TIME:
        words = _("Outside the review only fraud, third-party funds and a lawsuit end an advance.")
        raise InvalidInput(words, code="not_now", field="because", rule=RULE_OF[because])
    rule = RULE_OF[because]
    observe(rule, True)
    observe("ADV-07", True)
    given.ended_for, given.ended_text = because, ctx.input.reason
    given.redirect = Advance.Redirect.REIMBURSEMENT
    ctx.update(given, "ended_for", "ended_text", "redirect")
    give_back(ctx)
    ctx.reason = ctx.input.reason
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.data |= {"because": because, "rule": rule}
    ctx.emit("closed")
    issue_end(ctx, rule)
    if because in FRAUD:
        tell_staff(ctx, "compliance", "suspected", ground=str(REASONS[because]))


APPROVING = (
    guards.papers_complete, guards.entitled, guards.checked, guards.clean, guards.something_covered,
    guards.no_proposal,
)  # fmt: skip
for action in (
    Action("record_checks", _("Findings of the review"), REVIEWERS | INVESTIGATORS, _record_checks, states=REVIEWING,
           input=ChecksInput, initial=_known_checks, event="checks_recorded", order=5),
    Action("approve", _("Approve"), REVIEWERS, _approve, transition="approve", input=ApproveInput, initial=_suggest,
           guards=APPROVING, event="advance_approved", style="primary", order=10),
    Action("propose", _("Propose to a second signature"), REVIEWERS, _propose, states=REVIEWING, input=ApproveInput,
           initial=_suggest, guards=APPROVING, event="advance_proposed", order=20),
    Action("sign_off", _("Sign"), SIGNERS, _sign_off, transition="approve", four_eyes=("propose",),
           guards=(guards.proposal_there, guards.within_authority, guards.papers_complete, guards.entitled,
                   guards.clean), event="advance_approved", style="primary", order=8),
    Action("send_back", pgettext_lazy("advance", "Send back"), SIGNERS, _send_back, states=REVIEWING, input=ReasonInput,
           guards=(guards.proposal_there,), event="proposal_sent_back", order=30),
    Action("open_investigation", _("Open an investigation"), SUPERVISORS, _open_investigation,
           transition="open_investigation", input=InvestigateInput, event="investigation_opened", order=40),
    Action("close_investigation", _("Result of the investigation"), INVESTIGATORS, _close_investigation,
           transition="close_investigation", input=FindingInput, event="investigation_closed", order=15),
    Action("terminate", _("Terminate"), REVIEWERS | SPECIALISTS, _terminate, transition="terminate", input=EndInput,
           states=BEFORE_ADVANCED, event="advance_terminated", style="danger", order=60),
):  # fmt: skip
    KIND.action(action)
