"""The demonstration: every state of every kind in both series, made once."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.documents.models import Paper
from apps.settlements.models import Difference, HospitalAccount, PaymentTerms, Statement

SERIES = ("2024", "2026")
CLOSED_TO = {"advance": {"2024"}, "test": {"2024"}}  # ADV-22; home tests came with 2026
UNSEEN: dict[str, set[str]] = {  # where nothing stays by itself, and what needs a month to pass
    "appointment": {"CANCELLED_LATE", "CANCELLED_SYSTEM", "UNAVAILABLE"},
    "authorization": {"LETTER_SENT", "NOT_REQUIRED", "EXPIRED"},
    "bill": {"REMINDED_2", "REMINDED_3"},  # 2024 greys after one reminder
    "claim": {"REPORTED", "APPROVED", "PARTIAL", "PAID", "REOPENED", "MATERIALS_CHECK"},
    "direct": {
        "DENIED", "DISPUTED", "ID_PENDING", "PAID_TO_HOSPITAL", "PA_EXCEPTION", "SECOND_REVIEW", "WITHDRAWN",
    },
    "enquiry": {"OPEN", "CLOSED", "REOPENED"},
    "service": {"OVERDUE"},  # the consult of 2024
}  # fmt: skip
DRAWN_BY_HAND = {"inspection"}


@pytest.mark.both_databases
@pytest.mark.django_db
def test_demo_shows_every_state_and_is_made_once(capsys: Any) -> None:
    if connection.vendor != "sqlite":
        pytest.skip(
            "looked at whole where it is used, in the embedded house; the long ones make it here, too"
        )
    made_once()
    for code in KINDS.keys() - DRAWN_BY_HAND:
        if not code.endswith("_test"):  # of other tests in this process
            shows(code)
    assert set(Statement.objects.values_list("state", flat=True)) == {"PAID", "RETURNED", "ORDERED"}
    assert PaymentTerms.objects.filter(state="IN_FORCE").exists()
    assert HospitalAccount.objects.filter(state="PROPOSED").exists()
    assert Difference.objects.filter(outcome="OPEN").exists()
    assert "demo-2026" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.django_db
def test_demo_is_made_without_the_samples() -> None:
    """The way for PostgreSQL under test: in one transaction it never learns how large the roster made its tables,
    and reads them for minutes."""
    made_once("--no-samples")
    for code in ("claim", "recovery", "appeal"):
        shows(code)


def made_once(*options: str) -> None:
    call_command("demo", *options)
    made = CaseFile.objects.count()
    assert 50 <= made <= 400
    assert Paper.objects.filter(file__isnull=False).exists()
    assert CaseFile.objects.filter(open=True, next_due__isnull=False).count() > 10
    call_command("demo", *options)
    assert CaseFile.objects.count() == made


def shows(code: str) -> None:
    for series in SERIES:
        shown = set(CaseFile.objects.filter(kind=code, series=series).values_list("state", flat=True))
        if series in CLOSED_TO.get(code, ()):
            assert not shown, (code, series)
        else:
            assert set(KINDS[code].states) - UNSEEN.get(code, set()) <= shown, (code, series)
