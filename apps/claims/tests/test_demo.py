"""The demo data: every state, both series, made once."""

from typing import Any

import pytest
from django.core.management import call_command

from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.claims.workflow import STATES
from apps.documents.models import Paper

PASSING = {"REPORTED", "APPROVED", "PARTIAL", "PAID", "REOPENED"}  # nothing stays there by itself
NOT_SHOWN = {"MATERIALS_CHECK"}


@pytest.mark.django_db
def test_demo_shows_every_state_and_is_made_once(capsys: Any) -> None:
    call_command("demo", "--no-samples")
    for series in ("2024", "2026"):
        states = set(CaseFile.objects.filter(kind="claim", series=series).values_list("state", flat=True))
        assert set(STATES) - PASSING - NOT_SHOWN <= states, series
        for kind in ("recovery", "appeal"):
            shown = CaseFile.objects.filter(kind=kind, series=series).values_list("state", flat=True)
            assert set(KINDS[kind].states) == set(shown), (kind, series)
    made = CaseFile.objects.count()
    assert 50 <= made <= 200
    assert Paper.objects.filter(file__isnull=False).exists()
    assert CaseFile.objects.filter(open=True, next_due__isnull=False).count() > 10
    call_command("demo", "--no-samples")
    assert CaseFile.objects.count() == made
    assert "demo-2026" in capsys.readouterr().out
