"""The API and its document: the document is sound, and hundreds of odd requests break nothing."""

from __future__ import annotations

import io
import itertools
import os
import re
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation.modes import GenerationMode

from apps.accounts.roles import CATALOGUE, MACHINES
from apps.accounts.tests.factories import ApiClientFactory, UserFactory
from apps.cases.inputs import parse_input
from apps.claims.inputs import ReportInput
from apps.claims.tests.world import World
from apps.core.errors import DomainError
from claimsadmin.wsgi import application
from tests.api import SCOPES, machine, refusal
from tests.test_strangers import House

SECONDS = float(os.environ.get("SCHEMATHESIS_SECONDS", "75"))
DOCUMENT = "/api/schema/"
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


# --- The document ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    from drf_spectacular.generators import SchemaGenerator

    return dict(SchemaGenerator().get_schema(request=None, public=True))


def test_the_document_is_valid_and_has_no_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull, stderr=io.StringIO())


def test_every_operation_says_what_it_asks_and_how_it_refuses(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert {"400", "401", "403", "404"} <= set(operation["responses"]), where
            assert [code for code in operation["responses"] if code.startswith("2")], where
            if method == "post":
                is_verb = re.search(r"}/[\w-]+/$", path)  # "close this month" may say it all in the address
                assert "requestBody" in operation or is_verb, where
                assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}, (
                    where
                )


@pytest.mark.django_db
def test_the_document_is_for_those_who_are_known() -> None:
    assert machine().get(DOCUMENT).status_code == 200
    assert refusal(machine(scopes=[]).get("/api/v1/cases/")).code == "missing_scope"


# --- Odd requests ----------------------------------------------------------------------------


class TimeOver(Exception):
    """The next operation's turn."""


def by_everybody() -> dict[str, dict[str, str]]:
    """Headers and cookies of a browser at which somebody with every role of the house sits."""
    client, token = Client(), "t" * 32
    client.force_login(UserFactory(roles=[spec.code for spec in CATALOGUE if spec.code not in MACHINES]))
    session = client.cookies["sessionid"].value
    headers = {"X-CSRFToken": token, "Accept-Encoding": "identity"}
    return {"headers": headers, "cookies": {"sessionid": session, "csrftoken": token}}


def wrong_with(response: Any) -> str:
    if response.status_code >= 500:
        return str(response.status_code)
    if response.status_code < 400:
        return ""
    body = response.json()
    if not {"code", "message", "field", "rule"} <= set(body):
        return f"{response.status_code} in another shape: {body}"
    return "" if body["code"] and body["message"] else f"{response.status_code} without code or words"


@pytest.mark.schemathesis
@pytest.mark.django_db(transaction=True)
def test_generated_requests_break_nothing(now: Any) -> None:
    """Every operation of the document in its turn, good and bad values, in process; by a machine with all scopes and
    by somebody with all roles of the house in turn.

    A third of the requests name what was made up, the others what exists. Every operation has the same share of the
    time and is asked at least once.
    """
    house = House()
    key = ApiClientFactory(kind="MEMBER_APP", scopes=SCOPES).plain_key
    headers = {"Authorization": f"Api-Key {key}", "Accept-Encoding": "identity"}
    callers: tuple[dict[str, Any], ...] = ({"headers": headers}, by_everybody())
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, application, headers=headers)
    operations = [found.ok() for found in schema.get_all_operations()]
    statuses, broken, asked = Counter[int](), dict[str, str](), set[str]()
    share = SECONDS / len(operations) / len(MODES)

    def call(found: Any) -> None:
        turn["requests"] += 1
        if turn["requests"] % 3 != 0:
            path = found.path.removeprefix("/")
            numbers = house.numbers(path)
            for name in found.path_parameters:
                number = numbers[turn["requests"] % len(numbers)]
                found.path_parameters[name] = house.value(path, name, number)
        response = found.call(**callers[turn["requests"] % 2])
        statuses[response.status_code] += 1
        asked.add(f"{found.method} {found.path}")
        if complaint := wrong_with(response):
            broken.setdefault(f"{found.method} {found.path}: {complaint}", found.as_curl_command())
        if time.monotonic() > turn["until"]:
            raise TimeOver

    each = settings(
        max_examples=10_000, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    for mode, operation in itertools.product(MODES, operations):
        turn = {"until": time.monotonic() + share, "requests": 0}
        with suppress(Unsatisfiable, TimeOver):  # nothing of it can be wrong; or the time is over
            each(given(found=operation.as_strategy(generation_mode=mode))(call))()
    print(
        f"{sum(statuses.values())} requests to {len(asked)} of {len(operations)} operations: {dict(statuses)}"
    )
    assert not broken, "\n".join(f"{what}\n    {curl}" for what, curl in broken.items())
    assert len(asked) == len(operations)
    assert sum(statuses.values()) >= 2 * len(operations)
    assert statuses[200] + statuses[201] > 20


TEXTS = st.text(max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(place=st.lists(st.integers(0, 6), min_size=1, max_size=6), value=VALUES)
def test_a_report_with_anything_anywhere_is_taken_or_refused(place: list[int], value: Any) -> None:
    """Always on, without a database: one value of a good report replaced by anything at all."""
    report: Any = World.__new__(World).report()
    at: Any = report
    for depth, step in enumerate(place, start=1):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = keys[step % len(keys)]
        if depth == len(place) or not isinstance(at[key], dict | list) or not at[key]:
            at[key] = value
            break
        at = at[key]
    said = "taken"
    try:
        parse_input(ReportInput, report)
    except DomainError as error:
        said = str(error.message)
    assert said
