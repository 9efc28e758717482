"""Two people at once: one appeal, and a claim that is not reopened beside it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from apps.appeals.actions import open_appeal
from apps.appeals.models import Appeal
from apps.appeals.tests.world import Appeals
from apps.cases.engine import perform
from apps.core.errors import DomainError
from tests.concurrency import in_threads

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


def said(work: Any) -> str:
    try:
        work()
    except DomainError as error:
        return error.code
    return "done"


def test_of_two_appeals_at_once_one_is_recorded(world: Appeals) -> None:
    claim, service = world.partial(), world.actor("service")
    data = {"claim": claim.number, "appellant": "王建国", "text": "失约费不应由我们承担"}
    told = in_threads(lambda _index: said(lambda: open_appeal(service, data, now=world.now)), 2)
    assert Counter(told) == {"done": 1, "appeal_open": 1}
    assert Appeal.objects.count() == 1


def test_an_appeal_and_a_reopening_at_once_exclude_each_other(world: Appeals) -> None:
    claim, service, supervisor = world.partial(), world.actor("service"), world.actor("supervisor")
    data = {"claim": claim.number, "appellant": "王建国", "text": "失约费不应由我们承担"}

    def work(index: int) -> str:
        if index:
            return said(lambda: open_appeal(service, data, now=world.now))
        return said(lambda: perform(claim, "reopen", supervisor, now=world.now, reason="复查"))

    told = in_threads(work, 2)
    assert told in (["done", "not_decided"], ["appeal_open", "done"])
