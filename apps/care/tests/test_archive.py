"""The health archive and what is reminded of (FD-03, FD-07, DL-37, DL-40)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.accounts.models import AccessLog
from apps.care.actions import add_record, read_archive, record_given, withdraw_plan
from apps.care.actions.archive import remind_of_vaccinations
from apps.care.actions.ends import remind_of_unused_tests
from apps.care.tests.world import Care, at
from apps.core.errors import DomainError, NotAllowed
from apps.members.models import Guardian, Policy
from apps.messaging.models import Message

BOTH = pytest.mark.both_databases


def planned(world: Care, **fields: Any) -> Any:
    given = {"member": "M2026", "kind": "VACCINATION", "title": "流感疫苗", "due_on": "2026-10-05"} | fields
    return add_record(world.actor("service"), given)


@BOTH
def test_a_planned_vaccination_is_reminded_of_twice_and_never_again(world: Care, rulebook: Any) -> None:
    """14 and 3 days before; each child, day and step once."""
    planned(world)
    sent = [
        remind_of_vaccinations(at(f"2026-{day} 09:00"))
        for day in ("09-20", "09-21", "09-21", "09-25", "10-02")
    ]
    assert sent == [0, 1, 0, 0, 1]
    assert [remind_of_vaccinations(at(f"2026-10-0{day} 09:00")) for day in (3, 5, 6)] == [0, 0, 0]
    message = Message.objects.earliest("pk")
    for words in ("流感疫苗", "950610", "2026-10-05"):
        assert words in message.body
    rulebook.read_back("FD-07", message.body)
    rulebook.read_back("DL-40", message.idempotency_key)


def test_planned_late_is_reminded_of_once(world: Care) -> None:
    planned(world, due_on="2026-09-18")
    assert [remind_of_vaccinations(at(f"2026-09-{day} 09:00")) for day in (16, 17, 18)] == [1, 0, 0]


def test_given_withdrawn_and_uncovered_are_skipped(world: Care) -> None:
    first, second = planned(world), planned(world, title="乙脑疫苗")
    planned(world, title="水痘疫苗")
    record_given(world.actor("service"), first.pk, date(2026, 9, 16))
    withdraw_plan(world.actor("doctor"), second.pk)
    Policy.objects.filter(series="2026").update(ended_on=date(2026, 9, 20))
    assert remind_of_vaccinations(at("2026-09-21 09:00")) == 0
    with pytest.raises(DomainError) as error:
        record_given(world.actor("service"), first.pk, date(2026, 9, 16))
    assert error.value.rule == "FD-07"


def test_a_family_without_an_address_is_not_written_to(world: Care) -> None:
    planned(world)
    Guardian.objects.update(email="", mobile="")
    assert remind_of_vaccinations(at("2026-09-21 09:00")) == 0
    Guardian.objects.update(mobile="13800138000")
    assert (remind_of_vaccinations(at("2026-09-21 09:00")), Message.objects.get().channel) == (1, "SMS")


@pytest.mark.parametrize(
    ("fields", "rule", "field"),
    [
        ({"member": "M2024"}, "GEN-04", "member"),
        ({"due_on": "2026-09-15"}, "FD-07", "due_on"),
        ({"kind": "VISIT"}, "FD-07", "due_on"),
        ({"due_on": None}, "FD-03", "done_on"),
        ({"done_on": "2026-09-17"}, "FD-03", "done_on"),
        ({"done_on": "2020-01-01"}, "FD-03", "done_on"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(
    world: Care, fields: dict[str, Any], rule: str, field: str
) -> None:
    with pytest.raises(DomainError) as error:
        planned(world, **fields)
    assert (error.value.rule, error.value.field) == (rule, field)


def test_the_same_vaccination_is_planned_once_a_day(world: Care) -> None:
    first = planned(world)
    with pytest.raises(DomainError) as error:
        planned(world)
    assert error.value.code == "planned_already"
    withdraw_plan(world.actor("service"), first.pk)
    assert planned(world).pk


def test_reading_is_logged_and_for_those_who_care_for_the_child(world: Care, rulebook: Any) -> None:
    for kind in ("BASIC", "CHECK_UP", "VISIT"):
        planned(world, kind=kind, title=kind, due_on=None, done_on="2026-01-02")
    _policy, rows = read_archive(world.actor("doctor"), "M2026")
    assert [row.kind for row in rows] == ["VISIT", "CHECK_UP", "BASIC"]
    rulebook.read_back("FD-03", [row.kind for row in rows])
    assert AccessLog.objects.filter(subject="archive:M2026", what="health_archive").count() == 1
    with pytest.raises(NotAllowed):
        read_archive(world.actor("finance"), "M2026")


def test_unused_tests_are_reminded_of_once_before_the_policy_ends(world: Care, rulebook: Any) -> None:
    world.order()
    assert remind_of_unused_tests(at("2026-11-30 09:00")) == 0
    assert [remind_of_unused_tests(at(f"2026-12-0{day} 09:00")) for day in (1, 2)] == [1, 0]
    message = Message.objects.get(template="home_tests_end")
    for words in ("4 次", "2026-12-31"):
        assert words in message.body
    rulebook.read_back("DL-37", message.body)
