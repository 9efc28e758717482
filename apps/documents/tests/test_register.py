"""Every bill is claimed once, over all claims and under races (PR-01, LAW-11)."""

import threading
from datetime import date

import pytest
from django.db import connection, transaction

from apps.accounts.actors import SYSTEM
from apps.accounts.tests.factories import make_actor
from apps.adjudication import trace
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs
from apps.documents.models import BillRegister
from apps.documents.register import BillClaim, bill_identity, register_bills, release_bills
from apps.documents.tests.factories import make_case, make_member, within

DAY = date(2026, 10, 9)


def bill(number="1234567890", amount=120_00, field="visits.0.bills.0"):
    return BillClaim(bill_identity("FISCAL_E", "01020304", number, "a1b2c3"), amount, DAY, field)


@pytest.mark.parametrize(
    ("bill_type", "code", "number", "check", "identity"),
    [
        ("FISCAL_E", "01020304", "1234567890", "a1b2c3", "FISCAL:01020304:1234567890"),
        ("FISCAL_PAPER", "01020304", "1234567890", "", "FISCAL:01020304:1234567890"),
        ("FISCAL_PAPER", " 0102 0304", "１２３４５６７８９０", "A1B2C3", "FISCAL:01020304:1234567890"),
        ("VAT", "0310019001", "12345678", "", "VAT:0310019001:12345678"),
        ("VAT", "031001900111", "1234-5678", "", "VAT:031001900111:12345678"),
        ("DIGITAL", "", "25312000000012345678", "", "DIGITAL:25312000000012345678"),
        ("OTHER", "", "no 77", "", "OTHER:NO77"),
    ],
)
def test_identity_follows_from_the_type_pr_01(bill_type, code, number, check, identity):
    assert bill_identity(bill_type, code, number, check) == identity


@pytest.mark.parametrize(
    ("bill_type", "code", "number", "check", "wrong"),
    [
        ("FISCAL_E", "0102030", "123456789", "a1", ["code", "number", "check_code"]),
        ("FISCAL_E", "01020304", "1234567890", "", ["check_code"]),
        ("FISCAL_PAPER", "01020304", "12345678901", "", ["number"]),
        ("VAT", "03100190011", "12345678", "", ["code"]),
        ("VAT", "", "12345678", "", ["code"]),
        ("DIGITAL", "0310019001", "25312000000012345678", "", ["code"]),
        ("DIGITAL", "", "2531200000001234567", "", ["number"]),
        ("OTHER", "", "", "", ["number"]),
        ("OTHER", "", "票-1", "", ["number"]),
    ],
)
def test_every_wrong_part_is_named_pr_01(bill_type, code, number, check, wrong):
    with pytest.raises(InvalidInputs) as caught:
        bill_identity(bill_type, code, number, check, field="bills.3")
    assert [error.field for error in caught.value.errors] == [f"bills.3.{name}" for name in wrong]
    assert {error.rule for error in caught.value.errors} == {"PR-01"}


def test_unknown_type_and_issuer_of_other_bills():
    with pytest.raises(InvalidInput, match="FISCAL_E"):
        bill_identity("RECEIPT", "", "1")
    here, there = (bill_identity("OTHER", "", "17", issuer=house) for house in ("H001", "H002"))
    assert here != there


@pytest.mark.django_db
def test_bill_is_accepted_once_and_its_paper_exchange_too_law_11():
    first, second = make_case(), make_case(member=make_member("M000002"))
    heard: list[tuple[str, bool]] = []
    stop = trace.listen(lambda rule, fired: heard.append((rule, fired)))
    within(first, lambda ctx: register_bills(ctx, [bill(), bill("2234567890")]))
    paper = BillClaim(
        bill_identity("FISCAL_PAPER", "01020304", "1234567890"), 120_00, DAY, "visits.1.bills.2"
    )
    with pytest.raises(Blocked) as caught:
        within(second, lambda ctx: register_bills(ctx, [bill("3234567890"), paper]))
    stop()
    error = caught.value
    assert (error.code, error.rule, error.field) == ("BILL_SEEN", "LAW-11", "visits.1.bills.2")
    assert error.data == {"identity": "FISCAL:01020304:1234567890", "case": first.number}
    assert first.number in str(error.message)
    assert BillRegister.objects.count() == 2
    assert heard == [("LAW-11", False), ("LAW-11", True)]


@pytest.mark.django_db
def test_case_that_the_actor_may_not_see_is_not_named_law_11():
    first, second = make_case("2024"), make_case("2026", make_member("M000002"))
    within(first, lambda ctx: register_bills(ctx, [bill()]))
    stranger = make_actor("first_review", series=["2026"])
    with pytest.raises(Blocked) as caught:
        within(second, lambda ctx: register_bills(ctx, [bill()]), stranger)
    assert "case" not in caught.value.data
    assert first.number not in str(caught.value.message)


@pytest.mark.django_db
def test_same_claim_may_register_again_but_not_name_a_bill_twice():
    case = make_case()
    within(case, lambda ctx: register_bills(ctx, [bill()]))
    within(case, lambda ctx: register_bills(ctx, [bill(), bill("2234567890")]))
    assert BillRegister.objects.count() == 2
    with pytest.raises(Blocked) as caught:
        within(
            case, lambda ctx: register_bills(ctx, [bill("9234567890"), bill("9234567890", field="bills.1")])
        )
    assert caught.value.field == "bills.1"


@pytest.mark.django_db
def test_released_bill_can_be_claimed_again():
    first, second = make_case(), make_case(member=make_member("M000002"))
    within(first, lambda ctx: register_bills(ctx, [bill()]))
    assert release_bills(first) == 1
    within(second, lambda ctx: register_bills(ctx, [bill()]))
    assert list(BillRegister.objects.filter(released_at=None).values_list("case", flat=True)) == [second.pk]
    assert release_bills(first) == 0


@pytest.mark.django_db
def test_registering_ten_bills_costs_two_statements(django_assert_num_queries):
    case = make_case()
    ctx = type("Ctx", (), {"case": case, "actor": SYSTEM, "handbook": case.handbook.handbook})
    bills = [bill(f"{n}000000000") for n in range(1, 9)]
    with transaction.atomic(), django_assert_num_queries(4):  # two of them are the savepoint
        register_bills(ctx, bills)


@pytest.mark.django_db(transaction=True)
def test_two_intakes_at_the_same_moment_one_wins_and_the_other_is_told_law_11():
    cases = [make_case(member=make_member(f"M00000{n}")) for n in range(1, 5)]
    start, results = threading.Barrier(len(cases)), []

    def intake(case):
        start.wait()
        try:
            ctx = type("Ctx", (), {"case": case, "actor": SYSTEM, "handbook": case.handbook.handbook})
            with transaction.atomic():
                register_bills(ctx, [bill()])
            results.append("won")
        except DomainError as error:
            results.append((error.code, error.data.get("case")))
        finally:
            connection.close()

    threads = [threading.Thread(target=intake, args=(case,)) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = BillRegister.objects.get().case.number
    assert sorted(map(str, results)) == sorted(map(str, ["won", *[("BILL_SEEN", winner)] * 3]))
