"""What calls are about, in words; each app adds the purposes it queues calls for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import pgettext_lazy

WORDS: dict[str, Any] = {"delivery_failed": pgettext_lazy("call", "message not delivered")}


def add_purposes(words: dict[str, Any]) -> None:
    WORDS.update(words)


def purpose_words(code: str) -> str:
    """The code itself where nobody gave words."""
    return str(WORDS.get(code, code))
