"""Rows that many tests begin with: made once, put back as they were, and never where that would be wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from apps.accounts.models import Role
from apps.core.bulk import update_rows
from apps.core.testing_worlds import made_once
from apps.hospitals.models import Campus, Hospital

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


class Undone(Exception):
    pass


def twice(work: Any, between: Any = lambda: None) -> list[Any]:
    """What two tests get that ask for the same work, each rolled back at its end."""
    seen, key = [], object()
    for _test in range(2):
        try:
            with transaction.atomic():
                given = made_once(key, work)
                rows = [list(model.objects.order_by("pk").values()) for model in (Hospital, Campus)]
                seen.append((given, rows, list(given.pop("once", ()))))
                raise Undone
        except Undone:
            between()
    return seen


def hospital(**more: Any) -> dict[str, Any]:
    row = Hospital.objects.create(code="PUB", name="市儿童医院", city="上海", ownership="PUBLIC", grade=3)
    Campus.objects.create(hospital=row, code="MAIN", name="本部")
    Hospital.objects.filter(pk=row.pk).update(brand="悦安")
    return {"pk": row.pk} | more


def test_rows_and_result_come_back_as_they_were() -> None:
    calls: list[int] = []

    def work() -> dict[str, Any]:
        calls.append(1)
        return hospital(once=[1])

    first, second = twice(work)
    assert first == second
    assert first[1][0][0]["brand"] == "悦安"
    assert second[2] == [1], "each test has a copy of its own"
    assert len(calls) == 1


def test_files_come_back(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    paper, seen = tmp_path / "ab" / "paper.pdf", list[bytes]()

    def work() -> dict[str, Any]:
        paper.parent.mkdir()
        paper.write_bytes(b"%PDF")
        return hospital()

    def between() -> None:
        seen.append(paper.read_bytes())
        shutil.rmtree(paper.parent)

    first, second = twice(work, between)
    assert first == second
    assert seen == [b"%PDF", b"%PDF"]


def test_a_change_of_what_was_there_is_made_anew() -> None:
    def work() -> dict[str, Any]:
        Role.objects.filter(code="intake").update(authority_fen=700)
        return hospital(fen=Role.objects.get(code="intake").authority_fen)

    first, second = twice(work)
    assert first[0]["fen"] == second[0]["fen"] == 700


def test_a_change_by_one_statement_for_many_rows_is_made_anew() -> None:
    def work() -> dict[str, Any]:
        role = Role.objects.get(code="intake")
        role.authority_fen = 800
        update_rows([role], ["authority_fen"])
        return hospital(fen=Role.objects.get(code="intake").authority_fen)

    first, second = twice(work)
    assert first[0]["fen"] == second[0]["fen"] == 800
    assert Role.objects.get(code="intake").authority_fen != 800
    with transaction.atomic():
        made_once("by one statement", work)
        Role.objects.filter(code="intake").update(authority_fen=0)
        Campus.objects.all().delete()
        Hospital.objects.all().delete()
        made_once("by one statement", work)
        assert Role.objects.get(code="intake").authority_fen == 800


def test_where_the_keys_are_taken_it_is_made_anew() -> None:
    def taken() -> None:
        Campus.objects.all().delete()
        Hospital.objects.all().delete()
        Hospital.objects.create(pk=first_key[0], code="OTH", name="康宁", city="上海", ownership="PRIVATE")

    first_key: list[int] = []

    def work() -> dict[str, Any]:
        made = hospital()
        first_key.append(made["pk"])
        return made

    first, second = twice(work, between=taken)
    assert len(first_key) == 2
    assert second[0]["pk"] != first[0]["pk"]
    assert {row["code"] for row in second[1][0]} == {"PUB", "OTH"}
