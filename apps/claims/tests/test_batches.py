"""Many claims decided on one page."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import UserFactory, web_of
from apps.cases.engine import perform_each
from apps.claims.batches import rows_for
from apps.claims.models import Decision
from apps.claims.tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def picks(*cases: Any) -> list[str]:
    return [f"{case.number}:{case.version}" for case in cases]


def web(world: World, name: str = "adjuster") -> Any:
    world.actor(name)
    return web_of(User.objects.get(username=name))


def test_picked_claims_of_both_series_are_decided(world: World) -> None:
    cases = [world.review(series=series) for series in ("2024", "2026", "2026")]
    client, page = web(world), reverse("admin:claim-batch")
    assert all(case.number in client.get(page).content.decode() for case in cases)
    assert client.post(page, {"case": picks(*cases[:2])}).status_code == 302
    assert [world.see(case).state for case in cases] == ["PAYMENT_PENDING", "PAYMENT_PENDING", "UNDER_REVIEW"]


def test_a_claim_that_refuses_says_why_and_stops_only_itself(world: World) -> None:
    first, changed = world.review(series="2026"), world.review(series="2024")
    stale = picks(first, changed)
    world.do(changed, "note", text="补充说明")
    answer = web(world).post(reverse("admin:claim-batch"), {"case": stale})
    assert answer.status_code == 409
    assert changed.number in answer.content.decode()
    assert [world.see(case).state for case in (first, changed)] == ["PAYMENT_PENDING", "UNDER_REVIEW"]


def test_what_needs_a_person_cannot_be_picked(world: World) -> None:
    world.authority("first_review", 100)
    case = world.review(series="2026")
    [row] = rows_for(world.actor("adjuster"), "mine")
    assert "100.00" in str(row.kept_back)
    page = web(world).get(reverse("admin:claim-batch")).content.decode()
    assert picks(case)[0] not in page


@pytest.mark.parametrize("wrong", [[], ["nonsense"], ["C26-1:x"], ["C26-1:99999999999"]])
def test_nonsense_changes_nothing(world: World, wrong: list[str]) -> None:
    world.review(series="2026")
    answer = web(world).post(reverse("admin:claim-batch"), {"case": wrong})
    assert answer.status_code == 400
    assert not Decision.objects.exists()


def test_strangers_see_and_decide_nothing(world: World) -> None:
    case = world.review(series="2024")
    stranger = web_of(UserFactory(roles=["first_review"], tpa="ELSEWHERE"))
    page = reverse("admin:claim-batch")
    assert case.number not in stranger.get(page, {"scope": "all"}).content.decode()
    assert stranger.post(page, {"case": picks(case)}).status_code == 409
    assert web_of(UserFactory(roles=["finance"])).get(page).status_code == 403
    assert not Decision.objects.exists()


def test_the_list_costs_the_same_for_many_claims(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "apps.products.calendars.RECHECK_SECONDS", 600
    )  # read a moment ago, as outside of tests
    world.review(series="2026")
    actor = world.actor("adjuster")
    with CaptureQueriesContext(connection) as one:
        rows_for(actor, "mine")
    for _number in range(4):
        world.review(world.visit([world.bill("10.00")]), series="2026")
    with CaptureQueriesContext(connection) as many:
        assert len(rows_for(actor, "mine")) == 5
    assert len(many) == len(one)


def test_each_is_answered_in_order(world: World) -> None:
    good, bad = world.review(series="2026"), world.complete(series="2026")
    answers = perform_each(
        {bad.number: bad.version, good.number: good.version}, "decide", world.actor("adjuster")
    )
    assert list(answers) == [bad.number, good.number]
    assert answers[bad.number].code == "state"
    assert answers[good.number] is None
