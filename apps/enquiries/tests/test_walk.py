"""An enquiry from the first word to its end: states, clocks, who may handle it, the wish to appeal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import make_actor
from apps.cases.engine import available, perform
from apps.cases.models import CaseFile, Clock
from apps.claims.tests.world import World
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.enquiries.actions import KIND, record
from apps.enquiries.models import Enquiry
from apps.enquiries.queries import timeline
from apps.enquiries.workflow import STATES, EnquiryFlow
from apps.messaging.models import Message


def asked(world: World, series: str = "2026", *, by: str = "service", **fields: Any) -> CaseFile:
    data = {"member": f"M{series}", "asker": "王建国（父亲）", "text": "门诊理赔要交哪些材料？"} | fields
    if "about" in fields:
        data.pop("member")
    return record(world.actor(by), data)


def complaint(world: World, series: str = "2026", **fields: Any) -> CaseFile:
    return asked(world, series, sort="COMPLAINT", text="等了三周还没有结果", **fields)


def do(world: World, case: CaseFile, action: str, *, by: str = "service", **data: Any) -> Enquiry:
    perform(case.number, action, world.actor(by), **data)
    return Enquiry.objects.select_related("case").get(pk=case.pk)


def clock(case: CaseFile) -> Clock:
    return Clock.objects.filter(case=case).latest("pk")


def test_the_diagram() -> None:
    found = set()
    for name in dir(EnquiryFlow):
        meta = getattr(getattr(EnquiryFlow, name, None), "_django_fsm", None)
        if meta is not None:
            found |= {(source, one.target) for source, one in meta.transitions.items()}
    assert found == {
        ("OPEN", "ANSWERED"), ("REOPENED", "ANSWERED"), ("OPEN", "CLOSED"), ("REOPENED", "CLOSED"),
        ("ANSWERED", "CLOSED"), ("ANSWERED", "REOPENED"), ("CLOSED", "REOPENED"),
    }  # fmt: skip
    assert {state for pair in found for state in pair} == set(STATES)
    for act in KIND.actions.values():
        assert all(hasattr(getattr(EnquiryFlow, name), "_django_fsm") for name in act.candidates)


def test_a_question_is_recorded_answered_closed_and_asked_again(world: World, rulebook: Any) -> None:
    case = asked(world)
    row = Enquiry.objects.get(pk=case.pk)
    assert (case.number[0], case.state, case.open, case.assignee_id) == (
        "E",
        "OPEN",
        True,
        world.actor("service").user_id,
    )
    assert (row.rule, row.channel, row.recorded_by) == ("APP-06", "HOTLINE", world.actor("service").label)
    rulebook.read_back("APP-06", (row.asker, row.text))
    row = do(world, case, "answer", text="请参考材料清单。")
    assert (row.case.state, row.case.open, row.answer) == ("ANSWERED", False, "请参考材料清单。")
    message = Message.objects.get(case=case)
    assert message.recipient == "wang@example.com"
    assert "请参考材料清单。" in message.body
    row = do(world, case, "reopen", reason="还缺一项说明")
    assert (row.case.state, row.case.open) == ("REOPENED", True)
    row = do(world, case, "answer", text="已补充说明。", told="PHONE")
    assert Message.objects.filter(case=case).count() == 1
    row = do(world, case, "close")
    assert (row.case.state, row.case.open) == ("CLOSED", False)
    reasons = [event.reason for event in case.events.all()]
    assert {"请参考材料清单。", "已补充说明。", "还缺一项说明"} <= set(reasons)


def test_a_message_of_2024_has_its_clock(world: World, rulebook: Any) -> None:
    """APP-22 with DL-15: one working day; in 2026 nothing is printed."""
    case = asked(world, "2024")
    row = Enquiry.objects.get(pk=case.pk)
    started = clock(case)
    assert (row.rule, started.key, started.spec_id) == ("APP-22", "message.reply", "DL-15")
    assert started.day.isoformat() == "2026-09-17"
    do(world, case, "close", reason="对方已自行解决")
    assert clock(case).state == "STOPPED"
    rulebook.read_back("APP-22", row.text)
    assert not Clock.objects.filter(case=asked(world)).exists()


def test_answered_on_the_spot(world: World) -> None:
    case = asked(world, "2024", answer="可以用微信小程序。")
    row = Enquiry.objects.get(pk=case.pk)
    assert (case.state, case.open, row.answered_by) == ("ANSWERED", False, world.actor("service").label)
    assert (clock(case).state, clock(case).breached) == ("STOPPED", False)


@pytest.mark.parametrize(("series", "rule"), [("2024", "APP-27"), ("2026", "LAW-10")])
def test_a_complaint_and_its_days(world: World, rulebook: Any, series: str, rule: str) -> None:
    """LAW-10: 15 days, complex 30, 60 with approval by somebody else, always from the day it came."""
    case = complaint(world, series, channel="EMAIL")
    row = Enquiry.objects.get(pk=case.pk)
    assert row.rule == rule
    rulebook.read_back(rule, row.text)
    assert (clock(case).key, clock(case).day.isoformat()) == ("law.complaint", "2026-10-01")
    with pytest.raises(Blocked):
        do(world, case, "extend", by="manager", reason="要查档案")
    do(world, case, "mark_complex", by="manager", reason="涉及两家医院")
    assert clock(case).day.isoformat() == "2026-10-16"
    with pytest.raises(NotAllowed):
        do(world, case, "extend", by="manager", reason="要查档案")
    row = do(world, case, "extend", by="supervisor", reason="要查档案")
    assert (row.category, clock(case).day.isoformat()) == ("EXTENDED", "2026-11-15")
    assert Clock.objects.filter(case=case).exclude(state="STOPPED").count() == 1
    with pytest.raises(Blocked) as refused:
        do(world, case, "close", reason="不处理")
    assert refused.value.rule == "LAW-10"
    do(world, case, "answer", text="已核实并致歉。")
    assert (clock(case).state, clock(case).breached) == ("STOPPED", False)
    row = do(world, case, "reopen", reason="不满意")
    assert (row.category, clock(case).state) == ("SIMPLE", "RUNNING")
    row = do(world, case, "close", reason="家长撤回", withdrawn=True)
    assert clock(case).state == "STOPPED"


@pytest.mark.both_databases
def test_who_is_complained_of_or_decided_does_not_handle_it(world: World, rulebook: Any) -> None:
    """LAW-10."""
    closed = world.closed(world.visit(), series="2026")
    decider = User.objects.get(pk=closed.events.filter(action="decide").latest("seq").user_id)
    by = next(name for name in ("adjuster", "senior") if world.actor(name).user_id == decider.pk)
    case = complaint(world, about=closed.number, complained_of=world.actor("service").user_id)
    assert case.assignee_id is None
    for name in ("service", by):
        with pytest.raises(Blocked) as refused:
            do(world, case, "answer", by=name, text="没有问题。")
        assert (refused.value.code, refused.value.rule) == ("interested", "LAW-10")
    with pytest.raises(Blocked):
        do(world, case, "take")
    with pytest.raises(Blocked) as refused:
        do(world, case, "assign", by="manager", assignee=decider.pk)
    assert refused.value.field == "assignee"
    with pytest.raises(Blocked):
        complaint(
            world, about=closed.number, complained_of=world.actor("service").user_id, answer="没有问题。"
        )
    do(world, case, "answer", by="lead", text="已由他人复核。")


@pytest.mark.parametrize(("series", "rule"), [("2024", "APP-27"), ("2026", "APL-01")])
def test_a_complaint_about_a_result_may_become_an_appeal(
    world: World, rulebook: Any, series: str, rule: str
) -> None:
    """The wish is kept with the claim; nothing more is pretended."""
    running = world.claim(series=series)
    case = complaint(world, about=running.number)
    with pytest.raises(Blocked) as refused:
        do(world, case, "wish_appeal", reason="要求复核")
    assert (refused.value.code, refused.value.rule) == ("no_result", rule)
    with pytest.raises(Blocked) as refused:
        complaint(world, about=running.number, appeal=True)
    assert refused.value.field == "appeal"
    closed = world.closed(world.visit(), series=series)
    wished = Enquiry.objects.get(pk=complaint(world, about=closed.number, appeal=True).pk)
    assert wished.appeal_wished
    assert wished.about_id == closed.pk
    entry = next(iter(timeline(closed)))
    assert (entry.level, wished.case.number in entry.link) == ("warn", True)
    if series == "2024":
        rulebook.read_back("APP-27", entry.details)
    case = complaint(world, about=closed.number)
    assert do(world, case, "wish_appeal", reason="要求复核").appeal_wished
    assert not do(world, case, "drop_appeal", reason="改变主意").appeal_wished


def test_wrong_input_changes_nothing(world: World) -> None:
    for fields, field in (
        ({"member": "M9"}, "member"), ({"sort": "FORMS"}, "sort"), ({"about": "C26-999999"}, "about"),
        ({"text": ""}, "text"), ({"channel": "PIGEON"}, "channel"), ({"member": ""}, "member"),
        ({"complained_of": 999_999}, "complained_of"),
    ):  # fmt: skip
        with pytest.raises((InvalidInput, InvalidInputs)) as refused:
            asked(world, **fields)
        found = refused.value
        errors = found.errors if isinstance(found, InvalidInputs) else [found]
        assert [error.field for error in errors] == [field]
    claim = world.claim(series="2026")
    with pytest.raises(InvalidInput):
        record(world.actor("service"), {"member": "M2024", "about": claim.number, "asker": "x", "text": "??"})
    assert not Enquiry.objects.exists()
    with pytest.raises(InvalidInput):
        do(world, asked(world), "close")


def test_permissions(world: World) -> None:
    case = asked(world, "2024")
    for role in ("finance", "auditor", "insurer"):
        with pytest.raises(NotAllowed):
            do(world, case, "answer", by=role, text="不该我答")
        with pytest.raises(NotAllowed):
            asked(world, by=role)
    with pytest.raises(NotAllowed):
        do(world, complaint(world), "mark_complex", reason="很复杂")
    for other in ({"tpa": "OTHER"}, {"series": ["2026"]}):
        stranger = make_actor("service_specialist", **other)
        with pytest.raises(NotFound):
            perform(case.number, "answer", stranger, text="看不到")
        with pytest.raises(InvalidInput):
            record(stranger, {"member": "M2024", "asker": "x", "text": "??"})
    names = {one.action.name for one in available(case, world.actor("service"))}
    assert {"answer", "close", "take", "send_forms"} <= names
    late = world.now + timedelta(days=3)
    assert (
        perform(case.number, "answer", world.actor("lead"), text="迟到的答复", now=late).state == "ANSWERED"
    )
    assert clock(case).breached
