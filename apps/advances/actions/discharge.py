"""The discharge: announced a day before (ADV-09), settled on its day, filed as a claim (ADV-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM
from apps.adjudication.codes import BILL_TYPES, LINE_KINDS
from apps.advances import guards
from apps.advances.assess import announced_late, stay_of
from apps.advances.filing import claim_data, file_claim
from apps.advances.letters import tell_family
from apps.advances.models import Advance
from apps.advances.promises import give_back
from apps.advances.roles import SPECIALISTS
from apps.advances.workflow import KIND, PAID
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.inputs import ask, codes, money
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.core.errors import InvalidInput
from apps.payments.payees import PayeeInput


@dataclass(frozen=True)
class NoticeInput:
    discharged_on: date = ask(_("Discharge"), rule="ADV-09")


@dataclass(frozen=True)
class SettledLine:
    """One item of the fee list in yuan."""

    name: str = ask(_("Item"), max_length=120, min_length=1)
    kind: str = ask(_("Kind"), choices=codes(LINE_KINDS), widget="select")
    amount: Decimal = money(_("Amount"))


@dataclass(frozen=True)
class SettledBill:
    """One invoice of the stay with its fee list."""

    bill_type: str = ask(_("Bill type"), choices=codes(BILL_TYPES), widget="select", rule="PR-01")
    number: str = ask(_("Bill number"), max_length=20, min_length=1, rule="PR-01")
    issued_on: date = ask(_("Issued on"))
    amount: Decimal = money(_("Amount"))
    lines: tuple[SettledLine, ...] = ask(_("Lines"), widget="lines")
    code: str = ask(_("Bill code"), default="", max_length=20, rule="PR-01")
    check_code: str = ask(_("Check code"), default="", max_length=20, rule="PR-01")
    pooled_fund: Decimal = money(_("Pooled fund"), default=Decimal("0.00"))
    serious_illness: Decimal = money(_("Serious illness"), default=Decimal("0.00"))
    other_insurer: Decimal = money(_("Other insurers"), default=Decimal("0.00"))
    personal_account: Decimal = money(_("Personal account"), default=Decimal("0.00"))


@dataclass(frozen=True)
class SettleInput:
    """What the specialist brings home on the day of discharge; the claim is filed with it."""

    discharged_on: date = ask(_("Discharged on"), rule="ADV-10")
    bills: tuple[SettledBill, ...] = ask(_("Bills"), widget="lines")
    used_social_insurance: bool = ask(_("Social insurance used"), default=False, rule="PR-11")
    payee: PayeeInput | None = ask(_("Account of the family"), default=None)


@dataclass(frozen=True)
class TogetherInput:
    claim: str = ask(_("Claim"), max_length=30)
    discharged_on: date = ask(_("Discharged on"))


def _notice(ctx: Ctx[NoticeInput]) -> None:
    """ADV-09: the same day is too late, and flagged; nobody is punished for it. A new day moves the settlement."""
    assert ctx.input is not None
    given, day = ctx.subject, ctx.input.discharged_on
    _check_day(given, day)
    given.notice_late = announced_late(ctx.case, day, ctx.now)
    given.discharged_on, given.noticed_at = day, ctx.now
    ctx.update(given, "notice_late", "discharged_on", "noticed_at")
    ctx.data |= {"discharged_on": day.isoformat(), "late": given.notice_late}
    if given.notice_late:
        ctx.data["rule"] = "ADV-09"
    ctx.emit("discharge_moved")
    ctx.emit("discharge_date", _morning(day))
    tell_family(ctx, "discharge", late=given.notice_late)


def _check_day(given: Advance, day: date) -> None:
    if day < given.admitted_on:
        words = _("The discharge lies before the admission.")
        raise InvalidInput(words, code="order", field="discharged_on", rule="ADV-09")


def _morning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _way(ctx: Ctx[Any]) -> str:
    return "announce_discharge" if ctx.case.state == "ADVANCED" else ""


def _settle(ctx: Ctx[SettleInput]) -> None:
    """ADV-10: on the day itself, with all six papers; every advance of the stay goes into the one claim (PR-18)."""
    found, given = ctx.input, ctx.subject
    assert found is not None
    _check_day(given, found.discharged_on)
    if found.discharged_on > timezone.localtime(ctx.now).date():
        words = _("The stay is settled on the day of discharge, not before.")
        raise InvalidInput(words, code="future", field="discharged_on", rule="ADV-10")
    stay = [row for row in stay_of(given) if row.pk == given.pk or row.case.state in PAID]
    give_back(ctx)
    claim = file_claim(ctx, claim_data(ctx, found), stay)
    _settled(ctx, claim, found.discharged_on)
    for row in stay:
        if row.pk != given.pk:
            perform(
                row.case.number, "settle_together", SYSTEM, now=ctx.now, claim=claim.number,
                discharged_on=found.discharged_on,
            )  # fmt: skip
    tell_family(ctx, "settled")


def _together(ctx: Ctx[TogetherInput]) -> None:
    """A further advance of the stay: settled with the one whose papers were brought."""
    assert ctx.input is not None
    give_back(ctx)
    _settled(ctx, CaseFile.objects.get(number=ctx.input.claim), ctx.input.discharged_on)


def _settled(ctx: Ctx[Any], claim: CaseFile, day: date) -> None:
    given = ctx.subject
    given.claim, given.discharged_on = claim, day
    ctx.update(given, "claim", "discharged_on")
    ctx.data |= {"claim": claim.number, "discharged_on": day.isoformat(), "source": "ADVANCE"}


def _known_day(ctx: Ctx[Any]) -> dict[str, Any]:
    day = ctx.subject.discharged_on or timezone.localtime(ctx.now).date()
    return {"discharged_on": day, "bills": [{"lines": [{}]}], "payee": None}


for action in (
    Action("notice_discharge", _("Discharge announced"), SPECIALISTS, _notice, transition=_way, states=PAID,
           input=NoticeInput, event="discharge_noticed", style="primary", order=20),
    Action("settle", _("Settle and file the claim"), SPECIALISTS - {"service_lead"}, _settle, transition="settle",
           input=SettleInput, initial=_known_day, guards=(guards.discharge_papers,), event="settled", style="primary",
           order=10),
    Action("settle_together", _("Settled with another advance of the stay"), frozenset(), _together,
           transition="settle", input=TogetherInput, event="settled", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
