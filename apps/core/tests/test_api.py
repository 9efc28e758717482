"""Keyed POSTs are done once; pages are complete without being counted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, OperationalError, connection
from django.urls import path
from django.utils import timezone
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer

from apps.accounts.models import Team
from apps.accounts.tests.factories import ApiClientFactory, TeamFactory, UserFactory, api_of, web_of
from apps.core.api import ActorMixin
from apps.core.api_filters import Ordering
from apps.core.errors import Blocked
from apps.core.idempotency import LIFETIME, forget_old
from apps.core.models import IdempotencyRecord
from apps.core.tasks import forget_idempotency_records

CRASH: list[Exception] = []


class TeamSerializer(ModelSerializer):
    class Meta:
        model = Team
        fields = ["code", "name"]


class TeamView(ActorMixin, ListAPIView):
    """A view like those of the house: makes a team, and may fail after having made it."""

    serializer_class = TeamSerializer
    queryset = Team.objects.order_by("name")
    filter_backends = [Ordering]
    ordering_fields = ["code", "name"]

    def post(self, request):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        team = serializer.save()
        if CRASH:
            raise CRASH.pop(0)
        size = sum(file.size for file in request.FILES.values())
        return Response({"id": team.pk, "by": self.actor.label, "size": size}, status=201)


urlpatterns = [path("api/v1/teams/", TeamView.as_view())]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
URL = "/api/v1/teams/"
BODY = {"code": "t1", "name": "理赔一组"}


@pytest.fixture(autouse=True)
def _nothing_left_over():
    CRASH.clear()


@pytest.fixture
def api():
    return api_of(ApiClientFactory(name="协和医院"))


def post(api, body=BODY, key="k-1", **kwargs):
    return api.post(URL, body, format=kwargs.pop("format", "json"), HTTP_IDEMPOTENCY_KEY=key, **kwargs)


def test_the_same_request_again_gets_the_stored_answer(api):
    first, second = post(api), post(api)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert "协和医院" in second.content.decode()
    assert second["Content-Type"] == first["Content-Type"]
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Team.objects.count() == 1


def test_the_stored_answer_is_not_readable_in_the_database(api):
    post(api)
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM core_idempotencyrecord")
        (body,) = cursor.fetchone()
    assert "by" not in body.split(":", 1)[0]
    assert "协和" not in body


def test_another_body_under_the_same_key_is_refused(api):
    post(api)
    second = post(api, {"code": "t2", "name": "理赔二组"})
    assert second.status_code == 422
    assert (second.json()["code"], second.json()["field"]) == ("idempotency_mismatch", "Idempotency-Key")
    assert Team.objects.count() == 1


def test_another_address_under_the_same_key_is_refused(api):
    post(api)
    assert api.post(f"{URL}?x=1", BODY, format="json", HTTP_IDEMPOTENCY_KEY="k-1").status_code == 422


def test_keys_belong_to_their_actor(api):
    post(api)
    other = post(api_of(ApiClientFactory()), {"code": "t2", "name": "理赔二组"})
    assert other.status_code == 201


def test_people_with_a_session_have_keys_too():
    web = web_of(UserFactory(roles=["intake"]))
    answers = [
        web.post(URL, BODY, content_type="application/json", headers={"Idempotency-Key": "k"}) for _ in "12"
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Team.objects.count() == 1


def test_without_a_key_each_request_counts(api):
    assert api.post(URL, BODY, format="json").status_code == 201
    assert api.post(URL, BODY, format="json").status_code == 400
    assert not IdempotencyRecord.objects.exists()


def test_strangers_store_nothing(client):
    answer = client.post(URL, BODY, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 401
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "键", "a\tb"])
def test_a_key_that_is_none_is_refused(api, key):
    answer = post(api, key=key.encode().decode("latin-1"))
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key")


def test_a_refusal_changes_nothing_and_may_be_tried_again(api):
    CRASH.append(Blocked("not yet", rule="C12"))
    refused = post(api)
    assert (refused.status_code, refused.json()["rule"]) == (409, "C12")
    assert not Team.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert post(api).status_code == 201


def test_a_crash_leaves_neither_half_and_may_be_tried_again(api):
    CRASH.append(RuntimeError("power cut"))
    with pytest.raises(RuntimeError):
        post(api)
    assert not Team.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert post(api).status_code == 201


def test_a_lost_race_is_run_again_at_once(api):
    CRASH.extend([OperationalError("deadlock detected")] * 2)
    assert post(api).status_code == 201
    assert Team.objects.count() == 1


def test_a_database_that_stays_busy_says_so(api):
    CRASH.extend([OperationalError("deadlock detected")] * 3)
    answer = post(api)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert not Team.objects.exists()


def test_an_error_of_the_database_leaves_the_connection_usable(api):
    CRASH.append(IntegrityError("UNIQUE constraint failed: x.y"))
    assert post(api).status_code == 409
    assert post(api).status_code == 201


def test_files_are_compared_by_content_not_by_boundary(api):
    def body(content):
        return {**BODY, "scan": SimpleUploadedFile("bill.pdf", content, content_type="application/pdf")}

    first, second = (post(api, body(b"%PDF-1"), format="multipart") for _ in "12")
    assert first.json()["size"] == 6
    assert second.content == first.content
    assert post(api, body(b"%PDF-2"), format="multipart").status_code == 422


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_broken_body_is_a_400(api, content_type):
    answer = api.generic("POST", URL, "{broken", content_type=content_type, HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 400


def test_an_answer_is_kept_for_two_days(api):
    with time_machine.travel(timezone.now() - LIFETIME - timedelta(minutes=1)):
        post(api)
    again = post(api, {"code": "t2", "name": "理赔二组"})
    assert again.status_code == 201
    assert IdempotencyRecord.objects.count() == 1


def test_housekeeping_forgets_the_old_ones_only(api):
    with time_machine.travel(timezone.now() - LIFETIME - timedelta(minutes=1)):
        post(api, key="old")
    post(api, {"code": "t2", "name": "理赔二组"}, key="new")
    assert forget_idempotency_records() == 1
    assert forget_old() == 0
    assert IdempotencyRecord.objects.get().key == "new"


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_duplicates_at_the_same_moment_are_done_once():
    machine = ApiClientFactory()

    def send(_n):
        try:
            return post(api_of(machine))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Team.objects.count() == 1


def test_pages_show_every_row_once_even_where_the_order_has_ties(api):
    TeamFactory.create_batch(7, name="同名")
    seen, url = [], f"{URL}?page_size=3"
    while url:
        page = api.get(url).json()
        seen += [row["code"] for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 7
    assert "count" not in page
    assert api.get(f"{URL}?page=2&page_size=3").json()["previous"].endswith("?page_size=3")


@pytest.mark.parametrize("rows", [1, 60])
def test_a_page_is_one_query_however_long_the_list(api, rows, django_assert_num_queries):
    TeamFactory.create_batch(rows)
    api.get(URL)
    with django_assert_num_queries(2):  # the key, the page
        assert len(api.get(URL).json()["results"]) == min(rows, 50)


@pytest.mark.parametrize(
    ("query", "field"),
    [("page=0", "page"), ("page=x", "page"), ("page_size=201", "page_size"), ("page=９", "page"),
     ("page=500&page_size=200", "page"), (f"page={10**30}", "page")],
)  # fmt: skip
def test_a_wrong_page_is_named(api, query, field):
    answer = api.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    ("query", "code", "fields", "allowed"),
    [("nmae=a&page=1&x=2", "unknown_parameter", ["nmae", "x"], ["format", "ordering", "page", "page_size"]),
     ("ordering=-code,size", "unknown_ordering", ["ordering"], ["code", "name"]),
     ("ordering=--code", "unknown_ordering", ["ordering"], ["code", "name"])],
)  # fmt: skip
def test_what_no_list_reads_is_named_with_what_is_allowed(api, query, code, fields, allowed):
    answer = api.get(f"{URL}?{query}", HTTP_ACCEPT_LANGUAGE="zh-CN")
    refused = answer.json()
    assert (answer.status_code, refused["code"]) == (400, code)
    assert [one["field"] for one in refused.get("errors", [refused])] == fields
    assert all(", ".join(allowed) in one["message"] for one in refused.get("errors", [refused]))


def test_lists_are_ordered_as_asked(api):
    TeamFactory(code="a", name="乙"), TeamFactory(code="b", name="甲")
    rows = api.get(f"{URL}?ordering=-code,name&format=json&page_size=9").json()["results"]
    assert [row["code"] for row in rows] == ["b", "a"]


def test_a_write_with_a_misspelt_parameter_writes_nothing(api):
    assert api.post(f"{URL}?hopsital=PUB", BODY, format="json").json()["field"] == "hopsital"
    assert not Team.objects.exists()
