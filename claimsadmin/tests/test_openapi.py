"""The OpenAPI document says what is true: scopes of keys, amounts as text, a line for each operation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.scopes import SCOPES
from claimsadmin.api import router


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(public=True)


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_scopes_an_administrator_ticks_are_those_the_views_ask_for():
    asked: set[str] = set()
    for _prefix, view, _name in router.registry:
        declared = getattr(view, "required_scopes", {})
        asked |= set(declared.values() if isinstance(declared, dict) else [declared])
    assert asked == set(SCOPES)


def test_every_operation_has_a_line_of_its_own_and_names_its_scope(document):
    for address, operation in operations(document).items():
        assert operation.get("summary"), address
        assert "`class " not in operation["description"], address
        named = re.findall(r"`([a-z]+:[a-z]+)`", operation["description"])
        assert set(named) <= set(SCOPES), address
    report = document["paths"]["/api/v1/claims/"]["post"]
    assert "`claims:write`" in report["description"]
    assert list(report["requestBody"]["content"]) == ["application/json"]
    many = document["paths"]["/api/v1/cases/actions/{name}/"]["post"]
    assert {one["name"] for one in many["parameters"]} == {"name", "Idempotency-Key"}


def test_amounts_are_documented_as_the_text_they_are(document):
    schemas = document["components"]["schemas"]
    assert schemas["Claim"]["properties"]["amount"]["type"] == "string"
    assert "double" not in str(schemas)
    assert "* `INPATIENT` - 住院" in schemas["BenefitCode"]["description"]
