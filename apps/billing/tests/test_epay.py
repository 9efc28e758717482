"""Electronic payment: where it is possible (EPY-01), how it goes (EPY-02), and what a gateway may do wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.tests.factories import api_of, make_actor, web_of
from apps.billing import epay
from apps.billing.checks import SANDBOX, a_real_gateway
from apps.billing.gateway import Notice, SandboxGateway, sign
from apps.billing.models import BillPayment, GatewayNotice, OnlinePayment, OnlineRefund, SandboxCharge
from apps.billing.tests.world import Bills
from apps.core.errors import DomainError, InvalidInputs
from apps.ledger.models import MoneyAccount

ACCOUNT = "wx-father"


@pytest.fixture
def front(world: Bills) -> Any:
    """The family's front end."""
    return api_of(world.front_end(ACCOUNT))


def start(front: Any, case: Any, **extra: Any) -> Any:
    return front.post(f"/api/v1/visit-records/{case.number}/pay/", {"account": ACCOUNT}, **extra)


def charge_of(answer: Any) -> SandboxCharge:
    return SandboxCharge.objects.get(payment=answer.json()["number"])


def told(
    charge: SandboxCharge, *, age: float = 0, secret: str = "", client: Any = None, **changed: Any
) -> Any:
    """What the gateway sends: a signed notice, changed as the test wants it."""
    desk = SandboxGateway()
    said = {"kind": "PAID", "event": f"ev-{charge.reference}"} | changed
    headers, body = desk.notice(charge, **said)
    stamp = str(int(headers["X-Gateway-Timestamp"]) - int(age))
    signature = sign(secret or desk.secret, stamp, body)
    return (client or Client()).post(
        "/pay/notices/", body, content_type="application/json", headers={
            "X-Gateway-Timestamp": stamp, "X-Gateway-Signature": signature,
        },
    )  # fmt: skip


@pytest.mark.both_databases
def test_epy02_from_the_visit_record_to_the_paid_bill_and_the_restored_card(
    world: Bills, front: Any, rulebook: Any
) -> None:
    case = world.epay(12000)
    world.deliver()
    world.at("2026-09-22 00:01")
    assert (world.state(case), bool(world.card("2024").greyed_at)) == ("EXHAUSTED", True)
    rows = front.get("/api/v1/visit-records/", {"account": ACCOUNT}).json()
    assert [(row["bill"], row["open"], row["payable"]) for row in rows] == [(case.number, "120.00", True)]
    answer = start(front, case)
    assert (answer.status_code, answer.json()["amount"], answer.json()["state"]) == (201, "120.00", "PENDING")
    page = Client().get(answer.json()["page"].replace("http://testserver", ""))
    assert "120.00" in page.content.decode()
    number = answer.json()["number"]
    status = f"/api/v1/online-payments/{number}/"
    assert (
        front.get(status, {"account": ACCOUNT}).json()["state"] == "PENDING"
    )  # opening the page pays nothing
    Client().post(answer.json()["page"].replace("http://testserver", ""), {"pay": "1"})
    assert front.get(status, {"account": ACCOUNT}).json()["state"] == "PAID"
    assert (world.state(case), world.card("2024").greyed_at) == ("PAID", None)
    assert MoneyAccount.objects.get(reference=case.number).balance == 0
    assert front.get("/api/v1/visit-records/", {"account": ACCOUNT}).json()[0]["payable"] is False
    rulebook.read_back("EPY-02", number)
    rulebook.read_back("EPY-01", case.number)


@pytest.mark.parametrize(
    ("series", "fields", "rule", "code"),
    [
        ("2026", {}, "D39", "not_offered"),
        ("2024", {"hospital": "PRI"}, "EPY-01", "ownership"),
        ("2024", {"visit_type": "INPATIENT"}, "EPY-01", "visit_type"),
        ("2024", {"full_visits_used": False}, "EPY-01", "full_visits"),
    ],
)
def test_epy01_refuses_the_other_series_hospitals_visits_and_shares(
    world: Bills, series: str, fields: dict[str, Any], rule: str, code: str
) -> None:
    front = api_of(world.front_end(ACCOUNT, series=series))
    claim = world.direct(series, hospital=fields.pop("hospital", "PUB"))
    case = world.share(claim, 9000, **({"full_visits_used": True} | fields))
    answer = start(front, case)
    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (409, code, rule)
    row = front.get("/api/v1/visit-records/", {"account": ACCOUNT}).json()[0]
    assert (row["payable"], row["why_not"]["rule"]) == (False, rule)
    assert not OnlinePayment.objects.exists()


