"""Disputes, investigations and medical reviews; clocks that stand still on evidence only; withdrawal and reopening
(PR-04, LAW-02, C12)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.actors import Actor
from apps.accounts.tests.factories import UserFactory, make_actor
from apps.cases.casepage import open_form
from apps.cases.engine import available, perform
from apps.cases.models import CaseFile, ClockPause
from apps.claims.models import Decision, Inquiry
from apps.claims.replay import replay
from apps.claims.tests.world import World
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed
from apps.core.money import to_fen
from apps.documents.models import BillRegister
from apps.ledger.models import LimitAccount
from apps.messaging.models import Message
from apps.payments.models import PaymentOrder
from apps.payments.queries import payable_fen


def doctor() -> Actor:
    return make_actor("medical_review", username="doctor")


def examiner() -> Actor:
    return make_actor("investigation", username="examiner")


def asked(world: World, **fields: Any) -> CaseFile:
    """A doctor is asked whether the treatment was necessary."""
    return world.do(world.review(), "order_medical_review", question="住院指征是否充分？", **fields)


def inquiry(case: CaseFile) -> Inquiry:
    return Inquiry.objects.filter(claim=case.pk).latest("pk")


# --- Medical review ----------------------------------------------------------------------------------


def test_an_opinion_stands_beside_the_decision(world: World, client: Any) -> None:
    case = asked(world)
    assert (case.state, case.claim.inquiries_open) == ("UNDER_REVIEW", 1)
    with pytest.raises(Blocked) as caught:
        world.do(case, "decide", by="senior")
    assert caught.value.code == "inquiry_open"
    perform(
        case.number, "answer_inquiry", doctor(), now=world.now,
        inquiry=inquiry(case).pk, opinion="PARTLY", answer="首日即可门诊治疗，住院一日合理。",
    )  # fmt: skip
    case = world.see(case)
    row = inquiry(case)
    assert (row.state, row.opinion, row.answered_by) == ("ANSWERED", "PARTLY", doctor_label())
    assert case.claim.inquiries_open == 0
    client.force_login(UserFactory(username="decider", roles=("senior_adjuster",)))
    page = client.get(f"/admin/case/{case.number}/do/decide/").content.decode()
    assert "首日即可门诊治疗" in page
    assert client.get(f"/api/v1/claims/{case.number}/inquiries/").json()[0]["opinion"] == "PARTLY"
    assert world.do(case, "decide", by="senior").state == "PAYMENT_PENDING"


def doctor_label() -> str:
    return str(Inquiry.objects.latest("pk").answered_by)


def test_only_the_specialist_gives_a_medical_opinion(world: World) -> None:
    case = asked(world)
    given = {"inquiry": inquiry(case).pk, "opinion": "SUPPORTED", "answer": "符合指征"}
    for actor in (examiner(), world.actor("senior")):
        with pytest.raises(NotAllowed):
            perform(case.number, "answer_inquiry", actor, now=world.now, **given)
    with pytest.raises(InvalidInput) as caught:
        world.do(
            world.review(world.visit(started_on="2026-09-12")),
            "order_medical_review",
            question="是否必要？",
            given_to=make_actor("finance", username="f").user_id,
        )
    assert (caught.value.code, caught.value.field) == ("role", "given_to")
    assert "医审" in str(caught.value)
    assert "medical_review" not in str(caught.value)  # roles in words


def test_a_form_offers_only_those_who_may_answer(world: World) -> None:
    doctor, lawyer, clerk = (
        UserFactory(username=role, roles=(role,)) for role in ("medical_review", "investigation", "finance")
    )
    UserFactory(username="elsewhere", roles=("medical_review",), tpa="ELSEWHERE")
    case, senior = world.review(), world.actor("senior")
    offered = {
        name: {pk for pk, _words in open_form(case, senior, name).form.fields["given_to"].choices}
        for name in ("order_medical_review", "open_dispute")
    }
    assert offered["order_medical_review"] == {"", str(doctor.pk)}
    assert str(lawyer.pk) in offered["open_dispute"]
    assert not {str(doctor.pk), str(clerk.pk)} & offered["open_dispute"]


def test_who_is_asked_is_told_and_may_be_asked_no_more(world: World) -> None:
    user = UserFactory(username="dr", roles=("medical_review",), email="dr@example.com")
    case = asked(world, given_to=user.pk, due_on="2026-09-20")
    message = Message.objects.get(case=case, template="inquiry")
    assert message.recipient == "dr@example.com"
    assert "住院指征" in message.body
    case = world.do(case, "cancel_inquiry", by="adjuster", inquiry=inquiry(case).pk, reason="病历已说明")
    assert (inquiry(case).state, case.claim.inquiries_open) == ("CANCELED", 0)
    with pytest.raises(Blocked):
        perform(
            case.number,
            "answer_inquiry",
            doctor(),
            inquiry=inquiry(case).pk,
            opinion="UNCLEAR",
            answer="太晚了吗",
        )
    assert world.do(case, "decide", by="senior").state == "PAYMENT_PENDING"


def test_an_inquiry_is_answered_once(world: World) -> None:
    case = asked(world)
    first = inquiry(case).pk
    case = world.do(case, "order_medical_review", question="用药是否合理？")
    given = {"inquiry": first, "opinion": "SUPPORTED", "answer": "符合指征"}
    specialist = doctor()
    perform(case.number, "answer_inquiry", specialist, now=world.now, **given)
    with pytest.raises(Conflict) as caught:
        perform(case.number, "answer_inquiry", specialist, now=world.now, **given)
    assert caught.value.code == "ended"


@pytest.mark.parametrize(
    ("field", "value", "code"), [("lines", ["9.9.9"], "unknown_line"), ("due_on", "2026-09-01", "past"), ("given_to", 999999, "unknown_user")]
)  # fmt: skip
def test_wrong_questions_name_the_field(world: World, field: str, value: Any, code: str) -> None:
    case = world.review()
    with pytest.raises(InvalidInput) as caught:
        world.do(case, "order_medical_review", question="是否必要？", **{field: value})
    assert (caught.value.field, caught.value.code) == (field, code)
    assert not Inquiry.objects.exists()
    assert world.see(case).claim.inquiries_open == 0


# --- Investigation and dispute -----------------------------------------------------------------------


def test_an_investigation_is_ordered_answered_and_closed(world: World) -> None:
    case = world.review()
    user = UserFactory(username="inv", roles=("investigation",))
    case = world.do(
        case, "open_dispute", by="senior", ground="investigation", reason="发票疑似伪造", given_to=user.pk
    )
    assert (case.state, inquiry(case).assignee_id) == ("DISPUTED", user.pk)
    perform(
        case.number, "answer_inquiry", examiner(), now=world.now,
        inquiry=inquiry(case).pk, opinion="UNSUPPORTED", answer="医院财务确认发票属实",
    )  # fmt: skip
    case = world.do(case, "close_dispute", by="senior", reason="调查完毕")
    assert (case.state, inquiry(case).answer) == ("UNDER_REVIEW", "医院财务确认发票属实")


def test_closing_a_dispute_answers_what_nobody_answered(world: World) -> None:
    case = world.do(world.review(), "open_dispute", by="supervisor", reason="费用不符", party="MEMBER")
    case = world.do(case, "close_dispute", by="supervisor", reason="家长已说明")
    assert (inquiry(case).kind, inquiry(case).state, inquiry(case).answer) == (
        "MEMBER",
        "ANSWERED",
        "家长已说明",
    )


# --- Pauses (PR-04, LAW-02) ----------------------------------------------------------------------------


def received(world: World, series: str) -> CaseFile:
    case = world.claim(series=series, papers=[{"kind": "OTHER", "form": "DATA"}])
    world.papers(case)
    case = world.do(case, "check_materials", by="intake")
    return world.do(case, "start_review")


@pytest.mark.parametrize(
    ("series", "who", "paused"),
    [("2026", "supervisor", True), ("2026", "senior", False), ("2024", "supervisor", False)],
)
def test_pr04_a_supervisor_of_a_series_that_prints_it(
    world: World, series: str, who: str, paused: bool
) -> None:
    """2026 prints the dispute; 2024 prints nothing but missing papers. The law's clock runs on."""
    case = world.do(received(world, series), "open_dispute", by=who, reason="费用与病历不符")
    assert (world.clock(case, "claim.decision").state == "PAUSED") is paused
    assert world.clock(case, "law.decision").state == "RUNNING"
    if paused:
        span = ClockPause.objects.get()
        assert span.reached
        assert case.number in span.paper
        assert "费用与病历不符" in span.evidence


