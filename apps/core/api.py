"""What every API view shares: who acts, one shape of errors, keyed POSTs, pages without a count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.pagination import BasePagination
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from apps.core import idempotency
from apps.core.api_errors import exception_handler, page_not_found, server_error
from apps.core.api_filters import NUMBERED
from apps.core.api_parameters import refuse_unknown_parameters
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.money import to_yuan

__all__ = [
    "NUMBERED",
    "ActorMixin",
    "StandardPagination",
    "YuanField",
    "exception_handler",
    "page_not_found",
    "server_error",
]

ATTEMPTS = 3


class _Yuan(serializers.Field[int, Any, str, Any]):
    def __init__(self, **kwargs: Any):
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, fen: int) -> str:
        return str(to_yuan(fen))


# Fen of the database as yuan with two places, read only; a text, since a JSON number loses cents.
YuanField = extend_schema_field(
    {"type": "string", "format": "decimal", "pattern": r"^-?\d+\.\d{2}$", "example": "1234.56"}
)(_Yuan)


class ShallowJSONParser(JSONParser):
    """JSON; what is no JSON, or nested beyond all measure, is a wrong request and not our mistake."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise ParseError(_("The request is nested too deeply.")) from error
        except ParseError as error:
            where = str(error).partition(" - ")[2]
            raise ParseError(_("This is not JSON in UTF-8: %(where)s") % {"where": where[:200]}) from error


class ActorMixin(APIView):
    """Base of every view of the API: `class ClaimViews(ActorMixin, GenericViewSet)`.

    Gives `self.actor`, and does a POST that carries an `Idempotency-Key` once, whoever repeats it.
    """

    parser_classes = [ShallowJSONParser, MultiPartParser, FormParser]
    attempt: idempotency.Attempt | None = None

    @property
    def actor(self) -> Any:
        """The `accounts.actors.Actor` behind the request."""
        return self.request.actor  # type: ignore[attr-defined]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """With a key, everything the request writes and its stored answer commit together."""
        if request.method != "POST" or idempotency.HEADER not in request.headers:
            return super().dispatch(request, *args, **kwargs)
        for _turn in range(ATTEMPTS):
            self.attempt = idempotency.Attempt(request)
            with transaction.atomic():
                response = super().dispatch(request, *args, **kwargs)
                self.attempt.settle(response)
            if not self.attempt.lost_a_race:
                break
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After log-in, permission and rate limit, and before anything is done.

        Who has no role in the business gets nothing of it (LAW-09). Query parameters nobody reads are refused.
        """
        super().initial(request, *args, **kwargs)
        if not self.actor.may_see_cases:
            raise NotAllowed(
                _("This needs a role; ask an administrator for one."), code="role", rule="LAW-09"
            )
        if self.attempt is not None and self.actor.is_known:
            self.attempt.claim(self.actor.key)
        refuse_unknown_parameters(request)

    def handle_exception(self, exc: Exception) -> Response:
        if self.attempt is not None:
            self.attempt.error = exc
            if isinstance(exc, idempotency.Replay):
                return exc.response()  # type: ignore[return-value]
        return super().handle_exception(exc)


class StandardPagination(BasePagination):
    """Pages by number with `next` and `previous`, without a total.

    Counting a million rows for each page costs more than the page, so one row more than the page is
    read to know whether there is a next one. Rows are ordered to the last tie, so that none is
    skipped or shown twice.
    """

    page_size = 50
    max_page_size = 200
    deepest_row = 20_000

    request: Request
    page: int
    more: bool

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request = request
        self.page = self._number("page", default=1, highest=self.deepest_row)
        size = self._number("page_size", default=self.page_size, highest=self.max_page_size)
        first = (self.page - 1) * size
        if first >= self.deepest_row:
            raise InvalidInput(
                _("This page is too far down; narrow the filter."), field="page", code="page_too_deep"
            )
        ordered = _fully_ordered(queryset) if isinstance(queryset, QuerySet) else queryset
        rows = list(ordered[first : first + size + 1])
        self.more = len(rows) > size
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next_link, "previous": self.previous_link, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        sizes = {"page": self.deepest_row, "page_size": self.max_page_size}
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": str(_("Page number") if name == "page" else _("Rows per page")),
                "schema": {"type": "integer", "minimum": 1, "maximum": highest},
            }
            for name, highest in sizes.items()
        ]

    @cached_property
    def next_link(self) -> str | None:
        return self._link(self.page + 1) if self.more else None

    @cached_property
    def previous_link(self) -> str | None:
        return self._link(self.page - 1) if self.page > 1 else None

    def _link(self, page: int) -> str:
        here = self.request.build_absolute_uri()
        return remove_query_param(here, "page") if page == 1 else replace_query_param(here, "page", page)

    def _number(self, name: str, *, default: int, highest: int) -> int:
        text = self.request.query_params.get(name)
        if text is None:
            return default
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if not 1 <= number <= highest:
            message = _("Enter a whole number from 1 to %(highest)s.") % {"highest": highest}
            raise InvalidInput(message, field=name, code="invalid_page")
        return number


def _fully_ordered(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The queryset's own order, and the primary key where it leaves ties."""
    model: type[Model] = queryset.model
    default = model._meta.ordering if queryset.query.default_ordering else ()
    order = list(queryset.query.order_by or default or ())
    key = {"pk", model._meta.pk.name}
    if any(isinstance(name, str) and name.lstrip("-") in key for name in order):
        return queryset
    return queryset.order_by(*order, "pk")
