"""Deliveries against a real server: what it answers, in which order, twice at once, killed in the middle."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import jsonschema
import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.accounts.models import ApiClient
from apps.accounts.tests.factories import ApiClientFactory
from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.messaging.models import Message
from apps.webhooks import actions, delivery, signing
from apps.webhooks.delivery import LEASE, MOST_ATTEMPTS, PAUSES, deliver_all, sweep
from apps.webhooks.models import Attempt, Delivery, Endpoint, EndpointEvent
from apps.webhooks.tests.conftest import SCOPES
from apps.webhooks.tests.receiver import Receiver, endless, hanging_up, redirect

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 16, 10, 0, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def clock() -> Iterator[Any]:
    """Stands still until a test moves it."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def example() -> Any:
    """The receiver's function from the documentation, run as it is printed there."""
    page = (django_settings.BASE_DIR / "docs/webhooks.md").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], names)
    return names["verified"]


def withdrawn(world: World, case: CaseFile) -> CaseFile:
    return world.do(case, "withdraw", by="intake", reason="家属撤回", now=timezone.now())


# --- What arrives -----------------------------------------------------------------------------


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification."""
    secret, sent_at, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330, b'{"test": 2432232314}'
    signed = signing.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", sent_at, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "已报案"), ("en", "reported")])
@pytest.mark.both_databases
def test_a_receiver_verifies_and_reads_it_by_the_documentation(
    world: World, listen: Any, receiver: Receiver, language: str, words: str
) -> None:
    endpoint = listen("claim.reported", language=language)
    case = world.claim(now=timezone.now())
    assert sweep() == 1
    (request,) = receiver.got
    verified = example()
    assert verified(endpoint.secret, request.headers, request.body)
    assert not verified(signing.new_secret(), request.headers, request.body)
    assert not verified(endpoint.secret, request.headers, request.body.replace(b"reported", b"refused"))
    schema = json.loads((django_settings.BASE_DIR / "docs/schemas/webhook.v1.schema.json").read_text("utf-8"))
    jsonschema.validate(request.json, schema, format_checker=jsonschema.FormatChecker())
    data = request.json["data"]
    assert (request.json["type"], data["case"], data["version"]) == ("claim.reported", case.number, 1)
    assert data["from"] is None
    assert data["to"]["code"]
    assert data["link"].endswith(f"/api/v1/cases/{case.number}/")
    text = request.body.decode()
    assert words in text
    for personal in ("王小明", "王建国", "13800138000", "M2026", "P-M2026", "急性", "800.00"):
        assert personal not in text
    log = Attempt.objects.get()
    assert (log.status, log.answer, log.delivery.state) == (200, "done", "DELIVERED")


def test_during_a_rotation_both_secrets_verify(
    world: World, listen: Any, receiver: Receiver, clock: Any
) -> None:
    endpoint = listen("claim.reported")
    former = endpoint.secret
    fresh = actions.rotate_secret(SYSTEM, endpoint)
    for hours, good in ((1, {former, fresh}), (25, {fresh})):
        clock.move_to(NOW + timedelta(hours=hours))
        world.claim(world.visit(department=f"科{hours}"), now=timezone.now())
        sweep()
        sent = receiver.got[-1]
        signed = f"{sent.headers['webhook-id']}.{sent.headers['webhook-timestamp']}.".encode() + sent.body
        digests = {
            secret: "v1," + base64.b64encode(
                hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
            ).decode()
            for secret in (former, fresh)
        }  # fmt: skip
        assert set(sent.headers["webhook-signature"].split(" ")) == {digests[secret] for secret in good}
    delivery.forget_old(timezone.now())
    endpoint.refresh_from_db()
    assert endpoint.previous_secret == ""
    assert endpoint.secret == fresh


def test_secrets_are_encrypted_in_the_table(listen: Any) -> None:
    endpoint = listen()
    actions.rotate_secret(SYSTEM, endpoint)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, previous_secret FROM webhooks_endpoint")
        stored = str(cursor.fetchall())
    assert "whsec_" not in stored
    assert endpoint.secret[6:20] not in stored


# --- What goes wrong --------------------------------------------------------------------------


def slow(handler: Any) -> None:
    threading.Event().wait(1.0)


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        pytest.param(500, 500, "HTTP 500", id="error"),
        pytest.param(redirect, 302, "HTTP 302", id="redirect"),
        pytest.param(slow, None, "timeout", id="slow"),
        pytest.param(hanging_up, None, "ServerDisconnectedError", id="hangs up"),
    ],
)
def test_what_is_not_taken_is_tried_again(
    world: World, listen: Any, receiver: Receiver, answer: Any, status: Any, words: str
) -> None:
    receiver.script["*"] = [answer, 200]
    listen("claim.reported")
    world.claim(now=timezone.now())
    sweep()
    row, log = Delivery.objects.get(), Attempt.objects.get()
    assert (row.state, row.attempts, log.status) == ("QUEUED", 1, status)
    assert row.error.startswith(words)
    assert PAUSES[0] * 0.9 < row.next_attempt_at - log.at < PAUSES[0] * 1.1 + timedelta(seconds=3)
    assert [request.path for request in receiver.got] == ["/hook"]
    assert Endpoint.objects.get().failures == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        sweep()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("DELIVERED", 2)
    assert len(set(receiver.ids)) == 1
    assert Endpoint.objects.get().failures == 0


def test_of_a_big_answer_only_the_beginning_is_read(world: World, listen: Any, receiver: Receiver) -> None:
    receiver.script["*"] = [endless]
    listen("claim.reported")
    world.claim(now=timezone.now())
    sweep()
    log = Attempt.objects.get()
    assert (log.status, log.delivery.state) == (200, "DELIVERED")
    assert log.answer == "x" * 1000


@pytest.mark.both_databases
def test_who_never_answers_is_suspended_after_days_and_told(world: World, listen: Any, clock: Any) -> None:
    """Nothing is lost: after the resume what waited goes out."""
    endpoint = listen("claim.reported", url="http://localhost:9/", contact="it@hospital.example")
    world.claim(now=timezone.now())
    tried = 0
    while Endpoint.objects.get().state == "ACTIVE":
        sweep()
        tried += 1
        row = Delivery.objects.get()
        assert row.attempts <= MOST_ATTEMPTS
        assert tried < 40
        endpoint = Endpoint.objects.get()
        clock.move_to(
            max(row.next_attempt_at or timezone.now(), endpoint.resting_until or timezone.now())
            + timedelta(seconds=1)
        )
    assert timedelta(days=3) <= endpoint.suspended_at - endpoint.failing_since < timedelta(days=5)
    assert EndpointEvent.objects.filter(kind="SUSPENDED", actor_label="system").count() == 1
    told = Message.objects.get(template="webhook_suspended")
    assert told.recipient == "it@hospital.example"
    assert endpoint.url in told.body
    assert "暂停" in told.body
    sweep()
    assert Delivery.objects.get().attempts == tried


def test_gone_suspends_at_once(world: World, listen: Any, receiver: Receiver) -> None:
    receiver.script["*"] = [410]
    endpoint = listen("claim.reported")
    world.claim(now=timezone.now())
    world.claim(world.visit(department="眼科"), now=timezone.now())
    sweep()
    assert len(receiver.got) == 1
    endpoint.refresh_from_db()
    assert endpoint.state == "SUSPENDED"
    assert "410" in endpoint.suspended_for
    receiver.script["*"] = [200]
    actions.resume(SYSTEM, endpoint)
    sweep()
    assert list(Delivery.objects.values_list("state", flat=True)) == ["DELIVERED", "DELIVERED"]


def test_after_all_attempts_it_is_given_up_and_sent_again_by_hand(
    world: World, listen: Any, receiver: Receiver, clock: Any
) -> None:
    """A message that only one case cannot deliver: the endpoint stays, the contact is told once a day."""
    endpoint = listen("claim.reported", contact="it@hospital.example")
    cases = [world.claim(world.visit(department=f"科{n}"), now=timezone.now()) for n in range(3)]
    poisoned = [f"{case.number}.1.reported" for case in cases[:2]]
    receiver.script = {name: [500] for name in poisoned}
    waited = []
    for _turn in range(MOST_ATTEMPTS):
        sweep()
        row = Delivery.objects.filter(message_id__in=poisoned).order_by("-next_attempt_at").first()
        Endpoint.objects.update(failing_since=timezone.now())  # others are delivered meanwhile
        if row.next_attempt_at:
            waited.append(row.next_attempt_at - timezone.now())
            clock.move_to(row.next_attempt_at)
    assert [PAUSES[n] <= pause <= PAUSES[n] * 1.1 for n, pause in enumerate(waited)] == [True] * len(PAUSES)
    states = dict(Delivery.objects.values_list("message_id", "state"))
    assert [states.pop(name) for name in poisoned] == ["DEAD", "DEAD"]
    assert set(states.values()) == {"DELIVERED"}
    assert Message.objects.filter(template="webhook_dead").count() == 1
    receiver.script.clear()
    assert actions.resend_dead(SYSTEM, endpoint, reason="对方系统已修复") == 2
    sweep()
    assert not Delivery.objects.exclude(state="DELIVERED").exists()
    assert Attempt.objects.filter(delivery__message_id=poisoned[0]).count() == MOST_ATTEMPTS + 1


# --- Order ------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_later_event_of_a_case_waits_and_other_cases_do_not(
    world: World, listen: Any, receiver: Receiver, clock: Any
) -> None:
    listen("claim.reported", "claim.withdrawn", "claim.closed")
    first, second = (world.claim(world.visit(department=f"科{n}"), now=timezone.now()) for n in range(2))
    receiver.script[f"{first.number}.1.reported"] = [500, 500, 200]
    for case in (first, second):
        withdrawn(world, case)
    assert Delivery.objects.filter(case=first).count() > 2
    sweep()
    assert [name for name in receiver.ids if name.startswith(first.number)] == [f"{first.number}.1.reported"]
    assert Delivery.objects.filter(case=second, state="DELIVERED").count() == 3
    for _turn in range(2):
        clock.shift(timedelta(hours=1))
        sweep()
    mine = [name for name in receiver.ids if name.startswith(first.number)]
    expected = list(Delivery.objects.filter(case=first).order_by("pk").values_list("message_id", flat=True))
    assert mine == [expected[0]] * 2 + expected


def test_a_given_up_event_lets_the_later_ones_go(world: World, listen: Any, receiver: Receiver) -> None:
    listen("claim.reported", "claim.withdrawn")
    case = world.claim(now=timezone.now())
    Delivery.objects.update(attempts=MOST_ATTEMPTS - 1)
    receiver.script[f"{case.number}.1.reported"] = [503]
    withdrawn(world, case)
    sweep()
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["DEAD", "DELIVERED"]


# --- Workers ----------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_what_a_killed_worker_left_goes_out_after_its_lease(
    world: World, listen: Any, receiver: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the receiver had it: sent again, under the same id."""
    endpoint = listen("claim.reported")
    world.claim(now=timezone.now())

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_settle", killed)
        with pytest.raises(KeyboardInterrupt):
            deliver_all(endpoint.pk)
    Endpoint.objects.update(busy_until=timezone.now() + LEASE)  # nor did it release the endpoint
    assert Delivery.objects.get().state == "SENDING"
    sweep()
    assert len(receiver.got) == 1
    clock.shift(LEASE + timedelta(seconds=1))
    sweep()
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("DELIVERED", 2)
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_two_workers_at_once_send_everything_once_and_in_order(listen: Any, receiver: Receiver) -> None:
    world = World("2026")
    endpoint = listen("claim.reported", "claim.withdrawn")
    cases = [world.claim(world.visit(department=f"科{n}"), now=timezone.now()) for n in range(3)]
    for case in cases:
        withdrawn(world, case)
    keys = list(Delivery.objects.values_list("pk", flat=True))
    start = threading.Barrier(4)

    def work(single: bool) -> None:
        """Two by the endpoint's lease, two past it: the rows themselves are claimed once."""
        start.wait()
        try:
            for _turn in range(3):
                if single:
                    for key in keys:
                        delivery.deliver(key)
                else:
                    deliver_all(endpoint.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(single,)) for single in (True, True, False, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweep()
    assert sorted(receiver.ids) == sorted(Delivery.objects.values_list("message_id", flat=True))
    for case in cases:
        own = [name for name in receiver.ids if name.startswith(case.number)]
        assert own == [f"{case.number}.1.reported", own[1]]
        assert own[1].endswith("withdrawn")


def test_one_slow_endpoint_holds_one_worker_and_then_rests(
    world: World, listen: Any, receiver: Receiver
) -> None:
    """Two silences in a row, and the rest of what waits for it costs nobody any time."""
    receiver.script["*"] = [slow]
    endpoint = listen("claim.reported")
    for n in range(6):
        world.claim(world.visit(department=f"科{n}"), now=timezone.now())
    deliver_all(endpoint.pk)
    assert len(receiver.got) == 2
    assert not delivery.due(timezone.now()).exists()
    endpoint.refresh_from_db()
    assert endpoint.resting_until > timezone.now() + timedelta(seconds=10)
    receiver.script["*"] = [200]
    with time_machine.travel(endpoint.resting_until + timedelta(seconds=1)):
        sweep()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"DELIVERED"}


