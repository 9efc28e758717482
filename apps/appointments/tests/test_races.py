"""Two processes ask for the same visit at the same instant: one appointment, one clear error."""

from __future__ import annotations

from typing import Any

import pytest

from apps.appointments.models import Appointment
from apps.appointments.tests.world import Rooms
from apps.cases.models import CaseFile
from apps.core.testing_processes import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_the_same_visit_asked_for_by_two_at_once_is_one_appointment(now: Any) -> None:
    world = Rooms("2026")
    world.actor("specialist")
    said = together(*[lambda: world.ask().state] * 2)
    living = CaseFile.objects.filter(kind="appointment", open=True)
    assert (living.count(), Appointment.objects.filter(slot__isnull=False).count()) == (1, 1)
    assert sorted(said) in (["BOOKED", "REQUESTED"], ["REJECTED", "REQUESTED"])


def test_the_database_refuses_what_neither_saw(world: Rooms) -> None:
    """Both judged before either was stored."""
    from apps.appointments.actions.request import file
    from apps.appointments.judging import judge
    from apps.appointments.requesting import read_request
    from apps.core.errors import Conflict

    actor = world.actor("specialist")
    read = read_request(actor, world.request(), world.now)
    answer = judge(read.booking, world.now)
    first = file(actor, read, answer, world.now)
    with pytest.raises(Conflict) as refused:
        file(actor, read, answer, world.now)
    assert (refused.value.code, refused.value.field, Appointment.objects.count()) == ("BOOKED", "visit_on", 1)
    world.do(first, "cancel", by="specialist", reason="改期", channel="HOTLINE")
    assert file(actor, read, answer, world.now).state == "REQUESTED"  # the slot is free again
