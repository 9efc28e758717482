"""One error family: a code, words for the user, and the data to act on.

Mapped once for the API (`core.api.exception_handler`) and once for the admin (case page and
forms). Raising any of these inside a transaction changes nothing.
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """Something the user asked for cannot be done.

    `code` is stable for machines, `message` is for people (already translated or lazy), `field`
    names the input at fault ("bills.0.amount"), `rule` the rule id, `data` what else helps.
    """

    code = "invalid"
    status = 400

    def __init__(
        self,
        message: Any,
        *,
        code: str = "",
        field: str = "",
        rule: str = "",
        data: dict[str, Any] | None = None,
    ):
        self.message, self.field, self.rule, self.data = message, field, rule, data or {}
        self.code = code or type(self).code
        super().__init__(str(message))


class InvalidInput(DomainError):
    """A value is wrong; `field` says which."""


class InvalidInputs(DomainError):
    """Several values are wrong at once: `errors` lists them all."""

    code = "invalid"

    def __init__(self, errors: list[DomainError]):
        self.errors = errors
        first = errors[0]
        super().__init__(first.message, code=first.code, field=first.field, rule=first.rule)


class NotAllowed(DomainError):
    """The actor may not do this (role, authority, four eyes, visibility)."""

    code = "not_allowed"
    status = 403


class Blocked(DomainError):
    """A guard of the workflow refuses; `rule` says why."""

    code = "blocked"
    status = 409


class Conflict(DomainError):
    """Somebody else was faster; reload and look again."""

    code = "conflict"
    status = 409


class NotFound(DomainError):
    code = "not_found"
    status = 404