# --- Asked again before sending ---------------------------------------------------------------


def test_what_the_client_may_no_longer_see_is_not_sent(world: World, listen: Any, receiver: Receiver) -> None:
    client = ApiClientFactory(hospital="PUB", scopes=SCOPES)
    listen("claim.reported", client=client)
    world.claim(now=timezone.now())
    ApiClient.objects.filter(pk=client.pk).update(hospital="CHC")
    sweep()
    assert Delivery.objects.get().state == "CANCELED"
    assert not receiver.got


def test_a_client_switched_off_gets_nothing_until_it_is_on_again(
    world: World, listen: Any, receiver: Receiver
) -> None:
    endpoint = listen("claim.reported")
    world.claim(now=timezone.now())
    ApiClient.objects.filter(pk=endpoint.client_id).update(active=False)
    sweep()
    assert not receiver.got
    ApiClient.objects.filter(pk=endpoint.client_id).update(active=True)
    sweep()
    assert len(receiver.got) == 1


def test_old_deliveries_are_forgotten_and_the_events_stay(
    world: World, listen: Any, receiver: Receiver
) -> None:
    listen("claim.reported")
    case = world.claim(now=timezone.now())
    sweep()
    assert delivery.forget_old() == 0
    assert delivery.forget_old(timezone.now() + timedelta(days=181)) == 1
    assert not Attempt.objects.exists()
    assert case.events.exists()
