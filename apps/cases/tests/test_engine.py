"""The one door: what it refuses, what it leaves behind, and what it costs (C11)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import Role, User
from apps.accounts.tests.factories import make_actor, make_machine
from apps.cases import subscribers
from apps.cases.context import Ctx
from apps.cases.engine import open_case, perform, perform_many
from apps.cases.kinds import Action
from apps.cases.models import CaseEvent, CaseFile, ExternalNumber
from apps.claims.actions import KIND
from apps.claims.tests.world import World, events
from apps.claims.workflow import STATES, ClaimFlow
from apps.core.errors import Blocked, Conflict, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.ledger.actions import LimitSpec, Use, lock_limits, money_account, post_money, use_limits
from apps.members.models import Policy
from tests.api import rows_of_every_table

pytestmark = pytest.mark.both_databases
ADJUSTER = frozenset({"first_review"})


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give claims one more action, `probe`, that does what the test says."""

    def add(handler: Callable[[Ctx[Any]], None], **options: Any) -> None:
        action: Action[Any] = Action(
            "probe", "probe", ADJUSTER, handler, states=frozenset(STATES), system=True
        )
        monkeypatch.setitem(KIND.actions, "probe", replace(action, **options))

    return add


def book_everything(ctx: Ctx[Any]) -> None:
    """Writes to every book there is: queued rows, the ledger, money, an event, a clock."""
    ctx.add(ExternalNumber(case=ctx.case, system="HIS", number="1"))
    limits = lock_limits(ctx.case.policy_id, [LimitSpec("annual", "FEN", 100_000)])
    use_limits(limits, [Use("annual", 5_000)], reference=f"{ctx.case.number}/9", service_date=None)
    account = money_account("probe", party="MEMBER", reference=ctx.case.number, series="2026", tpa="")
    post_money(account, "DUE", 5_000, reference="probe")
    ctx.case.priority = 1
    ctx.emit("materials_complete")


# --- Who and when ----------------------------------------------------------------------------


def test_a_stale_version_is_a_conflict_that_names_both_versions(world: World) -> None:
    case = world.claim()
    before = world.see(case).version
    world.do(case, "note", text="first")
    with pytest.raises(Conflict) as refusal:
        perform(case.number, "note", world.actor("adjuster"), version=before, text="second")
    assert refusal.value.code == "stale"
    assert refusal.value.data == {"number": case.number, "version": before + 1, "seen": before}
    assert events(case)[-1] == "note"
    assert (
        perform(case.number, "note", world.actor("adjuster"), version=before + 1, text="third").version
        == before + 2
    )


def test_a_role_that_may_not_is_refused_with_the_roles_that_may(world: World) -> None:
    case = world.review()
    with pytest.raises(NotAllowed) as refusal:
        perform(case, "decide", world.actor("intake"))
    assert (refusal.value.code, refusal.value.status) == ("role", 403)
    assert "first_review" in refusal.value.data["roles"]
    assert world.see(case).state == "UNDER_REVIEW"


def test_nobody_and_the_system_do_only_what_is_meant_for_them(world: World) -> None:
    case = world.review()
    for actor in (Actor(label=""), make_actor(), SYSTEM):
        with pytest.raises((NotAllowed, NotFound)):
            perform(case, "decide", actor)
    with pytest.raises(NotAllowed, match="system"):
        perform(case, "take", SYSTEM)


STRANGERS = [
    pytest.param({"tpa": "ELSEWHERE"}, id="tpa"),
    pytest.param({"series": ["2024"]}, id="series"),
    pytest.param({"hospital": "CHC"}, id="hospital"),
    pytest.param({"member": "M2024"}, id="member"),
    pytest.param({"provider": "P1"}, id="provider"),
]


@pytest.mark.parametrize("scope", STRANGERS)
def test_a_case_of_somebody_else_does_not_exist_for_a_person(world: World, scope: dict[str, Any]) -> None:
    case = world.claim()
    with pytest.raises(NotFound) as refusal:
        perform(case, "note", make_actor("first_review", **scope), text="let me in")
    assert refusal.value.data == {"numbers": [case.number]}
    assert events(case) == ["reported", "routed"]


