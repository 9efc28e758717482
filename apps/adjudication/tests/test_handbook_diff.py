"""Two handbooks side by side: every difference once, with both values."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.adjudication.handbook_diff import Difference, diff_handbooks
from apps.adjudication.tests.test_parse import SMALL, book, parse_handbook


def by_place(rows: tuple[Difference, ...]) -> dict[tuple[str, str, str], Difference]:
    return {(row.section, row.key, row.field): row for row in rows}


def test_a_handbook_does_not_differ_from_itself() -> None:
    assert diff_handbooks(book("2026"), book("2026")) == ()


def test_a_changed_figure_shows_both_values_and_its_rule() -> None:
    changed = parse_handbook(SMALL.replace('"100.00"', '"250.00"'))
    (row,) = diff_handbooks(parse_handbook(SMALL), changed)
    assert (row.section, row.key, row.field) == ("parameters", "routing.online_maximum", "value")
    assert (row.left, row.right, row.kind) == ("100.00", "250.00", "CHANGED")
    assert (row.rule_left, row.rule_right) == ("R-1", "R-1")


def test_a_changed_line_number_counts_within_a_series() -> None:
    changed = parse_handbook(SMALL.replace('"31:7"', '"31:8"'))
    assert [row.field for row in diff_handbooks(parse_handbook(SMALL), changed)] == ["source"]


def test_line_numbers_and_ids_do_not_count_between_series() -> None:
    fields = {row.field for row in diff_handbooks(book("2024"), book("2026")) if row.section != "keys"}
    assert not fields & {"source", "rule", "rules", "id"}


def test_an_entry_on_one_side_only_is_one_row() -> None:
    left = parse_handbook(SMALL)
    right = replace(left, clocks=())
    (row,) = diff_handbooks(left, right)
    assert (row.section, row.key, row.field, row.kind) == ("clocks", "claim.decision", "", "REMOVED")
    assert row.left == "3 workdays"
    assert row.right is None
    (back,) = diff_handbooks(right, left)
    assert back.kind == "ADDED"


def test_the_known_differences_of_the_two_series_are_found() -> None:
    """D17, D28, D36, D38, D14, D27, D37 of the comparison of the series."""
    rows = by_place(diff_handbooks(book("2024"), book("2026")))
    assert rows["parameters", "authorization.lead", "value"].right == "5"
    assert rows["parameters", "routing.basis", "value"].left == "INPATIENT"
    assert rows["parameters", "vaccine.minimum_grade", ""].kind == "REMOVED"
    assert rows["parameters", "card.grey_after_reminders", "value"].left == "1"
    assert rows["parameters", "appointment.cancel_cutoff", "value"].right == "14:00"
    assert rows["services", "advance", "offered"].left == "no"
    assert rows["parameters", "brand_lock.closure_transfer", "value"].right == "yes"
    assert rows["parameters", "routing.online_maximum", ""].right == f"{Decimal('10000.00'):,f}"


def test_which_rule_answers_to_a_key_is_compared() -> None:
    row = by_place(diff_handbooks(book("2024"), book("2026")))["keys", "route.mail", "rule"]
    assert (row.left, row.right) == ("RMB-39", "RMB-22")


def test_check_lists_are_compared_entry_by_entry() -> None:
    rows = by_place(diff_handbooks(book("2024"), book("2026")))
    assert rows["documents", "REIMBURSEMENT E_CARD", ""].kind == "REMOVED"  # D51
    assert rows["documents", "REIMBURSEMENT THIRD_PARTY_SETTLEMENT", ""].kind == "ADDED"  # D32


def test_clocks_of_one_key_are_told_apart_by_their_conditions() -> None:
    rows = by_place(diff_handbooks(book("2024"), book("2026")))
    row = rows["clocks", "claim.decision (category any_of=VACCINE)", "duration"]
    assert (row.left, row.right) == ("3", "5")  # D33
    assert rows["clocks", "claim.decision (visit_type any_of=INPATIENT)", ""].left == "10 workdays"
