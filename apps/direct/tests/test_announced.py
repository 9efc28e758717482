"""A visit by appointment announces its bill; the hospital's bill goes into that case (machine a → c1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from apps.appointments.tests.world import NOW, Rooms
from apps.core.errors import InvalidInputs
from apps.direct.actions import submit_direct
from apps.direct.models import DirectClaim
from apps.direct.workflow import DirectFlow


@pytest.fixture
def rooms(db: None) -> Iterator[Rooms]:
    with time_machine.travel(NOW, tick=False):
        yield Rooms("2026")


def test_the_bill_of_an_appointment_goes_into_the_case_it_announced(rooms: Rooms) -> None:
    visit = rooms.visited()
    direct = DirectClaim.objects.get(appointment=visit.number)
    case = DirectFlow.objects.get(pk=direct.pk)
    assert (case.state, direct.source, direct.id_type) == ("INTAKE_INCOMPLETE", "APPOINTMENT", "PASSPORT")
    assert set(case.papers.values_list("kind", flat=True)) == {"CARD_CHECK", "IDENTITY_CHECK"}  # type: ignore[attr-defined]
    day = visit.appointment.visit_on.isoformat()
    kinds = ("DIRECT_CLAIM_FORM", "SIGNED_RECEIPT")
    papers: list[dict[str, Any]] = [{"kind": kind, "form": "E_SIGNED", "signed": True} for kind in kinds]
    papers += [{"kind": kind, "form": "ORIGINAL"} for kind in ("MEDICAL_RECORD", "INVOICE", "ITEMIZED_BILL")]
    bill = rooms.visit([rooms.bill(issued_on=day)], hospital="PRI", started_on=day)
    data = {"member": {"number": "M2026"}, "reporter": {"name": "国际部"}, "visits": [bill], "papers": papers}
    sent = submit_direct(rooms.actor("intake"), data=data, now=rooms.morning(visit))
    direct.refresh_from_db()
    assert (sent.number, sent.state, direct.expected_on) == (case.number, "INTAKE", None)
    assert DirectClaim.objects.count() == 1
    other = rooms.visit([rooms.bill(issued_on=day)], hospital="PRI", started_on="2026-09-10")
    second = submit_direct(rooms.actor("intake"), data=data | {"visits": [other]}, now=rooms.morning(visit))
    assert second.number != case.number


def test_the_bills_are_of_the_visit_that_was_announced(rooms: Rooms) -> None:
    visit = rooms.visited()
    case = DirectFlow.objects.get(direct__appointment=visit.number)
    wrong = rooms.visit(hospital="OTH", started_on="2026-09-01")
    with pytest.raises(InvalidInputs) as refused:
        rooms.do(case, "send_bills", by="intake", now=rooms.morning(visit), visits=[wrong])
    assert {error.field for error in refused.value.errors} == {"visits.0.hospital", "visits.0.started_on"}