def test_pr04_an_investigation_stops_no_clock(world: World) -> None:
    case = world.do(
        received(world, "2026"), "open_dispute", by="supervisor", ground="investigation", reason="疑点"
    )
    assert world.clock(case, "claim.decision").state == "RUNNING"
    with pytest.raises(Blocked) as caught:
        world.do(case, "suspend", by="supervisor", reason="等待调查")
    assert (caught.value.code, caught.value.rule) == ("no_pause", "PR-04")


def test_pr04_suspended_later_by_a_supervisor_and_only_once(world: World) -> None:
    case = world.do(received(world, "2026"), "open_dispute", by="senior", reason="费用与病历不符")
    with pytest.raises(NotAllowed):
        world.do(case, "suspend", by="senior", reason="等待医院")
    case = world.do(case, "suspend", by="supervisor", reason="等待医院答复")
    assert world.clock(case, "claim.decision").state == "PAUSED"
    with pytest.raises(Blocked) as caught:
        world.do(case, "suspend", by="supervisor", reason="再次")
    assert caught.value.code == "standing"
    other = world.do(received(world, "2024"), "open_dispute", by="senior", reason="费用与病历不符")
    with pytest.raises(Blocked) as caught:
        world.do(other, "suspend", by="supervisor", reason="等待医院答复")
    assert caught.value.rule == "PR-04"


