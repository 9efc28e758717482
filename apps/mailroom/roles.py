"""Who reads the mail and who works on it."""

from __future__ import annotations

from apps.claims.roles import DESK

HANDLERS = DESK | frozenset({"mail_clerk", "api_tpa"})
READERS = HANDLERS | frozenset({"manager", "auditor", "compliance"})
