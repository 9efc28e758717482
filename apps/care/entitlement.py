"""How many home tests a child still has in a policy period (TST-02, TST-04), and in a month (TST-05).

The count stands in the ledger: reserved by an order, used by a sample, given back by what never was sampled.
What is left at the end of the period is forfeited by that day, without a sweep and without a row (DL-37).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import pgettext_lazy

from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.care.models import HomeTest
from apps.ledger.actions import LimitSpec
from apps.ledger.models import LimitAccount
from apps.members.models import Policy
from apps.products.queries import handbook_for

SERVICE = "home_test"
KEY = "home_test:count"
WORDS = {
    "AVAILABLE": pgettext_lazy("home tests", "available"),
    "EXHAUSTED": pgettext_lazy("home tests", "used up"),
    "FORFEITED": pgettext_lazy("home tests", "forfeited"),
    "NOT_OFFERED": pgettext_lazy("home tests", "not part of the series"),
}


@dataclass(frozen=True)
class Entitlement:
    """`state` is AVAILABLE, EXHAUSTED, FORFEITED or NOT_OFFERED; `rule` the one that says so."""

    state: str
    rule: str
    maximum: int = 0
    used: int = 0
    ordered: int = 0  # reserved by orders that are not sampled yet
    until: date | None = None  # the last day on which a test can be ordered
    this_month: int = 0
    per_month: int = 0

    @property
    def left(self) -> int:
        return self.maximum - self.used - self.ordered

    @property
    def words(self) -> Any:
        return WORDS[self.state]


def spec_of(book: Handbook) -> LimitSpec:
    return LimitSpec(KEY, "COUNT", int(book.value("home_test.maximum")))


def month_of(at: datetime) -> str:
    """Of an order, in the calendar of Shanghai (TST-05)."""
    return f"{timezone.localtime(at):%Y-%m}"


def slots_taken(member_id: int, month: str) -> set[int]:
    rows = HomeTest.objects.filter(member=member_id, month=month, slot__isnull=False)
    return {slot for slot in rows.values_list("slot", flat=True) if slot}


def entitlement_of(policy: Policy, now: datetime | None = None) -> Entitlement:
    """Where the child stands in this policy period. Two or three queries."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    book = handbook_for(policy.series, today).handbook
    service = book.service(SERVICE)
    if service is None or not service.offered:
        return Entitlement("NOT_OFFERED", service.rule if service else "")
    account = LimitAccount.objects.filter(policy=policy.pk, key=KEY).first()
    maximum = int(book.value("home_test.maximum"))
    used, ordered = (account.used, account.reserved) if account else (0, 0)
    state, rule = "AVAILABLE", service.rule
    if observe("DL-37", today > policy.covered_until):
        state, rule = "FORFEITED", "TST-02"
    elif used + ordered >= maximum:
        state, rule = "EXHAUSTED", "TST-04"
    return Entitlement(
        state, rule, maximum, used, ordered, policy.covered_until,
        len(slots_taken(policy.member_id, month_of(now))), int(book.value("home_test.per_month")),
    )  # fmt: skip
