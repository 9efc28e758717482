"""How an appeal goes on: papers asked for, upheld, overturned and decided again, answered once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.actors import SYSTEM
from apps.appeals.models import Appeal
from apps.appeals.subscriptions import question_delivered
from apps.appeals.tests.world import Appeals
from apps.cases.engine import available, perform
from apps.cases.models import CaseFile, Clock, ClockPause
from apps.claims.models import Decision
from apps.core.errors import Blocked, InvalidInput
from apps.documents.models import Letter, Paper
from apps.documents.storage import store_bytes
from apps.documents.tests.factories import pdf
from apps.messaging.models import Message
from apps.payments.models import PaymentOrder

pytestmark = pytest.mark.django_db


# --- Papers -------------------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_papers_asked_for_stop_the_clock_with_proof_and_bring_the_review_back(
    world: Appeals, series: str, rulebook: Any
) -> None:
    case = world.under_review(series=series)
    case = world.act(case, "ask_information", text="请提供门诊病历首页")
    assert case.state == "INFO_PENDING"
    assert not ClockPause.objects.exists()  # nobody heard of it yet
    message = Message.objects.get(case=case, template="appeal_information")
    assert "门诊病历首页" in message.body
    message.delivered_at = world.later(hours=2)
    question_delivered(message)
    case = world.fresh(case)
    spans = ClockPause.objects.filter(clock__case=case)
    assert {(span.reason, span.ended_at) for span in spans} == {("information", None)}
    assert case.next_due is None
    assert all(f"#{message.pk}" in span.evidence and span.paper == "请提供门诊病历首页" for span in spans)
    back = world.later(days=3)
    paper = {"kind": "MEDICAL_RECORD", "form": "ORIGINAL"}
    case = world.act(case, "attach_paper", by="service", now=back, **paper)
    assert (case.state, case.next_due is not None) == ("UNDER_REVIEW", True)
    limit = Clock.objects.get(case=case, key="appeal.answer_limit")
    assert limit.day.isoformat() == "2026-10-04"  # three days later than without
    assert all(span.ended_at == back and span.end_evidence for span in ClockPause.objects.filter(clock__case=case))  # fmt: skip
    rulebook.read_back("PR-04", spans[0].evidence)


def test_the_review_goes_on_by_hand_and_delivery_is_recorded_by_hand(world: Appeals) -> None:
    case = world.act(world.under_review(), "ask_information", text="请提供门诊病历首页")
    with pytest.raises(InvalidInput) as early:
        world.act(
            case,
            "information_delivered",
            by="service",
            at=world.later(days=-1),
            evidence="签收回单",
            reached="父亲",
        )
    assert (early.value.field, early.value.rule) == ("at", "PR-04")
    case = world.act(case, "information_delivered", by="service", at=world.now, evidence="签收回单", reached="父亲")  # fmt: skip
    assert case.appeal.asked_reached_at == world.now
    with pytest.raises(Blocked):
        world.act(case, "information_delivered", by="service", at=world.now, evidence="签收回单", reached="父亲")  # fmt: skip
    case = world.act(case, "information_arrived", note="家长表示没有其他材料")
    assert case.state == "UNDER_REVIEW"
    with pytest.raises(Blocked):
        world.act(case, "ask_information", by="adjuster", text="请提供门诊病历首页")


# --- Upheld -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_upheld_with_reasons_by_rule_and_answered_once(world: Appeals, series: str) -> None:
    claim = world.partial(series)
    case = world.under_review(claim, series)
    shown = {one.action.name: one for one in available(case, world.actor("second"))}
    rules = [row["rule"] for row in shown["uphold"].initial["reasons"]]
    assert rules
    for reasons, field in (([], "reasons"), ([{"rule": "XYZ-1", "text": "没有理由"}], "reasons.0.rule")):
        with pytest.raises(InvalidInput) as wrong:
            world.act(case, "uphold", reasons=reasons)
        assert wrong.value.field == field
    case = world.act(case, "uphold", reasons=[{"rule": rules[0], "text": "失约费不属于医疗费用"}])
    assert (case.state, case.appeal.result, case.open) == ("UPHELD", "UPHELD", True)
    assert Clock.objects.filter(case=case, state="RUNNING").count() == 2  # until the answer is sent
    with pytest.raises(Blocked):
        world.act(case, "withdraw", by="service", reason="撤回")
    case = world.act(case, "answer", text="经复审，维持原决定。")
    assert (case.state, case.open, case.appeal.answer) == ("CLOSED", False, "经复审，维持原决定。")
    assert not Clock.objects.filter(case=case).exclude(state="STOPPED").exists()
    letter = Letter.objects.get(case=case, kind="APPEAL_REPLY")
    [reason] = letter.context["reasons"]
    assert (reason["rule"], reason["text"], bool(reason["clause"])) == (
        rules[0],
        "失约费不属于医疗费用",
        True,
    )
    assert [line["before_fen"] for line in letter.context["lines"]] == [case.appeal.former_fen, 0]
    message = Message.objects.get(case=case, template="appeal_answer")
    assert message.letter_token == letter.token
    assert "维持原决定" in message.body
    with pytest.raises(Blocked):
        world.act(case, "answer", text="再答一次")
    assert Decision.objects.filter(claim=claim.pk).count() == 1


# --- Overturned ---------------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_overturned_the_claim_is_decided_again_by_others_and_the_difference_is_paid(
    world: Appeals, series: str, rulebook: Any
) -> None:
    claim = world.partial(series)
    case = world.under_review(claim, series, lines=["1.1.2"])
    paper = {"kind": "MEDICAL_RECORD", "form": "IMAGE", "files": (store_bytes(pdf(), "a.pdf", "application/pdf"),)}  # fmt: skip
    world.act(case, "attach_paper", by="service", **paper)
    case = world.act(case, "overturn", extent="WHOLLY", reason="该项为检查，应予赔付")
    claim, row = world.see(claim), case.appeal
    assert (case.state, claim.state, row.reopened_at) == ("OVERTURNED", "UNDER_REVIEW", world.now)
    assert claim.assignee_id == world.actor("second").user_id
    assert case.number in claim.events.get(name="reopened").reason
    assert Paper.objects.filter(case=claim.pk, kind="MEDICAL_RECORD", note=case.number).count() == 1
    for name in ("withdraw", "answer"):
        with pytest.raises(Blocked):
            world.act(case, name, **({"reason": "撤回"} if name == "withdraw" else {"text": "请稍候。"}))
    claim = world.corrected(claim)
    with pytest.raises(Blocked) as own:
        world.do(claim, "decide", by="adjuster")
    assert (own.value.code, own.value.rule) == ("interested", "LAW-10")
    claim = world.do(claim, "decide", by="second")
    row = Appeal.objects.get(pk=case.pk)
    assert (row.new_version, row.change_fen, row.settled_at) == (2, 9_000, world.now)
    assert [one.insurer_fen for one in Decision.objects.filter(claim=claim.pk).order_by("version")] == [
        row.former_fen, row.former_fen + 9_000,
    ]  # fmt: skip
    assert PaymentOrder.objects.filter(case=claim).latest("pk").amount_fen == 9_000
    found = {one.action.name: one for one in available(world.fresh(case), world.actor("second"))}
    assert "90.00" in found["answer"].initial["text"]
    case = world.act(case, "answer", text=found["answer"].initial["text"])
    letter = Letter.objects.get(case=case, kind="APPEAL_REPLY").context
    assert [(line["before_fen"], line["after_fen"], line["contested"]) for line in letter["lines"]] == [
        (row.former_fen, row.former_fen, False), (0, 9_000, True),
    ]  # fmt: skip
    assert (letter["result"], letter["change_fen"]) == ("WHOLLY", 9_000)
    assert world.pay(claim).state == "CLOSED"
    rulebook.read_back(row.rule, letter["change_fen"])


def test_it_never_ends_in_the_familys_harm(world: Appeals) -> None:
    claim = world.partial()
    case = world.overturned(claim)
    changes = [{"place": "1.1.1", "field": "amount", "value": "300.00"}, {"place": "1.1", "field": "amount", "value": "390.00"}]  # fmt: skip
    world.do(claim, "correct_facts", by="second", reason="金额录错", changes=changes)
    with pytest.raises(Blocked) as less:
        world.do(claim, "decide", by="second")
    assert (less.value.code, less.value.rule) == ("less_than_before", "APL-01")
    world.authority("senior_adjuster", 1)
    with pytest.raises(Blocked) as proposed:
        world.do(claim, "decide", by="senior")
    assert proposed.value.code == "less_than_before"
    assert Appeal.objects.get(pk=case.pk).settled_at is None


def test_a_claim_still_being_paid_is_reopened_when_it_closes(world: Appeals) -> None:
    lines = [world.line("800.00"), world.line("90.00", kind="NO_SHOW")]
    claim = world.do(world.review(world.visit([world.bill(lines=lines)])), "decide")
    case = world.overturned(claim)
    assert (world.see(claim).state, case.appeal.reopened_at) == ("PAYMENT_PENDING", None)
    with pytest.raises(Blocked) as waits:
        world.act(case, "answer", text="请稍候。")
    assert waits.value.code == "waits"
    assert world.pay(claim).state == "UNDER_REVIEW"
    assert world.fresh(case).appeal.reopened_at is not None


def test_what_cannot_be_reopened_does_not_undo_the_payment(world: Appeals, monkeypatch: Any) -> None:
    """The bank's answer for many claims is booked; the reviewer opens this one by hand."""
    from apps.appeals.actions import reopening

    claim = world.do(world.review(), "decide")
    case = world.overturned(claim)

    def refused(*_args: Any) -> None:
        raise Blocked("refused", code="bill")

    with monkeypatch.context() as broken:
        broken.setattr(reopening, "_hand_over_papers", refused)
        assert world.pay(claim).state == "CLOSED"
    case = world.act(case, "reopen_claim")
    assert (world.see(claim).state, case.appeal.reopened_at) == ("UNDER_REVIEW", world.now)
    with pytest.raises(Blocked):
        world.act(case, "reopen_claim")


