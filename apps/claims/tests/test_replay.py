"""Stored decisions decided again: the same as booked, or what another text would change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from apps.claims.models import Decision, DecisionLine
from apps.claims.replay import Swap, compare, compare_one, replay
from apps.claims.tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def halved(world: World, series: str = "2026", **changes: Any) -> Swap:
    plan = world.policy_of(series).plan.terms
    return Swap(plans={plan.code: replace(plan, **changes)})


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_what_was_booked_comes_out_again(world: World, series: str) -> None:
    world.closed(series=series)
    case = world.do(world.closed(series=series), "reopen", by="supervisor", reason="补充材料")
    world.do(case, "decide")
    found = list(compare(Decision.objects.all()))
    assert len(found) == 3
    assert all(one.same for one in found)


def test_a_falsified_line_is_found(world: World) -> None:
    world.closed(series="2026")
    row = Decision.objects.get()
    line = row.lines.first()
    booked = DecisionLine(**{f.attname: getattr(line, f.attname) for f in DecisionLine._meta.concrete_fields})
    booked.insurer_fen, booked.member_fen = booked.insurer_fen - 1, booked.member_fen + 1
    found = compare_one(row, replay(row), [booked])
    [change] = found.lines
    assert change.before["insurer"] == change.after["insurer"] - 1
    assert not found.same


def test_another_annual_maximum_cuts_the_later_claim(world: World) -> None:
    """Carried on: the first claim uses the smaller limit up, the second finds less of it."""
    first, second = world.closed(series="2026"), world.closed(series="2026")
    paid = Decision.objects.get(claim=first.pk).computed_fen
    swap = halved(world, annual_maximum=Decimal(paid) / 100 + Decimal(100))
    found = {one.row.claim.case.number: one for one in compare(Decision.objects.all(), swap)}
    assert found[first.number].same
    assert found[second.number].after_fen == 10_000
    [line] = found[second.number].lines
    assert line.after["insurer"] == 10_000
    assert line.after["disallowed"] == line.before["disallowed"] + line.before["insurer"] - 10_000


def test_a_former_version_counts_no_more_once_it_was_replaced(world: World) -> None:
    case = world.do(world.closed(series="2026"), "reopen", by="supervisor", reason="补充材料")
    world.do(case, "decide")
    last = world.closed(series="2026")
    swap = halved(world, annual_maximum=Decimal(10_000))
    found = list(compare(Decision.objects.all(), swap))
    assert [one.row.version for one in found] == [2, 1]  # the version in force, and the other claim
    assert found[1].row.claim_id == last.pk
    assert all(one.before_fen == one.after_fen for one in found)


def test_a_text_that_is_gone_is_said_and_does_not_stop_the_rest(world: World) -> None:
    world.closed(series="2026")
    kept = Decision.objects.get()
    values = {field.attname: getattr(kept, field.attname) for field in Decision._meta.concrete_fields}
    lost = Decision.objects.create(**values | {"id": None, "version": 2, "handbook_sha": "0" * 64})
    found = {one.row.pk: one for one in compare(Decision.objects.all())}
    assert found[kept.pk].same
    assert not found[lost.pk].same
    assert found[lost.pk].problem
    assert found[lost.pk].before_fen == found[lost.pk].after_fen


def test_chunks_never_part_a_policy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _number in range(3):
        world.closed(series="2026")
        world.closed(series="2024")
    whole = [
        (one.row.pk, one.after_fen)
        for one in compare(Decision.objects.all(), halved(world, annual_maximum=Decimal(1000)))
    ]
    monkeypatch.setattr("apps.claims.replay.CHUNK", 1)
    parted = [
        (one.row.pk, one.after_fen)
        for one in compare(Decision.objects.all(), halved(world, annual_maximum=Decimal(1000)))
    ]
    assert whole == parted
