"""Demo data of finance: last month closed, its vouchers released, a batch to release, more bank returns, a statement."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import Actor, actor_of_user
from apps.accounts.models import User
from apps.cases.engine import perform
from apps.core.errors import DomainError
from apps.finance import statements, vouchers
from apps.finance.models import MonthClose, Movement, VoucherBatch
from apps.finance.months import back, close_month
from apps.finance.reckoning import first_of_month, next_month
from apps.members.models import Policy
from apps.payments.models import PaymentOrder

# What banks say, with how many days ago they said it.
REASONS = (("AC05 已销户", 2), ("超时，清算失败", 5), ("E1004 账户冻结", 12), ("其他原因 9921", 20))


def build(now: datetime | None = None) -> int:
    """Make what is missing; returns how many months were closed (0 when it was there)."""
    now = now or timezone.now()
    if MonthClose.objects.exists() or not Movement.objects.exists():
        return 0
    _returns(now)
    closed = _close_months(now)
    _vouchers(now)
    for series in ("2026", "2024"):
        policy = Policy.objects.filter(number__startswith=f"DEMO-P{series}", cases__isnull=False).first()
        if policy is not None:
            today = timezone.localtime(now).date()
            with transaction.atomic():
                statements.make_statement(
                    _actor("service_specialist"), policy.number, today - timedelta(days=365), today, now=now
                )
    return closed


def _actor(role: str) -> Actor:
    return actor_of_user(User.objects.get(username=role))


def _returns(now: datetime) -> None:
    """Some payments of closed claims came back later; none of which something is asked back."""
    finance = _actor("finance")
    paid = (
        PaymentOrder.objects.filter(state="PAID", case__state="CLOSED", case__recoveries=None)
        .select_related("case")
        .order_by("-paid_at")
    )
    for order, (reason, days) in zip(paid, REASONS, strict=False):
        assert order.case is not None  # closed claims only
        at = max(now - timedelta(days=days), (order.paid_at or now) + timedelta(hours=6))
        try:
            perform(
                order.case, "payment_returned", finance, now=min(at, now), order=order.number, reason=reason
            )
        except DomainError:  # the claim went on meanwhile
            continue


def _close_months(now: datetime) -> int:
    """Every month that is over, in order."""
    first = Movement.objects.order_by("month").values_list("month", flat=True).first()
    month, count = first, 0
    while month is not None and next_month(month) <= first_of_month(now):
        close_month(_actor("finance_lead"), month, now=now)
        month, count = next_month(month), count + 1
    return count


def _vouchers(now: datetime) -> None:
    """Released for the closed months of 2026, waiting for release for those of 2024."""
    last = back(first_of_month(now), 1)
    for series, released in (("2026", True), ("2024", False)):
        if not vouchers.waiting(series, last).exists():
            continue
        batch: VoucherBatch = vouchers.prepare(_actor("finance"), series, last, now=now)
        if released:
            vouchers.release(_actor("payment_check"), batch.number, now=now)
