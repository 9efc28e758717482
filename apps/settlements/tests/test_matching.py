"""A hospital's list against ours: every kind of difference, by each number (PR-25). Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from apps.settlements.matching import ListRow, Ours, match

OURS = Ours(
    1, "D26-000001", "MZ-77", ("0011223344", "0011223345"), "王小明", "王**", date(2026, 9, 8), None, 80000,
)  # fmt: skip
STAY = replace(
    OURS,
    case_id=2,
    case="D26-000002",
    hospital_number="ZY-9",
    bills=("0099",),
    visited_until=date(2026, 9, 12),
)
ROW = ListRow(3, "D26-000001", "", "", "王小明", date(2026, 9, 8), 80000)


def kinds(rows: list[ListRow], *claims: Ours) -> list[str]:
    return [found.kind for found in match(rows, claims or (OURS,)).differences]


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        replace(ROW, case="d26 000001"),
        replace(ROW, case="", hospital_number="mz77"),
        replace(ROW, case="", bill="0011223345"),
        replace(ROW, child="", visited_on=None),
    ],
)
def test_a_row_finds_its_claim_by_each_number(row: ListRow) -> None:
    found = match([row], [OURS])
    assert (found.differences, found.agreed) == ([], 1)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (replace(ROW, amount_fen=85000), "AMOUNT"),
        (replace(ROW, child="李小红"), "CHILD"),
        (replace(ROW, visited_on=date(2026, 9, 9)), "DATE"),
    ],
)
def test_what_differs_in_a_row(row: ListRow, kind: str) -> None:
    (found,) = match([row], [OURS]).differences
    assert (found.kind, found.case_id, found.rows) == (kind, 1, (3,))
    assert "李小红" not in found.theirs  # whole names of other children are not kept


def test_only_here_only_there_and_paid_already() -> None:
    assert kinds([], OURS) == ["ONLY_OURS"]
    stranger = replace(ROW, number=4, case="D26-000099")
    assert kinds([ROW, stranger], OURS) == ["ONLY_THEIRS"]
    elsewhere = replace(OURS, here=False, paid=True, where="HS26-000001")
    (found,) = match([ROW], [elsewhere]).differences
    assert (found.kind, found.ours) == ("PAID", "HS26-000001")
    assert kinds([ROW], replace(OURS, here=False, where="审核中")) == ["ONLY_THEIRS"]


def test_rows_of_one_claim_are_added_up_and_any_day_of_a_stay_is_right() -> None:
    one = replace(ROW, number=3, case="", bill="0011223344", amount_fen=30000)
    two = replace(ROW, number=4, case="", bill="0011223345", amount_fen=50000)
    assert match([one, two], [OURS]).agreed == 1
    (found,) = match([one], [OURS]).differences
    assert (found.kind, found.ours_fen, found.theirs_fen) == ("AMOUNT", 80000, 30000)
    inside = replace(ROW, case="", hospital_number="ZY-9", visited_on=date(2026, 9, 12))
    assert match([inside], [STAY]).agreed == 1


def test_a_number_that_two_claims_have_names_none() -> None:
    twin: Any = replace(OURS, case_id=3, case="D26-000003")
    assert kinds([replace(ROW, case="", hospital_number="MZ-77")], OURS, twin) == [
        "ONLY_THEIRS", "ONLY_OURS", "ONLY_OURS",
    ]  # fmt: skip
