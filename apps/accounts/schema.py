"""How the OpenAPI document speaks of an operation: its first sentence, and the scope its key must have."""

from __future__ import annotations

import inspect
import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc

from apps.accounts.api import required_scopes


class HouseSchema(AutoSchema):
    """An operation as its reader needs it: a line of its own in the list, and the scope its key must have."""

    def get_summary(self) -> str | None:
        """The first sentence of the description; the list of operations shows it beside the path."""
        first = re.split(r"(?<=[.;:])\s|\n\n", self._words(), maxsplit=1)[0]
        return " ".join(first.split()).rstrip(".;:") or None

    def get_description(self) -> str:  # type: ignore[override]
        scopes = self._scopes()
        asked = f"Scope of the key: {', '.join(f'`{scope}`' for scope in sorted(scopes))}." if scopes else ""
        return "\n\n".join(part for part in (self._words(), asked) if part)

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        return super()._get_filter_parameters() if self.method == "GET" else []

    def _get_paginator(self) -> Any:
        """Only what is read comes in pages; a POST answers with all it made."""
        return super()._get_paginator() if self.method == "GET" else None

    def _words(self) -> str:
        """What the view itself says; what a base class tells its programmers is not for readers."""
        handler = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        own = type(self.view).__dict__.get("__doc__")
        return get_doc(handler) or (inspect.cleandoc(own) if own else "")

    def _scopes(self) -> frozenset[str]:
        return required_scopes(self.view, self.method) or frozenset()
