"""What the OpenAPI document says of every operation: the shape of refusals, the key of a POST."""

from __future__ import annotations

from typing import Any

ERROR: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused. Nothing was changed.",
    "required": ["code", "message", "field", "rule"],
    "properties": {
        "code": {"type": "string", "description": "Stable, for machines."},
        "message": {"type": "string", "description": "For people, in the language of the request."},
        "field": {"type": "string", "description": "Path of the input at fault, or empty."},
        "rule": {"type": "string", "description": "Id of the rule that refuses, or empty."},
        "errors": {
            "type": "array",
            "description": "The same for each mistake, when there are several.",
            "items": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "data": {
            "type": "object",
            "description": "What helps to put it right.",
            "additionalProperties": True,
        },
    },
}
REFUSALS = {
    "400": "A value is wrong.",
    "401": "No key, or one that is unknown, expired or switched off.",
    "403": "The role, scope or authority does not suffice.",
    "404": "Nothing there, or not yours to see.",
    "409": "The state, a rule or somebody who was faster stands against it.",
    "413": "The request is too large.",
    "415": "A media type that is not understood.",
    "422": "The Idempotency-Key belongs to another request.",
    "429": "Too many requests; Retry-After says when.",
    "503": "Busy; please repeat.",
}
ONLY_WITH_BODY = {"409", "413", "415", "422"}
KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeat a request with the same key and body as often as needed: it is done once, and the "
    "stored answer comes back for 48 hours. A refusal is not kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
WRITING = {"post", "put", "patch", "delete"}


def document_refusals(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular post-processing hook."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
    for path in result["paths"].values():
        for method, operation in path.items():
            if method in WRITING | {"get"}:
                _document(operation, method)
    return result


def _document(operation: dict[str, Any], method: str) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, why in REFUSALS.items():
        if method in WRITING or status not in ONLY_WITH_BODY:
            operation["responses"].setdefault(status, {"description": why, "content": content})
    bodies = operation.get("requestBody", {}).get("content", {})
    if "application/json" in bodies:  # nested fields; a form could not carry them
        operation["requestBody"]["content"] = {"application/json": bodies["application/json"]}
    if method == "post":
        operation.setdefault("parameters", []).append(KEY)
