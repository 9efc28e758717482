"""What an operation of the API takes: the query parameters and fields that its OpenAPI document names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.settings import api_settings

from apps.core.errors import InvalidInput, InvalidInputs


def refuse_unknown_parameters(request: Request) -> None:
    """A misspelt filter would answer with every row: it is named, with those that are allowed.

    `InvalidInputs` (400, code `unknown_parameter`), one error for each unknown name.
    """
    match = getattr(request._request, "resolver_match", None)
    if match is None or not request.query_params or request.method == "OPTIONS":
        return
    allowed = parameters_of(match.func, "GET" if request.method == "HEAD" else str(request.method))
    if allowed is None:
        return
    unknown = [name for name in request.query_params if name not in allowed]
    if unknown:
        raise InvalidInputs([_error(name, sorted(allowed)) for name in unknown])


class EnvelopeSerializer(serializers.Serializer[Any]):
    """A body that is refused when it names more than its fields: what stands beside `input` would be passed over.

    `InvalidInputs` (400, code `unknown_field`), one error for each unknown name.
    """

    def to_internal_value(self, data: Any) -> Any:
        unknown = (
            [str(name)[:60] for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        )
        if unknown:
            words = _("Unknown field. Allowed here: %(allowed)s.") % {"allowed": ", ".join(self.fields)}
            raise InvalidInputs([InvalidInput(words, code="unknown_field", field=name) for name in unknown])
        return super().to_internal_value(data)


@lru_cache(maxsize=1000)
def parameters_of(callback: Any, method: str) -> frozenset[str] | None:
    """Names of the query parameters of a routed view; None where the method is not answered at all."""
    from drf_spectacular.generators import SchemaGenerator  # it needs the settings of the API, and they this

    actions = getattr(callback, "actions", None)
    if actions is not None and method.lower() not in actions:
        return None
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the view's schema lives as long as it
    view = generator.create_view(callback, method)  # type: ignore[no-untyped-call]
    schema = view.schema.__class__()  # its own: the view's may belong to all views of the class
    schema.view = view
    schema.registry, schema.method = ComponentRegistry(), method
    schema.path = schema.path_regex = schema.path_prefix = ""
    named = {one["name"] for one in schema._get_parameters() if one["in"] == "query"}
    return frozenset(named | {str(api_settings.URL_FORMAT_OVERRIDE)})


def _error(name: str, allowed: list[str]) -> InvalidInput:
    words = _("There is no parameter “%(name)s” here. Allowed: %(allowed)s.")
    return InvalidInput(
        words % {"name": name[:60], "allowed": ", ".join(allowed)},
        field=name[:60],
        code="unknown_parameter",
        data={"allowed": allowed},
    )
