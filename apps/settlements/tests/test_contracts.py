"""Terms and accounts: two people, a history, nothing shown without a reason (PR-25, LAW-09)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import AccessLog
from apps.core.errors import Conflict, InvalidInput, InvalidInputs, NotAllowed
from apps.payments.models import Payee
from apps.settlements import contracts
from apps.settlements.models import HospitalAccount, PaymentTerms
from apps.settlements.tests.world import ACCOUNT, TERMS, Settled


def test_pr25_terms_count_once_somebody_else_confirmed_them_and_end_the_former(
    world: Settled, rulebook: Any
) -> None:
    first = world.terms()
    lead = world._people["lead"]
    row = contracts.propose_terms(lead, "PRI", TERMS | {"days": 15, "starts_on": "2026-10-01"}, now=world.now)
    with pytest.raises(NotAllowed) as own:
        contracts.confirm_terms(lead, row.pk)
    assert (own.value.code, own.value.rule) == ("four_eyes", "PR-25")
    contracts.confirm_terms(world.actor("checker"), row.pk)
    first.refresh_from_db()
    assert first.ends_on == date(2026, 9, 30)
    early = contracts.propose_terms(lead, "PRI", TERMS | {"starts_on": "2026-09-15"}, now=world.now)
    with pytest.raises(Conflict) as overlap:
        contracts.confirm_terms(world.actor("checker"), early.pk)
    assert (overlap.value.code, overlap.value.field) == ("overlap", "starts_on")
    contracts.refuse_terms(lead, early.pk)
    assert list(PaymentTerms.objects.order_by("pk").values_list("state", flat=True)) == [
        "IN_FORCE", "IN_FORCE", "REFUSED",
    ]  # fmt: skip
    rulebook.read_back("PR-25", first.contract)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"series": "1999"}, "series"),
        ({"kind": "MONTHLY"}, "cutoff_day"),
        ({"cutoff_day": 5}, "cutoff_day"),
        ({"kind": "WEEKLY"}, "kind"),
        ({"days": -1}, "days"),
        ({"ends_on": "2025-12-31"}, "ends_on"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"reason": ""}, "reason"),
    ],
)
def test_wrong_terms_are_refused_by_field(world: Settled, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        contracts.propose_terms(world.actor("finance"), "PRI", TERMS | wrong)
    assert [error.field for error in refused.value.errors] == [field]
    assert not PaymentTerms.objects.exists()


def test_a_corrected_account_is_a_new_row_and_the_old_one_stays(world: Settled) -> None:
    old = world.account()
    lead = world._people["lead"]
    new = contracts.propose_account(lead, "PRI", ACCOUNT | {"account": "1219 0987 6543 9999"})
    with pytest.raises(NotAllowed):
        contracts.confirm_account(lead, new.pk)
    contracts.confirm_account(world.actor("checker"), new.pk)
    old.refresh_from_db()
    assert (old.state, old.payee.account_masked) == ("REPLACED", "1219*******3210")
    assert HospitalAccount.objects.get(state="IN_FORCE").pk == new.pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT account FROM payments_payee")
        assert not any("12190987" in stored for (stored,) in cursor.fetchall())
    assert Payee.objects.filter(member=None, hospital__code="PRI", corporate=True).count() == 2


def test_an_account_is_shown_in_full_with_a_reason_that_is_logged(world: Settled) -> None:
    row = world.account()
    with pytest.raises(InvalidInput) as refused:
        contracts.reveal_account(world.actor("finance"), row.pk, reason=" ")
    assert refused.value.rule == "LAW-09"
    assert not AccessLog.objects.exists()
    assert (
        contracts.reveal_account(world.actor("finance"), row.pk, reason="银行来电核对") == ACCOUNT["account"]
    )
    entry = AccessLog.objects.get()
    assert (entry.subject, entry.what) == ("hospital:PRI", "account")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"account": "12AB"}, "account"),
        ({"clearing_number": "12"}, "clearing_number"),
        ({"branch": ""}, "branch"),
    ],
)
def test_wrong_accounts_are_refused_by_field(world: Settled, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputs) as refused:
        contracts.propose_account(world.actor("finance"), "PRI", ACCOUNT | wrong)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Payee.objects.filter(hospital__isnull=False).exists()
