"""What a family loses at the end of the policy if it does nothing: the reminder of unused home tests (TST-02, DL-37)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice

from django.db.models import Q
from django.utils import timezone

from apps.adjudication.handbook import Handbook
from apps.care.actions.archive import tell_family
from apps.care.entitlement import SERVICE, entitlement_of
from apps.members.models import Policy
from apps.messaging.models import Message
from apps.products.queries import current_handbooks

CLOCK = "home_test.validity"
CHUNK = 500


def remind_of_unused_tests(now: datetime | None = None) -> int:
    """Tell each family once, so many days before the policy ends, how many tests are left; returns how many."""
    today = timezone.localdate(now or timezone.now())
    return sum(
        _remind(row.series, row.handbook, today) for row in current_handbooks() if days_before(row.handbook)
    )


def days_before(book: Handbook) -> int:
    """When the family is told; 0 where the series has no home tests."""
    clock = next((spec for spec in book.clocks if spec.key == CLOCK), None)
    service = book.service(SERVICE)
    if clock is None or service is None or not service.offered:
        return 0
    return max((-step.offset for step in clock.steps if step.kind == "REMIND" and step.offset), default=0)


def _remind(series: str, book: Handbook, today: date) -> int:
    last = today + timedelta(days=days_before(book))
    ending = Policy.objects.filter(series=series, member__id_type__in=book.value("home_test.id_types"))
    soon = Q(ended_on__isnull=True, expires_on__range=(today, last)) | Q(ended_on__range=(today, last))
    rows = ending.in_force_on(today).filter(soon).select_related("member", "policyholder").order_by("pk")
    policies = rows.iterator(chunk_size=CHUNK)
    done = 0
    while chunk := {_key(policy): policy for policy in islice(policies, CHUNK)}:
        told = set(
            Message.objects.filter(idempotency_key__in=list(chunk)).values_list("idempotency_key", flat=True)
        )
        done += sum(_tell(policy, key, book) for key, policy in chunk.items() if key not in told)
    return done


def _key(policy: Policy) -> str:
    return f"home_tests_end:{policy.pk}:{policy.covered_until}"


def _tell(policy: Policy, key: str, book: Handbook) -> int:
    left = entitlement_of(policy).left
    if left < 1:
        return 0
    context = {
        "left": str(left),
        "until": policy.covered_until.isoformat(),
        "child": policy.member.masked_name,
    }
    return tell_family(policy, "home_tests_end", key, context, book)
