"""What a page offers is what is accepted, and nobody does what was not offered (C11): both kinds, states × roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from apps.accounts.tests.factories import make_actor, make_machine
from apps.accounts.visibility import is_visible
from apps.care.tests.world import PROVIDER, Care
from apps.care.workflow import HOME_TEST, SERVICE
from apps.cases.engine import available, perform
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, NotAllowed, NotFound

GOOD: dict[str, dict[str, Any]] = {
    "cancel": {"reason": "家长来电取消"}, "reject_address": {"reason": "小区不可上门"}, "report": {"result": "阴性"},
    "advise": {"outcome": "NO_PRESCRIPTION", "advice": "多休息", "advised_by": "李医生"}, "reject": {"reason": "不属于本服务"},
    "assign_specialist": {"specialist": "赵敏"}, "respond": {"responder": "陈医生", "answer": "已指导"},
    "contact": {"channel": "SMS", "text": "约评估"}, "unavailable": {"reason": "无驻点人员"}, "note": {"text": "备注"},
}  # fmt: skip
SHARE = ("share", {})
ADVISE = ("advise", GOOD["advise"])
ASSIGN = ("assign_specialist", GOOD["assign_specialist"])
RESPOND = ("respond", GOOD["respond"])
Walk = tuple[str, tuple[tuple[str, dict[str, Any]], ...]]
WALKS: tuple[Walk, ...] = (
    ("", ()), ("", (("cancel", GOOD["cancel"]),)), ("", (("sample", {}),)),
    ("", (("sample", {}), ("report", GOOD["report"]))), ("", (("sample", {}), ("report", GOOD["report"]), SHARE)),
    ("", (("sample", {}), ("report", GOOD["report"]), SHARE, ADVISE)),
    ("ASSISTANCE", ()), ("ASSISTANCE", (ASSIGN,)), ("ASSISTANCE", (ASSIGN, ("arrive", {}))),
    ("MANAGER", (ASSIGN,)), ("GROWTH", (RESPOND,)), ("GROWTH", (RESPOND, ("finish", {}))),
)  # fmt: skip
ROLES: dict[str, Callable[[], Any]] = {
    "desk": lambda: make_actor("service_specialist"),
    "doctor": lambda: make_actor("family_doctor_contact"),
    "auditor": lambda: make_actor("auditor"),
    "provider": lambda: make_machine("PROVIDER", provider=PROVIDER),
    "family": lambda: make_machine("MEMBER_APP", member="M2026"),
}
SKIPPED = {"assign", "set_priority", "take"}  # of every kind


class Undo(Exception):
    pass


def works(case: CaseFile, action: str, actor: Any) -> bool:
    try:
        with transaction.atomic():
            perform(case.number, action, actor, **GOOD.get(action, {}))
            raise Undo
    except Undo:
        return True
    except (Blocked, NotAllowed, NotFound):
        return False


@pytest.mark.parametrize(
    "walk", WALKS, ids=lambda walk: "-".join([walk[0] or "test", *(step for step, _d in walk[1])])
)
def test_what_is_offered_is_what_is_accepted(world: Care, walk: Walk) -> None:
    service, steps = walk
    case = world.request(service) if service else world.order()
    for action, data in steps:
        world.act(case, action, **data)
    kind = SERVICE if service else HOME_TEST
    fresh = kind.workflow.objects.select_related("handbook", "policy", kind.subject).get(pk=case.pk)
    for role, made in ROLES.items():
        actor = made()
        shown = available(fresh, actor) if is_visible(case, actor) else []
        found = {one.action.name for one in shown if one.allowed} - SKIPPED
        accepted = {name for name in kind.actions.keys() - SKIPPED if works(fresh, name, actor)}
        assert found == accepted, (role, found ^ accepted)
