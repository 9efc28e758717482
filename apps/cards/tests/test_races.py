"""Two phones of a family at the same instant: real processes with connections of their own."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.db import connection

from apps.accounts.actors import actor_of_client
from apps.accounts.models import ApiClient
from apps.cards.actions import Binding, bind, request_code
from apps.cards.models import CardCode, CardEvent, CardLink
from apps.cards.tests.test_cards import SCOPES, insured
from apps.core.errors import DomainError
from apps.messaging.models import Message
from apps.products.tests.helpers import load
from tests.api import machine
from tests.concurrency import in_processes

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
MOBILE = "13800138000"


@pytest.fixture
def front_end(transactional_db: None) -> Any:
    with time_machine.travel("2026-06-01T04:00:00Z", tick=False):
        load("2024", "2026", plans=True)
        machine(scopes=SCOPES)
        yield actor_of_client(ApiClient.objects.get())


def code_of(front_end: Any, account: str) -> str:
    request_code(front_end, account=account, series="2024", name="曾小明", mobile=MOBILE)
    found = re.search(r"\d{6}", Message.objects.get(template="card_code").body)
    assert found
    return found[0]


def tried(front_end: Any, **typed: str) -> str:
    try:
        bind(front_end, Binding(series="2024", name="曾小明", mobile=MOBILE, **typed))
    except DomainError as error:
        return error.code
    return "bound"


def test_one_code_binds_once_however_many_type_it(front_end: Any) -> None:
    insured("2024")
    code = code_of(front_end, "wx-mother")
    answers = in_processes(lambda index: tried(front_end, account="wx-mother", code=code), 4)
    assert sorted(answers) == ["bound", "code_gone", "code_gone", "code_gone"]
    assert CardLink.objects.count() == CardEvent.objects.filter(kind="BOUND").count() == 1


def test_guesses_at_once_are_counted_one_by_one(front_end: Any) -> None:
    insured("2024")
    code = code_of(front_end, "wx-mother")
    wrong = "000000" if code != "000000" else "000001"
    answers = in_processes(lambda index: tried(front_end, account="wx-mother", code=wrong), 8)
    assert (answers.count("code_wrong"), answers.count("code_gone")) == (5, 3)
    assert CardCode.objects.get().tries == 5
    assert tried(front_end, account="wx-mother", code=code) == "code_gone"


def test_two_phones_that_ask_at_once_get_one_code(front_end: Any) -> None:
    insured("2024")

    def ask(index: int) -> str:
        try:
            request_code(front_end, account=f"wx-{index}", series="2024", name="曾小明", mobile=MOBILE)
        except DomainError as error:
            return error.code
        return "sent"

    assert sorted(in_processes(ask, 3)) == ["sent", "too_soon", "too_soon"]
    assert Message.objects.filter(template="card_code").count() == CardCode.objects.count() == 1