@pytest.mark.parametrize(
    ("kind", "scope"),
    [("HOSPITAL", {"hospital": "CHC"}), ("TPA", {"tpa": "ELSEWHERE"}), ("MEMBER_APP", {"member": "M2024"})],
)
def test_a_case_of_somebody_else_does_not_exist_for_a_machine(
    world: World, kind: str, scope: dict[str, str]
) -> None:
    case = world.claim()
    with pytest.raises(NotFound):
        perform(case, "withdraw", make_machine(kind, **scope), reason="not mine")
    assert world.see(case).state == "ONLINE_SUBMITTED"


def test_its_own_hospital_and_its_own_child_may_act(world: World) -> None:
    for kind, scope in (("HOSPITAL", {"hospital": "PUB"}), ("MEMBER_APP", {"member": "M2026"})):
        case = world.claim()
        done = perform(case, "withdraw", make_machine(kind, **scope), reason="reported twice")
        assert done.state == "WITHDRAWN"
        last = case.events.latest("seq")
        assert (last.user_id, last.reason) == (None, "reported twice")
        assert last.client_id is not None


def test_unknown_numbers_kinds_and_actions_are_not_found(world: World) -> None:
    adjuster, case = world.actor("adjuster"), world.claim()
    for numbers in (
        ["C26-999999"],
        ["Q26-000001"],
        [""],
        [case.number, "Q26-000001"],
        [case.number, "C26-999999"],
    ):
        with pytest.raises(NotFound):
            perform_many(numbers, "note", adjuster, data={"text": "hello"})
    with pytest.raises(NotFound) as refusal:
        perform(case, "abracadabra", adjuster)
    assert (refusal.value.code, refusal.value.field) == ("unknown_action", "action")
    assert events(case) == ["reported", "routed"]


def test_four_eyes_who_proposed_may_not_sign_whatever_their_roles(world: World) -> None:
    world.authority("first_review", 1)
    case = world.do(world.review(), "decide")
    assert case.state == "SECOND_REVIEW"
    proposer = User.objects.get(username="adjuster")
    proposer.roles.add(Role.objects.get(code="senior_adjuster"))
    with pytest.raises(NotAllowed) as refusal:
        perform(case, "sign", actor_of_user(proposer))
    assert refusal.value.code == "four_eyes"
    assert world.see(case).state == "SECOND_REVIEW"
    assert world.do(case, "sign", by="senior").state == "PAYMENT_PENDING"


def test_a_second_signature_needs_authority_for_the_amount(world: World) -> None:
    world.authority("first_review", 1)
    world.authority("second_review", 2)
    case = world.do(world.review(), "decide")
    with pytest.raises(Blocked) as refusal:
        perform(case, "sign", world.actor("second"))
    assert refusal.value.code == "authority"


def test_an_action_of_another_state_says_the_state_in_words(world: World) -> None:
    case = world.claim()
    with pytest.raises(Blocked) as refusal:
        perform(case, "start_review", world.actor("adjuster"))
    assert refusal.value.code == "state"
    assert str(case.get_state_display()) in str(refusal.value.message)


# --- Guards cite their rules -----------------------------------------------------------------


def pending(world: World, series: str) -> CaseFile:
    """Nothing was handed in, everything was asked for."""
    return world.do(world.claim(series=series), "check_materials", by="intake")


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_rmb_20_papers_nobody_looked_at_stop_the_check(world: World, series: str) -> None:
    case = world.claim(series=series)
    world.papers(case, "CLAIM_FORM", form="IMAGE", legible=None)
    with pytest.raises(Blocked) as refusal:
        perform(case, "check_materials", world.actor("intake"))
    expected = case.handbook.handbook.rule("papers.legible")
    assert (refusal.value.code, refusal.value.rule) == ("unseen", expected.id if expected else "")
    assert world.do(world.claim(series=series), "check_materials", by="intake").state == "MATERIALS_PENDING"


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_law_01_what_is_missing_is_asked_for_once(world: World, series: str) -> None:
    case = world.do(pending(world, series), "papers_arrived", by="intake")
    with pytest.raises(Blocked) as refusal:
        perform(case, "request_supplement", world.actor("intake"))
    expected = case.handbook.handbook.rule("papers.once")
    assert (refusal.value.code, refusal.value.rule) == (
        "second_notice",
        expected.id if expected else "LAW-01",
    )
    with pytest.raises(InvalidInput) as without:
        perform(case, "request_supplement", world.actor("supervisor"))
    assert without.value.field == "reason"
    assert (
        world.do(case, "request_supplement", by="supervisor", reason="a new fact came up").state
        == "MATERIALS_PENDING"
    )


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_law_12_no_rescission_without_knowledge_in_time(world: World, series: str) -> None:
    case = world.review(series=series)
    with pytest.raises(Blocked) as refusal:
        perform(case, "rescind", world.actor("senior"), reason="undisclosed asthma since birth")
    assert refusal.value.code == "too_late"
    assert refusal.value.rule


