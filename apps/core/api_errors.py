"""Every refusal of the API in one shape: {code, message, field, rule} and, where there is more, errors, data.

`code` is for machines and stable, `message` is for people, `field` is the path of the input at fault
("bills.0.amount"), `rule` the id of the rule that refuses. `errors` lists the same four for each
mistake when there are several; `data` is what helps to put it right.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from apps.core.constraints import meaning_of
from apps.core.errors import DomainError, InvalidInput, InvalidInputs, NotAllowed, NotFound

logger = logging.getLogger(__name__)

Entry = dict[str, Any]
WITHOUT_FIELD = {"non_field_errors", NON_FIELD_ERRORS, "detail"}
CODES = {"permission_denied": "not_allowed", "error": "invalid"}


class TooLarge(DomainError):
    code = "request_too_large"
    status = 413


class Busy(DomainError):
    code = "busy"
    status = 503


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's hook. None (a 500, logged) is left for our own mistakes only."""
    if isinstance(exc, exceptions.APIException):
        entries = _entries_of(exc.detail)
        return _answer(entries, status=exc.status_code, headers=_headers(exc), data=_data(exc))
    error = exc if isinstance(exc, DomainError) else _translated(exc)
    if error is None:
        return None
    entries = [entry_of(one) for one in (error.errors if isinstance(error, InvalidInputs) else [error])]
    headers = {"Retry-After": "1"} if isinstance(error, Busy) else {}
    return _answer(entries, status=error.status, headers=headers, data=error.data)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`: an unknown address under /api/ answers in the same shape."""
    if request.path.startswith("/api/"):
        return JsonResponse(entry_of(NotFound(_("There is nothing at this address."))), status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: says nothing of the cause, which stands in the log with the request's id."""
    if request.path.startswith("/api/"):
        error = DomainError(_("Something went wrong here. Nothing was changed."), code="server_error")
        return JsonResponse(entry_of(error), status=500)
    return defaults.server_error(request)


def _translated(exc: Exception) -> DomainError | None:
    """Django's and the database's refusals of a wrong input, in our words."""
    if isinstance(exc, ValidationError):
        return InvalidInputs(list(_of_validation(exc)))
    if isinstance(exc, Http404):
        return NotFound(_("There is nothing at this address, or it is not yours to see."))
    if isinstance(exc, PermissionDenied):
        return NotAllowed(_("You may not do this."))
    if isinstance(exc, RequestDataTooBig):
        return TooLarge(_("The request is too large."))
    if isinstance(exc, SuspiciousOperation | BadRequest | MultiPartParserError | UnreadablePostError):
        return InvalidInput(_("The request cannot be read."), code="parse_error")
    if isinstance(exc, DataError | UnicodeEncodeError | OverflowError):
        # Zero bytes, half characters, numbers beyond any column.
        return InvalidInput(_("The request contains a value that cannot be stored."), code="invalid_value")
    if isinstance(exc, OperationalError):
        logger.warning("the database was busy", exc_info=exc)
        return Busy(_("The system is busy. Please try again."))
    if isinstance(exc, IntegrityError) and _is_duplicate(exc):
        logger.warning("a duplicate got as far as the database", exc_info=exc)
        return meaning_of(exc)
    return None


def _is_duplicate(exc: IntegrityError) -> bool:
    return getattr(exc.__cause__, "sqlstate", "") == "23505" or "UNIQUE constraint failed" in str(exc)


def entry_of(error: DomainError) -> Entry:
    return {"code": error.code, "message": str(error.message), "field": error.field, "rule": error.rule}


def _answer(
    entries: list[Entry], *, status: int, headers: dict[str, str], data: dict[str, Any] | None
) -> Response:
    body: Entry = dict(entries[0])
    if len(entries) > 1:
        body["errors"] = entries
    if data:
        body["data"] = data
    return Response(body, status=status, headers=headers)


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(exc.auth_header)  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))  # type: ignore[attr-defined]
    return headers


def _data(exc: exceptions.APIException) -> dict[str, Any] | None:
    wait = getattr(exc, "wait", None)
    return {"wait_seconds": int(wait)} if wait else None


def _entries_of(detail: Any) -> list[Entry]:
    found = [
        {"code": CODES.get(str(one.code), one.code), "message": str(one), "field": field, "rule": ""}
        for field, one in _flat(detail, "")
    ]
    return found or [{"code": "invalid", "message": str(_("The request is wrong.")), "field": "", "rule": ""}]


def _flat(detail: Any, path: str) -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    """REST framework's nested details as (path, error)."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, path if name in WITHOUT_FIELD else _join(path, name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            yield from _flat(inner, _join(path, index) if isinstance(inner, dict | list) else path)
    elif isinstance(detail, exceptions.ErrorDetail):
        yield path, detail
    else:
        yield path, exceptions.ErrorDetail(str(detail), code="invalid")


def _join(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)


def _of_validation(exc: ValidationError) -> Iterator[DomainError]:
    """Of a model's `full_clean`: a dictionary by field, or a list."""
    by_field = exc.error_dict if hasattr(exc, "error_dict") else {"": exc.error_list}
    for field, errors in by_field.items():
        for error in errors:
            yield InvalidInput(
                error.messages[0], field="" if field in WITHOUT_FIELD else field, code=error.code or "invalid"
            )