def waiting(world: World) -> CaseFile:
    case = world.claim(papers=[{"kind": "OTHER", "form": "DATA"}])
    return world.do(case, "check_materials", by="intake")


def test_law02_a_pause_without_evidence_is_refused(world: World) -> None:
    case = waiting(world)
    at = world.later(days=1)
    with pytest.raises(Blocked) as caught:
        world.do(case, "supplement_delivered", by="system", at=at, now=at)
    assert (caught.value.code, caught.value.rule) == ("no_evidence", "LAW-02")
    assert world.clock(case, "law.decision").state == "RUNNING"
    assert world.see(case).claim.notice_reached_at is None


def test_law02_a_clerk_records_how_the_notice_arrived(world: World) -> None:
    case, at = waiting(world), world.later(days=2)
    given = {"evidence": "挂号信回执 R123", "reached": "王建国 本人签收"}
    for wrong in (world.later(days=-1), world.later(days=9)):
        with pytest.raises(InvalidInput) as caught:
            world.do(case, "record_delivery", by="intake", at=wrong, now=at, **given)
        assert (caught.value.field, caught.value.rule) == ("at", "LAW-02")
    case = world.do(case, "record_delivery", by="intake", at=at, now=at, **given)
    span = ClockPause.objects.get(clock=world.clock(case, "law.decision"))
    assert (span.evidence, span.reached, span.started_at) == ("挂号信回执 R123", "王建国 本人签收", at)
    with pytest.raises(Blocked) as again:
        world.do(case, "record_delivery", by="intake", at=at, now=at, **given)
    assert again.value.code == "reached"


def test_law02_c12_the_arithmetic_over_the_api(world: World, client: Any, rulebook: Any) -> None:
    case, reached, back = waiting(world), world.later(days=2), world.later(days=12)
    world.do(
        case, "record_delivery", by="intake", at=reached, now=reached, evidence="EMS 回执", reached="王建国"
    )
    world.do(case, "papers_arrived", by="intake", now=back)
    client.force_login(UserFactory(username="reader", roles=("intake",)))
    answer = client.get(f"/api/v1/cases/{case.number}/clocks/").json()
    [law] = [one for one in answer if one["key"] == "law.decision"]
    lines = [(line["kind"], line["first"], line["days"], line["total"]) for line in law["lines"]]
    assert lines == [
        ("START", "2026-09-16", 0, 0), ("COUNTED", "2026-09-17", 2, 2), ("PAUSED", "2026-09-19", 10, 2),
        ("COUNTED", "2026-09-29", 28, 30), ("DUE", "2026-10-26", 0, 30),
    ]  # fmt: skip
    proof = law["lines"][2]["proof"]
    assert (proof["evidence"], proof["reached"]) == ("EMS 回执", "王建国")
    page = client.get(f"/admin/case/{case.number}/").content.decode()
    assert "EMS 回执" in page
    assert "missing_papers" not in page
    rulebook.read_back("LAW-02", law["day"])
    rulebook.read_back("C12", proof["paper"])