def test_all_errors_of_an_input_are_named_at_once_and_before_anything_is_done(world: World) -> None:
    case = world.review()
    with pytest.raises(InvalidInputs) as refusal:
        perform(case, "open_dispute", world.actor("senior"), reason="x", ground="weather", mood="bad")
    found = {(error.field, error.code) for error in refusal.value.errors}
    assert found == {("reason", "too_short"), ("ground", "unknown_code"), ("mood", "unknown_field")}
    assert world.see(case).version == case.version


# --- One transaction -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [InvalidInput("no", field="x"), RuntimeError("bug"), Blocked("no", rule="X-1")]
)
def test_nothing_is_kept_when_a_handler_raises(world: World, probe: Any, error: Exception) -> None:
    case, adjuster = world.claim(), world.actor("adjuster")
    before, seen = rows_of_every_table(), CaseFile.objects.filter(pk=case.pk).values().get()

    def handler(ctx: Ctx[Any]) -> None:
        book_everything(ctx)
        raise error

    probe(handler)
    with pytest.raises(type(error)):
        perform(case, "probe", adjuster)
    assert rows_of_every_table() == before
    assert CaseFile.objects.filter(pk=case.pk).values().get() == seen


def test_nothing_is_kept_when_a_subscriber_raises(
    world: World, probe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, adjuster = world.claim(), world.actor("adjuster")
    heard: list[str] = []

    def listen(ctx: Ctx[Any]) -> None:
        heard.append(ctx.case.number)
        raise RuntimeError("subscriber")

    monkeypatch.setitem(subscribers.EVENTS, "probe", [listen])
    probe(book_everything)
    before = rows_of_every_table()
    with pytest.raises(RuntimeError):
        perform(case, "probe", adjuster)
    assert heard == [case.number]
    assert rows_of_every_table() == before


def test_nothing_is_kept_when_what_follows_is_blocked(world: World, probe: Any) -> None:
    case, adjuster = world.claim(), world.actor("adjuster")
    probe(lambda ctx: (book_everything(ctx), ctx.then("close")))  # type: ignore[func-returns-value]
    before = rows_of_every_table()
    with pytest.raises(Blocked):
        perform(case, "probe", adjuster)
    assert rows_of_every_table() == before


def test_everything_of_one_action_is_kept_together(world: World, probe: Any) -> None:
    case = world.claim()
    probe(book_everything)
    done = perform(case, "probe", world.actor("adjuster"))
    assert CaseFile.objects.get(pk=case.pk).priority == 1
    assert ExternalNumber.objects.get(case=case).number == "1"
    assert done.clocks.filter(key="claim.decision", state="RUNNING").exists()


def test_a_report_that_fails_gives_its_number_back(world: World) -> None:
    policy, clerk = world.policy_of("2026"), world.actor("intake")
    before = rows_of_every_table()
    case = ClaimFlow(series="2026", handbook=world.handbook("2026"), member=policy.member, policy=policy)

    def fill(ctx: Ctx[Any]) -> None:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        open_case("claim", clerk, case=case, state="REPORTED", fill=fill)
    assert rows_of_every_table() == before
    assert world.claim().number == "C26-000001"


def test_a_constraint_that_stops_a_race_becomes_a_sentence(world: World, probe: Any) -> None:
    case = world.claim()
    ExternalNumber.objects.create(case=case, system="HIS", number="1")
    probe(lambda ctx: ctx.add(ExternalNumber(case=ctx.case, system="HIS", number="1")))
    with pytest.raises(Conflict) as refusal:
        perform(case, "probe", world.actor("adjuster"))
    assert refusal.value.code == "race"
    assert events(case) == ["reported", "routed"]


# --- Events ----------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_c11_every_action_writes_exactly_one_event_numbered_by_the_version(world: World, series: str) -> None:
    case = world.closed(series=series)
    rows = list(CaseEvent.objects.filter(case=case).order_by("seq"))
    assert [row.seq for row in rows] == list(range(1, case.version + 1))
    assert [row.action for row in rows[:2]] == ["open", "route"]
    for before, after in itertools.pairwise(rows):
        assert after.from_state == before.to_state
    assert rows[-1].to_state == case.state == "CLOSED"


def test_what_follows_an_action_is_done_by_the_system_with_an_event_of_its_own(world: World) -> None:
    case = world.do(world.review(), "decide")
    decided, ordered = list(CaseEvent.objects.filter(case=case).order_by("seq"))[-2:]
    assert (decided.action, decided.actor_label) == ("decide", world.actor("adjuster").label)
    assert (ordered.action, ordered.actor_label, ordered.user_id) == ("order_payment", "system", None)


def test_events_are_never_changed(world: World) -> None:
    event = world.claim().events.first()
    event.reason = "another"
    with pytest.raises(Conflict):
        event.save()
    with pytest.raises(Conflict):
        event.delete()


# --- Many at once ----------------------------------------------------------------------------


def test_many_are_done_all_or_none(world: World) -> None:
    cases = [world.claim() for _ in range(3)]
    world.do(cases[2], "withdraw", reason="reported twice")
    before = rows_of_every_table()
    with pytest.raises(Blocked):
        perform_many(
            [case.number for case in cases], "set_priority", world.actor("adjuster"), data={"priority": 1}
        )
    assert rows_of_every_table() == before
    assert set(CaseFile.objects.values_list("priority", flat=True)) == {2}
    done = perform_many(
        [case.number for case in cases[1::-1]], "set_priority", world.actor("adjuster"), data={"priority": 1}
    )
    assert [case.pk for case in done] == [
        cases[0].pk,
        cases[1].pk,
    ]  # locked in one order, however they are named


def test_one_stale_version_stops_all(world: World) -> None:
    cases = [world.claim(), world.claim()]
    versions = {case.number: world.see(case).version for case in cases}
    world.do(cases[1], "note", text="meanwhile")
    with pytest.raises(Conflict) as refusal:
        perform_many(list(versions), "take", world.actor("adjuster"), versions=versions)
    assert refusal.value.data["number"] == cases[1].number
    assert not CaseFile.objects.exclude(assignee=None).exists()


def test_many_in_one_hidden_is_none(world: World) -> None:
    cases = [world.claim(), world.claim(series="2024")]
    only_2026 = make_actor("first_review", series=["2026"])
    with pytest.raises(NotFound) as refusal:
        perform_many([case.number for case in cases], "note", only_2026, data={"text": "hello"})
    assert refusal.value.data == {"numbers": [cases[1].number]}
    assert events(cases[0]) == ["reported", "routed"]


def statements(work: Callable[[], Any]) -> int:
    brackets = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
    with CaptureQueriesContext(connection) as captured:
        work()
    return len([query for query in captured.captured_queries if not query["sql"].startswith(brackets)])


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("set_priority", {"priority": 1}),
        ("note", {"text": "hello"}),
        ("take", {}),
        ("withdraw", {"reason": "all of them"}),
    ],
)
def test_twenty_cases_cost_as_many_statements_as_one(world: World, action: str, data: dict[str, Any]) -> None:
    cases = [world.claim().number for _ in range(21)]
    adjuster = world.actor("adjuster")
    if action == "withdraw":  # what it releases is asked for case by case; that it is little is enough
        one = statements(lambda: perform_many(cases[:1], action, adjuster, data=data))
        assert statements(lambda: perform_many(cases[1:], action, adjuster, data=data)) <= one + 3 * 20
        return
    perform_many(cases[:1], action, adjuster, data=data)  # caches are warm
    one = statements(lambda: perform_many(cases[:1], action, adjuster, data=data))
    assert statements(lambda: perform_many(cases[1:], action, adjuster, data=data)) == one


def test_the_policy_of_the_case_is_read_with_it(
    world: World, probe: Any, django_assert_num_queries: Any
) -> None:
    """Handlers read member, policy, plan, handbook and subject without a query."""
    case = world.claim()

    def handler(ctx: Ctx[Any]) -> None:
        with django_assert_num_queries(0):
            assert isinstance(ctx.case.policy, Policy)
            assert ctx.case.policy.plan.terms
            assert ctx.handbook.series == ctx.case.member.number.removeprefix("M")
            assert ctx.subject.case_id == ctx.case.pk

    probe(handler)
    perform(case, "probe", world.actor("adjuster"))
