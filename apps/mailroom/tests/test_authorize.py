"""Authorizations asked for by e-mail: what counts is when the message arrived (PA-03, PA-04, PA-06)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.tests.factories import UserFactory, web_of
from apps.authorizations.models import Authorization
from apps.authorizations.tests.world import Rooms
from apps.cases.models import CaseFile
from apps.core.errors import InvalidInputs, NotAllowed
from apps.mailroom.actions.emails import request_from
from apps.mailroom.models import Email
from apps.mailroom.tests.letters import GUARDIAN, RECORD, letter
from apps.mailroom.tests.test_matching import came

MAILBOX = "org.jdaipmi.gop1@jd.com"
HOUR = timedelta(hours=1)


@pytest.fixture
def world(db: None, now: Any) -> Rooms:
    return Rooms()


def asked(at: datetime) -> Email:
    files = {"病历.pdf": RECORD}
    return came(letter("申请事先授权", sender=GUARDIAN, files=files), address=MAILBOX, at=at)


def plan(world: Rooms, **fields: Any) -> dict[str, Any]:
    return world.request(channel="EMAIL", **fields)


@pytest.mark.parametrize(("after", "waived"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_pa06_the_hours_run_to_the_arrival_not_to_the_reading(
    world: Rooms, after: timedelta, waived: bool, rulebook: Any
) -> None:
    email = asked(world.now - 20 * HOUR)  # it lay there over night
    registered = email.received_at - 48 * HOUR - after
    data = plan(world, emergency_at=registered.isoformat(), planned_on=registered.date().isoformat())
    case = request_from(email.pk, world.actor("intake"), version=email.version, **data)
    given = Authorization.objects.get(case=case.pk)
    assert (case.state, given.waived, given.channel) == ("EMERGENCY_NOTIFIED", waived, "EMAIL")
    assert case.opened_at == email.received_at
    email.refresh_from_db()
    assert (email.state, email.case_id, email.why) == ("FILED", case.pk, "AUTHORIZATION")
    assert {(paper.received_at, paper.file_id) for paper in case.papers.all()} == {
        (email.received_at, email.files.get().file_id)
    }
    rulebook.read_back("PA-04", email.message_id)


def test_pa03_the_working_days_count_from_the_arrival_on_the_page_too(world: Rooms) -> None:
    """Five working days before Monday 21 September is Monday 14; read on Wednesday 16 it is still in time."""
    email = asked(datetime.fromisoformat("2026-09-14T22:00:00+08:00"))
    client = web_of(UserFactory(roles=["service_specialist"], is_staff=True))
    address = f"/admin/mail/{email.pk}/authorize/"
    assert address in client.get(f"/admin/mail/{email.pk}/").content.decode()
    shown = client.get(address).content.decode()
    assert "2026-09-14 22:00" in shown
    assert f"{address}check/" in shown
    told = plan(world, planned_on="2026-09-21")
    form = {key: value for key, value in told.items() if key != "lines"} | {
        f"lines.0.{key}": value for key, value in told["lines"][0].items()
    }
    answer = client.post(f"{address}check/", form).content.decode()
    assert "PA-03" in answer
    assert not CaseFile.objects.filter(kind="authorization").exists()
    wrong = client.post(f"{address}?version={email.version}", form | {"diagnosis_name": ""})
    assert wrong.status_code == 400
    filed = client.post(f"{address}?version={email.version}", form)
    case = CaseFile.objects.get(kind="authorization")
    assert (filed.status_code, filed.url) == (302, f"/admin/case/{case.number}/")
    given = Authorization.objects.get(case=case.pk)
    assert (given.latest_on.isoformat() if given.latest_on else "", given.late) == ("2026-09-14", False)
    again = client.post(f"{address}?version={email.version}", form)
    assert again.status_code == 409
    assert CaseFile.objects.filter(kind="authorization").count() == 1


def test_a_request_that_is_wrong_leaves_the_message_open(world: Rooms) -> None:
    email = asked(world.now)
    with pytest.raises(InvalidInputs):
        request_from(email.pk, world.actor("intake"), version=email.version, **plan(world, member="M9"))
    with pytest.raises(NotAllowed):
        request_from(email.pk, world.actor("mail"), version=email.version, **plan(world))
    assert (Email.objects.get(pk=email.pk).state, CaseFile.objects.count()) == ("NEW", 0)
