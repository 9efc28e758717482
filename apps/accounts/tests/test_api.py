"""Keys of machines, scopes, and people at the API."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import path
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from apps.accounts.api import HasScope, IsKnownActor, required_scopes
from apps.accounts.models import ApiClient
from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, web_of
from apps.core.api import ActorMixin


class WhoView(ActorMixin):
    required_scopes = {"read": "who:read", "write": ["who:read", "who:write"]}

    def get(self, request) -> Response:
        return Response({"label": self.actor.label, "roles": sorted(request.actor.roles)})

    def post(self, request) -> Response:
        return Response({}, status=201)


class UndeclaredView(ActorMixin):
    def get(self, request) -> Response:
        return Response({})


class StrictView(UndeclaredView):
    permission_classes = [HasScope]


urlpatterns = [
    path("api/v1/who/", WhoView.as_view()),
    path("api/v1/undeclared/", UndeclaredView.as_view()),
    path("api/v1/strict/", StrictView.as_view()),
]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
WHO = "/api/v1/who/"


def with_header(value):
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=value)
    return api.get(WHO)


def test_a_machine_with_its_key_is_known():
    answer = api_of(ApiClientFactory(name="协和医院", scopes=["who:read"])).get(WHO)
    assert answer.json() == {"label": "协和医院", "roles": ["api_hospital"]}


def test_a_person_with_a_session_is_known_without_scopes():
    answer = web_of(UserFactory(name="陈晨", roles=["intake"])).get(WHO)
    assert answer.json() == {"label": "陈晨", "roles": ["intake"]}


def test_strangers_are_asked_for_a_key():
    answer = APIClient().get(WHO)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Api-Key")
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "header",
    ["Api-Key", "Api-Key ", "Api-Key x", "Api-Key .", "Api-Key a.b", "Api-Key a.", "api-key é.ü"],
)
def test_what_is_no_key_is_refused(header):
    answer = with_header(header)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_key")


def test_another_scheme_is_not_ours():
    assert with_header("Bearer abc").json()["code"] == "not_authenticated"


def test_the_right_prefix_with_a_wrong_secret_is_refused():
    client = ApiClientFactory()
    assert with_header(f"Api-Key {client.prefix}.{'a' * 48}").json()["code"] == "unknown_key"
    assert with_header(f"Api-Key {client.plain_key}x").json()["code"] == "unknown_key"


def test_a_machine_switched_off_or_expired_is_refused():
    off = ApiClientFactory(active=False)
    expired = ApiClientFactory(expires_at=timezone.now() - timedelta(seconds=1))
    assert with_header(f"Api-Key {off.plain_key}").json()["code"] == "inactive_key"
    assert with_header(f"Api-Key {expired.plain_key}").json()["code"] == "expired_key"


def test_of_a_wrong_secret_nothing_is_said_about_the_machine():
    off = ApiClientFactory(active=False)
    assert with_header(f"Api-Key {off.prefix}.{'a' * 48}").json()["code"] == "unknown_key"


def test_another_pepper_makes_all_keys_worthless(settings):
    api = api_of(ApiClientFactory(scopes=["who:read"]))
    settings.API_KEY_PEPPER = "another"
    assert api.get(WHO).status_code == 401


def test_use_is_noted_once_a_minute(django_assert_num_queries):
    machine = ApiClientFactory(scopes=["who:read"])
    api = api_of(machine)
    with time_machine.travel("2026-10-09 10:00:00+00:00", tick=False) as clock:
        with django_assert_num_queries(2):
            api.get(WHO)
        first = ApiClient.objects.get().last_used_at
        assert first == timezone.now()
        clock.shift(59)
        with django_assert_num_queries(1):
            api.get(WHO)
        assert ApiClient.objects.get().last_used_at == first
        clock.shift(2)
        api.get(WHO)
        assert ApiClient.objects.get().last_used_at == timezone.now()


@pytest.mark.parametrize(
    ("scopes", "method", "status"),
    [
        (["who:read"], "get", 200),
        (["who:read"], "head", 405),
        (["who:read"], "post", 403),
        (["who:read", "who:write"], "post", 201),
        (["other:read"], "get", 403),
    ],
)
def test_scopes_bind_machines(scopes, method, status):
    answer = getattr(api_of(ApiClientFactory(scopes=scopes)), method)(WHO)
    if method == "head":
        assert answer.status_code in (200, status)
        return
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "missing_scope"


def test_a_view_without_scopes_is_open_unless_it_is_strict():
    api = api_of(ApiClientFactory())
    assert api.get("/api/v1/undeclared/").status_code == 200
    assert api.get("/api/v1/strict/").status_code == 403
    assert web_of(UserFactory(roles=["intake"])).get("/api/v1/strict/").status_code == 200
    assert web_of(UserFactory()).get("/api/v1/undeclared/").status_code == 403  # LAW-09: no role, no data


@pytest.mark.parametrize(
    ("declared", "method", "action", "expected"),
    [
        ("a", "GET", None, {"a"}),
        (["a", "b"], "POST", None, {"a", "b"}),
        ({"perform": "p", "write": "w"}, "POST", "perform", {"p"}),
        ({"perform": "p", "write": "w"}, "POST", "create", {"w"}),
        ({"post": "x", "write": "w"}, "POST", None, {"x"}),
        ({"write": "w"}, "GET", None, None),
    ],
)
def test_the_most_particular_declaration_counts(declared, method, action, expected):
    view = APIView()
    view.required_scopes, view.action = declared, action
    assert required_scopes(view, method) == expected


def test_the_permission_works_without_middleware():
    view = APIView()
    request = view.initialize_request(APIRequestFactory().get("/"))
    assert not IsKnownActor().has_permission(request, view)
    request.user = UserFactory()
    assert IsKnownActor().has_permission(request, view)


def test_the_roles_are_asked_for_once_a_request(django_assert_num_queries):
    web = web_of(UserFactory())
    with django_assert_num_queries(3):  # session, user, roles
        web.get(WHO)


def test_the_schema_describes_key_refusals_and_idempotency():
    schema = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)
    from apps.core.schema import document_refusals

    schema = document_refusals(schema, None, None, True)
    assert schema["components"]["securitySchemes"]["apiKey"]["name"] == "Authorization"
    post = schema["paths"][WHO]["post"]
    assert {"400", "401", "403", "409", "422", "429"} <= set(post["responses"])
    assert "Idempotency-Key" in {one["name"] for one in post["parameters"]}
    assert "422" not in schema["paths"][WHO]["get"]["responses"]
