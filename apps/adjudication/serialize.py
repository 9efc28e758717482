"""Facts and decisions as canonical JSON, and back (the stored decision replays from it).

Handbook and plan are referenced (`handbook_sha`, `plan_sha`), not embedded: a published version
never changes, so the reader finds them by their hash and passes them in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from apps.adjudication import codes
from apps.adjudication.codec import Codecs
from apps.adjudication.decision import Decision
from apps.adjudication.errors import FactsError
from apps.adjudication.facts import Facts
from apps.adjudication.handbook import Handbook
from apps.adjudication.plan import Plan
from apps.adjudication.soundness import MAXIMUM_LINES, check_sound, count_lines

FORMAT = 1
REFERENCES = ("format", "series", "handbook_sha", "plan", "plan_sha")
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def canonical(data: Any) -> str:
    """One text for one content: sorted keys, no spaces, UTF-8 kept."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def handbook_fingerprint(handbook: Handbook) -> str:
    """SHA-256 of the parsed content; computed once per handbook object."""
    known = handbook.__dict__.get("_fingerprint")
    if known is None:
        known = _digest(_plain(handbook))
        handbook.__dict__["_fingerprint"] = known  # as cached_property does on a frozen dataclass
    return str(known)


@lru_cache(maxsize=256)
def plan_fingerprint(plan: Plan) -> str:
    return _digest(plan_to_json(plan))


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """`{"format", "series", "handbook_sha", "plan", "plan_sha", …fields of Facts}`; amounts are
    texts in yuan with two places, dates ISO, instants ISO with offset."""
    references = {
        "format": FORMAT,
        "series": facts.handbook.series,
        "handbook_sha": facts.handbook_sha or handbook_fingerprint(facts.handbook),
        "plan": facts.plan.code,
        "plan_sha": facts.plan_sha or plan_fingerprint(facts.plan),
    }
    encoded: dict[str, Any] = CODECS.of(Facts).encode(facts)
    return references | encoded


def facts_from_json(data: Any, handbook: Handbook, plan: Plan) -> Facts:
    """Raises FactsError(path, value, expected) for the first thing wrong: a field, a code, an
    amount, a reference to another handbook or plan, or facts that contradict one another."""
    if not isinstance(data, Mapping):
        raise FactsError("", data, "an object")
    _check_references(data, handbook, plan)
    lines = count_lines(data)
    if lines > MAXIMUM_LINES:
        raise FactsError("visits", lines, f"at most {MAXIMUM_LINES} lines in one claim")
    body = {name: value for name, value in data.items() if name not in REFERENCES}
    given = {
        "handbook": handbook,
        "plan": plan,
        "handbook_sha": data.get("handbook_sha", ""),
        "plan_sha": data.get("plan_sha", ""),
    }
    facts: Facts = CODECS.read(Facts, body, given)
    check_sound(facts)
    return facts


def plan_to_json(plan: Plan) -> dict[str, Any]:
    encoded: dict[str, Any] = CODECS.of(Plan).encode(plan)
    return encoded


def plan_from_json(data: Any) -> Plan:
    plan: Plan = CODECS.of(Plan).decode(data, "plan")
    return plan


def decision_to_json(decision: Decision) -> dict[str, Any]:
    encoded: dict[str, Any] = CODECS.of(Decision).encode(decision)
    return encoded


def decision_from_json(data: Any) -> Decision:
    decision: Decision = CODECS.of(Decision).decode(data, "")
    return decision


def facts_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `facts_to_json`."""
    body = CODECS.of(Facts).schema
    references = {
        "format": {"const": FORMAT},
        "series": {"type": "string"},
        "handbook_sha": {"type": "string"},
        "plan": {"type": "string"},
        "plan_sha": {"type": "string"},
    }
    return {
        "$schema": SCHEMA_DIALECT,
        "title": "Facts of a claim",
        **body,
        "properties": references | body["properties"],
        "required": ["series", "plan", *body["required"]],
    }


def decision_schema() -> dict[str, Any]:
    return {"$schema": SCHEMA_DIALECT, "title": "Decision on a claim", **CODECS.of(Decision).schema}


def schema_text(schema: Mapping[str, Any]) -> str:
    """As stored under docs/schemas."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _check_references(data: Mapping[str, Any], handbook: Handbook, plan: Plan) -> None:
    expected = {"format": FORMAT, "series": handbook.series, "plan": plan.code}
    for name, value in expected.items():
        if data.get(name, value) != value:
            raise FactsError(name, data[name], f"{value!r}, the one given")
    for name in ("handbook_sha", "plan_sha"):
        if not isinstance(data.get(name, ""), str):
            raise FactsError(name, data[name], "a text")


def _digest(data: Any) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Any parsed handbook content as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


FIELD_CODES: dict[tuple[str, str], tuple[str, ...]] = {
    ("MemberFacts", "sex"): codes.SEXES,
    ("MemberFacts", "id_type"): codes.ID_TYPES,
    ("PolicyFacts", "status"): codes.POLICY_STATES,
    ("HospitalFacts", "ownership"): codes.OWNERSHIPS,
    ("HospitalFacts", "department_group"): codes.DEPARTMENT_GROUPS,
    ("VisitFacts", "visit_type"): codes.VISIT_TYPES,
    ("VisitFacts", "cause"): codes.CAUSES,
    ("BillFacts", "bill_type"): codes.BILL_TYPES,
    ("BillFacts", "state"): codes.BILL_STATES,
    ("LineFacts", "kind"): codes.LINE_KINDS,
    ("LineFacts", "category"): codes.ITEM_CATEGORIES,
    ("PaperFacts", "form"): codes.PAPER_FORMS,
    ("Facts", "category"): codes.CATEGORIES,
    ("Facts", "payee_relation"): codes.PAYEE_RELATIONS,
    ("Decision", "outcome"): codes.OUTCOMES,
    ("Limit", "per"): codes.LIMIT_PERIODS,
    ("WaitingPeriod", "cause"): codes.CAUSES,
}
NUMBERS = frozenset({
    ("LineFacts", "quantity"), ("LineFacts", "unit_price"),
    ("Coinsurance", "standard"), ("Coinsurance", "unused_social"), ("Coinsurance", "after_full_visits"),
})  # fmt: skip
OUTSIDE = frozenset({
    ("Facts", "handbook"), ("Facts", "plan"), ("Facts", "handbook_sha"), ("Facts", "plan_sha"),
})  # fmt: skip
CODECS = Codecs(FIELD_CODES, NUMBERS, OUTSIDE)
