"""Machines that call the API, and the one shape of its refusals."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection
from rest_framework.test import APIClient

from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of

SCOPES = [
    "cases:read", "cases:write", "claims:read", "claims:write", "handbooks:read", "hospitals:read", "members:read",
]  # fmt: skip
ANYWHERE = {
    "HOSPITAL": {"hospital": "PUB"},
    "TPA": {"tpa": ""},
    "MEMBER_APP": {},
    "PROVIDER": {"provider": "P1"},
}


MAY_CHANGE = {"sessions.Session", "accounts.ApiClient", "accounts.User"}


class Refusal(NamedTuple):
    status: int
    code: str
    field: str = ""
    rule: str = ""


def machine(kind: str = "MEMBER_APP", *, scopes: list[str] | None = None, **scope: Any) -> APIClient:
    """A client of this kind with a key; without a scope it sees the whole house."""
    fields = ANYWHERE[kind] | scope
    return api_of(ApiClientFactory(kind=kind, scopes=SCOPES if scopes is None else scopes, **fields))


def person(*roles: str, **scope: Any) -> APIClient:
    """A member of staff with a session."""
    api = APIClient()
    api.force_login(UserFactory(roles=roles, **scope))
    return api


def refusal(response: Any) -> Refusal:
    """Of an answer that refuses; its shape is always the same."""
    assert response.status_code >= 400, response.content[:300]
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert (
        {"code", "message", "field", "rule"}
        <= set(body)
        <= {"code", "message", "field", "rule", "errors", "data"}
    )
    assert body["code"]
    assert body["message"]
    for entry in body.get("errors", []):
        assert set(entry) == {"code", "message", "field", "rule"}
    return Refusal(response.status_code, body["code"], body["field"], body["rule"])


def refusals(response: Any) -> set[tuple[str, str]]:
    """(field, code) of every mistake an answer names."""
    refusal(response)
    body = response.json()
    return {(entry["field"], entry["code"]) for entry in body.get("errors", [body])}


@cache
def _counting() -> str:
    """One statement for all tables: to ask Django for each of them took a seventh of the suite's time."""
    return " UNION ALL ".join(
        f"SELECT '{model._meta.label}', count(*) FROM {connection.ops.quote_name(model._meta.db_table)}"
        for model in apps.get_models()
        if not model._meta.proxy and model._meta.label not in MAY_CHANGE
    )


def rows_of_every_table() -> dict[str, int]:
    """What must not change when something is refused; who called when, and sessions, may."""
    with connection.cursor() as cursor:
        cursor.execute(_counting())
        return dict(cursor.fetchall())
