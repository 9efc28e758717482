"""A statement of a hospital that the bank sent back stands among the bank returns until it is ordered again."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import make_actor, web_of
from apps.finance import returns
from apps.settlements import actions
from apps.settlements.tests.world import Settled


@pytest.mark.both_databases
def test_a_returned_statement_is_listed_until_it_is_ordered_again(db: None, now: Any) -> None:
    world = Settled("2026")
    world.contract()
    statement = world.ordered(2)
    world.answer(world.to_bank(statement), paid=False)
    finance = world.actor("finance")
    (row,) = returns.worklist(finance, returns.Filters(series="2026"), now=world.now)
    assert (row.order.about, row.open, row.meaning.next) == (statement.number, True, "ACCOUNT")
    assert row.url == reverse("admin:settlement", args=[statement.number])
    page = web_of(User.objects.get(pk=finance.user_id)).get(reverse("admin:finance-returns"))
    assert page.status_code == 200
    assert row.url in page.content.decode()
    assert returns.worklist(finance, returns.Filters(series="2024"), now=world.now) == []
    assert returns.worklist(finance, returns.Filters(assignee="none"), now=world.now) == [row]
    clerk = make_actor("first_review", username="clerk")  # no reader of statements
    assert returns.RETURN_DESK & clerk.roles
    assert returns.worklist(clerk, returns.Filters(), now=world.now) == []
    actions.order_again(finance, statement.number, reason="医院确认账户已恢复", now=world.now)
    assert returns.worklist(finance, returns.Filters(), now=world.now) == []
    (settled,) = returns.worklist(finance, returns.Filters(state="all"), now=world.now)
    assert (settled.open, settled.next) == (False, "")


def test_the_cases_behind_a_month_say_the_states_of_direct_claims_in_words(db: None, now: Any) -> None:
    world = Settled("2026")
    world.contract()
    world.answer(world.to_bank(world.ordered(1)), paid=True)
    page = web_of(User.objects.get(pk=make_actor("manager", username="boss").user_id)).get(
        reverse("admin:finance-cases"), {"month": f"{world.now:%Y-%m}", "measure": "paid"}
    )
    (row,) = page.context["rows"]
    assert (row["case__kind"], row["state"]) == ("direct", "已付医院")