def test_only_accounts_that_hold_the_card_see_and_pay(world: Bills, front: Any) -> None:
    case = world.epay()
    assert front.get("/api/v1/visit-records/", {"account": "wx-stranger"}).json() == []
    stranger = front.post(f"/api/v1/visit-records/{case.number}/pay/", {"account": "wx-stranger"})
    assert stranger.status_code == 404
    number = start(front, case).json()["number"]
    assert front.get(f"/api/v1/online-payments/{number}/", {"account": "wx-stranger"}).status_code == 404
    hospital = api_of(world.hospital_machine("PUB"))
    assert hospital.post(f"/api/v1/visit-records/{case.number}/pay/", {"account": ACCOUNT}).status_code == 403


def test_asking_twice_is_one_payment_and_a_new_amount_a_new_one(world: Bills, front: Any) -> None:
    case = world.epay(12000)
    first = start(front, case, HTTP_IDEMPOTENCY_KEY="k1").json()
    assert start(front, case, HTTP_IDEMPOTENCY_KEY="k1").json() == first
    assert start(front, case).json()["number"] == first["number"]
    world.pay(case, "20.00")
    second = start(front, case).json()
    assert (second["amount"], second["number"] != first["number"]) == ("100.00", True)
    assert OnlinePayment.objects.get(number=first["number"]).state == "EXPIRED"


# --- Notices ----------------------------------------------------------------------------------------


def test_unsigned_old_and_broken_notices_change_nothing(world: Bills, front: Any) -> None:
    charge = charge_of(start(front, world.epay()))
    for answer in (told(charge, secret="wrong"), told(charge, age=301), told(charge, age=-301)):
        assert (answer.status_code, answer.json()["code"]) == (403, "signature")
    assert told(charge, kind="MAYBE").status_code == 400
    assert Client().post("/pay/notices/", b"{}", content_type="application/json").status_code == 403
    assert (Client().get("/pay/notices/").status_code, GatewayNotice.objects.count()) == (405, 0)
    assert OnlinePayment.objects.get().state == "PENDING"


@pytest.mark.both_databases
def test_a_notice_that_comes_twice_or_in_the_wrong_order_is_booked_once(world: Bills, front: Any) -> None:
    case = world.epay(12000)
    charge = charge_of(start(front, case))
    outcomes = [
        told(charge, **changed).json()["outcome"]
        for changed in (
            {"event": "e2", "kind": "DECLINED"}, {"event": "e1"}, {"event": "e1"}, {"event": "e3"},
            {"event": "e4", "kind": "DECLINED"},
        )
    ]  # fmt: skip
    assert outcomes == ["NOTED", "BOOKED", "SAID_BEFORE", "SAID_BEFORE", "SAID_BEFORE"]
    assert (world.state(case), BillPayment.objects.count(), world.row(case).paid_fen) == ("PAID", 1, 12000)


def test_an_amount_that_differs_is_refused_and_flagged_for_a_person(world: Bills, front: Any) -> None:
    case = world.epay(12000)
    charge = charge_of(start(front, case))
    assert told(charge, amount_fen=1).json()["outcome"] == "WRONG_AMOUNT"
    assert told(charge, event="e9", reference="SBX-other").json()["outcome"] == "WRONG_AMOUNT"
    payment = OnlinePayment.objects.get()
    assert (payment.state, "120.00" in payment.flag, world.row(case).paid_fen) == ("PENDING", True, 0)
    assert told(charge, event="e10", payment="E26-999999").json()["outcome"] == "UNKNOWN"
    with pytest.raises(DomainError):
        epay.clear_flag(world.actor("caller"), payment.number)
    epay.clear_flag(world.actor("finance"), payment.number)
    assert OnlinePayment.objects.get().flag == ""


def test_a_late_success_still_pays_and_after_the_cancellation_goes_back(world: Bills, front: Any) -> None:
    late, gone = world.epay(12000), world.epay(7000)
    first, second = charge_of(start(front, late)), charge_of(start(front, gone))
    world.at("2026-09-14 10:20")  # both ran out
    assert set(OnlinePayment.objects.values_list("state", flat=True)) == {"EXPIRED"}
    assert told(first).json()["outcome"] == "BOOKED"
    assert world.state(late) == "PAID"
    world.act(gone, "cancel", by="boss", reason="医院更正")
    SandboxCharge.objects.filter(pk=second.pk).update(state="PAID", settled_at=world.now)
    assert told(second).json()["outcome"] == "LATE"
    refund = OnlineRefund.objects.get()
    assert (refund.amount_fen, refund.state, world.row(gone).credit_fen) == (7000, "ASKED", 7000)
    assert (epay.send_refunds(world.now), epay.send_refunds(world.now)) == (1, 0)
    second.refresh_from_db()
    assert (second.refunded_fen, world.row(gone).paid_fen, world.state(gone)) == (7000, 0, "CANCELLED")
    assert [row.signed_fen for row in BillPayment.objects.filter(bill=gone.pk).order_by("pk")] == [
        7000,
        -7000,
    ]


