"""What the forms of a cancellation and of another day say before they are sent."""

from __future__ import annotations

from django import template
from django.utils import timezone

from apps.appointments.telling import cutoff_at
from apps.appointments.timing import Cutoff, moves
from apps.appointments.workflow import BOOKED
from apps.cases.models import CaseFile

register = template.Library()


@register.simple_tag
def late_since(case: CaseFile) -> Cutoff | None:
    """The cut-off that a cancellation at this moment misses; None while it is in time (APT-11, APT-24)."""
    cutoff = cutoff_at(case)
    return cutoff if cutoff and case.state in BOOKED and cutoff.passed(timezone.now()) else None


@register.simple_tag
def late_if_moved(case: CaseFile) -> Cutoff | None:
    """The same for another day, where the series takes that as a cancellation and a new request."""
    return None if moves(case.handbook.handbook) else late_since(case)
