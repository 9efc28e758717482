"""The roll-forward of a month, its closing, and that neither changes afterwards."""

from __future__ import annotations

import io
import random
import threading
import time
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from apps.accounts.tests.factories import make_actor
from apps.cases.models import CaseFile
from apps.claims.tests.world import SHANGHAI, World
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed
from apps.documents.storage import open_stored
from apps.finance import months
from apps.finance.behind import Behind, asked, cases_behind
from apps.finance.models import MonthCell, MonthClose, Movement
from apps.finance.months import (
    GROUPS,
    age_band,
    band_months,
    closable,
    close_month,
    differences,
    intact,
    month_report,
    parse_month,
    roll,
)
from apps.finance.queries import outstanding_on
from apps.finance.reckoning import CaseBook, PartKey, Stamp, Target, first_of_month, next_month, split
from apps.finance.subscriptions import frame_of
from apps.ledger.models import MoneyEntry
from tests.concurrency import in_threads

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
OVER = datetime(2026, 11, 2, 9, 0, tzinfo=SHANGHAI)


@pytest.fixture
def lead() -> Any:
    return make_actor("finance_lead", username="lead")


@pytest.fixture
def reader() -> Any:
    return make_actor("manager", username="reader")


# --- Reading ---------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_month_rolls_forward(history: dict[str, CaseFile], reader: Any) -> None:
    paid, later = history["paid"].claim.decided_fen, history["later"].claim.decided_fen
    september = month_report(reader, SEPTEMBER).total
    assert september.opening_fen == 0
    assert september.opening_claims == 0
    assert september.reported_claims == 3
    assert september.closed_claims == 2
    assert september.closing_claims == 1
    assert (september.paid_fen, september.closing_fen) == (paid, later)
    october = month_report(reader, OCTOBER).total
    assert (october.opening_fen, october.opening_claims) == (later, 1)
    assert (october.paid_fen, october.reported_fen, october.closing_fen) == (later, 68000, 68000)
    assert october.incurred_fen == later + 68000 - later
    assert (october.reported_claims, october.closed_claims, october.closing_claims) == (1, 1, 1)
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        report = month_report(reader, month)
        assert report.total.balances
        assert all(cell.balances for cell in report.cells.values())


@pytest.mark.parametrize("name", GROUPS)
def test_every_grouping_adds_up_to_the_total(history: Any, reader: Any, name: str) -> None:
    for month in (SEPTEMBER, OCTOBER):
        report = month_report(reader, month)
        groups = report.grouped(name)
        for measure in months.MEASURES:
            assert sum(getattr(cell, measure) for _value, cell in groups) == getattr(report.total, measure)
        assert all(cell.balances for _value, cell in groups)


def test_ages_follow_the_month_that_is_read() -> None:
    assert [age_band(date(2026, 9, 1), next_month(date(2026, 8, 1)))] == [0]
    assert [age_band(SEPTEMBER, month) for month in (OCTOBER, date(2026, 12, 1), date(2027, 1, 1))] == [
        1,
        1,
        2,
    ]
    assert age_band(SEPTEMBER, date(2027, 10, 1)) == 4
    for band in range(5):
        first, last = band_months(band, NOVEMBER)
        assert age_band(last, NOVEMBER) == band
        assert first is None or age_band(first, NOVEMBER) == band


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "26-10", "2026-10-01", "zehn", "2026-00"])
def test_a_month_that_is_none_is_named(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_month(text)
    assert refusal.value.field == "month"
    assert text[:20] in str(refusal.value)


def test_people_of_one_series_read_that_series(history: Any) -> None:
    only = make_actor("manager", series=["2024"], username="only")
    assert {key[0] for key in month_report(only, SEPTEMBER).cells} == {"2024"}


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        ("first_review", {}),
        ("tpa_manager", {}),
        ("manager", {"tpa": "WINDSTONE"}),
        ("finance", {"hospital": "PUB"}),
    ],
)
def test_others_do_not_read_the_books(world: World, role: str, scope: dict[str, Any]) -> None:
    stranger = make_actor(role, username="stranger", **scope)
    for read in (
        lambda: month_report(stranger, SEPTEMBER),
        lambda: cases_behind(stranger, Behind(SEPTEMBER, "closing")),
        lambda: close_month(stranger, SEPTEMBER, now=OVER),
    ):
        with pytest.raises(NotAllowed):
            read()