def test_what_is_too_much_goes_back_and_a_gateway_that_is_down_is_asked_again(
    world: Bills, front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = world.epay(12000)
    charge = charge_of(start(front, case))
    world.pay(case, "50.00")  # at the hospital, while the page is open
    SandboxCharge.objects.update(state="PAID", settled_at=world.now)
    told(charge)
    assert (world.state(case), world.row(case).credit_fen, OnlineRefund.objects.get().amount_fen) == (
        "PAID", 5000, 5000,
    )  # fmt: skip
    with monkeypatch.context() as down:
        down.setattr(SandboxGateway, "refund", lambda *args, **kwargs: 1 / 0)
        for turn in range(8):
            OnlineRefund.objects.update(next_attempt_at=world.now)
            assert epay.send_refunds(world.now) == 0, turn
    assert (OnlineRefund.objects.get().state, bool(OnlinePayment.objects.get().flag)) == ("FAILED", True)
    epay.clear_flag(world.actor("finance"), OnlinePayment.objects.get().number)
    assert epay.send_refunds(world.now) == 1
    assert world.row(case).credit_fen == 0


def test_a_lost_notice_is_found_by_the_comparison_of_the_day_and_fetched_once(
    world: Bills, front: Any
) -> None:
    case = world.epay(12000)
    charge = charge_of(start(front, case))
    Client().post(f"/pay/sandbox/{charge.reference}/", {"pay": "1", "silent": "1"})
    today = world.now.date()
    assert [row.what for row in epay.compare(today)] == ["MISSING_HERE"]
    number = OnlinePayment.objects.get().number
    with pytest.raises(DomainError):
        epay.fetch(world.actor("caller"), number, today)
    assert epay.fetch(world.actor("finance"), number, today) == "BOOKED"
    assert epay.fetch(world.actor("finance"), number, today) == "SAID_BEFORE"
    assert [row.what for row in epay.compare(today)] == ["NONE"]
    charge.refresh_from_db()
    assert told(charge).json()["outcome"] == "SAID_BEFORE"  # the notice was only slow
    assert world.row(case).paid_fen == 12000
    assert epay.compare(today - timedelta(days=1)) == []


def test_without_a_gateway_nothing_is_started_and_the_sandbox_is_not_there(
    world: Bills, front: Any, settings: Any
) -> None:
    case = world.epay()
    charge = charge_of(start(front, case))
    settings.PAYMENT_GATEWAY = ""
    world.pay(case, "1.00")
    assert start(front, case).json()["code"] == "no_gateway"
    assert Client().post("/pay/notices/", b"{}", content_type="application/json").status_code == 409
    settings.PAYMENT_GATEWAY = "apps.billing.tests.test_epay.Elsewhere"
    assert Client().get(f"/pay/sandbox/{charge.reference}/").status_code == 404


class Elsewhere:
    name = "elsewhere"


# --- Hospitals and screens --------------------------------------------------------------------------


def test_law_11_a_bill_recorded_before_is_named_only_to_who_may_see_it(world: Bills) -> None:
    number = world.bill(series="2024", reference="INV-9").number
    for series, named in ((["2026"], False), ([], True)):
        desk = make_actor("service_specialist", series=series)
        with pytest.raises(InvalidInputs) as refused:
            world.bill(reference="INV-9", by=desk)
        (error,) = refused.value.errors
        assert (error.code, error.rule, number in str(error.message)) == ("BILL_SEEN", "LAW-11", named)


def test_a_hospital_reports_a_bill_and_its_payment_by_api(world: Bills) -> None:
    hospital = api_of(world.hospital_machine("PRI"))
    body = {"member": "M2026", "name": "王小明", "birth_date": "2021-05-04", "hospital": "PRI", "amount": "350.00",
            "visited_on": "2026-09-10", "visit_type": "OUTPATIENT", "reference": "INV-77"}  # fmt: skip
    made = hospital.post("/api/v1/bills/", body)
    assert (made.status_code, made.json()["self_pay"]["open"], made.json()["state"]) == (
        201,
        "350.00",
        "OPEN",
    )
    again = hospital.post("/api/v1/bills/", body)
    assert (again.status_code, "INV-77" in json.dumps(again.json(), ensure_ascii=False)) == (400, True)
    number = made.json()["number"]
    path = f"/api/v1/cases/{number}/actions/record_payment/"
    paid = hospital.post(
        path, {"version": 1, "input": {"amount": "350.00", "paid_on": "2026-09-14", "reference": "SJ-1"}}
    )
    assert paid.status_code == 200, paid.content
    shown = hospital.get(f"/api/v1/bills/{number}/").json()
    assert (shown["state"], shown["self_pay"]["paid"]) == ("PAID", "350.00")
    other = api_of(world.hospital_machine("PUB"))
    assert other.get(f"/api/v1/bills/{number}/").status_code == 404
    assert other.get("/api/v1/bills/").json()["results"] == []


def test_the_pages_show_calls_ages_lists_and_the_day(world: Bills, front: Any) -> None:
    world.no_address()
    case, paid = world.bill("350.00"), world.epay(12000)
    told(charge_of(start(front, paid)))
    web = web_of(world.user("collections", "finance"))
    calls = web.get("/admin/bills/calls/").content.decode()
    assert (case.number in calls, "自付部分 350.00 元" in calls) == (True, True)
    web.post(
        f"/admin/bills/calls/{case.number}/",
        {"task": world.call(case).pk, "outcome": "ANSWERED", "note": "好"},
    )
    assert world.state(case) == "REMINDED_1"
    ages = web.get("/admin/bills/open/").content.decode()
    assert ("350.00" in ages, "<svg" in ages) == (True, True)
    assert web.get("/admin/bills/open/?excel=1")["Content-Type"].endswith("sheet")
    listed = web.get("/admin/billing/selfpaybill/", {"state": "REMINDED_1", "age": "0"}).content.decode()
    assert (case.number in listed, paid.number in listed) == (True, False)
    for path in ("billreminder", "billpayment", "onlinepayment", "gatewaynotice"):
        assert web.get(f"/admin/billing/{path}/").status_code == 200
    assert paid.number in web.get("/admin/bills/online/").content.decode()
    for page in (case, paid):
        assert web.get(reverse("admin:case", args=[page.number])).status_code == 200
    form = {"member": "M2026", "hospital": "PRI", "visited_on": "2026-09-10", "visit_type": "OUTPATIENT",
            "amount": "80.00", "reference": "INV-1", "reason": "NOT_COVERED"}  # fmt: skip
    wrong = web.post("/admin/bills/new/", form | {"amount": "0.00"})
    assert (wrong.status_code, "BIL-01" in wrong.content.decode()) == (400, True)
    assert web.post("/admin/bills/new/", form).status_code == 302
    stranger = web_of(world.user("mailroom"))
    assert stranger.get("/admin/bills/calls/").status_code == 403
    assert stranger.get("/admin/billing/onlinepayment/").status_code == 403


@pytest.mark.parametrize(
    ("production", "path", "secret", "expected"),
    [
        (True, "", "", ["billing.I001"]),
        (False, "", "k", ["billing.I001"]),
        (True, "", "k", ["billing.E003"]),
        (True, SANDBOX, "k", ["billing.E001"]),
        (False, SANDBOX, "k", []),
        (False, SANDBOX, "", ["billing.E002"]),
        (True, "apps.billing.gateway.NoSuch", "k", ["billing.E004"]),
        (True, "apps.billing.gateway.Notice", "", ["billing.E002", "billing.E004"]),
    ],
)
def test_no_gateway_is_legal_and_half_a_gateway_is_an_error(
    settings: Any, production: bool, path: str, secret: str, expected: list[str]
) -> None:
    settings.PRODUCTION = production
    settings.PAYMENT_GATEWAY, settings.PAYMENT_GATEWAY_SECRET = path, secret
    assert [message.id for message in a_real_gateway(None)] == expected


def test_a_gateway_whose_clock_is_ahead_pays_no_bill_tomorrow(world: Bills, front: Any) -> None:
    charge = charge_of(start(front, world.epay(12000)))
    ahead = Notice(
        "ev-ahead", "PAID", charge.payment, charge.reference, 12000, world.now + timedelta(hours=20)
    )
    assert epay.book("sandbox", ahead, world.now) == "BOOKED"
    assert OnlinePayment.objects.get(number=charge.payment).paid_at == world.now
    assert BillPayment.objects.get(reference=charge.payment).paid_on == world.now.date()
