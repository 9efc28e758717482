"""Handbooks and the working-day calculator over the API (C2–C7, C12)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.products.actions import load_calendar
from apps.products.models import HandbookVersion
from apps.products.tests.helpers import load, text_of
from tests.api import Refusal, machine, person, refusal

pytestmark = pytest.mark.django_db
HANDBOOKS, DUE = "/api/v1/handbooks/", "/api/v1/handbooks/due/"
QUESTION = {"series": "2026", "clock": "claim.decision", "start": "2026-09-16T10:00:00+08:00"}


@pytest.fixture(autouse=True)
def handbooks() -> None:
    load("2024", "2026")
    load_calendar([2026])


def due(api: Any = None, **changes: Any) -> Any:
    return (api or machine()).post(DUE, {**QUESTION, **changes}, format="json")


def test_handbooks_of_ones_own_series_are_listed() -> None:
    for api, series in (
        (machine(), {"2024", "2026"}),
        (machine(series=["2024"]), {"2024"}),
        (person("auditor"), {"2024", "2026"}),
    ):
        assert {row["series"] for row in api.get(HANDBOOKS).json()["results"]} == series
    assert {row["series"] for row in machine().get(HANDBOOKS, {"series": "2026"}).json()["results"]} == {
        "2026"
    }


def test_the_text_is_the_one_that_was_loaded() -> None:
    version = HandbookVersion.objects.get(series="2026")
    body = machine().get(f"{HANDBOOKS}{version.pk}/text/").json()
    assert body == {"series": "2026", "sha256": version.sha256, "text": text_of("2026")}
    assert refusal(machine(series=["2024"]).get(f"{HANDBOOKS}{version.pk}/text/")).status == 404


def test_a_due_date_comes_with_the_days_counted() -> None:
    """Wed 2026-09-16; Sun 20 is worked: 17, 18, 20, 21, 22."""
    body = due().json()
    assert (body["rule"], body["day"], body["due_at"]) == ("DL-34", "2026-09-22", "2026-09-23T00:00:00+08:00")
    assert body["counted"] == ["2026-09-17", "2026-09-18", "2026-09-20", "2026-09-21", "2026-09-22"]
    assert (body["provisional"], body["standing"]) == (False, False)


def test_pauses_are_left_out_and_an_open_one_stands() -> None:
    """C12: the days of the pause do not count."""
    paused = due(pauses=[{"start": "2026-09-17T09:00:00+08:00", "until": "2026-09-20T09:00:00+08:00"}]).json()
    assert paused["day"] > "2026-09-22"
    standing = due(pauses=[{"start": "2026-09-17T09:00:00+08:00"}]).json()
    assert standing["standing"] is True


def test_a_year_not_published_is_provisional() -> None:
    assert due(start="2026-12-30T10:00:00+08:00").json()["provisional"] is True


def test_a_lead_time_counts_backwards() -> None:
    body = due(clock="appointment.public_lead").json()
    assert body["day"] == "2026-09-14"


def test_the_rule_picks_among_clocks_of_one_name() -> None:
    assert due(series="2024", rule="DL-10").json()["rule"] == "DL-10"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"clock": "nothing"}, Refusal(400, "unknown_clock", "clock")),
        ({"rule": "DL-99"}, Refusal(400, "unknown_clock", "clock")),
        ({"start": "yesterday"}, Refusal(400, "invalid", "start")),
        ({"start": "1999-12-31T00:00:00+08:00"}, Refusal(400, "datetime", "start")),
        ({"start": "9999-12-31T23:59:59+08:00"}, Refusal(400, "datetime", "start")),
        ({"series": ""}, Refusal(400, "blank", "series")),
        (
            {"pauses": [{"start": "2026-09-18T00:00:00+08:00", "until": "2026-09-17T00:00:00+08:00"}]},
            Refusal(400, "pause", "pauses"),
        ),
        ({"pauses": "none"}, Refusal(400, "not_a_list", "pauses")),
    ],
)
def test_a_wrong_question_is_named(changes: dict[str, Any], expected: Refusal) -> None:
    assert refusal(due(**changes)) == expected


def test_an_unknown_series_is_not_found() -> None:
    assert refusal(due(series="1999")).status in (400, 404)


def test_a_series_one_does_not_work_for_is_not_found() -> None:
    assert refusal(due(machine(series=["2024"]))).status == 404


def test_refusals() -> None:
    assert refusal(machine(scopes=[]).get(HANDBOOKS))[:2] == (403, "missing_scope")
    assert refusal(due(machine(scopes=[])))[:2] == (403, "missing_scope")
    assert refusal(person().get(HANDBOOKS)).status == 403
    assert refusal(due(person())).status == 403
    for method in ("put", "patch", "delete"):
        assert refusal(getattr(machine(), method)(HANDBOOKS, {}, format="json")).status == 405
