"""The directory over the API: by place, scope and date (NET-04, NET-06)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine

from apps.hospitals.tests.factories import make_campus, make_entry, make_hospital
from tests.api import machine, person, refusal

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
HOSPITALS = "/api/v1/hospitals/"


@pytest.fixture(autouse=True)
def on_a_day() -> Any:
    with time_machine.travel("2026-06-01T04:00:00Z", tick=False):
        yield


@pytest.fixture
def places() -> dict[str, Any]:
    first = make_campus(make_hospital(code="H1", name="北京和睦家医院", city="北京"))
    make_entry(first, ends_on=date(2026, 6, 30))
    make_entry(first, series="2024", network_group="GOLD", benefit="VACCINE")
    second = make_campus(make_hospital(code="H2", name="上海示例医院", city="上海"))
    make_entry(second, starts_on=date(2026, 7, 1))
    make_hospital(code="H3", name="不再合作", active=False)
    return {"first": first, "second": second}


def found(api: Any, **query: str) -> list[str]:
    response = api.get(HOSPITALS, query)
    assert response.status_code == 200, response.content
    return [row["code"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({}, ["H2", "H1"]),
        ({"city": "北京"}, ["H1"]),
        ({"text": "和睦家"}, ["H1"]),
        ({"benefit": "OUTPATIENT", "series": "2026"}, ["H1"]),
        ({"benefit": "OUTPATIENT", "series": "2026", "on": "2026-06-30"}, ["H1"]),
        ({"benefit": "OUTPATIENT", "series": "2026", "on": "2026-07-01"}, ["H2"]),
        ({"series": "2024", "scope": "VACCINE"}, ["H1"]),
        ({"series": "2024", "scope": "DENTAL"}, []),
        ({"ownership": "PUBLIC"}, []),
    ],
)
def test_net_06_the_list_is_that_of_the_day(places: Any, query: dict[str, str], codes: list[str]) -> None:
    assert sorted(found(machine(), **query)) == sorted(codes)


def test_one_hospital_shows_the_entries_that_match(places: Any) -> None:
    body = machine().get(f"{HOSPITALS}H1/", {"series": "2026"}).json()
    [campus] = body["campuses"]
    assert [(row["series"], row["benefit"]) for row in campus["network"]] == [("2026", "OUTPATIENT")]


def test_a_hospital_sees_its_own_house_and_a_series_its_own_entries(places: Any) -> None:
    assert found(machine("HOSPITAL", hospital="H1")) == ["H1"]
    assert refusal(machine("HOSPITAL", hospital="H1").get(f"{HOSPITALS}H2/")).status == 404
    body = machine(series=["2024"]).get(f"{HOSPITALS}H1/").json()
    assert {row["series"] for campus in body["campuses"] for row in campus["network"]} == {"2024"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"on": "tomorrow"}, "on"),
        ({"on": "2026-02-30"}, "on"),
        ({"benefit": "a b"}, "benefit"),
        ({"ownership": "STATE"}, "ownership"),
        ({"scope": '"]; --'}, "scope"),
        ({"department_group": "X"}, "department_group"),
        ({"text": "x" * 81}, "text"),
        ({"text": "\x00"}, "text"),
    ],
)
def test_a_wrong_criterion_is_named(places: Any, query: dict[str, str], field: str) -> None:
    found = refusal(machine().get(HOSPITALS, query))
    assert (found.status, found.field) == (400, field)


def test_refusals(places: Any) -> None:
    assert refusal(machine(scopes=[]).get(HOSPITALS))[:2] == (403, "missing_scope")
    assert refusal(person().get(HOSPITALS)).status == 403
    assert refusal(machine().get(f"{HOSPITALS}H9/")).status == 404
    assert refusal(machine().get(f"{HOSPITALS}H3/")).status == 404
    for method in ("post", "put", "patch", "delete"):
        assert refusal(getattr(machine(), method)(HOSPITALS, {}, format="json")).status == 405


def test_a_list_costs_the_same_however_long(places: Any, django_assert_num_queries: Any) -> None:
    api = machine()
    found(api)
    with django_assert_num_queries(4):  # the key, hospitals, campuses, entries
        found(api)
    for _ in range(5):
        make_entry(make_campus())
    with django_assert_num_queries(4):
        found(api)
