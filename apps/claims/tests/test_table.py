"""Every action in every state by every role: allowed exactly where the workflow and its roles say so.

The expectation is computed from the declarations; the door (`perform`) must agree with it. Guards,
inputs and effects are taken off the actions for it.
"""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django_fsm import can_proceed

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.roles import CATALOGUE
from apps.cases import subscribers
from apps.cases.engine import available, perform
from apps.cases.kinds import NoInput
from apps.cases.models import CaseFile
from apps.claims.actions import KIND
from apps.claims.tests.world import World
from apps.claims.workflow import FINAL, STATES, ClaimFlow
from apps.core.errors import Blocked, NotAllowed

ROLES = [spec.code for spec in CATALOGUE]


def possible(action: Any, case: ClaimFlow) -> bool:
    if action.states and case.state not in action.states:
        return False
    if action.candidates:
        return any(can_proceed(getattr(case, name)) for name in action.candidates)
    return bool(action.states) or case.open


def actor_with(role: str, user_id: int | None) -> Actor:
    return Actor(label=role, roles=frozenset({role}), user_id=user_id, authority_fen=10**12)


@pytest.fixture
def bare_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Actions without inputs, guards and effects: what is left is role, state and transition."""
    for name, action in list(KIND.actions.items()):
        bare = replace(
            action, input=NoInput, handler=lambda ctx: None, guards=(), prepare=None, four_eyes=(), initial=None,
            transition=None if not action.candidates else lambda ctx: "", transitions=action.candidates,
        )  # fmt: skip
        monkeypatch.setitem(KIND.actions, name, bare)
    monkeypatch.setattr(subscribers, "EVENTS", {})  # they rely on what the handlers write


def refusal(case: CaseFile, action: str, actor: Actor, world: World) -> str:
    """'role', 'state', or '' when the door was open."""
    try:
        with transaction.atomic():
            perform(case.number, action, actor, now=world.now)
            transaction.set_rollback(True)
    except NotAllowed as error:
        return error.code
    except Blocked as error:
        return error.code
    return ""


@pytest.fixture
def bare_world(world: World, bare_doors: None) -> World:
    return world


@pytest.mark.slow
@pytest.mark.parametrize("state", list(STATES))
def test_every_action_in_a_state(bare_world: World, state: str) -> None:
    """One actor who holds every role: only the state decides."""
    user = bare_world.actor("intake").user_id
    everyone = Actor(label="all", roles=frozenset(ROLES), user_id=user, authority_fen=10**12)
    case = bare_world.claim()
    ClaimFlow.objects.filter(pk=case.pk).update(state=state, open=state not in FINAL)
    case = bare_world.see(case)
    for name, action in KIND.actions.items():
        expected = "role" if not action.roles else "" if possible(action, case) else "state"
        assert refusal(case, name, everyone, bare_world) == expected, (name, state)


@pytest.mark.slow
def test_every_role_and_action(bare_world: World) -> None:
    """Nothing else is left on the bare actions, so one stands for all of the same roles."""
    case, user = bare_world.claim(), bare_world.actor("intake").user_id
    each = {action.roles: name for name, action in KIND.actions.items()}
    wrong = [
        (role, name)
        for role, (roles, name) in itertools.product(ROLES, each.items())
        if (refusal(case, name, actor_with(role, user), bare_world) == "role") == (role in roles)
    ]
    assert not wrong


def test_the_system_does_only_what_is_its_own(bare_world: World) -> None:
    case = bare_world.claim()
    for name, action in KIND.actions.items():
        if not action.system:
            assert refusal(case, name, SYSTEM, bare_world) == "role", name


def test_buttons_agree_with_the_door(world: World) -> None:
    case = world.see(world.review())
    for person in ("adjuster", "senior", "supervisor", "intake", "finance"):
        names = {found.action.name for found in available(case, world.actor(person), now=world.now)}
        roles = world.actor(person).roles
        expected = {
            name for name, action in KIND.actions.items() if action.manual and roles & action.roles and possible(action, case)
        }  # fmt: skip
        assert names == expected
