"""A client manages its own endpoints and sees its own log; nobody sees or touches another's (LAW-09)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.actors import SYSTEM
from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of
from apps.claims.tests.world import World
from apps.webhooks import actions
from apps.webhooks.catalog import offered
from apps.webhooks.delivery import sweep
from apps.webhooks.models import Delivery, Endpoint, EndpointEvent
from apps.webhooks.signing import signature
from apps.webhooks.tests.conftest import SCOPES
from apps.webhooks.tests.receiver import Receiver

pytestmark = pytest.mark.django_db
ENDPOINTS, DELIVERIES = "/api/v1/webhook-endpoints/", "/api/v1/webhook-deliveries/"


def test_the_life_of_an_endpoint(world: World, receiver: Receiver) -> None:
    machine = ApiClientFactory(hospital="PUB", scopes=SCOPES)
    api = api_of(machine)
    names = api.get("/api/v1/webhook-events/").json()
    assert {row["name"] for row in names} == set(offered())
    assert {"name": "claim.decided", "words": "赔案 · 已决定"} in names
    made = api.post(ENDPOINTS, {"url": receiver.url, "events": ["claim.reported"], "contact": "it@h.example"})
    assert made.status_code == 201, made.json()
    uid, secret = made.json()["uid"], made.json()["secret"]
    (listed,) = api.get(ENDPOINTS).json()["results"]
    assert listed["uid"] == uid
    assert "secret" not in listed
    assert api.post(f"{ENDPOINTS}{uid}/ping/").status_code == 202
    case = world.claim()
    sweep()
    told = {request.json["type"]: request for request in receiver.got}
    assert told.keys() == {"ping", "claim.reported"}
    head, body = told["claim.reported"].headers, told["claim.reported"].body
    assert head["webhook-signature"] == signature(
        secret, head["webhook-id"], int(head["webhook-timestamp"]), body
    )
    (row,) = api.get(DELIVERIES, {"case": case.number}).json()["results"]
    assert (row["state"], row["event"], row["endpoint"]) == ("DELIVERED", "claim.reported", uid)
    detail = api.get(f"{DELIVERIES}{row['id']}/").json()
    assert [(one["status"], one["answer"]) for one in detail["log"]] == [(200, "done")]
    assert api.post(f"{DELIVERIES}{row['id']}/resend/", {"reason": "我方丢失了这条"}).status_code == 202
    sweep()
    assert receiver.ids.count(row["message_id"]) == 2
    changed = api.patch(f"{ENDPOINTS}{uid}/", {"events": ["claim.paid"], "language": "en"})
    assert (changed.json()["events"], changed.json()["language"]) == (["claim.paid"], "en")
    fresh = api.post(f"{ENDPOINTS}{uid}/rotate-secret/").json()["secret"]
    assert fresh != secret
    assert api.post(f"{ENDPOINTS}{uid}/suspend/", {"reason": "系统维护"}).json()["state"] == "SUSPENDED"
    assert api.post(f"{ENDPOINTS}{uid}/resume/").json()["state"] == "ACTIVE"
    assert api.post(f"{ENDPOINTS}{uid}/resume/").json()["code"] == "not_suspended"
    assert api.post(f"{ENDPOINTS}{uid}/resend-dead/", {"reason": "重新上线"}).json() == {"count": 0}
    assert api.delete(f"{ENDPOINTS}{uid}/").status_code == 204
    assert api.get(f"{ENDPOINTS}{uid}/").status_code == 404
    assert Endpoint.objects.get().secret == ""
    kinds = EndpointEvent.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == [
        "CREATED", "PINGED", "RESENT", "CHANGED", "ROTATED", "SUSPENDED", "RESUMED", "RESENT", "REMOVED",
    ]  # fmt: skip
    assert secret not in str(list(EndpointEvent.objects.values()))


def test_a_repeated_request_makes_one_endpoint(world: World, receiver: Receiver) -> None:
    api = api_of(ApiClientFactory(hospital="PUB", scopes=SCOPES))
    body = {"url": receiver.url, "events": ["claim.paid"]}
    first, second = (
        api.post(ENDPOINTS, body, headers={"Idempotency-Key": "k1"}).json() for _turn in range(2)
    )
    assert first == second
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"url": "http://10.0.0.5/", "events": ["claim.paid"]}, "url", "address_forbidden"),
        ({"url": "nonsense", "events": ["claim.paid"]}, "url", "https_needed"),
        ({"url": "https://h.example/", "events": ["claim.taken", "*"]}, "events", "unknown_event"),
        ({"url": "https://h.example/", "events": []}, "events", "required"),
        (
            {"url": "https://h.example/", "events": ["claim.paid"], "language": "fr"},
            "language",
            "invalid_choice",
        ),
        ({"url": "https://h.example/", "events": ["claim.paid"], "contact": "nobody"}, "contact", "invalid"),
    ],
)
def test_wrong_input_names_its_field_and_changes_nothing(
    world: World, body: dict[str, Any], field: str, code: str
) -> None:
    answer = api_of(ApiClientFactory(hospital="PUB", scopes=SCOPES)).post(ENDPOINTS, body)
    assert answer.status_code == 400
    assert (answer.json()["field"], answer.json()["code"]) == (field, code)
    assert not Endpoint.objects.exists()


def test_a_client_has_ten_endpoints_at_most(listen: Any) -> None:
    machine = ApiClientFactory(hospital="PUB", scopes=SCOPES)
    for _n in range(10):
        listen("claim.paid", client=machine)
    answer = api_of(machine).post(ENDPOINTS, {"url": "https://h.example/", "events": ["claim.paid"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many")


@pytest.mark.parametrize(
    "scope", [{"hospital": "PUB"}, {"hospital": "CHC"}, {"kind": "TPA", "tpa": "T1", "hospital": ""}]
)
def test_another_client_finds_nothing_of_it(world: World, listen: Any, scope: dict[str, Any]) -> None:
    """Not even a second machine of the same hospital: secrets and answers are each one's own."""
    endpoint = listen("claim.reported")
    world.claim()
    row = Delivery.objects.get()
    api = api_of(ApiClientFactory(scopes=SCOPES, **scope))
    assert api.get(ENDPOINTS).json()["results"] == api.get(DELIVERIES).json()["results"] == []
    assert api.get(f"{DELIVERIES}{row.pk}/").status_code == 404
    asked = {"reason": "想看一看这条", "url": "https://thief.example/"}
    assert api.get(f"{ENDPOINTS}{endpoint.uid}/").status_code == 404
    for method, path in (
        ("patch", ""), ("delete", ""), ("post", "ping/"), ("post", "rotate-secret/"), ("post", "suspend/"),
        ("post", "resend-dead/"),
    ):  # fmt: skip
        assert getattr(api, method)(f"{ENDPOINTS}{endpoint.uid}/{path}", asked).status_code == 404, path
    assert api.post(f"{DELIVERIES}{row.pk}/resend/", asked).status_code == 404
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.history.count()) == ("ACTIVE", 1)


