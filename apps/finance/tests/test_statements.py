"""Member statements: figures, letter, Excel, and that they stay as they were."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from apps.accounts.tests.factories import make_actor
from apps.claims.models import DecisionLine
from apps.claims.tests.world import World
from apps.core.errors import InvalidInput, NotAllowed, NotFound
from apps.documents.storage import open_stored
from apps.documents.tests.paper import text_of
from apps.finance import statements
from apps.finance.models import Statement
from apps.finance.statements import make_statement, statement_workbook
from apps.finance.tasks import render_due_statements, render_statement

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def clerk() -> Any:
    return make_actor("service_specialist", username="clerk")


def pdf_text(statement: Statement) -> str:
    statement.refresh_from_db()
    with open_stored(statement.file) as file:
        return text_of(file.read())


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_statement_says_what_was_billed_decided_and_paid(world: World, clerk: Any, series: str) -> None:
    paid = world.closed(
        world.visit(
            [world.bill(lines=[world.line("800.00"), world.line("100.00", name="爽约费", kind="NO_SHOW")])]
        ),
        series=series,
    )
    waiting = world.claim(world.visit(department="外科"), series=series)
    made = make_statement(clerk, f"P-M{series}", *YEAR)
    first, second = made.context["claims"]
    lines = DecisionLine.objects.filter(decision__claim=paid.pk)
    assert (first["case"], first["billed_fen"]) == (paid.number, 90000)
    assert first["decided_fen"] == first["paid_fen"] == paid.claim.decided_fen
    assert first["own_fen"] == sum(row.disallowed_fen + row.deductible_fen + row.member_fen for row in lines)
    assert first["own_fen"] + first["third_party_fen"] + first["decided_fen"] == 90000
    assert (second["case"], second["decided_fen"], second["paid_fen"]) == (waiting.number, None, 0)
    assert made.context["total"]["billed_fen"] == 170000
    assert made.context["payments"][0]["amount_fen"] == paid.claim.decided_fen
    assert any(limit["used"] != "0.00" for limit in made.context["limits"])


def test_only_claims_of_the_period_stand_in_it(world: World, clerk: Any) -> None:
    world.claim()
    day = world.now.date()
    assert len(make_statement(clerk, "P-M2026", day, day).context["claims"]) == 1
    assert (
        make_statement(clerk, "P-M2026", day - timedelta(days=9), day - timedelta(days=1)).context["claims"]
        == []
    )


@pytest.mark.parametrize(("language", "title"), [("zh-hans", "对账单编号"), ("en", "ClaimsStatement")])
def test_the_letter_is_printed_once_and_masks_the_child(
    world: World, clerk: Any, language: str, title: str
) -> None:
    paid = world.closed()
    made = make_statement(clerk, "P-M2026", *YEAR, language=language)
    assert render_due_statements() == 1
    assert not render_statement(made.pk)
    text = pdf_text(made)
    assert title in text
    assert paid.number in text
    assert made.number in text
    assert "王小明" not in text
    assert "王**" in text


def test_a_later_claim_does_not_change_a_statement(world: World, clerk: Any) -> None:
    world.closed()
    made = make_statement(clerk, "P-M2026", *YEAR)
    before = load_workbook(io.BytesIO(statement_workbook(made)))
    world.closed(world.visit(department="外科"))
    after = load_workbook(io.BytesIO(statement_workbook(Statement.objects.get())))
    rows = [
        [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets] for book in (before, after)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 3
    assert rows[0][0][-1][5] == pytest.approx(800)


def test_a_renderer_that_fails_tries_again_later(
    world: World, clerk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_statement(clerk, "P-M2026", *YEAR)
    monkeypatch.setattr(statements, "render_pdf", lambda statement: 1 / 0)
    assert not render_statement(made.pk)
    made.refresh_from_db()
    assert "ZeroDivisionError" in made.error
    assert made.next_attempt_at > world.now
    assert render_due_statements() == 0


@pytest.mark.parametrize(
    ("policy", "since", "until", "language", "error", "field"),
    [
        ("P-M2026", date(2026, 2, 1), date(2026, 1, 1), "zh-hans", InvalidInput, "until"),
        ("P-M2026", date(2016, 2, 1), date(2026, 1, 1), "zh-hans", InvalidInput, "until"),
        ("P-M2026", *YEAR, "fr", InvalidInput, "language"),
        ("NONE", *YEAR, "zh-hans", NotFound, "policy"),
    ],
)
def test_what_is_wrong_is_named(
    world: World, clerk: Any, policy: str, since: date, until: date, language: str, error: type, field: str
) -> None:
    with pytest.raises(error) as refusal:
        make_statement(clerk, policy, since, until, language=language)
    assert refusal.value.field == field
    assert not Statement.objects.exists()


def test_others_make_none(world: World) -> None:
    with pytest.raises(NotAllowed):
        make_statement(make_actor("mailroom", username="m"), "P-M2026", *YEAR)
    with pytest.raises(NotFound):
        make_statement(make_actor("tpa_manager", tpa="WINDSTONE", username="t"), "P-M2026", *YEAR)