# --- Withdrawal and reopening ----------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["claim", "complete", "review"])
def test_withdrawal_frees_bills_and_ends_every_promise(world: World, stage: str) -> None:
    case = getattr(world, stage)()
    case = world.do(case, "withdraw", by="intake", reason="家长撤回")
    assert (case.state, case.open) == ("WITHDRAWN", False)
    assert not BillRegister.objects.filter(case=case, released_at=None).exists()
    assert not case.clocks.exclude(state="STOPPED").exists()
    assert not LimitAccount.objects.filter(policy=case.policy_id, used__gt=0).exists()


def test_withdrawal_out_of_a_dispute_ends_its_inquiries(world: World) -> None:
    case = world.do(world.review(), "open_dispute", by="supervisor", reason="费用不符")
    case = world.do(case, "withdraw", by="intake", reason="家长撤回")
    assert (inquiry(case).state, case.claim.inquiries_open) == ("CANCELED", 0)


def test_a_paid_claim_that_was_reopened_is_not_withdrawn(world: World) -> None:
    """Its bills are used up: freeing them would let them be claimed twice (LAW-11)."""
    case = world.do(world.closed(), "reopen", by="supervisor", reason="补充了费用清单")
    with pytest.raises(Blocked) as caught:
        world.do(case, "withdraw", by="intake", reason="家长撤回")
    assert caught.value.code == "decided_before"
    found = {one.action.name: one for one in available(world.see(case), world.actor("intake"))}
    assert found["withdraw"].allowed is False


def corrected(world: World, case: CaseFile, third_party: str) -> CaseFile:
    case = world.do(case, "reopen", by="supervisor", reason="新的结算单")
    case = world.do(
        case, "correct_facts", by="supervisor", reason="新的结算单",
        changes=[{"place": "1.1.1", "field": "third_party", "value": third_party}],
    )  # fmt: skip
    return world.do(case, "decide", by="senior")


def test_reopened_with_new_facts_only_the_difference_moves(world: World) -> None:
    line = world.line("800.00", third_party="300.00")
    case = world.closed(world.visit([world.bill(lines=[line], pooled_fund="300.00")]))
    first = Decision.objects.get(claim=case.pk)
    assert first.insurer_fen == 50_000
    case = world.do(case, "reopen", by="supervisor", reason="新的结算单")
    case = world.do(
        case, "correct_facts", by="supervisor", reason="新的结算单",
        changes=[
            {"place": "1.1.1", "field": "third_party", "value": "100.00"},
            {"place": "1.1", "field": "pooled_fund", "value": "100.00"},
        ],
    )  # fmt: skip
    case = world.do(case, "decide", by="senior")
    second = Decision.objects.get(claim=case.pk, version=2)
    assert [order.amount_fen for order in PaymentOrder.objects.filter(case=case).order_by("pk")] == [
        50_000,
        20_000,
    ]
    for row in (first, second):
        assert to_fen(replay(row).insurer) == row.insurer_fen
    assert LimitAccount.objects.get(policy=case.policy_id, key="annual").used == 70_000


def test_reopened_with_less_what_was_paid_too_much_is_noted(world: World) -> None:
    case = world.closed(world.visit([world.bill(lines=[world.line("800.00")])]))
    case = corrected(world, case, "300.00")
    assert (case.state, payable_fen(case)) == ("CLOSED", -30_000)
    event = case.events.filter(name="decide").latest("seq")
    assert event.data["overpaid_fen"] == 30_000
    assert PaymentOrder.objects.filter(case=case).count() == 1
