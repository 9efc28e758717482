"""Every refusal has one shape; a wrong input is never a 500."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from django.utils.translation import override
from rest_framework import exceptions, serializers

from apps.core.api import exception_handler, page_not_found, server_error
from apps.core.errors import Blocked, Conflict, InvalidInput, InvalidInputs, NotAllowed, NotFound


class LineSerializer(serializers.Serializer):
    amount = serializers.DecimalField(max_digits=10, decimal_places=2)


class BillSerializer(serializers.Serializer):
    number = serializers.CharField()
    lines = LineSerializer(many=True)


def refusal(exc):
    with override("en"):
        response = exception_handler(exc, {})
    assert {"code", "message", "field", "rule"} <= set(response.data)
    return response


def validation(data):
    with override("en"):
        serializer = BillSerializer(data=data)
        serializer.is_valid()
        return exceptions.ValidationError(serializer.errors)


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (InvalidInput("no", field="amount"), 400, "invalid"),
        (NotAllowed("no"), 403, "not_allowed"),
        (Blocked("no", rule="RMB-20"), 409, "blocked"),
        (Conflict("no"), 409, "conflict"),
        (NotFound("no"), 404, "not_found"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "not_allowed"),
        (exceptions.PermissionDenied(), 403, "not_allowed"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
        (RequestDataTooBig(), 413, "request_too_large"),
        (DataError("numeric field overflow"), 400, "invalid_value"),
        (OverflowError("Python int too large"), 400, "invalid_value"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), 400, "invalid_value"),
        (IntegrityError("UNIQUE constraint failed: x.y"), 409, "race"),
    ],
)
def test_each_kind_of_refusal_has_status_and_code(exc, status, code):
    response = refusal(exc)
    assert (response.status_code, response.data["code"]) == (status, code)
    assert response.data["message"]


def test_a_domain_error_keeps_field_rule_and_data():
    error = Blocked("limit", field="amount", rule="PLAN-03", data={"left": "12.00"}, code="over_limit")
    assert refusal(error).data == {
        "code": "over_limit",
        "message": "limit",
        "field": "amount",
        "rule": "PLAN-03",
        "data": {"left": "12.00"},
    }


def test_nested_mistakes_are_named_by_their_path():
    body = refusal(validation({"lines": [{"amount": "1.00"}, {"amount": "x"}, {}]})).data
    assert [(one["field"], one["code"]) for one in body["errors"]] == [
        ("number", "required"),
        ("lines.1.amount", "invalid"),
        ("lines.2.amount", "required"),
    ]
    assert body["field"] == "number"


def test_a_single_mistake_needs_no_list():
    body = refusal(validation({"number": "1", "lines": "text"})).data
    assert (body["field"], body["code"]) == ("lines", "not_a_list")
    assert "errors" not in body


def test_several_domain_errors_are_all_listed():
    body = refusal(
        InvalidInputs([InvalidInput("a", field="x"), InvalidInput("b", field="y", rule="R-1")])
    ).data
    assert [one["field"] for one in body["errors"]] == ["x", "y"]
    assert body["errors"][1]["rule"] == "R-1"


def test_a_model_that_refuses_names_its_fields():
    body = refusal(
        ValidationError({"tpa": [ValidationError("no", code="required")], "__all__": ["both"]})
    ).data
    assert [(one["field"], one["code"]) for one in body["errors"]] == [("tpa", "required"), ("", "invalid")]


def test_too_many_requests_say_when_to_come_back():
    response = refusal(exceptions.Throttled(wait=12.3))
    assert response.headers["Retry-After"] == "13"
    assert (response.data["code"], response.data["data"]) == ("throttled", {"wait_seconds": 13})


def test_a_busy_database_asks_to_try_again():
    response = refusal(OperationalError("database is locked"))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


def test_our_own_mistakes_stay_500():
    assert exception_handler(ValueError("bug"), {}) is None
    assert exception_handler(IntegrityError("NOT NULL constraint failed"), {}) is None


def test_unknown_addresses_and_crashes_under_api_answer_in_the_same_shape(rf):
    lost = page_not_found(rf.get("/api/v1/nothing/"), Http404())
    crashed = server_error(rf.get("/api/v1/claims/"))
    assert (lost.status_code, crashed.status_code) == (404, 500)
    assert b'"not_found"' in lost.content
    assert b'"server_error"' in crashed.content
    assert page_not_found(rf.get("/nothing/"), Http404())["Content-Type"].startswith("text/html")
