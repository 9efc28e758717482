"""Paying in parts, correcting, canceling; the card comes back exactly once (BIL-03, EPY-02, BIL-22)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.billing.actions import report_bill
from apps.billing.models import BillPayment, BillRevision, SelfPayBill
from apps.billing.tests.world import Bills
from apps.cards.models import CardEvent
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.direct.queries import self_pay
from apps.ledger.models import MoneyAccount
from apps.messaging.models import CallTask, Message


def books(case: Any) -> int:
    """What the ledger says the member owes for a bill, as a balance."""
    return MoneyAccount.objects.get(key=f"receivable:{case.number}:MEMBER").balance


# --- Arising ----------------------------------------------------------------------------------------


def test_bil01_only_what_was_not_collected_on_the_spot_is_billed(world: Bills, rulebook: Any) -> None:
    case = world.bill("500.00", collected="150.00")
    bill = world.row(case)
    assert (bill.total_fen, bill.collected_fen, bill.breakdown) == (35000, 15000, [["NOT_COVERED", 50000]])
    assert (books(case), case.amount_fen, bill.hospital.code) == (-35000, 35000, "PRI")
    with pytest.raises(InvalidInputs) as refused:
        world.bill("150.00", collected="150.00")
    assert (refused.value.errors[0].field, refused.value.errors[0].rule) == ("collected", "BIL-01")
    rulebook.read_back("BIL-01", case.number)


def test_bil20_in_2024_the_bill_comes_with_the_closing_of_the_claim(world: Bills, rulebook: Any) -> None:
    with pytest.raises(InvalidInputs) as refused:
        world.bill(series="2024", claim="")
    assert (refused.value.errors[0].field, refused.value.errors[0].rule) == ("claim", "BIL-20")
    claim = world.direct("2024", state="PAID_TO_HOSPITAL")
    with pytest.raises(InvalidInputs) as refused:
        world.bill(series="2024", claim=claim.number)
    assert refused.value.errors[0].code == "not_closed"
    assert world.share(claim, 30000, closed=False) is None
    made = world.share(claim, 30000)
    assert made is not None
    assert world.row(made).source == "CLOSURE"
    assert world.share(claim, 30000) == made  # said again: the same bill
    assert world.share(world.direct("2024"), 0, collected=30000) is None  # BIL-22: paid on the spot
    rulebook.read_back("BIL-20", made.number)
    rulebook.read_back("BIL-22", "0.00")


@pytest.mark.both_databases
def test_a_real_direct_claim_bills_what_its_decision_leaves(now: Any, db: None) -> None:
    """The two rooms together: decided with a missed appointment of 90.00, billed at once."""
    from apps.direct.tests.world import Direct

    rooms = Direct("2026")
    lines = [rooms.line("800.00"), rooms.line("90.00", kind="NO_SHOW")]
    claim = rooms.decided(rooms.visit([rooms.bill(lines=lines)], hospital="PRI"))
    bill = SelfPayBill.objects.select_related("case", "hospital").get(claim=claim.pk)
    left = self_pay(claim)
    assert (bill.total_fen, bill.hospital.code, bill.source) == (left.open_fen, "PRI", "DECISION")
    assert sum(fen for _reason, fen in bill.breakdown) == left.total_fen >= 9000
    assert bill.case.state == "OPEN"


def test_in_2026_what_stays_open_after_a_decision_is_billed_at_once(world: Bills) -> None:
    made = world.share(world.direct("2026", state="ADJUDICATED"), 20000, closed=False, collected=5000)
    assert made is not None
    bill = world.row(made)
    assert (bill.source, bill.total_fen, bill.waiting) == ("DECISION", 20000, True)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"member": "NOBODY"}, "member"), ({"hospital": "NONE"}, "hospital"), ({"visited_on": "2027-01-01"}, "visited_on"),
        ({"visited_on": "2024-01-01"}, "visited_on"), ({"amount": "-1"}, "amount"), ({"amount": "1.005"}, "amount"),
        ({"visit_type": "DREAM"}, "visit_type"), ({"claim": "D26-999999"}, "claim"), ({"reference": "H"}, "reference"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_stores_nothing(
    world: Bills, wrong: dict[str, str], field: str
) -> None:
    with pytest.raises(DomainError) as refused:
        world.bill(**wrong)
    fields = [error.field for error in getattr(refused.value, "errors", [refused.value])]
    assert (field in fields or wrong.get("amount") == "1.005", SelfPayBill.objects.count()) == (True, 0)


def test_the_same_bill_of_a_hospital_is_recorded_once(world: Bills) -> None:
    case = world.bill(reference="INV-1")
    with pytest.raises(InvalidInputs) as refused:
        world.bill(reference="INV-1")
    assert case.number in str(refused.value.errors[0].message)
    world.bill(reference="INV-1", hospital="PUB")


# --- Paying -----------------------------------------------------------------------------------------


def test_a_part_leaves_the_reminders_as_they_are_and_the_rest_ends_them(world: Bills) -> None:
    case = world.bill("350.00")
    world.deliver()
    world.at("2026-09-21 10:00")  # the second reminder waits in the outbox
    case = world.pay(case, "100.00")
    assert (case.state, world.row(case).reminders, world.row(case).open_fen) == ("REMINDED_1", 1, 25000)
    case = world.pay(case, "250.00")
    assert (case.state, case.open, books(case)) == ("PAID", False, 0)
    assert Message.objects.filter(case=case.pk, template="bill_reminder").latest("pk").state == "CANCELLED"
    assert world.reminders(case)[-1] == ("EMAIL", "CANCELED", None)
    assert not case.clocks.exclude(state="STOPPED").exists()
    assert world.at("2026-10-30 10:00") == 0


def test_calls_that_wait_are_canceled_when_the_bill_is_paid(world: Bills) -> None:
    world.no_address()
    case = world.pay(world.bill(), "350.00")
    assert CallTask.objects.get(case=case.pk).outcome == "CANCELED"


@pytest.mark.parametrize(
    ("amount", "fields", "field"),
    [
        ("350.01", {}, "amount"), ("0.00", {}, "amount"), ("100.00", {"paid_on": "2026-09-09"}, "paid_on"),
        ("100.00", {"paid_on": "2026-09-15"}, "paid_on"), ("100.00", {"way": "ONLINE"}, "way"),
    ],
)  # fmt: skip
def test_more_than_is_open_and_impossible_days_are_refused(
    world: Bills, amount: str, fields: dict[str, str], field: str
) -> None:
    case = world.bill()
    with pytest.raises(DomainError) as refused:
        world.pay(case, amount, **fields)
    assert refused.value.field == field
    assert (world.row(case).paid_fen, books(case)) == (0, -35000)


def test_one_receipt_is_booked_once(world: Bills) -> None:
    case = world.pay(world.bill(), "100.00", reference="SJ-1")
    with pytest.raises(DomainError) as refused:
        world.pay(case, "100.00", reference="SJ-1")
    assert (refused.value.field, world.row(case).paid_fen) == ("reference", 10000)


def test_the_card_comes_back_with_the_last_of_two_exhausted_bills(world: Bills) -> None:
    first, second = world.bill("100.00"), world.reminded(amount="200.00")
    world.at("2026-10-09 00:01")
    assert [world.state(first), world.state(second)] == ["EXHAUSTED", "EXHAUSTED"]
    world.pay(first, "99.99")
    assert world.state(first) == "EXHAUSTED"  # a part is not the whole
    world.pay(first, "0.01")
    assert second.number in world.card().greyed_for  # the card names what is left, and since when it is grey
    assert world.card().greyed_at == world.row(second).exhausted_at
    world.act(second, "cancel", by="boss", reason="医院确认重复计费")
    assert world.state(second) == "CANCELLED"
    assert world.card().greyed_at is None
    assert list(CardEvent.objects.order_by("pk").values_list("kind", flat=True)) == [
        "GREYED",
        "GREYED",
        "RESTORED",
    ]
    assert Message.objects.filter(template="card_restored").count() == 1


def reverse(world: Bills, case: Any, *, by: str = "boss") -> Any:
    payment = BillPayment.objects.filter(bill=case.pk, kind="PAYMENT", reversal=None).get()
    return world.act(case, "reverse_payment", by=by, payment=payment.pk, reason="记错账单")


@pytest.mark.both_databases
def test_a_payment_recorded_by_mistake_is_reversed_by_somebody_else(world: Bills) -> None:
    """The bill stands where it stood, the card is grey again, the history stays, and the receipt can be
    recorded rightly."""
    case = world.exhausted()
    world.pay(case, "350.00", reference="SJ-1")
    assert (world.state(case), world.card().greyed_at) == ("PAID", None)
    with pytest.raises(NotAllowed, match=r"Four eyes|双人"):
        reverse(world, case, by="caller")
    case = reverse(world, case)
    assert (case.state, case.open, case.closed_at, world.row(case).open_fen) == (
        "EXHAUSTED",
        True,
        None,
        35000,
    )
    assert (case.number in world.card().greyed_for, books(case)) == (True, -35000)
    kinds = (
        BillPayment.objects.filter(bill=case.pk)
        .order_by("pk")
        .values_list("kind", "amount_fen", "reverses__kind")
    )
    assert list(kinds) == [("PAYMENT", 35000, None), ("REVERSAL", 35000, "PAYMENT")]
    world.pay(case, "50.00", reference="SJ-1")
    with pytest.raises(InvalidInput, match="SJ-1"):
        world.pay(case, "50.00", reference="SJ-1")
    case = reverse(world, case)  # the same receipt, wrong once more; a part changes no state
    case = world.pay(case, "350.00", reference="SJ-1")
    assert (case.state, books(case), world.card().greyed_at) == ("PAID", 0, None)


def test_a_reversal_starts_the_reminders_where_they_stood(world: Bills) -> None:
    fresh = world.pay(world.bill("10.00"), "10.00")
    assert reverse(world, fresh).state == "OPEN"
    assert world.reminders(fresh) == [("EMAIL", "CANCELED", None), ("EMAIL", "WAITING", None)]
    world.pay(fresh, "10.00")
    case = world.bill()
    world.deliver()
    world.at("2026-09-18 10:00")
    world.pay(case, "350.00")
    assert reverse(world, case).state == "REMINDED_1"
    assert world.at("2026-09-24 10:00") == 0  # a new interval of seven days
    assert world.at("2026-09-25 10:00") == 1
    with pytest.raises(Blocked) as refused:
        world.act(case, "reverse_payment", by="boss", payment=0, reason="记错")
    assert refused.value.code == "no_payment"


# --- Changing ---------------------------------------------------------------------------------------


def test_a_claim_decided_again_changes_its_bill_with_history(world: Bills) -> None:
    claim = world.direct("2026", state="ADJUDICATED")
    case = world.share(claim, 30000, closed=False)
    assert case is not None
    world.pay(case, "100.00")
    assert world.share(claim, 50000, closed=False, reason="复议后") == case
    assert (world.row(case).open_fen, books(case)) == (40000, -40000)
    world.share(claim, 0, closed=False)
    bill = world.row(case)
    assert (world.state(case), bill.credit_fen, books(case)) == ("CANCELLED", 10000, 10000)
    history = BillRevision.objects.filter(bill=case.pk).order_by("number")
    assert list(history.values_list("total_fen", flat=True)) == [30000, 50000, 0]
    with pytest.raises(DomainError):
        world.act(case, "record_refund", amount="100.01", paid_on="2026-09-14", reference="TK-1")
    world.act(case, "record_refund", amount="100.00", paid_on="2026-09-14", reference="TK-1")
    assert (world.row(case).credit_fen, books(case)) == (0, 0)


def test_a_higher_share_after_payment_is_a_further_bill_and_a_lower_one_makes_credit(world: Bills) -> None:
    claim = world.direct("2024")
    first = world.share(claim, 30000)
    assert first is not None
    world.pay(first, "300.00")
    second = world.share(claim, 42000)
    assert second is not None
    assert (second.number != first.number, world.row(second).total_fen) == (True, 12000)
    world.share(claim, 25000)
    assert (world.state(second), world.row(first).credit_fen) == ("CANCELLED", 5000)
    with pytest.raises(DomainError) as refused:
        world.act(first, "correct", by="boss", amount="900.00", reason="补收差额")
    assert refused.value.code == "paid"


def test_a_correction_by_a_lead_can_settle_the_bill(world: Bills) -> None:
    case = world.pay(world.bill(), "100.00")
    case = world.act(case, "correct", by="boss", amount="100.00", reason="医院更正金额")
    assert (case.state, books(case)) == ("PAID", 0)
    with pytest.raises(Blocked):
        world.act(case, "cancel", by="boss", reason="已付清")


class MoneyOfBills(TestCase):
    """Whatever is paid, given back and changed: payments − refunds − total = credit − open, never negative,
    and the ledger says the same."""

    steps = st.lists(
        st.tuples(st.sampled_from(["pay", "refund", "total"]), st.integers(0, 60000)), min_size=1, max_size=8
    )

    @settings(max_examples=12)
    @given(steps)
    def test_it_always_adds_up(self, steps: list[tuple[str, int]]) -> None:
        world = Bills("2026")
        claim = world.direct("2026", state="ADJUDICATED")
        world.share(claim, 30000, closed=False)
        for turn, (what, fen) in enumerate(steps):
            live = SelfPayBill.objects.filter(claim=claim.pk).order_by("-pk").first()
            assert live is not None
            yuan = f"{fen // 100}.{fen % 100:02d}"
            try:
                if what == "total":
                    world.share(claim, fen, closed=False)
                elif what == "pay":
                    world.pay(live.case, yuan)
                else:
                    world.act(
                        live.case,
                        "record_refund",
                        amount=yuan,
                        paid_on=world.now.date(),
                        reference=f"TK{turn}",
                    )
            except DomainError:
                pass
            for bill in SelfPayBill.objects.filter(claim=claim.pk).select_related("case"):
                booked = sum(row.signed_fen for row in BillPayment.objects.filter(bill=bill.pk))
                assert booked == bill.paid_fen >= 0
                assert bill.paid_fen - bill.total_fen == bill.credit_fen - bill.open_fen == books(bill.case)
                assert bill.open_fen >= 0
                assert bill.credit_fen >= 0
                assert bill.live == (bill.case.state not in ("PAID", "CANCELLED")) == bill.case.open
                assert not (bill.live and bill.open_fen == 0)


# --- Who may ----------------------------------------------------------------------------------------


def test_a_hospital_reports_and_receives_for_itself_only(world: Bills) -> None:
    hospital, other = world.machine("PRI"), world.machine("PUB")
    told = {"name": "王小明", "birth_date": "2021-05-04"}
    case = world.bill(by=hospital, **told)
    assert world.row(case).source == "HOSPITAL"
    with pytest.raises(InvalidInputs):  # name and date of birth are needed
        world.bill(by=hospital)
    for actor in (other, world.actor("adjuster")):
        with pytest.raises(DomainError) as refused:
            report_bill(actor, data={"member": "M2026", "hospital": "PRI", "visited_on": "2026-09-10", "amount": "1.00",
                                     "visit_type": "OUTPATIENT", "reference": "H-9", **told}, now=world.now)  # fmt: skip
        assert refused.value.status == 403
    with pytest.raises(DomainError) as hidden:
        world.pay_as(other, case, "350.00")
    assert hidden.value.status == 404
    assert world.pay_as(hospital, case, "350.00").state == "PAID"


def test_another_tpa_sees_no_bill_of_2024_and_roles_bound_what_is_done(world: Bills) -> None:
    case = world.bill(series="2024")
    world.other_tpa_sees_nothing(case)
    for who, action, data in (
        ("caller", "correct", {"amount": "1.00", "reason": "看错了"}),
        ("desk", "cancel", {"reason": "不想追了"}),
        ("adjuster", "record_payment", {"amount": "1.00", "paid_on": "2026-09-14", "reference": "X1"}),
        ("boss", "exhaust", {}), ("boss", "receive_online", {"payment": "E", "at": world.now}),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refused:
            world.act(case, action, by=who, **data)
        assert (action, refused.value.status) == (action, 403)