def test_an_overturned_refusal_at_intake_is_taken_in(world: Appeals) -> None:
    """PR-06: the bills are claimed again; the family is answered when the claim is taken in."""
    claim = world.refused_at_intake()
    case = world.overturned(claim)
    claim = world.see(claim)
    assert (claim.state, claim.open) == ("REFUSAL_PENDING", True)
    assert claim.registered_bills.filter(released_at=None).exists()
    with pytest.raises(Blocked) as again:
        world.do(claim, "confirm_refusal", by="adjuster")
    assert (again.value.code, again.value.rule) == ("overturned", "PR-06")
    change = {"place": "1", "field": "hospital", "value": "PUB"}
    world.do(claim, "correct_facts", by="second", reason="医院登记错误", changes=[change])
    claim = world.do(claim, "overrule_refusal", by="supervisor", reason="申诉改判")
    assert claim.state in ("ONLINE_SUBMITTED", "AWAITING_ORIGINALS")
    assert world.fresh(case).appeal.settled_at is not None
    case = world.act(case, "answer", text="您的报案已受理。")
    assert (case.state, Letter.objects.get(case=case, kind="APPEAL_REPLY").context["new_fen"]) == (
        "CLOSED",
        None,
    )


def test_bills_claimed_meanwhile_stop_the_taking_up(world: Appeals) -> None:
    """LAW-11: and nothing of the appeal is changed."""
    bill = world.bill()
    claim = world.do(world.claim(world.visit([bill], hospital="PRI")), "confirm_refusal", by="intake")
    case = world.under_review(claim)
    other = world.claim(world.visit([bill]))
    with pytest.raises(Blocked) as refused:
        world.act(case, "overturn", extent="WHOLLY", reason="医院登记错误")
    assert refused.value.rule == "LAW-11"
    assert other.number in str(refused.value.message)
    assert (world.fresh(case).state, world.see(claim).state) == ("UNDER_REVIEW", "REJECTED_INTAKE")


