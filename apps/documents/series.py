"""The words of a series that stand on every letter and message: names, contacts, ways to answer.

Taken from the handbook when a letter is queued, so that a letter shows the same contacts for ever.
"""

from __future__ import annotations

from typing import Any

from apps.adjudication.handbook import Handbook, Title


def series_block(handbook: Handbook) -> dict[str, Any]:
    """JSON for the templates. Only contacts, services and marks that the series has are in it."""
    appeal, provider = handbook.service("appeal"), handbook.contacts.get("provider")
    return {
        "code": handbook.series,
        "tpa": provider.value if handbook.operator == "TPA" and provider else "",
        "contacts": {key: _contact(contact) for key, contact in handbook.contacts.items()},
        "appeal": {"rule": appeal.rule, "channels": list(appeal.channels)}
        if appeal and appeal.offered
        else None,
        "annotation": handbook.value("annotation.text", ""),
        "postage_own": handbook.rule("decide.postage") is not None,
        "tracking_asked": handbook.value("originals.tracking_after") is not None,
    }


def _title(title: Title) -> dict[str, str]:
    return {"zh": title.zh, "en": title.en}


def _contact(contact: Any) -> dict[str, Any]:
    return {
        "title": _title(contact.title),
        "kind": contact.kind,
        "value": {"zh": contact.value, "en": in_english(contact.value)},
        "recipient": contact.recipient,
        "postcode": contact.postcode,
        "phone": contact.phone,
    }


def in_english(number: str) -> str:
    """'950610 转 8' is '950610 ext. 8' (GEN-05)."""
    return number.replace(" 转 ", " ext. ").replace("转", " ext. ")