def test_scopes_are_asked_for(world: World, listen: Any) -> None:
    endpoint = listen("claim.reported")
    reader = api_of(ApiClientFactory(hospital="PUB", scopes=["cases:read", "webhooks:read"]))
    writer = api_of(ApiClientFactory(hospital="PUB", scopes=["webhooks:write"]))
    body = {"url": "https://h.example/", "events": ["claim.paid"]}
    for api in (reader, writer):
        answer = api.post(ENDPOINTS, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert reader.get(ENDPOINTS).status_code == 200
    assert reader.post(f"{ENDPOINTS}{endpoint.uid}/ping/").status_code == 403
    assert writer.get(DELIVERIES).status_code == 403


def test_a_person_without_the_role_reads_no_log(world: World, listen: Any, client: Any) -> None:
    listen("claim.reported")
    world.claim()
    client.force_login(UserFactory(roles=["first_review"]))
    assert client.get(ENDPOINTS).json()["results"] == []
    assert client.get(DELIVERIES).json()["results"] == []
    client.force_login(UserFactory(roles=["manager"]))
    assert len(client.get(DELIVERIES).json()["results"]) == 1
    assert client.post(ENDPOINTS, {"url": "https://h.example/", "events": ["claim.paid"]}).status_code == 403


def test_what_is_on_its_way_or_a_test_is_not_sent_again(
    world: World, listen: Any, receiver: Receiver
) -> None:
    endpoint = listen("claim.reported")
    world.claim()
    api = api_of_endpoint(endpoint)
    row = Delivery.objects.get()
    answer = api.post(f"{DELIVERIES}{row.pk}/resend/", {"reason": "等得太久了"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sent")
    short = api.post(f"{DELIVERIES}{row.pk}/resend/", {"reason": "急"})
    assert (short.json()["field"], short.json()["code"]) == ("reason", "reason_required")
    ping = actions.ping(SYSTEM, endpoint)
    sweep()
    assert api.post(f"{DELIVERIES}{ping.pk}/resend/", {"reason": "再测试一次"}).status_code == 409


def api_of_endpoint(endpoint: Endpoint) -> Any:
    from apps.accounts.actions import rotate_api_key

    machine = endpoint.client
    machine.plain_key = rotate_api_key(SYSTEM, machine)  # type: ignore[attr-defined]
    return api_of(machine)
