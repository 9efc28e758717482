"""What happened before can be looked up, and stays as it was (APP-04, APP-21)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.cases.models import CaseEvent
from apps.cases.testing_rulebook import Reader
from apps.cases.tests.test_views import case_url, enter
from apps.claims.models import Decision
from apps.claims.tests.world import World
from apps.core.errors import Conflict
from tests.api import machine, refusal

pytestmark = pytest.mark.both_databases
CASES = "/api/v1/cases/"


def listed(api: Any, **query: str) -> list[str]:
    response = api.get(CASES, query)
    assert response.status_code == 200, response.content
    return [row["number"] for row in response.json()["results"]]


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_app04_the_history_of_claims_is_listed_whole_and_never_rewritten(
    world: World, rulebook: Reader, series: str
) -> None:
    """For the member's application and for staff; another child's and another series' claims are not in it."""
    paid, open_claim = world.closed(series=series), world.claim(series=series)
    other = world.claim(series="2024" if series == "2026" else "2026")
    history = listed(machine(), member=f"M{series}")
    assert set(history) == {paid.number, open_claim.number}
    assert other.number not in listed(machine(series=[series]))
    assert refusal(machine(series=[series]).get(f"{CASES}{other.number}/")).status == 404

    events = machine("TPA", tpa=paid.tpa, series=[series]).get(f"{CASES}{paid.number}/events/").json()
    assert [event["name"] for event in events][:1] == ["reported"]
    assert (events[-1]["to_state"], [event["seq"] for event in events]) == (
        "CLOSED",
        [*range(1, len(events) + 1)],
    )
    page = enter(world, "adjuster").get(case_url(open_claim)).content.decode()
    assert paid.number in page
    for row in (CaseEvent.objects.filter(case=paid).first(), Decision.objects.get(claim=paid.pk)):
        assert row is not None
        with pytest.raises(Conflict):
            row.save()
        with pytest.raises(Conflict):
            row.delete()
    if series == "2026":
        rulebook.read_back("APP-04", history)


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_app21_past_visits_show_where_when_and_for_what(world: World, rulebook: Reader, series: str) -> None:
    chest = [{"code": "J18.900", "name": "肺炎", "system": "GB2"}]
    past = world.closed(
        world.visit([world.bill(issued_on="2026-05-06")], started_on="2026-05-06", diagnoses=chest),
        series=series,
    )
    case = world.claim(series=series)
    page = enter(world, "adjuster").get(case_url(case)).content.decode()
    for shown in (past.number, "2026-05-06", "市儿童医院", "J18.900 肺炎"):
        assert shown in page, shown
    body = machine().get(f"/api/v1/claims/{past.number}/").json()
    [visit] = body["visits"]
    assert (visit["started_on"], visit["diagnoses"]) == ("2026-05-06", chest)
    if series == "2024":
        rulebook.read_back("APP-21", visit)
