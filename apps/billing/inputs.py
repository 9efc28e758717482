"""What the actions on a bill ask for; one dataclass gives validation, form and API fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.codes import VISIT_TYPES
from apps.billing.models import BillPayment, BillReminder, Channel
from apps.cases.inputs import ask, codes, money
from apps.core.money import format_yuan

CENT = Decimal("0.01")
# Why a share stays with the family; decided claims bring the codes of their findings, too.
REASONS: dict[str, Any] = {
    "NOT_COVERED": _("not covered"),
    "EXCLUDED": _("excluded"),
    "ABOVE_LIMIT": _("above the limit"),
    "ANNUAL_LIMIT": _("annual limit used up"),
    "DEDUCTIBLE": _("deductible"),
    "COINSURANCE": _("share of the family"),
    "FULL_VISITS_USED": _("share after the fully paid visits"),
    "NO_SHOW": _("missed appointment"),
    "OTHER": pgettext_lazy("reason of a share", "other"),
}
REASON_CHOICES = list(REASONS.items())
ANSWERED, DELIVERED = BillReminder.Result.ANSWERED, BillReminder.Result.DELIVERED
SAID: list[tuple[str, Any]] = [
    (result.value, result.label)
    for result in (
        ANSWERED,
        DELIVERED,
        BillReminder.Result.UNANSWERED,
        BillReminder.Result.UNREACHABLE,
        BillReminder.Result.WRONG_NUMBER,
        BillReminder.Result.BOUNCED,
    )
]
PAID_AT = [
    (way.value, way.label) for way in (BillPayment.Way.HOSPITAL, BillPayment.Way.TRANSFER)
]  # ours is the gateway's


@dataclass(frozen=True)
class ReportInput:
    """An unpaid self-pay bill as the hospital or our staff knows it (BIL-01)."""

    member: str = ask(_("Insured child"), max_length=40, help=_("member or policy number"))
    hospital: str = ask(_("Hospital"), max_length=40)
    visited_on: date = ask(_("Visit date"))
    visit_type: str = ask(_("Visit type"), choices=codes(VISIT_TYPES), widget="select")
    amount: Decimal = money(_("Own share in all"))
    reference: str = ask(_("Hospital's bill number"), max_length=60, min_length=2)
    collected: Decimal = money(
        _("Collected on the spot"), default=Decimal("0.00"), help=_("only the rest is billed"), rule="BIL-01"
    )
    reason: str = ask(_("Reason"), choices=REASON_CHOICES, widget="select", default="NOT_COVERED")
    department: str = ask(_("Department"), default="", max_length=80)
    claim: str = ask(_("Direct-billing claim"), default="", max_length=30)
    name: str = ask(_("Name of the child"), default="", max_length=80)
    birth_date: date | None = ask(_("Date of birth"), default=None)


@dataclass(frozen=True)
class ClaimInput:
    """What a decided or closed claim leaves to the family; given by the system."""

    total_fen: int = ask(_("Amount (fen)"), minimum=0)
    collected_fen: int = ask(_("Collected on the spot"), default=0, minimum=0)
    breakdown: tuple[str, ...] = ask(_("Breakdown"), default=())  # "REASON:fen"
    cause: str = ask(_("Cause"), default="DECIDED", max_length=10)
    full_visits_used: bool = ask(_("Fully paid visits used up"), default=False)
    reason: str = ask(_("Reason"), default="", max_length=500)


@dataclass(frozen=True)
class ReminderInput:
    """A reminder somebody gave by themselves. What does not count is noted all the same (BIL-02)."""

    channel: str = ask(_("By"), choices=list(Channel.choices), widget="select", rule="BIL-02")
    result: str = ask(_("Result"), choices=SAID, widget="select")
    note: str = ask(_("What was said"), widget="textarea", default="", max_length=2000)


@dataclass(frozen=True)
class DeliveredInput:
    reminder: int = ask(_("Reminder"))
    at: datetime = ask(_("Delivered at"))


@dataclass(frozen=True)
class BounceInput:
    reason: str = ask(_("What the mail server said"), widget="textarea", min_length=2, max_length=500)


@dataclass(frozen=True)
class PaymentInput:
    amount: Decimal = ask(_("Paid"), widget="money", minimum=CENT)
    paid_on: date = ask(_("Paid on"))
    reference: str = ask(_("Receipt number"), max_length=60, min_length=2)
    way: str = ask(_("Where"), choices=PAID_AT, widget="select", default="HOSPITAL")
    note: str = ask(_("Note"), default="", max_length=500)


def standing(ctx: Any) -> list[tuple[str, Any]]:
    """The payments of a bill that people recorded and nobody reversed."""
    rows = BillPayment.objects.filter(
        bill=ctx.case.pk, kind=BillPayment.Kind.PAYMENT, way__in=dict(PAID_AT), reversal__isnull=True
    )
    return [
        (str(row.pk), f"{row.paid_on} ¥ {format_yuan(row.amount_fen)} {row.reference}")
        for row in rows.order_by("pk")
    ]


@dataclass(frozen=True)
class ReverseInput:
    payment: int = ask(_("Payment"), choices=standing, widget="select")
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=500)


@dataclass(frozen=True)
class RefundInput:
    amount: Decimal = ask(_("Given back"), widget="money", minimum=CENT)
    paid_on: date = ask(_("Given back on"))
    reference: str = ask(_("Receipt number"), max_length=60, min_length=2)
    note: str = ask(_("Note"), default="", max_length=500)


@dataclass(frozen=True)
class CorrectInput:
    amount: Decimal = money(_("Right amount"), help=_("0 cancels the bill"))
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=500)


@dataclass(frozen=True)
class CancelInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=500)


@dataclass(frozen=True)
class StartInput:
    """EPY-02: the family presses “pay” beside the visit."""

    account: str = ask(_("Account at the front end"), max_length=64, min_length=1)


@dataclass(frozen=True)
class OnlineInput:
    payment: str = ask(_("Electronic payment"), max_length=30)
    at: datetime = ask(_("Paid at"))


@dataclass(frozen=True)
class OnlineRefundInput:
    refund: int = ask(_("Electronic refund"))
    reference: str = ask(_("Gateway's number"), max_length=80)
