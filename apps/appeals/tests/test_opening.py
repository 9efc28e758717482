"""Recording an appeal: against what, by what way, once, and who may review it (APL-01, APP-27, PR-06, LAW-10)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from apps.accounts.models import User
from apps.accounts.tests.factories import make_actor
from apps.appeals import guards
from apps.appeals.actions import open_appeal
from apps.appeals.inputs import people
from apps.appeals.models import Appeal
from apps.appeals.tests.world import Appeals
from apps.cases.engine import available, perform
from apps.cases.models import CaseFile, Clock
from apps.core.constraints import meaning_of
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.documents.models import Letter
from apps.enquiries.actions import record as ask
from apps.enquiries.models import Enquiry
from apps.messaging.models import Message

pytestmark = pytest.mark.django_db
RULES = {"2024": "APP-27", "2026": "APL-01"}
PAID = {"2024": 70_000, "2026": 80_000}


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_decided_claim_is_appealed_by_phone(world: Appeals, series: str, rulebook: Any) -> None:
    claim = world.partial(series)
    case = world.record(claim, lines=["1.1.2"])
    row = case.appeal
    assert (case.number[0], case.state, case.open, case.series) == ("H", "RECEIVED", True, series)
    assert (row.rule, row.version, row.former_fen, row.places) == (RULES[series], 1, PAID[series], ["1.1.2"])
    assert row.rules.exists()
    assert [(one.user.username, one.decided) for one in row.deciders.all()] == [("adjuster", True)]
    clocks = {clock.key: clock for clock in Clock.objects.filter(case=case)}
    assert set(clocks) == {"appeal.answer", "appeal.answer_limit"}
    # 16 September: ten working days end on 29 or 30 September, fifteen calendar days on 1 October.
    assert case.next_due == min(clock.due_at for clock in clocks.values())
    assert clocks["appeal.answer_limit"].day.isoformat() == "2026-10-01"
    rulebook.read_back("PR-19", (clocks["appeal.answer"].day, case.next_due))
    rulebook.read_back(RULES[series], row.rule)
    letter = Letter.objects.get(case=case)
    assert (letter.kind, letter.context["appeal"], letter.context["lines"]) == (
        "APPEAL_ACK",
        case.number,
        ["失约费"],
    )
    message = Message.objects.get(case=case)
    assert case.number in message.subject
    assert message.letter_token == letter.token


def test_only_a_decided_claim_can_be_appealed_and_once(world: Appeals) -> None:
    def refused(claim: CaseFile, code: str, rule: str = "APL-01", **fields: Any) -> None:
        with pytest.raises(Blocked) as found:
            world.record(claim, **fields)
        assert (found.value.code, found.value.rule) == (code, rule)

    refused(world.review(), "not_decided")
    claim = world.partial()
    refused(claim, "channel", channel="EMAIL")
    world.record(claim)
    refused(claim, "appeal_open")
    refused(world.partial("2024"), "channel", "APP-27", channel="MAIL")
    again = world.do(world.partial(), "reopen", by="supervisor", reason="复查")
    refused(again, "not_decided")
    with pytest.raises(InvalidInput) as wrong:
        world.record(world.closed(), lines=["7.7.7"])
    assert wrong.value.field == "lines"


def test_what_is_no_claim_is_sent_elsewhere(world: Appeals) -> None:
    question = ask(world.actor("service"), {"member": "M2026", "asker": "王建国", "text": "何时到账？"})
    with pytest.raises(Blocked) as refused:
        world.record(question)
    assert (refused.value.code, refused.value.rule) == ("not_a_claim", "APL-01")
    question.kind = "authorization"
    found = guards.appealable(question, None)
    assert found is not None
    assert "reconsideration" in str(found.message) or "复议" in str(found.message)


def test_a_second_appeal_needs_a_new_decision_or_a_withdrawn_first(world: Appeals) -> None:
    claim = world.partial()
    first = world.act(world.record(claim), "withdraw", by="service", reason="家长撤回")
    assert (first.state, first.open, first.appeal.ended_at is not None) == ("WITHDRAWN", False, True)
    assert set(Clock.objects.filter(case=first).values_list("state", flat=True)) == {"STOPPED"}
    case = world.act(world.upheld(claim), "answer", text="维持原决定，理由见附件。")
    assert case.state == "CLOSED"
    with pytest.raises(Blocked) as refused:
        world.record(claim)
    assert (refused.value.code, refused.value.rule) == ("answered", "APL-01")
    world.do(claim, "reopen", by="supervisor", reason="另有票据")
    claim = world.do(claim, "decide", by="senior")
    assert world.record(claim).appeal.version == 2


def test_the_database_lets_one_appeal_be_open(world: Appeals) -> None:
    case = world.record(world.partial())
    row = Appeal.objects.get(pk=case.pk)
    other = world.record(world.partial())
    with pytest.raises(IntegrityError) as twice:
        Appeal.objects.filter(pk=other.pk).update(origin=row.origin)
    assert meaning_of(twice.value).code == "appeal_open"


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_complaint_becomes_the_appeal(world: Appeals, series: str, rulebook: Any) -> None:
    """APP-27: it brings its own way where the series prints that; its wish is settled and it is answered."""
    claim = world.partial(series)
    wish = {"about": claim.number, "asker": "王建国", "sort": "COMPLAINT", "text": "失约费不应扣除", "channel": "EMAIL"}  # fmt: skip
    complaint = ask(world.actor("service"), wish | {"appeal": True}, now=world.later(days=-4))
    case = world.record(complaint=complaint.number, appellant="", text="")
    row, asked = case.appeal, Enquiry.objects.select_related("case").get(pk=complaint.pk)
    assert (row.origin_id, row.appellant, row.text) == (claim.pk, "王建国", "失约费不应扣除")
    assert row.channel == ("EMAIL" if series == "2024" else "HOTLINE")
    assert row.received_at == asked.received_at
    assert Clock.objects.get(case=case, key="appeal.answer_limit").day.isoformat() == "2026-09-27"
    assert (asked.appeal_wished, asked.case.state) == (False, "ANSWERED")
    assert case.number in asked.answer
    assert asked.case.events.get(name="appeal_taken_up").data["appeal"] == case.number
    assert Clock.objects.get(case=complaint, key="law.complaint").state == "STOPPED"
    rulebook.read_back("APP-27", (row.complaint_id, asked.answer))
    with pytest.raises(Blocked) as twice:
        world.record(complaint=complaint.number)
    assert twice.value.code == "not_wished"


def test_an_appeal_by_phone_settles_the_wish_of_an_earlier_complaint(world: Appeals) -> None:
    """Whoever is complained of does not review it, and the days run from the wish."""
    claim, person = world.partial(), world.actor("second").user_id
    wish = {
        "about": claim.number,
        "asker": "王建国",
        "sort": "COMPLAINT",
        "text": "要求复核",
        "complained_of": person,
    }
    complaint = ask(world.actor("service"), wish | {"appeal": True}, now=world.later(days=-2))
    row = world.record(claim).appeal
    assert (row.complaint_id, row.received_at) == (complaint.pk, world.later(days=-2))
    assert not Enquiry.objects.get(pk=complaint.pk).appeal_wished
    assert person in {one.user_id for one in row.deciders.all()}


def test_a_refusal_at_intake_can_be_appealed(world: Appeals, rulebook: Any) -> None:
    """PR-06: also from a complaint."""
    claim = world.refused_at_intake()
    wish = {
        "about": claim.number,
        "asker": "王建国",
        "sort": "COMPLAINT",
        "text": "这是公立医院",
        "appeal": True,
    }
    complaint = ask(world.actor("service"), wish)
    row = world.record(complaint=complaint.number).appeal
    assert (row.version, row.at_intake, row.former_fen) == (0, True, 0)
    assert [one.user.username for one in row.deciders.all()] == ["intake"]
    assert row.rules.exists()
    rulebook.read_back("PR-06", row.at_intake)


def test_nobody_reviews_their_own_decision(world: Appeals) -> None:
    """LAW-10, machine (h): offered are only others; assigning or taking is refused, also to those without the role."""
    case = world.record(world.partial())
    second, adjuster = world.actor("second"), world.actor("adjuster")
    world.actor("senior")
    offered = {int(pk) for pk, _words in people(_ctx(case))}
    assert second.user_id in offered
    assert not {adjuster.user_id, world.actor("service").user_id} & offered
    for person, code in (("adjuster", "interested"), ("service", "not_a_reviewer")):
        with pytest.raises((Blocked, InvalidInput)) as refused:
            world.act(case, "assign", by="lead", assignee=world.actor(person).user_id)
        assert (refused.value.code, refused.value.field) == (code, "assignee")
    with pytest.raises(Blocked) as own:
        world.act(case, "take", by="adjuster")
    assert own.value.rule == "LAW-10"
    with pytest.raises(NotAllowed):
        world.act(case, "assign", by="second", assignee=second.user_id)
    case = world.act(case, "take", by="second")
    assert (case.state, case.assignee_id) == ("UNDER_REVIEW", second.user_id)
    User.objects.get(pk=second.user_id).roles.clear()
    with pytest.raises(NotAllowed):
        perform(case.number, "overturn", make_actor("intake"), extent="WHOLLY", reason="应予赔付")
    case = world.act(case, "assign", by="lead", assignee=world.actor("senior").user_id)
    assert (case.state, case.assignee_id) == ("UNDER_REVIEW", world.actor("senior").user_id)


def _ctx(case: CaseFile) -> Any:
    from apps.appeals.actions import KIND
    from apps.cases.context import Batch, Ctx

    actor = make_actor("adjuster_lead")
    return Ctx(case=case, kind=KIND, actor=actor, now=case.opened_at, batch=Batch(actor, case.opened_at))


def test_who_may_record(world: Appeals) -> None:
    claim = world.partial()
    with pytest.raises(NotAllowed):
        open_appeal(make_actor("auditor"), {"claim": claim.number, "appellant": "王建国", "text": "不应扣除"})
    with pytest.raises(InvalidInput) as unseen:
        open_appeal(
            make_actor("service_specialist", tpa="OTHER"),
            {"claim": claim.number, "appellant": "王建国", "text": "不应扣除"},
        )
    assert unseen.value.code == "unknown_case"


def test_while_it_is_open_the_claim_stays_as_it_is(world: Appeals) -> None:
    claim = world.partial()
    case = world.record(claim)
    with pytest.raises(Blocked) as refused:
        world.do(claim, "reopen", by="supervisor", reason="复查")
    assert (refused.value.code, refused.value.rule) == ("appeal_open", "APL-01")
    shown = {one.action.name: one for one in available(world.see(claim), world.actor("supervisor"))}
    assert [blocker.code for blocker in shown["reopen"].blockers] == ["appeal_open"]
    world.act(case, "withdraw", by="service", reason="家长撤回")
    assert world.do(claim, "reopen", by="supervisor", reason="复查").state == "UNDER_REVIEW"
