"""Who hears of what: rows in the transaction of the event, only for those who may see the case (LAW-09)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.actors import SYSTEM, Actor, actor_of_client
from apps.accounts.models import ApiClient
from apps.accounts.tests.factories import ApiClientFactory
from apps.accounts.visibility import sees, visible_to
from apps.cases.engine import perform_many
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.webhooks import actions, recording
from apps.webhooks.catalog import EVENTS, EVERYWHERE, INTERNAL, offered
from apps.webhooks.models import Delivery
from apps.webhooks.tests.conftest import SCOPES
from apps.webhooks.tests.receiver import Receiver

pytestmark = pytest.mark.django_db


def statements(captured: CaptureQueriesContext) -> list[str]:
    bracket = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(bracket)]


@pytest.mark.both_databases
def test_only_the_hospital_of_the_case_and_its_administrator_hear(listen: Any) -> None:
    world = World()
    every = {
        "PUB": ApiClientFactory(hospital="PUB", scopes=SCOPES),
        "CHC": ApiClientFactory(hospital="CHC", scopes=SCOPES),
        "2024's": ApiClientFactory(kind="TPA", tpa=world.handbook("2024").handbook.tpa, scopes=SCOPES),
        "another TPA": ApiClientFactory(kind="TPA", tpa="ELSEWHERE", scopes=SCOPES),
        "front end 2026": ApiClientFactory(kind="MEMBER_APP", hospital="", series=["2026"], scopes=SCOPES),
        "provider": ApiClientFactory(kind="PROVIDER", hospital="", scopes=SCOPES),
        "switched off": ApiClientFactory(hospital="PUB", scopes=SCOPES, active=False),
    }
    for client in every.values():
        listen("claim.reported", client=client)
    heard = {}
    for series in ("2024", "2026"):
        case = world.claim(series=series)
        heard[series] = {
            name
            for name, client in every.items()
            if Delivery.objects.filter(case=case, endpoint__client=client)
        }
    assert heard == {"2024": {"PUB", "2024's"}, "2026": {"PUB", "front end 2026"}}


def test_a_machine_that_may_not_read_cases_hears_nothing_of_them(world: World, listen: Any) -> None:
    endpoint = listen("claim.reported")
    ApiClient.objects.filter(pk=endpoint.client_id).update(scopes=["cards:read"])
    world.claim()
    assert not Delivery.objects.exists()


def test_in_memory_and_in_the_database_the_same_cases_are_seen() -> None:
    world = World()
    cases = [world.claim(series=series) for series in ("2024", "2026")]
    cases[0].hospital = None
    cases[0].save(update_fields=["hospital"])
    scopes: list[dict[str, Any]] = [
        {}, {"hospital": "PUB"}, {"hospital": "CHC"}, {"tpa": cases[0].tpa or "?"}, {"member": "M2026"},
        {"series": frozenset({"2024"})}, {"provider": "P"}, {"series": frozenset({"2026"}), "member": "M2024"},
    ]  # fmt: skip
    for scope in scopes:
        for roles in (frozenset(), frozenset({"intake"})):
            actor = Actor(label="x", user_id=1, roles=roles, **scope)
            stored = set(visible_to(CaseFile.objects.all(), actor).values_list("pk", flat=True))
            assert {case.pk for case in cases if sees(actor, case)} == stored, scope


def test_the_row_tells_the_step_and_is_gone_with_its_transaction(world: World, listen: Any) -> None:
    listen("claim.reported", "claim.withdrawn")
    case = world.claim()
    told = Delivery.objects.get()
    first = CaseFile.objects.get(pk=case.pk).events.order_by("seq").first()
    assert (told.event, told.seq, told.from_state, told.to_state) == ("claim.reported", 1, "", first.to_state)
    with transaction.atomic():
        world.do(case, "withdraw", by="intake", reason="家属撤回")
        assert Delivery.objects.filter(event="claim.withdrawn").count() == 1
        transaction.set_rollback(True)
    assert Delivery.objects.count() == 1


@pytest.mark.both_databases
def test_what_it_costs(world: World, listen: Any) -> None:
    """No statement while nobody wants the event, the same few for one case and for many."""

    def note(cases: list[CaseFile]) -> int:
        with CaptureQueriesContext(connection) as captured:
            perform_many(
                [case.number for case in cases],
                "withdraw",
                world.actor("intake"),
                data={"reason": "撤回报案"},
            )
        return len(statements(captured))

    cases = [world.claim(world.visit(department=f"科{n}")) for n in range(13)]
    note(cases[:1])  # whatever is read once a process
    without = note(cases[1:2]), note(cases[2:6])
    listen("claim.decided")
    recording.wanted()
    assert note(cases[6:7]) == without[0]
    for n in range(4):
        listen("claim.withdrawn", client=ApiClientFactory(name=f"端{n}", hospital="PUB", scopes=SCOPES))
    recording.wanted()
    with_them = note(cases[7:8]), note(cases[8:12])
    assert Delivery.objects.filter(event="claim.withdrawn").count() == 5 * 4
    assert with_them[0] - without[0] == with_them[1] - without[1] <= 3


def test_a_new_endpoint_is_known_with_its_commit(
    world: World,
    receiver: Receiver,
    machine: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """The token in the cache is what other processes see, too."""
    monkeypatch.setattr("apps.webhooks.actions.changed", recording.changed)
    world.claim()
    token = cache.get(recording.TOKEN)
    with django_capture_on_commit_callbacks(execute=True):
        endpoint, _secret = actions.create(SYSTEM, machine(), url=receiver.url, events=["claim.reported"])
        assert recording.wanted() == frozenset()
    assert cache.get(recording.TOKEN) != token
    assert recording.wanted() == {"claim.reported"}
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove(SYSTEM, endpoint)
    assert recording.wanted() == frozenset()


def test_an_emptied_cache_costs_no_statement(world: World, django_assert_num_queries: Any) -> None:
    recording.wanted()
    cache.clear()
    with django_assert_num_queries(0):
        recording.wanted()


def test_without_a_cache_no_event_is_missed(
    world: World, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("redis is away")

    assert recording.wanted() == frozenset()
    monkeypatch.setattr("apps.webhooks.recording.cache.get_or_set", down)
    monkeypatch.setattr("apps.webhooks.recording.cache.set", down)
    listen("claim.reported")
    world.claim()
    assert Delivery.objects.count() == 1


def test_a_suspended_endpoint_goes_on_collecting(world: World, listen: Any) -> None:
    endpoint = listen("claim.reported")
    actions.suspend(actor_of_client(endpoint.client), endpoint, reason="更换机房")
    world.claim()
    assert Delivery.objects.get().state == "QUEUED"


def test_every_event_of_the_house_is_in_the_catalog_or_named_internal() -> None:
    """And a name nobody emits would be a promise that is never kept."""
    for code, kind in KINDS.items():
        if code.endswith("_test"):  # other tests make kinds of their own
            continue
        own = Path(settings.BASE_DIR / kind.workflow.__module__.replace(".", "/")).parent
        events, emitted = {act.event or act.name for act in kind.actions.values()}, emitted_in(own)
        public, internal = set(EVENTS.get(code, {})), INTERNAL[code]
        beside = [
            one for one in KINDS if one != code and KINDS[one].workflow.__module__ == kind.workflow.__module__
        ]
        emitted -= {name for one in beside for name in (*EVENTS[one], *INTERNAL[one])} - public - internal
        assert not public & internal, (code, public & internal)
        unnamed = (events | emitted) - public - internal
        assert not unnamed, (code, unnamed, "new events: put them into webhooks.catalog, EVENTS or INTERNAL")
        assert public <= events | emitted, (code, public - events - emitted)
        assert internal - EVERYWHERE <= events | emitted, (code, internal - EVERYWHERE - events - emitted)
    assert all(name.count(".") == 1 for name in offered())


def emitted_in(folder: Path) -> set[str]:
    """Names that an app's code hands to `emit`, `open_case` or an action, also by way of a variable or a table."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        if "tests" in path.parts or path.name == "subscriptions.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                named = {getattr(node.func, "attr", ""), getattr(node.func, "id", "")}
                taken = [node.args[0]] if "emit" in named else []
                if named & {"Action", "open_case"}:
                    taken += [word.value for word in node.keywords if word.arg == "event"]
                found |= {name for one in taken for name in constants(one)}
            elif isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id in ("event", "CLOCKS") for target in node.targets
            ):
                found |= set(constants(node.value))
    return found


def constants(node: ast.expr) -> Iterator[str]:
    """Of a conditional both ways, not what it asks."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)
    elif isinstance(node, ast.Dict | ast.Tuple):
        for part in node.values if isinstance(node, ast.Dict) else node.elts:
            yield from constants(part)
