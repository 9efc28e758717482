"""Vouchers balance, have numbers without gaps, and take every entry once."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from openpyxl import load_workbook

from apps.accounts.tests.factories import make_actor
from apps.cases.models import CaseFile
from apps.claims.tests.world import SHANGHAI, World
from apps.core.errors import Blocked, Conflict, DomainError, InvalidInput, NotAllowed, NotFound
from apps.documents.storage import open_stored
from apps.finance import booking, config, vouchers
from apps.finance.booking import draft, entries_of
from apps.finance.config import chart_of
from apps.finance.models import Movement, Voucher, VoucherBatch, VoucherLine, VoucherSource
from apps.finance.vouchers import (
    COLUMNS,
    batches_visible_to,
    cancel,
    prepare,
    prepare_reversal,
    preview,
    release,
    sources_of,
    waiting,
    waiting_counts,
)
from apps.payments.models import PaymentOrder
from tests.concurrency import in_threads

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


@pytest.fixture
def maker() -> Any:
    return make_actor("finance", username="maker")


@pytest.fixture
def checker() -> Any:
    return make_actor("payment_check", username="second")


def done(maker: Any, checker: Any, series: str = "2026", month: date = SEPTEMBER) -> VoucherBatch:
    return release(checker, prepare(maker, series, month).number)


def balance(**only: Any) -> dict[str, int]:
    """Debit less credit by account."""
    found: dict[str, int] = defaultdict(int)
    for line in VoucherLine.objects.filter(**only):
        found[line.account] += line.debit_fen - line.credit_fen
    return {account: fen for account, fen in found.items() if fen}


# --- What is booked --------------------------------------------------------------------------------


def test_a_paid_claim_costs_what_was_paid(world: World, closed: CaseFile, maker: Any, checker: Any) -> None:
    paid = closed.claim.decided_fen
    done(maker, checker)
    # The provision came and went, the debt came and went: what is left is the expense and the bank.
    assert balance() == {"6511.01": paid, "1002.01": -paid}
    assert Counter(Voucher.objects.values_list("aspect", flat=True)) == {"DUE": 1, "PAID": 1}


def test_an_open_claim_stands_as_provision_and_an_unpaid_one_as_debt(
    world: World, maker: Any, checker: Any
) -> None:
    world.claim()
    decided = world.do(world.review(world.visit(department="外科")), "decide").claim.decided_fen
    done(maker, checker)
    assert balance() == {"6502.01": 65600, "2602.01": -65600, "6511.01": decided, "2241.05": -decided}


def test_each_series_has_its_accounts(world: World, maker: Any, checker: Any) -> None:
    world.claim(series="2024")
    done(maker, checker, "2024")
    assert set(balance()) == {"6502.02", "2602.02"}
    assert chart_of("2024").postings["PAID"].credit.code == "1002.02"
    assert chart_of("2031").postings["PAID"].credit.code == "1002.01"


def test_a_bank_return_is_booked_back(world: World, closed: CaseFile, maker: Any, checker: Any) -> None:
    done(maker, checker)
    order = PaymentOrder.objects.get(case=closed)
    world.do(closed, "payment_returned", by="finance", order=order.number, reason="已销户")
    batch = done(maker, checker)
    (voucher,) = batch.items.all()
    assert (voucher.aspect, voucher.debit_fen) == ("RETURNED", closed.claim.decided_fen)
    assert balance() == {"6511.01": closed.claim.decided_fen, "2241.05": -closed.claim.decided_fen}
    assert order.number in voucher.summary


def test_provisions_of_a_day_make_one_voucher_and_payments_one_each(
    world: World, maker: Any, checker: Any
) -> None:
    for n in range(3):
        world.closed(world.visit(department=f"科{n}"))
        world.claim(world.visit(department=f"部{n}"))
    done(maker, checker)
    counted = Counter(Voucher.objects.values_list("aspect", flat=True))
    assert counted == {"PROVISION": 1, "DUE": 3, "PAID": 3}


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_every_voucher_balances_and_each_line_has_one_side(
    world: World, maker: Any, checker: Any, series: str
) -> None:
    world.pay(
        world.do(
            world.review(world.visit(), world.stay([world.bill("5000.00")]), series=series),
            "decide",
            by="senior",
        )
    )
    world.claim(world.visit(department="外科"), series=series)
    done(maker, checker, series)
    for voucher in Voucher.objects.prefetch_related("lines"):
        lines = voucher.lines.all()
        assert (
            sum(line.debit_fen for line in lines)
            == sum(line.credit_fen for line in lines)
            == voucher.debit_fen
            > 0
        )
        assert all((line.debit_fen == 0) != (line.credit_fen == 0) for line in lines)


@pytest.mark.parametrize("change", [{"credit_fen": 1}, {"number": 0}, {"number": 1}])
def test_the_database_refuses_a_wrong_voucher(
    closed: CaseFile, maker: Any, checker: Any, change: dict[str, int]
) -> None:
    done(maker, checker)
    row = Voucher.objects.get(number=1)
    row.pk, row.key, row._state.adding, row.number = None, "other", True, 99
    for name, value in change.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
    line = VoucherLine.objects.first()
    line.pk, line.position, line._state.adding = None, 99, True
    line.debit_fen = line.credit_fen = 7
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save(force_insert=True)


# --- Once and without gaps -------------------------------------------------------------------------


def test_every_entry_is_taken_once(world: World, closed: CaseFile, maker: Any, checker: Any) -> None:
    batch = prepare(maker, "2026", SEPTEMBER)
    with pytest.raises(Blocked) as refusal:
        prepare(maker, "2026", SEPTEMBER)
    assert refusal.value.code == "nothing"
    assert waiting_counts() == []
    source = VoucherSource.objects.first()
    source.pk, source._state.adding = None, True
    with pytest.raises(IntegrityError), transaction.atomic():
        source.save(force_insert=True)
    cancel(maker, batch.number)
    assert waiting("2026", SEPTEMBER).count() == waiting_counts()[0]["movements"] > 0
    assert prepare(maker, "2026", SEPTEMBER).total_fen == batch.total_fen


def test_what_comes_later_waits_for_the_next_batch(
    world: World, closed: CaseFile, maker: Any, checker: Any
) -> None:
    done(maker, checker)
    world.claim(now=datetime(2026, 10, 3, 9, tzinfo=SHANGHAI))
    with pytest.raises(Blocked):
        prepare(maker, "2026", SEPTEMBER)
    batch = done(maker, checker, month=OCTOBER)
    assert [voucher.date for voucher in batch.items.all()] == [date(2026, 10, 3)]


@pytest.mark.both_databases
def test_numbers_have_no_gaps_in_series_and_month(world: World, maker: Any, checker: Any) -> None:
    for n in range(3):
        world.closed(world.visit(department=f"科{n}"))
        batch = prepare(maker, "2026", SEPTEMBER)
        if n == 1:  # a draft that is given up leaves no hole
            cancel(maker, batch.number)
            batch = prepare(maker, "2026", SEPTEMBER)
        release(checker, batch.number)
    world.claim(series="2024")
    done(maker, checker, "2024")
    for series in ("2024", "2026"):
        numbers = list(
            Voucher.objects.filter(series=series).order_by("number").values_list("number", flat=True)
        )
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers


@pytest.mark.django_db(transaction=True)
def test_two_makers_do_not_take_the_same_entries(world: World, maker: Any) -> None:
    world.claim()

    def take(_index: int) -> Any:
        try:
            return prepare(maker, "2026", SEPTEMBER).state
        except DomainError as error:
            return error.code

    answers = in_threads(take, 3)
    assert sorted(answers)[0] == "DRAFT"
    assert set(answers[:3]) <= {"DRAFT", "nothing", "taken"}
    assert answers.count("DRAFT") == 1
    assert VoucherSource.objects.count() == 1


# --- Maker and checker -----------------------------------------------------------------------------


def test_who_prepared_does_not_release(closed: CaseFile) -> None:
    lead = make_actor("finance_lead", username="lead")
    batch = prepare(lead, "2026", SEPTEMBER)
    with pytest.raises(NotAllowed) as refusal:
        release(lead, batch.number)
    assert refusal.value.code == "four_eyes"
    with pytest.raises(IntegrityError), transaction.atomic():
        VoucherBatch.objects.update(released_by=lead.user_id)
    assert not Voucher.objects.exists()


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        ("manager", {}),
        ("first_review", {}),
        ("finance", {"tpa": "WINDSTONE"}),
        ("finance", {"series": ["2024"]}),
    ],
)
def test_others_neither_prepare_nor_release(
    closed: CaseFile, maker: Any, role: str, scope: dict[str, Any]
) -> None:
    other = make_actor(role, username="other", **scope)
    with pytest.raises(NotAllowed):
        prepare(other, "2026", SEPTEMBER)
    batch = prepare(maker, "2026", SEPTEMBER)
    with pytest.raises((NotAllowed, NotFound)):
        release(other, batch.number)
    with pytest.raises((NotAllowed, NotFound)):
        cancel(other, batch.number)
    assert VoucherBatch.objects.get().state == "DRAFT"


def test_a_batch_of_another_series_is_not_seen(closed: CaseFile, maker: Any) -> None:
    prepare(maker, "2026", SEPTEMBER)
    assert batches_visible_to(maker).count() == 1
    assert batches_visible_to(make_actor("finance", series=["2024"], username="o")).count() == 0
    with pytest.raises(NotAllowed):
        batches_visible_to(make_actor("tpa_manager", tpa="WINDSTONE", username="t"))


def test_accounts_that_changed_since_are_noticed(
    closed: CaseFile, maker: Any, checker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = prepare(maker, "2026", SEPTEMBER)
    monkeypatch.setattr(vouchers, "chart_of", lambda series: config.chart_of("2024"))
    with pytest.raises(Conflict) as conflict:
        release(checker, batch.number)
    assert conflict.value.code == "accounts_changed"
    assert not Voucher.objects.exists()


# --- Files -----------------------------------------------------------------------------------------


def content(stored: Any) -> bytes:
    with open_stored(stored) as file:
        return file.read()


def test_the_files_hold_every_line_and_never_change(
    world: World, closed: CaseFile, maker: Any, checker: Any
) -> None:
    batch = done(maker, checker)
    excel, text = content(batch.excel), content(batch.csv)
    rows = list(load_workbook(io.BytesIO(excel)).active.iter_rows(values_only=True))
    assert rows[0] == COLUMNS
    lines = VoucherLine.objects.filter(voucher__batch=batch)
    assert len(rows) - 1 == lines.count()
    place = {name: n for n, name in enumerate(COLUMNS)}
    debit, credit = (sum(row[place[name]] or 0 for row in rows[1:]) for name in ("借方金额", "贷方金额"))
    assert debit == pytest.approx(credit) == pytest.approx(batch.total_fen / 100)
    assert {row[place["凭证号"]] for row in rows[1:]} == set(range(1, batch.vouchers + 1))
    assert any(row[place["辅助核算-赔案"]] == closed.number for row in rows[1:])
    assert {row[place["辅助核算-责任"]] for row in rows[1:]} == {"门诊"}
    assert {row[place["制单人"]] for row in rows[1:]} == {str(batch.made_by)}
    parsed = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert tuple(parsed[0]) == COLUMNS
    assert len(parsed) == len(rows)
    again = VoucherBatch.objects.get(pk=batch.pk)
    assert (content(again.excel), content(again.csv)) == (excel, text)
    with pytest.raises(Conflict):
        release(checker, batch.number)
    with pytest.raises(Conflict):
        cancel(maker, batch.number)


def test_what_is_released_is_what_was_prepared(closed: CaseFile, maker: Any, checker: Any) -> None:
    batch = prepare(maker, "2026", SEPTEMBER)
    before = preview(batch)
    release(checker, batch.number)
    written = [vouchers.as_draft(row) for row in Voucher.objects.prefetch_related("lines").order_by("number")]
    assert [(one.key, one.summary, one.date, len(one.lines)) for one in written] == [
        (one.key, one.summary, one.date, len(one.lines)) for one in before
    ]


def test_a_voucher_leads_to_its_cases(world: World, closed: CaseFile, maker: Any, checker: Any) -> None:
    done(maker, checker)
    for voucher in Voucher.objects.all():
        sources = list(sources_of(voucher))
        assert {source.movement.case.number for source in sources} == {closed.number}
        assert sum(
            e.amount for s in sources for e in entries_of(s.movement, closed.number) if e.aspect == s.aspect
        ) == (voucher.debit_fen)


# --- Corrections -----------------------------------------------------------------------------------


def test_a_reversal_brings_the_accounts_back_and_frees_the_entries(
    closed: CaseFile, maker: Any, checker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = done(maker, checker)
    red = prepare_reversal(maker, batch.number, OCTOBER, reason="科目用错")
    assert waiting("2026", OCTOBER).count() == 0  # nothing is free until it is released
    release(checker, red.number)
    assert balance() == {}
    for voucher in red.items.all():
        assert voucher.reverses is not None
        assert voucher.debit_fen == voucher.credit_fen < 0
        assert str(voucher.reverses) in voucher.summary
        assert voucher.month == OCTOBER
    again = done(maker, checker, month=OCTOBER)
    assert again.total_fen == batch.total_fen
    assert set(balance()) == {"6511.01", "1002.01"}
    assert {row["date"] for row in again.items.values("date")} == {OCTOBER}


def test_a_reversal_has_a_reason_a_time_and_happens_once(closed: CaseFile, maker: Any, checker: Any) -> None:
    batch = prepare(maker, "2026", SEPTEMBER)
    with pytest.raises(Conflict):
        prepare_reversal(maker, batch.number, OCTOBER, reason="科目用错")
    release(checker, batch.number)
    for reason, month, field in (("  ", OCTOBER, "reason"), ("科目用错", date(2026, 8, 1), "month")):
        with pytest.raises(InvalidInput) as refusal:
            prepare_reversal(maker, batch.number, month, reason=reason)
        assert refusal.value.field == field
    red = prepare_reversal(maker, batch.number, OCTOBER, reason="科目用错")
    with pytest.raises(Conflict) as conflict:
        prepare_reversal(maker, batch.number, OCTOBER, reason="科目用错")
    assert conflict.value.code == "reversed"
    with pytest.raises(NotAllowed):
        release(maker, red.number)
    release(checker, red.number)
    with pytest.raises(Blocked) as blocked:
        prepare_reversal(maker, red.number, OCTOBER, reason="再冲一次")
    assert blocked.value.code == "is_reversal"


# --- The pure core ---------------------------------------------------------------------------------


def test_decreases_turn_the_sides_and_nothing_is_left_of_zero(closed: CaseFile) -> None:
    chart = chart_of("2026")
    entry = booking.Entry(
        1, "PROVISION", -500, "C26-000001", 2, date(2026, 9, 3), "NATIONAL", "OUTPATIENT", ""
    )
    (voucher,) = draft([entry], chart, SEPTEMBER)
    assert [(line.account, line.debit_fen, line.credit_fen) for line in voucher.lines] == [
        ("2602.01", 500, 0),
        ("6502.01", 0, 500),
    ]
    other = booking.Entry(
        2, "PROVISION", 500, "C26-000002", 1, date(2026, 9, 3), "NATIONAL", "OUTPATIENT", ""
    )
    assert draft([entry, other], chart, SEPTEMBER) == []


def test_a_late_entry_is_dated_within_the_month_of_its_batch() -> None:
    assert booking.within(date(2026, 8, 31), SEPTEMBER) == SEPTEMBER
    assert booking.within(date(2026, 10, 2), SEPTEMBER) == date(2026, 9, 30)
    assert booking.within(date(2026, 9, 12), SEPTEMBER) == date(2026, 9, 12)


def test_preparing_costs_a_constant_number_of_queries(
    world: World, maker: Any, django_assert_max_num_queries: Any
) -> None:
    for n in range(6):
        world.closed(world.visit(department=f"科{n}"))
    with django_assert_max_num_queries(12):
        prepare(maker, "2026", SEPTEMBER)


@pytest.mark.both_databases
def test_movements_of_a_world_are_all_booked(
    world: World, closed: CaseFile, maker: Any, checker: Any
) -> None:
    done(maker, checker)
    asked = {
        (row.pk, entry.aspect) for row in Movement.objects.all() for entry in entries_of(row, closed.number)
    }
    assert set(VoucherSource.objects.values_list("movement_id", "aspect")) == asked
