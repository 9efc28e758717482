"""Every state of a bill: what `available` promises is what `perform` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.billing.tests.world import Bills
from apps.billing.workflow import STATES
from apps.cases.engine import available, perform
from apps.cases.models import CaseFile
from apps.core.errors import DomainError, InvalidInput

WAYS: dict[str, Callable[[Bills], CaseFile]] = {
    "OPEN": lambda world: world.bill(),
    "REMINDED_1": lambda world: world.look(_delivered(world, world.bill())),
    "REMINDED_2": lambda world: _reminded_twice(world),
    "REMINDED_3": lambda world: world.reminded(),
    "EXHAUSTED": lambda world: world.exhausted(),
    "PAID": lambda world: world.pay(world.bill(), "350.00"),
    "CANCELLED": lambda world: world.act(world.bill(), "cancel", by="boss", reason="重复计费"),
}
GATE = {"role", "state", "four_eyes", "stale", "not_found"}


def _delivered(world: Bills, case: CaseFile) -> CaseFile:
    world.deliver()
    return case


def _reminded_twice(world: Bills) -> CaseFile:
    case = _delivered(world, world.bill())
    world.at("2026-09-21 10:00")
    return world.look(_delivered(world, case))


def test_every_state_is_walked_to() -> None:
    assert set(WAYS) == set(STATES)


@pytest.mark.parametrize("state", list(STATES))
def test_what_is_offered_is_possible_and_nothing_else(world: Bills, state: str) -> None:
    case = WAYS[state](world)
    assert case.state == state
    values: dict[str, Any] = {
        "amount": "1.00", "paid_on": world.now.date(), "reference": "SJ-9", "reason": "walked", "channel": "PHONE",
        "result": "ANSWERED", "task": 0, "outcome": "ANSWERED", "text": "noted", "priority": 1, "payment": 0, "assignee": world.actor("caller").user_id,
    }  # fmt: skip
    for who in ("caller", "boss", "adjuster"):
        actor = world.actor(who)
        offered = {found.action.name: found for found in available(case, actor, now=world.now)}
        for act in case_actions(case):
            known = offered.get(act.name)
            data = {name: value for name, value in values.items() if name in act.input.__dataclass_fields__}
            if act.name == "record_call" and known and known.allowed:
                data = {"task": known.initial["task"], "outcome": "ANSWERED"}
            outcome = attempt(world, case, act.name, actor, data)
            if known is None:
                assert outcome in GATE | {"invalid", "required", "type"}, (state, who, act.name)
            elif known.allowed:
                assert outcome not in GATE, (state, who, act.name, outcome)
            else:
                assert outcome == known.blockers[0].code, (state, who, act.name)


def case_actions(case: CaseFile) -> list[Any]:
    from apps.cases.kinds import kind_of

    return list(kind_of(case.kind).actions.values())


def attempt(world: Bills, case: CaseFile, name: str, actor: Any, data: dict[str, Any]) -> str:
    """What perform says; nothing of it stays."""
    from django.db import transaction

    try:
        with transaction.atomic():
            perform(case.number, name, actor, now=world.now, **data)
            transaction.set_rollback(True)
    except InvalidInput:
        return "invalid"
    except DomainError as error:
        return error.code
    return "done"
