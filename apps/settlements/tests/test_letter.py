"""The statement on paper and as Excel, and on its way to the hospital."""

from __future__ import annotations

import io
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from apps.core.money import format_yuan, to_yuan
from apps.documents.tests.paper import picture_of, text_of
from apps.messaging.attachments import attachment_of
from apps.messaging.delivery import deliver, deliver_due, report_deliveries
from apps.messaging.models import Message
from apps.settlements import actions, letters
from apps.settlements.models import StatementLine
from apps.settlements.tasks import render_due_settlements, render_settlement
from apps.settlements.tests.world import ACCOUNT, Settled


def fake(count: int, bills: int = 1) -> list[Any]:
    return [
        SimpleNamespace(bills=["0"] * bills, **dict.fromkeys(letters.MONEY, 100 + n)) for n in range(count)
    ]


@pytest.mark.parametrize("count", [1, 8, 9, 17, 18, 36, 45, 46, 200])
def test_totals_are_carried_from_page_to_page(count: int) -> None:
    lines = fake(count)
    sheets = letters.pages_of(lines)
    assert [row for sheet in sheets for row in sheet.rows] == lines
    for before, after in itertools.pairwise(sheets):
        assert before.carried == after.brought
        assert after.rows
    assert sheets[-1].last
    assert sheets[-1].carried["amount_fen"] == sum(line.amount_fen for line in lines)
    assert len(sheets) == 1 or len(sheets[0].rows) <= letters.FIRST_PAGE


def test_lines_with_many_bills_take_more_room() -> None:
    assert len(letters.pages_of(fake(20, bills=6))) > len(letters.pages_of(fake(20)))


def test_printed_sent_and_the_hospital_has_it(world: Settled) -> None:
    world.contract("2026")
    statement = world.ordered(2)
    message = Message.objects.get(template="settlement")
    assert message.recipient == "settle@hospital.example"
    assert not deliver(message.pk)  # waits for the PDF
    assert render_settlement(statement.pk)
    assert not render_settlement(statement.pk)
    assert deliver(message.pk)
    report_deliveries(10)
    statement.refresh_from_db()
    assert statement.sent_at is not None
    found = attachment_of(message)
    assert found is not None
    page = picture_of(found.data, scale=1)
    assert page.width > page.height
    said = text_of(found.data)
    line = StatementLine.objects.filter(statement=statement).select_related("case")[0]
    for words in (
        statement.number,
        format_yuan(statement.total_fen),
        line.case.number,
        line.bills[0],
        "悦安诊所",
        "1219*******3210",
    ):
        assert words in said
    assert ACCOUNT["account"] not in said
    check = Client().get(f"/v/{statement.token}/")  # what its code opens, for anybody
    assert check.context["verdict"] == "valid"
    assert statement.number in check.content.decode()
    assert Client().get("/v/HS:nothing/").context["verdict"] == "unknown"
    assert "王小明" not in said
    book = load_workbook(io.BytesIO(letters.workbook(statement)), data_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert (rows[1][1], rows[-1][15]) == (line.case.number, to_yuan(statement.total_fen))


def test_a_stopped_statement_is_not_sent_and_a_broken_letter_waits(world: Settled, monkeypatch: Any) -> None:
    world.contract("2026")
    statement = world.ordered(1)
    monkeypatch.setattr(letters, "write_pdf", lambda *_args: 1 / 0)
    assert render_due_settlements() == 0
    statement.refresh_from_db()
    assert "ZeroDivisionError" in statement.error
    actions.stop(world.actor("checker"), statement.number, reason="医院要求重开", now=world.now)
    deliver_due(world.now)
    assert Message.objects.get(template="settlement").state == "CANCELLED"
    assert Client().get(f"/v/{statement.token}/").context["verdict"] == "void"