def test_a_claim_that_ends_without_a_new_decision_can_be_answered(world: Appeals) -> None:
    claim = world.refused_at_intake()
    case = world.overturned(claim)
    world.do(claim, "withdraw", by="supervisor", reason="家长撤回理赔")
    row = world.fresh(case).appeal
    assert (row.settled_at, row.new_version) == (world.now, None)
    assert world.act(case, "answer", text="您已撤回理赔，本申诉结束。").state == "CLOSED"


def test_an_inspection_waits_for_the_appeal(world: Appeals) -> None:
    """The same claim drawn for inspection is not reopened beside an open appeal."""
    from apps.quality.actions.sampling import open_inspection

    claim = world.partial()
    inspection = open_inspection(SYSTEM, Decision.objects.get(claim=claim.pk), None)
    world.record(claim)
    with pytest.raises(Blocked) as refused:
        perform(
            inspection.number, "find_errors", world.actor("inspector"), errors=[{"code": "A1"}], rework=True,
            reason="金额有误",
        )  # fmt: skip
    assert refused.value.code == "appeal_open"


def test_a_recovery_falls_away_with_the_overturned_decision(world: Appeals) -> None:
    """Machine (j): what the lower decision asked back is canceled when the appeal restores the former one."""
    from apps.recoveries.models import Recovery

    claim = world.closed(world.visit([world.bill(lines=[world.line("800.00")])]))
    world.do(claim, "reopen", by="supervisor", reason="复查")

    def amounts(value: str) -> list[dict[str, str]]:
        return [{"place": place, "field": "amount", "value": value} for place in ("1.1.1", "1.1")]

    world.do(claim, "correct_facts", by="supervisor", reason="复查", changes=amounts("300.00"))
    claim = world.do(claim, "decide", by="senior")
    recovery = Recovery.objects.get(origin=claim.pk)
    case = world.overturned(claim)
    world.do(claim, "correct_facts", by="second", reason="用药清单无误", changes=amounts("800.00"))
    world.do(claim, "decide", by="second")
    assert CaseFile.objects.get(pk=recovery.pk).state == "CANCELLED"
    assert world.fresh(case).appeal.change_fen == 50_000


def test_an_answer_after_its_day_is_late(world: Appeals) -> None:
    from apps.appeals.queries import late, rows_visible_to, total

    case = world.upheld()
    now = world.now + timedelta(days=20)
    rows = rows_visible_to(world.actor("manager"))
    assert rows.filter(late(now)).count() == 1
    world.act(case, "answer", now=now, text="经复审，维持原决定。")
    told = total(rows, now)
    assert (told.received, told.open, told.upheld, told.late, told.rate) == (1, 0, 1, 1, 0)
