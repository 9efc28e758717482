"""The demonstration: every state of every kind in both series, made once."""

from typing import Any

import pytest
from django.core.management import call_command

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


@pytest.mark.django_db
def test_demo_shows_every_state_and_is_made_once(capsys: Any) -> None:
    call_command("demo")
    for code in KINDS.keys() - DRAWN_BY_HAND:
        if code.endswith("_test"):  # of other tests in this process
            continue
        for series in SERIES:
            shown = set(CaseFile.objects.filter(kind=code, series=series).values_list("state", flat=True))
            if series in CLOSED_TO.get(code, ()):
                assert not shown, (code, series)
            else:
                assert set(KINDS[code].states) - UNSEEN.get(code, set()) <= shown, (code, series)
    assert set(Statement.objects.values_list("state", flat=True)) == {"PAID", "RETURNED", "ORDERED"}
    assert PaymentTerms.objects.filter(state="IN_FORCE").exists()
    assert HospitalAccount.objects.filter(state="PROPOSED").exists()
    assert Difference.objects.filter(outcome="OPEN").exists()
    made = CaseFile.objects.count()
    assert 50 <= made <= 400
    assert Paper.objects.filter(file__isnull=False).exists()
    assert CaseFile.objects.filter(open=True, next_due__isnull=False).count() > 10
    call_command("demo")
    assert CaseFile.objects.count() == made
    assert "demo-2026" in capsys.readouterr().out
