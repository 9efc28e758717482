"""The directory over the API: by place, scope and date (NET-04, NET-06)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine

from apps.hospitals.tests.factories import make_campus, make_entry, make_hospital
from tests.api import machine, person, refusal

pytestmark = pytest.mark.django_db
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


def test_net_06_the_seven_attributes_of_the_directory(rulebook: Any) -> None:
    """Found by city, type and direct-billing scope; shown with profile, hours, tips and special departments."""
    shown = {
        "profile": "中外合资儿童专科医院", "service_hours": "周一至周六 8:00-20:00", "visit_tips": "请提前15分钟到达",
        "special_departments": "新生儿科、小儿眼科",
    }  # fmt: skip
    here = make_hospital(code="H8", name="上海示例儿童医院", city="上海", hospital_type="专科", **shown)
    make_entry(make_campus(here), direct_billing=["OUTPATIENT", "EMERGENCY"])
    make_entry(
        make_campus(make_hospital(code="H9", city="上海", hospital_type="综合")), direct_billing=["INPATIENT"]
    )
    asked = {"city": "上海", "hospital_type": "专科", "scope": "EMERGENCY"}
    assert found(machine(), **asked) == ["H8"]
    for name, other in (("city", "北京"), ("hospital_type", "综合"), ("scope", "INPATIENT")):
        assert found(machine(), **(asked | {name: other})) == [], name
    body = machine().get(f"{HOSPITALS}H8/").json()
    assert {name: body[name] for name in shown} == shown
    rulebook.read_back("NET-06", [body[name] for name in ("city", "hospital_type", *shown)])


def test_pr_09_an_entry_is_place_department_benefit_group_and_dates(rulebook: Any) -> None:
    """Direct billing at the international department is none at the general one, nor in another group, nor later."""
    campus = make_campus(make_hospital(code="H7", ownership="PUBLIC"))
    make_entry(campus, department_group="INTERNATIONAL", ends_on=date(2026, 6, 30))
    asked = {
        "department_group": "INTERNATIONAL", "series": "2026", "network_group": "NATIONAL", "benefit": "OUTPATIENT",
        "on": "2026-06-30",
    }  # fmt: skip
    assert found(machine(), **asked) == ["H7"]
    for name, other in (
        ("department_group", "GENERAL"), ("series", "2024"), ("network_group", "BEIJING"), ("benefit", "INPATIENT"),
        ("on", "2026-07-01"),
    ):  # fmt: skip
        assert found(machine(), **(asked | {name: other})) == [], name
    [place] = machine().get(f"{HOSPITALS}H7/", asked).json()["campuses"]
    [entry] = place["network"]
    assert entry == {
        "department_group": "INTERNATIONAL", "series": "2026", "network_group": "NATIONAL", "benefit": "OUTPATIENT",
        "direct_billing": ["OUTPATIENT"], "starts_on": "2026-01-01", "ends_on": "2026-06-30",
    }  # fmt: skip
    rulebook.read_back("PR-09", entry)


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