# --- Behind a number -------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "measure", ["opening", "reported", "changed", "reopened", "released", "paid", "closing", "incurred"]
)
def test_the_cases_behind_an_amount_add_up_to_it(history: Any, reader: Any, measure: str) -> None:
    for month in (SEPTEMBER, OCTOBER):
        report = month_report(reader, month)
        numbers = [(name, *entry) for name in GROUPS for entry in report.grouped(name)]
        for group, value, cell in numbers:
            rows = list(cases_behind(reader, asked(month, {"measure": measure, group: str(value)})))
            assert sum(row["amount"] for row in rows) == getattr(cell, f"{measure}_fen"), (
                month,
                group,
                value,
            )


@pytest.mark.parametrize("measure", ["opening", "reported", "reopened", "closed", "closing"])
def test_the_cases_behind_a_count_add_up_to_it(history: Any, reader: Any, measure: str) -> None:
    for month in (SEPTEMBER, OCTOBER):
        total = month_report(reader, month).total
        rows = list(cases_behind(reader, asked(month, {"measure": measure, "unit": "count"})))
        assert sum(row["amount"] for row in rows) == getattr(total, f"{measure}_parts")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"measure": "x"}, "measure"),
        ({"measure": "closed"}, "measure"),
        ({"age": "9"}, "age"),
        ({"visit_year": "x"}, "visit_year"),
    ],
)
def test_a_number_that_does_not_exist_is_named(params: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        asked(SEPTEMBER, params)
    assert refusal.value.field == field


# --- Closing ---------------------------------------------------------------------------------------


def test_a_closed_month_stays_as_it_was(world: World, history: Any, lead: Any) -> None:
    before = month_report(lead, SEPTEMBER)
    close = close_month(lead, SEPTEMBER, now=OVER)
    stored = month_report(lead, SEPTEMBER)
    assert stored.cells == before.cells
    assert stored.close == close
    # Somebody books something of September now: it falls into October.
    world.do(
        history["new"], "withdraw", by="intake", now=datetime(2026, 9, 30, 12, tzinfo=SHANGHAI), reason="撤回"
    )
    assert Movement.objects.latest("pk").month == OCTOBER
    again = month_report(lead, SEPTEMBER)
    assert again.cells == before.cells
    assert intact(close)
    assert month_report(lead, OCTOBER).total.opening_fen == before.total.closing_fen
    assert month_report(lead, OCTOBER).total.balances


@pytest.mark.both_databases
def test_the_next_month_is_the_same_from_the_closing_as_from_the_journal(history: Any, lead: Any) -> None:
    before = roll(OCTOBER)
    close_month(lead, SEPTEMBER, now=OVER)
    assert roll(OCTOBER) == before
    close_month(lead, OCTOBER, now=OVER)
    assert month_report(lead, NOVEMBER).total.opening_fen == month_report(lead, OCTOBER).total.closing_fen


def test_the_stored_excel_is_the_report(history: Any, lead: Any) -> None:
    close = close_month(lead, SEPTEMBER, now=OVER)
    with open_stored(close.excel) as file:
        content = file.read()
    book = load_workbook(io.BytesIO(content))
    assert len(book.sheetnames) == len(GROUPS) + 1
    sheet = book.worksheets[0]
    total = list(sheet.iter_rows(values_only=True))[-1]
    report = month_report(lead, SEPTEMBER).total
    assert total[1:9] == tuple(
        pytest.approx(fen / 100)
        for fen in (
            report.opening_fen, report.reported_fen, report.changed_fen, report.reopened_fen, report.released_fen,
            report.paid_fen, report.closing_fen, report.incurred_fen,
        )
    )  # fmt: skip
    assert total[9:] == (0, 3, 0, 2, 1)
    with open_stored(MonthClose.objects.get().excel) as file:
        assert file.read() == content


def test_months_close_in_order_once_and_when_they_are_over(history: Any, lead: Any) -> None:
    with pytest.raises(Blocked) as refusal:
        close_month(lead, NOVEMBER, now=OVER)
    assert refusal.value.code == "not_over"
    with pytest.raises(Blocked) as refusal:
        close_month(lead, OCTOBER, now=OVER)
    assert refusal.value.code == "order"
    assert "2026-09" in str(refusal.value)
    assert closable(SEPTEMBER, OVER)
    assert not closable(OCTOBER, OVER)
    close_month(lead, SEPTEMBER, now=OVER)
    with pytest.raises(Conflict) as conflict:
        close_month(lead, SEPTEMBER, now=OVER)
    assert conflict.value.code == "closed"
    assert closable(OCTOBER, OVER)


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_who_is_posting(world: World, lead: Any) -> None:
    """A claim whose transaction began before the closing is in the month; none slips in afterwards."""
    world.claim()
    posting = threading.Event()

    def work(index: int) -> None:
        if index:
            assert posting.wait(20)
            close_month(lead, SEPTEMBER, now=OVER)
            return
        with transaction.atomic():
            world.claim(world.visit(department="外科"))
            posting.set()
            time.sleep(0.5)

    in_threads(work, 2)
    assert month_report(lead, SEPTEMBER).total.closing_claims == 2
    assert MonthClose.objects.get().cells == 1


def test_only_the_lead_of_finance_closes_and_sees_all_series_for_it(history: Any) -> None:
    for actor in (
        make_actor("finance", username="f"),
        make_actor("finance_lead", series=["2024"], username="g"),
    ):
        with pytest.raises(NotAllowed):
            close_month(actor, SEPTEMBER, now=OVER)
    assert not MonthClose.objects.exists()


def test_a_month_does_not_close_while_the_books_disagree(history: Any, lead: Any) -> None:
    assert differences() == []
    entry = MoneyEntry.objects.filter(kind="DUE").first()
    entry.pk, entry.reference, entry._state.adding, entry.amount = None, "C26-000001/9", True, 5
    entry.save(force_insert=True)
    with pytest.raises(Blocked) as refusal:
        close_month(lead, SEPTEMBER, now=OVER)
    assert refusal.value.code == "books_disagree"
    assert "≠" in str(refusal.value)


def test_a_closed_month_is_written_once(history: Any, lead: Any) -> None:
    close = close_month(lead, SEPTEMBER, now=OVER)
    for change in (
        lambda: MonthCell.objects.update(paid_fen=1),
        lambda: MonthClose.objects.update(sha256="x"),
        lambda: MonthCell.objects.filter(close=close)._raw_delete("default"),
    ):
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            change()
    cell = MonthCell.objects.first()
    cell.pk, cell.product, cell._state.adding = None, "other", True
    cell.closing_fen += 1
    with pytest.raises(IntegrityError), transaction.atomic():
        cell.save(force_insert=True)


# --- Random histories ------------------------------------------------------------------------------

KEYS = [
    PartKey("OUTPATIENT", "OUTPATIENT", 2026),
    PartKey("INPATIENT", "INPATIENT", 2026),
    PartKey("DENTAL", "OUTPATIENT", 2025),
]
KINDS = Movement.Kind
BASIS = Movement.Basis


def step(book: CaseBook, dice: random.Random) -> Target:
    """Something that may happen to a claim."""
    keys = dice.sample(KEYS, dice.randint(1, 3))
    amounts = {key: dice.randint(0, 500_000) for key in keys}
    if not book.seq:
        return Target(KINDS.OPENING, BASIS.RULE, amounts)
    if not book.open:
        return Target(KINDS.REOPENING, BASIS.RULE, amounts)
    what = dice.choice(["estimate", "decide", "pay", "return", "close"])
    if what == "estimate":
        return Target(KINDS.CHANGE, dice.choice([BASIS.RULE, BASIS.PROPOSAL, BASIS.MANUAL]), amounts)
    if what == "decide":
        return Target(KINDS.CHANGE, BASIS.DECISION, amounts, due=amounts)
    if what == "pay":
        now = book.reserves()
        return Target(KINDS.PAYMENT, BASIS.DECISION, dict.fromkeys(now, 0), paid=now)
    if what == "return" and book.paid > 0:
        back = {key: max(part.paid, 0) for key, part in book.parts.items()}
        reserves = {key: part.reserve + back[key] for key, part in book.parts.items()}
        return Target(KINDS.RETURN, BASIS.DECISION, reserves, paid={key: -fen for key, fen in back.items()})
    return Target(KINDS.RELEASE, BASIS.ENDED, {}, opens=False)


@pytest.mark.parametrize("seed", range(6))
def test_any_history_rolls_forward(world: World, lead: Any, seed: int) -> None:
    """Random steps over five months, some months closed on the way: every line and every total adds up,
    the past stays as it was, and the reserve of each claim is what the report says in sum."""
    dice = random.Random(seed)
    cases = [
        world.claim(world.visit(department=f"科{n}"), series=dice.choice(["2024", "2026"])) for n in range(4)
    ]
    books = {case.pk: CaseBook(case, Movement.objects.filter(case=case).order_by("seq")) for case in cases}
    at, kept, closed = datetime(2026, 9, 17, 9, tzinfo=SHANGHAI), {}, None
    for _turn in range(60):
        at += timedelta(days=dice.randint(0, 4), hours=dice.randint(0, 12))
        case = dice.choice(cases)
        month = first_of_month(at)
        if closed and month <= closed:
            month = next_month(closed)
        mark = Stamp("test", 1, at, month, "test", None)
        rows = books[case.pk].move(step(books[case.pk], dice), mark, frame_of(world.see(case)))
        Movement.objects.bulk_create(rows)
        due = next_month(closed) if closed else SEPTEMBER
        if dice.random() < 0.1 and next_month(due) <= first_of_month(at):
            _close_without_the_ledger(lead, due, at)
            closed, kept[due] = due, roll(due)
    seen = SEPTEMBER
    before = 0
    while seen <= first_of_month(at):
        report = month_report(lead, seen)
        assert report.total.balances
        assert all(cell.balances for cell in report.cells.values())
        assert report.total.opening_fen == before
        assert kept.get(seen, report.cells) == report.cells
        before, seen = report.total.closing_fen, next_month(seen)
    assert before == sum(book.reserve for book in books.values()) == sum(outstanding_on(at.date()).values())
    assert report.total.closing_claims == sum(book.open for book in books.values())
    assert report.total.closing_parts == sum(
        part.open for book in books.values() for part in book.parts.values()
    )


def _close_without_the_ledger(lead: Any, month: date, now: datetime) -> None:
    """Random steps move no money of the ledger, so the agreement of the books is not asked here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(months, "differences", list)
        close_month(lead, month, now=now)


@pytest.mark.parametrize("seed", range(20))
def test_a_split_loses_no_fen(seed: int) -> None:
    dice = random.Random(seed)
    weights = {key: dice.choice([0, 1, 3, 10 ** dice.randint(1, 12)]) for key in KEYS}
    amount = dice.randint(-(10**12), 10**12)
    shares = split(amount, weights)
    assert sum(shares.values()) == amount
    if any(weights.values()):
        assert all(shares[key] == 0 for key, weight in weights.items() if not weight)
        total = sum(weights.values())
        assert all(
            abs(abs(shares[key]) - abs(amount) * weight / total) <= 1 + abs(amount) * 1e-15
            for key, weight in weights.items()
        )


# --- What it costs ---------------------------------------------------------------------------------


def test_a_month_costs_the_same_queries_whatever_the_history(
    world: World, history: Any, lead: Any, reader: Any
) -> None:
    close_month(lead, SEPTEMBER, now=OVER)
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(connection) as captured:
            month_report(reader, OCTOBER)
        counts.append(len(captured))
        for n in range(5):
            world.claim(world.visit(department=f"更多{n}", started_on="2026-09-21"))
    assert counts[0] == counts[1] <= 4


def test_an_open_month_reads_its_own_movements_only(history: Any, lead: Any) -> None:
    """With a closed month before it, what is summed is an index range of months."""
    close_month(lead, SEPTEMBER, now=OVER)
    rows = Movement.objects.filter(month__lte=OCTOBER, month__gt=SEPTEMBER)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.values("series").order_by().explain()
    assert "reserve_month" in plan, plan
