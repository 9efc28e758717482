"""Deciding, signing, deciding otherwise, and the money that follows."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import Role, User
from apps.cases.engine import available, perform_many
from apps.cases.models import CaseFile
from apps.claims.models import Decision, DecisionLine, Override, Proposal
from apps.claims.queries import latest_decision
from apps.claims.replay import compare
from apps.claims.tests.world import PAYEE, World, events
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed
from apps.documents.models import Letter
from apps.documents.rendering import render_html
from apps.ledger.models import LimitAccount, LimitEntry, MoneyAccount, MoneyEntry
from apps.members.models import Policy
from apps.messaging.models import Message
from apps.payments.actions import make_file, release_file
from apps.payments.models import PaymentOrder


def used(case: CaseFile, key: str = "annual") -> int:
    return LimitAccount.objects.get(policy=case.policy, key=key).used


def test_decision_lines_balance_and_replay_agrees(world: World) -> None:
    lines = [
        world.line("500.00"),
        world.line("300.00", kind="DRUG", third_party="100.00"),
        world.line("20.00", kind="POSTAGE"),
    ]
    case = world.do(world.review(world.visit([world.bill(lines=lines)])), "decide")
    row = latest_decision(case.pk)
    assert row is not None
    assert row.outcome == "PARTIAL"
    assert row.insurer_fen == sum(line.insurer_fen for line in row.lines.all()) == 70_000
    assert [found.same for found in compare(Decision.objects.filter(pk=row.pk))] == [True]
    assert used(case) == 70_000
    assert row.proposed_by_id == world.actor("adjuster").user_id
    assert row.signed_by_id is None


def test_a_claim_with_nothing_payable_is_declined(world: World) -> None:
    case = world.review(world.visit([world.bill(lines=[world.line("90.00", kind="NO_SHOW")])]))
    case = world.do(case, "decide")
    assert case.state == "DENIED"
    assert not case.open
    assert Letter.objects.get(case=case, kind="REFUSAL").context["reasons"]
    assert not PaymentOrder.objects.filter(case=case).exists()
    assert world.clock(case, "law.refusal").state == "RUNNING"
    assert not MoneyAccount.objects.exists()


def test_a_deductible_that_eats_all_closes_with_zero(world: World) -> None:
    case = world.do(world.review(world.visit([world.bill("80.00")]), series="2024"), "decide")
    assert case.state == "CLOSED"
    assert Letter.objects.get(case=case, kind="EOB").context["outcome"] == "ZERO"
    assert events(case)[-2:] == ["decide", "closed"]


def test_the_outcome_is_what_the_rules_make_it(world: World) -> None:
    case = world.review()
    with pytest.raises(InvalidInput) as caught:
        world.do(case, "decide", outcome="DENY", reason="no")
    assert (caught.value.field, caught.value.data["outcome"]) == ("outcome", "APPROVE")
    assert not Decision.objects.exists()


def test_open_findings_stop_the_decision(world: World) -> None:
    case = world.complete(world.visit([world.bill("10000.00")]))
    case = world.do(case, "start_review")
    case.papers.update(has_photo=False)
    with pytest.raises(Blocked) as caught:
        world.do(case, "decide")
    assert (caught.value.code, caught.value.rule) == ("open_findings", "KYC-01")
    [offered] = [
        found
        for found in available(world.see(case), world.actor("adjuster"), now=world.now)
        if found.action.name == "decide"
    ]
    assert not offered.allowed
    assert offered.blockers[0].rule == "KYC-01"


# --- Authority and the second signature -----------------------------------------------------------


def proposed(world: World, amount: str = "800.00") -> CaseFile:
    world.authority("first_review", 500)
    case = world.review(world.visit([world.bill(amount)]))
    return world.do(case, "decide", reason="as billed")


def test_above_the_authority_a_second_person_signs(world: World) -> None:
    case = proposed(world)
    assert case.state == "SECOND_REVIEW"
    assert Proposal.objects.get(claim=case.pk).insurer_fen == 80_000
    assert used(case) == 0
    case = world.do(case, "sign", by="second", note="ok")
    assert case.state == "PAYMENT_PENDING"
    row = Decision.objects.get(claim=case.pk)
    assert (row.proposed_by_id, row.signed_by_id) == (
        world.actor("adjuster").user_id,
        world.actor("second").user_id,
    )
    assert row.reason == "as billed"
    assert not Proposal.objects.exists()


def test_four_eyes(world: World) -> None:
    case = proposed(world)
    user = User.objects.get(pk=world.actor("adjuster").user_id)
    user.roles.add(Role.objects.get(code="second_review"))
    world._people.clear()
    with pytest.raises(NotAllowed) as caught:
        world.do(case, "sign", by="adjuster")
    assert caught.value.code == "four_eyes"


def test_the_database_refuses_one_person_on_both_sides(world: World) -> None:
    case = world.do(world.review(), "decide")
    row = Decision.objects.get(claim=case.pk)
    row.pk, row.version, row.signed_by_id = None, 2, row.proposed_by_id
    row._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_the_signer_needs_the_authority_too(world: World) -> None:
    world.authority("second_review", 700)
    case = proposed(world)
    with pytest.raises(Blocked) as caught:
        world.do(case, "sign", by="second")
    assert caught.value.code == "authority"


def test_returned_to_the_reviewer(world: World) -> None:
    case = world.do(proposed(world), "return_to_reviewer", by="second", reason="look at line 1")
    assert case.state == "UNDER_REVIEW"
    assert not Proposal.objects.exists()
    assert world.do(case, "decide").state == "SECOND_REVIEW"


def test_a_signature_never_stands_under_another_amount(world: World) -> None:
    case = proposed(world)
    LimitAccount.objects.filter(policy=case.policy, key="annual").update(used=2_000_000_00 - 300_00)
    with pytest.raises(Conflict) as caught:
        world.do(case, "sign", by="second")
    assert caught.value.code == "changed"
    assert world.see(case).state == "SECOND_REVIEW"


# --- Ex gratia, compromise, rescission (PR-23, LAW-12) ----------------------------------------------


def test_pr23_ex_gratia_pays_beyond_the_rules_outside_the_limits(world: World) -> None:
    lines = [world.line("500.00"), world.line("300.00", kind="POSTAGE", name="postage")]
    case = world.review(world.visit([world.bill(lines=lines)]))
    with pytest.raises(NotAllowed):
        world.do(case, "decide_ex_gratia", amount="800.00", reason="a hardship case", by="adjuster")
    with pytest.raises(InvalidInput):
        world.do(case, "decide_ex_gratia", amount="500.00", reason="a hardship case", by="senior")
    with pytest.raises(InvalidInput):
        world.do(case, "decide_ex_gratia", amount="800.01", reason="a hardship case", by="senior")
    case = world.do(case, "decide_ex_gratia", amount="700.00", reason="a hardship case", by="senior")
    row = Decision.objects.get(claim=case.pk)
    assert (row.outcome, row.insurer_fen, row.computed_fen) == ("EX_GRATIA", 70_000, 50_000)
    assert used(case) == 50_000
    assert MoneyAccount.objects.get(reference=case.number).balance == 70_000
    assert PaymentOrder.objects.get(case=case).amount_fen == 70_000


def test_pr23_a_compromise_uses_no_limit(world: World) -> None:
    case = world.do(world.review(), "compromise", amount="400.00", reason="agreed on the phone", by="senior")
    assert Decision.objects.get(claim=case.pk).outcome == "COMPROMISE"
    assert used(case) == 0
    assert case.state == "PAYMENT_PENDING"


def test_pr23_above_the_senior_s_authority_it_is_signed(world: World) -> None:
    world.authority("senior_adjuster", 100)
    case = world.do(world.review(), "compromise", amount="400.00", reason="agreed on the phone", by="senior")
    assert case.state == "SECOND_REVIEW"
    case = world.do(case, "sign", by="final")
    row = Decision.objects.get(claim=case.pk)
    assert (row.outcome, row.insurer_fen) == ("COMPROMISE", 40_000)
    assert used(case) == 0


def test_law12_rescission_in_time_and_too_late(world: World) -> None:
    Policy.objects.update(concluded_on="2025-06-01")
    case = world.review()
    with pytest.raises(Blocked) as caught:
        world.do(case, "rescind", by="senior", reason="not disclosed asthma")
    assert caught.value.rule == "LAW-12"
    world.do(
        case, "record_nondisclosure", by="senior", known_on="2026-09-01", reason="hospital record of 2024"
    )
    with pytest.raises(Blocked):
        world.do(case, "rescind", by="senior", reason="not disclosed asthma", now=world.later(days=17))
    case = world.do(case, "rescind", by="senior", reason="not disclosed asthma", now=world.later(days=10))
    assert case.state == "DENIED"
    assert Decision.objects.get(claim=case.pk).outcome == "RESCISSION"
    assert all(line.insurer_fen == 0 for line in DecisionLine.objects.filter(decision__claim=case.pk))


def test_law12_never_after_two_years(world: World) -> None:
    Policy.objects.update(concluded_on="2024-09-15")
    case = world.review()
    world.do(
        case, "record_nondisclosure", by="senior", known_on="2026-09-10", reason="hospital record of 2023"
    )
    with pytest.raises(Blocked) as caught:
        world.do(case, "rescind", by="senior", reason="not disclosed asthma")
    assert caught.value.code == "too_late"


# --- Limits between claims --------------------------------------------------------------------------


def test_the_second_claim_gets_what_the_first_left(world: World) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])

    def shots(amount: str) -> CaseFile:
        line = world.line(amount, kind="VACCINE", name="疫苗")
        return world.review(world.visit([world.bill(lines=[line])], benefit="VACCINE"), category="VACCINE")

    first, second = shots("2000.00"), shots("2500.00")
    first, second = world.do(first, "decide"), world.do(second, "decide")
    amounts = [latest_decision(case.pk).insurer_fen for case in (first, second)]  # type: ignore[union-attr]
    assert amounts == [200_000, 100_000]
    assert used(first, "benefit:VACCINE:year") == 300_000


def test_claims_of_one_batch_share_the_limit_in_order(world: World) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    line = {"kind": "VACCINE", "name": "疫苗"}
    cases = [
        world.review(world.visit([world.bill(lines=[world.line("1400.00", **line)])], benefit="VACCINE", department=f"接种{n}"), category="VACCINE")
        for n in range(3)
    ]  # fmt: skip
    perform_many([case.number for case in cases], "decide", world.actor("adjuster"), now=world.now)
    paid = [latest_decision(case.pk).insurer_fen for case in cases]  # type: ignore[union-attr]
    assert paid == [140_000, 140_000, 20_000]
    assert used(cases[0], "benefit:VACCINE:year") == 300_000


def test_a_late_booking_is_stopped_by_the_database(world: World) -> None:
    account = LimitAccount.objects.create(policy=world.policy_of("2026"), key="x", unit="FEN", ceiling=100)
    with pytest.raises(IntegrityError), transaction.atomic():
        LimitAccount.objects.filter(pk=account.pk).update(used=101)


# --- Payment -----------------------------------------------------------------------------------------


def test_bank_return_and_new_account(world: World) -> None:
    case = world.do(world.review(), "decide")
    order = PaymentOrder.objects.get(case=case)
    file = make_file(world.actor("finance"), [order.number])
    release_file(world.actor("checker"), file.number)
    case = world.do(case, "payment_returned", by="finance", order=order.number, reason="账号不符")
    assert case.state == "PAYMENT_FAILED"
    [form] = [found for found in available(case, world.actor("intake")) if found.action.name == "new_account"]
    assert (form.initial["name"], form.initial["bank"]) == (PAYEE["name"], PAYEE["bank"])
    assert not {"account", "id_number"} & set(form.initial)
    case = world.do(case, "new_account", by="intake", **(PAYEE | {"account": "62220210010985508" + "48"}))
    assert case.state == "PAYMENT_PENDING"
    again = PaymentOrder.objects.get(case=case, state="ORDERED")
    assert (again.attempt, again.amount_fen) == (2, order.amount_fen)
    assert world.pay(case).state == "CLOSED"
    assert MoneyAccount.objects.get(reference=case.number).balance == 0


def test_a_confirmed_payment_that_comes_back_opens_the_claim(world: World) -> None:
    case = world.closed()
    order = PaymentOrder.objects.get(case=case)
    case = world.do(case, "payment_returned", by="finance", order=order.number, reason="销户")
    assert case.state == "PAYMENT_FAILED"
    assert case.open
    assert MoneyAccount.objects.get(reference=case.number).balance == order.amount_fen


def test_without_an_account_the_money_waits(world: World) -> None:
    case = world.claim(payee=None)
    world.papers(case)
    world.papers(case, "BANK_ACCOUNT")
    case = world.do(world.do(case, "check_materials", by="intake"), "start_review")
    case = world.do(case, "decide")
    assert case.state == "APPROVED"
    with pytest.raises(Blocked) as caught:
        world.do(case, "order_payment", by="finance")
    assert caught.value.code == "payee"
    with pytest.raises(Blocked) as caught:
        world.do(case, "close", by="finance")
    assert caught.value.code == "owed"
    case = world.do(case, "set_payee", by="intake", **PAYEE)
    assert world.do(case, "order_payment", by="finance").state == "PAYMENT_PENDING"


def test_nothing_is_paid_twice(world: World) -> None:
    case = world.do(world.review(), "decide")
    order = PaymentOrder.objects.get(case=case)
    order.pk, order.number, order.attempt = None, "P26-999999", 2
    order._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        order.save()


# --- A claim decided again ------------------------------------------------------------------------


def reopened(world: World) -> CaseFile:
    case = world.closed(world.visit([world.bill("800.00")]))
    return world.do(case, "reopen", by="supervisor", reason="a line was misread")


def change(amount: str) -> dict[str, Any]:
    return {
        "reason": "misread",
        "changes": [
            {"place": "1.1", "field": "amount", "value": amount},
            {"place": "1.1.1", "field": "amount", "value": amount},
        ],
    }  # fmt: skip


def told(case: CaseFile) -> tuple[str, str]:
    """The newest letter and the message that carried it."""
    letter = Letter.objects.filter(case=case.pk, kind="EOB").latest("version")
    return render_html(letter), Message.objects.filter(case=case.pk, template="decision").latest("pk").body


def test_reopened_and_paid_more_only_the_difference_moves(world: World) -> None:
    case = reopened(world)
    assert case.state == "UNDER_REVIEW"
    assert events(case)[-2:] == ["reopened", "resume_review"]
    world.do(case, "correct_facts", **change("1000.00"))
    case = world.do(case, "decide")
    assert Decision.objects.filter(claim=case.pk).count() == 2
    assert PaymentOrder.objects.get(case=case, decision_version=2).amount_fen == 20_000
    assert used(case) == 100_000
    kinds = list(LimitEntry.objects.filter(account__key="annual").order_by("pk").values_list("kind", "used"))
    assert kinds == [("USE", 80_000), ("REVERSAL", -80_000), ("USE", 100_000)]
    letter, message = told(case)
    assert "此前已核定赔付 800.00 元。本次补付差额 200.00 元，将汇入" in letter
    assert "此前已核定 800.00 元，本次补付 200.00 元" in message
    assert world.pay(case).state == "CLOSED"
    assert MoneyAccount.objects.get(reference=case.number).balance == 0


def test_reopened_and_decided_the_same_nothing_is_paid(world: World) -> None:
    case = world.do(reopened(world), "decide")
    assert case.state == "CLOSED"
    assert PaymentOrder.objects.filter(case=case).count() == 1
    assert used(case) == 80_000
    letter, message = told(case)
    assert "不再另行付款" in letter
    assert "将汇入" not in letter
    assert "金额不变" in message


def test_reopened_and_paid_less_leaves_a_debt(world: World) -> None:
    case = reopened(world)
    world.do(case, "correct_facts", **change("500.00"))
    case = world.do(case, "decide")
    assert case.state == "CLOSED"
    assert MoneyAccount.objects.get(reference=case.number).balance == -30_000
    assert used(case) == 50_000
    assert MoneyEntry.objects.filter(kind="DUE").count() == 2
    letter, message = told(case)
    assert "本次核定减少 300.00 元" in letter
    assert "将汇入" not in letter
    assert "此前已核定 800.00 元，本次减少 300.00 元" in message


def test_a_reopened_claim_does_not_stand_in_its_own_way(world: World) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    line = world.line("3000.00", kind="VACCINE", name="疫苗")
    case = world.closed(world.visit([world.bill(lines=[line])], benefit="VACCINE"), category="VACCINE")
    case = world.do(world.do(case, "reopen", by="supervisor", reason="look again"), "decide")
    assert latest_decision(case.pk).insurer_fen == 300_000  # type: ignore[union-attr]
    assert used(case, "benefit:VACCINE:year") == 300_000


def test_answers_of_a_person_settle_what_the_text_leaves_open(world: World) -> None:
    world.list_hospital("PUB", "2024")
    case = world.claim(series="2024")
    assert case.state == "EMERGENCY_HOLD"  # a public hospital with direct billing, paid in cash (DBO-03)
    case = world.do(case, "decide_hold", by="senior", accept=True, reason="直付系统当日故障")
    world.papers(case)
    case = world.do(world.do(case, "check_materials", by="intake"), "start_review")
    assert world.do(case, "decide").state == "PAYMENT_PENDING"
    assert Override.objects.get(claim=case.pk).rule
