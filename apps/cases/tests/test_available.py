"""What is offered is what is accepted: kinds × states × roles, in states reached by real walks (C11, LAW-09)."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import Role, User
from apps.accounts.roles import CATALOGUE, MACHINES
from apps.accounts.tests.factories import make_actor, make_machine
from apps.cases.engine import Availability, available, perform
from apps.cases.kinds import KINDS, Action
from apps.cases.models import CaseFile
from apps.claims.assess import assess
from apps.claims.tests.world import PAYEE, World
from apps.core.errors import Blocked, DomainError, NotAllowed
from apps.payments.models import PaymentOrder

ROLES = sorted(spec.code for spec in CATALOGUE)
KIND_OF_MACHINE = {"api_hospital": "HOSPITAL", "api_tpa": "TPA", "api_member_app": "MEMBER_APP"}
SCOPE = {"HOSPITAL": {"hospital": "PUB"}, "TPA": {"tpa": ""}, "MEMBER_APP": {"member": "M2026"}}

# --- A claim in every state in which a claim can rest -----------------------------------------


def mailed(world: World, series: str) -> CaseFile:
    return world.claim(
        world.visit([world.bill("12000.00")]) if series == "2026" else world.stay(), series=series
    )


def proposed(world: World, series: str) -> CaseFile:
    world.authority("first_review", 1)
    return world.do(world.review(series=series), "decide")


def without_payee(world: World, series: str) -> CaseFile:
    return world.do(world.review(series=series, payee=None), "decide")


def sent_back(world: World, series: str) -> CaseFile:
    case = world.closed(series=series)
    order = PaymentOrder.objects.get(case=case)
    return world.do(case, "payment_returned", by="finance", order=order.number, reason="account closed")


def nothing_payable(world: World, series: str) -> CaseFile:
    lines = [world.line("90.00", kind="NO_SHOW")]
    return world.do(world.review(world.visit([world.bill(lines=lines)]), series=series), "decide")


def never_came(world: World, series: str) -> CaseFile:
    return world.do(asked(world, series), "close_no_papers", by="supervisor", now=world.later(days=400))


def asked(world: World, series: str) -> CaseFile:
    return world.do(world.claim(series=series), "check_materials", by="intake")


def refused(world: World, series: str) -> CaseFile:
    return world.claim(world.visit(started_on="2024-03-01"), series=series)


STATES: dict[str, Callable[[World, str], CaseFile]] = {
    "REFUSAL_PENDING": refused,
    "EMERGENCY_HOLD": lambda world, series: world.claim(
        series=series, channel="MAIL" if series == "2024" else "EMAIL"
    ),
    "ONLINE_SUBMITTED": lambda world, series: world.claim(series=series),
    "AWAITING_ORIGINALS": mailed,
    "ORIGINALS_RECEIVED": lambda world, series: world.do(mailed(world, series), "log_originals", by="mail"),
    "MATERIALS_PENDING": asked,
    "MATERIALS_CHECK": lambda world, series: world.do(asked(world, series), "papers_arrived", by="intake"),
    "COMPLETE": lambda world, series: world.complete(series=series),
    "UNDER_REVIEW": lambda world, series: world.review(series=series),
    "DISPUTED": lambda world, series: world.do(
        world.review(series=series), "open_dispute", by="supervisor", reason="which?"
    ),
    "SECOND_REVIEW": proposed,
    "PAYMENT_PENDING": lambda world, series: world.do(world.review(series=series), "decide"),
    "PAYMENT_FAILED": sent_back,
    "CLOSED": lambda world, series: world.closed(series=series),
    "DENIED": nothing_payable,
    "REJECTED_INTAKE": lambda world, series: world.do(refused(world, series), "confirm_refusal", by="intake"),
    "WITHDRAWN": lambda world, series: world.do(
        world.claim(series=series), "withdraw", reason="reported twice"
    ),
    "CLOSED_NO_PAPERS": never_came,
    "APPROVED": without_payee,
}
GATE = {"role", "state", "four_eyes", "stale", "not_found"}
FOLLOWED_AT_ONCE = {"REPORTED", "PAID", "REOPENED"}  # the system goes on in the same transaction
RESTS_IN = {"APPROVED": {"APPROVED", "PARTIAL"}}
WALKED_ELSEWHERE = {
    "advance": "apps/advances/tests/test_walk.py",
    "bill": "apps/billing/tests/test_walk.py",
    "enquiry": "apps/enquiries/tests/test_walk.py",
    "appointment": "apps/appointments/tests/test_walk.py",
    "authorization": "apps/authorizations/tests/test_walk.py",
    "appeal": "apps/appeals/tests/test_review.py",
    "recovery": "apps/recoveries/tests/test_walk.py",
    "direct": "apps/direct/tests/test_walk.py",
    "inspection": "apps/quality/tests/test_inspections.py",
    "service": "apps/care/tests/test_services.py",
    "test": "apps/care/tests/test_home_tests.py",
}  # other kinds, and the tests of theirs


def test_every_state_of_the_workflow_is_walked_to() -> None:
    assert set(STATES) | FOLLOWED_AT_ONCE | {"PARTIAL"} == set(KINDS["claim"].states)
    others = {code for code in KINDS if code != "claim" and not code.endswith("_test")}
    assert others == set(WALKED_ELSEWHERE), "walk the new kind's states, too"
    assert all((settings.BASE_DIR / path).exists() for path in WALKED_ELSEWHERE.values())


# --- Inputs that pass -------------------------------------------------------------------------


def good_values(world: World, case: CaseFile) -> dict[str, Any]:
    """By the name of the field; one assessment serves all actions of the case."""
    found = assess(world.see(case), world.now)
    order = PaymentOrder.objects.filter(case=case).order_by("-pk").first()
    return {
        "order": order.number if order else "P26-000001",
        "finding": next((finding.ref for finding in found.findings), "none"),
        "assignee": User.objects.get(username="adjuster").pk,
        "papers": [paper.pk for paper in found.rows.papers][:1] or [1],
        "changes": [{"place": "1", "field": "department", "value": "皮肤科"}],
        "amount": Decimal("800.00"), "form": "ORIGINAL", "kind": "MEDICAL_RECORD", "outcome": "", "task": 1,
        "known_on": date(2026, 9, 1), "at": timezone.now(), "note": "seen", "legible": True,
    }  # fmt: skip


def sample(action: Action[Any], known: dict[str, Any]) -> dict[str, Any]:
    """Good values for the input of an action, from its dataclass and what is known of the case."""
    if action.input.__name__ == "PayeeInput":
        return dict(PAYEE)
    hints = typing.get_type_hints(action.input)
    given: dict[str, Any] = {}
    for item in dataclasses.fields(action.input):
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if item.name in known and (required or item.name in ("changes", "form", "legible")):
            given[item.name] = known[item.name]
        elif required or item.name == "reason":
            given[item.name] = _value(hints[item.name], item.metadata)
    return given


def _value(hint: Any, metadata: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return None
    if isinstance(metadata.get("choices"), list):
        return metadata["choices"][0][0]
    if hint is str:
        return "因为有充分的理由这样处理" * 2
    return {bool: True, int: 1, Decimal: Decimal(1), date: date(2026, 9, 1), datetime: timezone.now()}.get(
        hint, ()
    )


class Undo(Exception):
    pass


def outcome(
    world: World, case: CaseFile, action: Action[Any], actor: Actor, data: dict[str, Any]
) -> DomainError | None:
    """What `perform` says; whatever it did is undone. Anything but a DomainError is our mistake."""
    try:
        with transaction.atomic():
            perform(case.number, action.name, actor, version=case.version, now=world.now, **data)
            raise Undo
    except Undo:
        return None
    except DomainError as error:
        return error


def everybody(world: World) -> Actor:
    """Somebody with every role of the house, who has done nothing yet."""
    world.actor("adjuster")  # to be assigned to
    return make_actor(*(code for code in ROLES if code not in MACHINES))


@pytest.mark.parametrize("series", ["2024", "2026"])
@pytest.mark.parametrize("state", STATES)
def test_what_is_offered_is_what_is_accepted(world: World, state: str, series: str) -> None:
    """And what is blocked says why, with the same rule, before and after the click."""
    case, actor = world.see(STATES[state](world, series)), everybody(world)
    assert case.state in RESTS_IN.get(state, {state})
    known = good_values(world, case)
    offered = {found.action.name: found for found in available(case, actor, now=world.now)}
    wrong: list[str] = []
    for name, action in KINDS[case.kind].actions.items():
        offer, said = offered.get(name), outcome(world, case, action, actor, sample(action, known))
        wrong += [f"{name}: {complaint}" for complaint in disagreement(offer, action, actor, said)]
        if offer is not None and not offer.allowed:
            assert isinstance(said, Blocked | NotAllowed), name
            assert (said.code, said.rule) in {(blocker.code, blocker.rule) for blocker in offer.blockers}
            assert all(str(blocker.message) for blocker in offer.blockers)
    assert not wrong, "\n".join(wrong)
    if series == "2026":
        _each_role_is_offered_its_own_part(world, case, actor, set(offered))


def _each_role_is_offered_its_own_part(world: World, case: CaseFile, actor: Actor, whole: set[str]) -> None:
    """Of what somebody with every role is offered; one role for all that know the same actions."""
    actions = KINDS[case.kind].actions
    known = {
        role: frozenset(name for name, action in actions.items() if role in action.roles)
        for role in set(ROLES) - MACHINES
    }
    for its_own, role in {own: role for role, own in known.items()}.items():
        one = dataclasses.replace(actor, roles=frozenset({role}))
        mine = {found.action.name for found in available(case, one, now=world.now)}
        assert mine == whole & its_own, role


def disagreement(
    offer: Availability | None, action: Action[Any], actor: Actor, said: DomainError | None
) -> Iterator[str]:
    code = said.code if said else ""
    if offer is None and action.manual and code not in GATE:
        yield f"not offered, yet {code or 'accepted'}"
    if offer is None and not action.manual and not action.roles and code != "role":
        yield f"for the system only, yet {code or 'accepted'}"
    if offer is not None and offer.allowed and code in GATE:
        yield f"offered, yet refused: {said}"
    if offer is not None and not offer.allowed and code not in {blocker.code for blocker in offer.blockers}:
        yield f"offered as blocked by {[blocker.code for blocker in offer.blockers]}, yet {code or 'accepted'}"


@pytest.mark.slow
def test_each_role_is_refused_what_is_not_its_own(world: World) -> None:
    """Asked for before the state: one state suffices. The door knows an action's roles and nothing else of it
    by then, so one action stands for all of the same roles."""
    case = world.review()
    machines = {role: make_machine(kind, **SCOPE[kind]) for role, kind in KIND_OF_MACHINE.items()}
    people = {role: make_actor(role) for role in set(ROLES) - MACHINES}
    each = {action.roles: name for name, action in KINDS[case.kind].actions.items()}
    for role, actor in (people | machines).items():
        for roles, name in each.items():
            if role not in roles:
                with pytest.raises(NotAllowed) as refusal:
                    perform(case, name, actor)
                assert refusal.value.code == "role", f"{role} {name}"
    assert world.see(case).version == case.version


def test_every_state_that_is_not_final_offers_somebody_a_way_on(world: World) -> None:
    actor = everybody(world)
    for state, walk in STATES.items():
        world.authority("first_review", 5_000)
        case = walk(world, "2026")
        if case.open:
            moving = [found for found in available(case, actor, now=world.now) if found.action.candidates]
            assert moving, state


# --- Who is offered what -----------------------------------------------------------------------


def offered(case: CaseFile, actor: Actor) -> set[str]:
    return {found.action.name for found in available(case, actor)}


def test_nobody_reads_only_and_the_system_are_offered_nothing_to_click(world: World) -> None:
    case = world.review()
    for actor in (Actor(label=""), make_actor(), make_actor("auditor"), make_actor("insurer_user")):
        assert offered(case, actor) == set()
    assert all(KINDS["claim"].actions[name].system for name in offered(case, SYSTEM))


def test_four_eyes_are_shown_before_they_are_tried(world: World) -> None:
    world.authority("first_review", 1)
    case = world.do(world.review(), "decide")
    proposer = User.objects.get(username="adjuster")
    proposer.roles.add(Role.objects.get(code="senior_adjuster"))
    sign = next(found for found in available(case, actor_of_user(proposer)) if found.action.name == "sign")
    assert not sign.allowed
    assert [blocker.code for blocker in sign.blockers] == ["four_eyes"]


def test_four_eyes_bind_people_not_machines(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system did is nobody's first signature."""
    case = world.do(world.review(), "decide")
    kind = KINDS["claim"]
    action = Action(
        "recheck", "recheck", frozenset({"api_tpa"}), lambda ctx: None, four_eyes=("order_payment",)
    )
    monkeypatch.setitem(kind.actions, "recheck", action)
    machine = make_machine("TPA", tpa="")
    assert [found.allowed for found in available(case, machine) if found.action.name == "recheck"] == [True]
    assert outcome(world, case, action, machine, {}) is None


def test_forms_come_filled_with_what_the_rules_suggest(world: World) -> None:
    decide = next(
        found for found in available(world.review(), world.actor("adjuster")) if found.action.name == "decide"
    )
    assert decide.initial["outcome"] in ("APPROVE", "PARTIAL")


@pytest.mark.parametrize("lines", [1, 40])
def test_what_is_possible_costs_the_same_for_small_and_large_claims(world: World, lines: int) -> None:
    case = world.review(world.visit([world.bill(lines=[world.line("10.00") for _ in range(lines)])]))
    with CaptureQueriesContext(connection) as captured:
        available(case, world.actor("senior"))
    assert len(captured) <= 22, [query["sql"][:90] for query in captured]
