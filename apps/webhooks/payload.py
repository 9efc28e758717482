"""What is sent: schema version 1 (docs/schemas/webhook.v1.schema.json). Numbers and states, never a person (LAW-09)."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from apps.cases.kinds import KINDS
from apps.webhooks.catalog import PING, words_of
from apps.webhooks.models import Delivery


def payload_of(delivery: Delivery) -> dict[str, Any]:
    """The document of one delivery, the same at every attempt; words in the endpoint's language.

    Needs endpoint and case. No query.
    """
    with translation.override(delivery.endpoint.language):
        data = {"words": words_of(delivery.event)} if delivery.case is None else _of_case(delivery)
    return {
        "id": delivery.message_id,
        "type": delivery.event,
        "schema": delivery.version,
        "timestamp": timezone.localtime(delivery.occurred_at).isoformat(),
        "data": data,
    }


def body_of(delivery: Delivery) -> bytes:
    return json.dumps(payload_of(delivery), ensure_ascii=False, separators=(",", ":")).encode()


def _of_case(delivery: Delivery) -> dict[str, Any]:
    case = delivery.case
    assert case is not None
    assert delivery.event != PING
    states = KINDS[case.kind].states
    return {
        "case": case.number,
        "kind": case.kind,
        "series": case.series,
        "words": words_of(delivery.event),
        "version": delivery.seq,
        "from": _state(states, delivery.from_state),
        "to": _state(states, delivery.to_state),
        "recorded_at": timezone.localtime(delivery.created_at).isoformat(),
        "link": f"{settings.PUBLIC_BASE_URL}/api/v1/cases/{case.number}/",
    }


def _state(states: Any, code: str) -> dict[str, str] | None:
    return {"code": code, "words": str(states.get(code, code))} if code else None
