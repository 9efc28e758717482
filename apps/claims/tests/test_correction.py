"""The correction form: what stands beside what is to stand, and what it would decide before it is saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.factories import UserFactory
from apps.cases.models import CaseFile
from apps.claims.correction import fact_at
from apps.claims.models import BillLine
from apps.claims.tests.world import PEOPLE, World


@pytest.fixture
def case(world: World) -> CaseFile:
    for name in ("adjuster", "finance"):
        if not User.objects.filter(username=name).exists():
            UserFactory(username=name, roles=PEOPLE[name])
    return world.review()


def sit(name: str) -> Client:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(User.objects.get(username=name))
    return client


def changes(*rows: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    posted = dict(more)
    for n, row in enumerate(rows):
        posted |= {
            f"changes.{n}.{name}": value for name, value in zip(("place", "field", "value"), row, strict=True)
        }
    return posted


def test_paths_of_errors_lead_to_facts() -> None:
    assert fact_at("visits.0.bills.1.lines.2.amount") == ("1.2.3", "amount")
    assert fact_at("visits.1.diagnoses.0.code") == ("2", "diagnoses")
    assert fact_at("visits.0.started_on") == ("1", "started_on")


def test_the_form_holds_every_fact_as_it_stands(case: CaseFile) -> None:
    page = sit("adjuster").get(f"/admin/case/{case.number}/do/correct_facts/").content.decode()
    line = BillLine.objects.get(bill__visit__claim__case=case)
    assert f'data-place="1.1.1" data-name="name" data-was="{line.name}"' in page
    assert 'data-place="1.1" data-name="amount" data-was="800.00"' in page
    assert 'data-place="1" data-name="diagnoses" data-was="J' in page
    assert 'name="changes.' not in page  # only what differs is posted


def test_what_it_would_decide_is_shown_and_undone(case: CaseFile) -> None:
    """Nothing of the look ahead stays: no event, no version, no amount."""
    client = sit("adjuster")
    before = (case.version, case.events.count())
    posted = changes(("1.1.1", "amount", "500.00"), ("1.1", "amount", "500.00"))
    answer = client.post(f"/admin/claims/{case.number}/correction/", posted)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "800.00" in text
    assert "500.00" in text
    case.refresh_from_db()
    assert (case.version, case.events.count()) == before
    assert BillLine.objects.get(bill__visit__claim__case=case).amount_fen == 80000
    # The real one decides the same.
    done = client.post(
        f"/admin/case/{case.number}/do/correct_facts/",
        {**posted, "reason": "看错一位数", "version": case.version},
    )
    assert done.status_code == 302
    case.refresh_from_db()
    assert case.amount_fen == 50000


def test_errors_stand_at_the_facts_they_are_about(case: CaseFile) -> None:
    client = sit("adjuster")
    posted = changes(
        ("1.1.1", "amount", "7.00"), ("1", "diagnoses", "cough"), reason="更正", version=str(case.version)
    )
    refused = client.post(f"/admin/case/{case.number}/do/correct_facts/", posted)
    page = refused.content.decode()
    assert refused.status_code == 422 or refused.status_code == 400
    bill = page.split('data-place="1.1" data-name="amount"', 1)[1].split("data-cell", 1)[0]
    assert "7.00" in bill  # the lines make 7.00, the bill says 800.00
    diagnosis = page.split('data-place="1" data-name="diagnoses"', 1)[1].split("data-cell", 1)[0]
    assert 'value="cough"' in diagnosis
    assert "c-error" in diagnosis
    assert "c-error" in client.post(f"/admin/claims/{case.number}/correction/", posted).content.decode()
    case.refresh_from_db()
    assert case.amount_fen == 80000


def test_only_the_desk_looks_ahead(case: CaseFile) -> None:
    posted = changes(("1.1", "amount", "1.00"))
    assert sit("finance").post(f"/admin/claims/{case.number}/correction/", posted).status_code == 403
    assert sit("adjuster").get(f"/admin/claims/{case.number}/correction/").status_code == 405
