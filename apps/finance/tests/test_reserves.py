"""Case reserves follow a claim from report to payment, in both series."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from apps.accounts.tests.factories import make_actor
from apps.cases.context import Batch, Ctx
from apps.cases.engine import available, perform_many
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.cases.subscribers import publish
from apps.claims.tests.world import SHANGHAI, World
from apps.core import triggers
from apps.core.errors import Blocked, Conflict, InvalidInput, InvalidInputs, NotAllowed
from apps.finance import config
from apps.finance.backfill import open_missing
from apps.finance.checks import finance_data
from apps.finance.config import estimate_rules, rule_for
from apps.finance.models import Book, Movement
from apps.finance.queries import outstanding_on
from apps.finance.subscriptions import load
from apps.ledger.models import MoneyEntry
from apps.payments.actions import make_file, release_file
from apps.payments.models import PaymentOrder


def book(case: CaseFile) -> Any:
    return load({case.pk: case})[0][case.pk]


def story(case: CaseFile) -> list[tuple[str, str, str, int, int]]:
    """event, kind, basis, reserve after, paid."""
    rows = Movement.objects.filter(case=case).order_by("seq")
    return [(row.event, row.kind, row.basis, row.after_fen, row.paid_fen) for row in rows]


def order_of(case: CaseFile) -> PaymentOrder:
    return PaymentOrder.objects.filter(case=case).latest("pk")


@pytest.mark.parametrize(("series", "ratio"), [("2024", "0.85"), ("2026", "0.82")])
def test_a_report_opens_the_reserve_by_the_rule_of_its_series(world: World, series: str, ratio: str) -> None:
    case = world.claim(series=series)
    row = Movement.objects.get(case=case)
    assert row.after_fen == int(Decimal(ratio) * 80000)
    assert (row.kind, row.basis, row.parts, row.claims) == ("OPENING", "RULE", 1, 1)
    assert row.rule == f"S{series[2:]} {int(Decimal(ratio) * 100)}%"
    assert (row.series, row.benefit, row.visit_year) == (series, "OUTPATIENT", 2026)
    assert row.product == case.policy.plan.code


def test_the_most_specific_rule_wins(world: World) -> None:
    day = world.now.date()
    assert rule_for("2026", "INPATIENT", "INPATIENT", day).id == "S26-IP"
    assert rule_for("2024", "OUTPATIENT", "EMERGENCY", day).id == "S24-OP-EMG"
    assert rule_for("2026", "VACCINE", "OUTPATIENT", day).id == "S26"  # the series counts before the benefit
    assert rule_for("2031", "VACCINE", "OUTPATIENT", day).id == "VACCINE"
    assert rule_for("2031", "EYE", "OUTPATIENT", day).id == "BASE"
    assert rule_for("2026", "DENTAL", "OUTPATIENT", datetime(2025, 1, 1).date()).id == "BASE"
    assert all(0 <= rule.ratio <= 1 for rule in estimate_rules())


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_from_report_to_payment(world: World, series: str) -> None:
    case = world.do(world.review(series=series), "decide")
    decided = case.claim.decided_fen
    assert book(case).reserve == book(case).due == decided > 0
    case = world.pay(case)
    assert case.state == "CLOSED"
    found = book(case)
    assert (found.reserve, found.paid, found.open) == (0, decided, False)
    assert [step[:3] for step in story(case)] == [
        ("reported", "OPENING", "RULE"),
        ("decided", "CHANGE", "DECISION"),
        ("paid", "PAYMENT", "DECISION"),
        ("closed", "RELEASE", "ENDED"),
    ]
    last = Movement.objects.filter(case=case).last()
    assert (last.parts, last.claims) == (-1, -1)


def test_a_proposal_is_the_reserve_until_it_is_signed_or_returned(world: World) -> None:
    world.authority("first_review", 100)
    case = world.do(world.review(), "decide")
    assert case.state == "SECOND_REVIEW"
    proposed = case.claim.proposal.insurer_fen
    assert story(case)[-1][:4] == ("decision_proposed", "CHANGE", "PROPOSAL", proposed)
    opened = story(case)[0][3]
    case = world.do(case, "return_to_reviewer", by="senior", reason="再看一次")
    assert story(case)[-1][:4] == ("returned_to_reviewer", "CHANGE", "RULE", opened)
    case = world.do(world.do(case, "decide"), "sign", by="senior")
    assert story(case)[-1][:4] == ("decided", "CHANGE", "DECISION", case.claim.decided_fen)


def test_a_claim_that_ends_without_money_has_no_reserve(world: World) -> None:
    withdrawn = world.do(world.claim(), "withdraw", by="intake", reason="家长撤回")
    declined = world.review(world.visit([world.bill(lines=[world.line(kind="NO_SHOW", name="爽约费")])]))
    declined = world.do(declined, "decide")
    assert declined.state == "DENIED"
    refused = world.claim(world.visit(hospital="PRI"))
    refused = world.do(refused, "confirm_refusal", by="intake")
    for case in (withdrawn, declined, refused):
        assert (book(case).reserve, book(case).open) == (0, False)
        assert story(case)[-1][1] == "RELEASE"
        assert sum(Movement.objects.filter(case=case).values_list("claims", flat=True)) == 0


def test_corrected_facts_move_the_estimate_and_the_parts(world: World) -> None:
    case = world.review(world.visit(), world.stay([world.bill("5000.00")]))
    assert {key.benefit for key in book(case).parts} == {"OUTPATIENT", "INPATIENT"}
    assert book(case).reserve == 65600 + 450000
    change = {"place": "1.1.1", "field": "amount", "value": "900.00"}
    bill = {"place": "1.1", "field": "amount", "value": "900.00"}
    world.do(case, "correct_facts", by="senior", reason="金额录错", changes=[change, bill])
    assert book(case).reserve == 73800 + 450000
    assert story(case)[-1][:3] == ("facts_corrected", "CHANGE", "RULE")


def test_a_decision_is_split_over_parts_as_its_lines_are(world: World) -> None:
    case = world.review(world.visit(), world.stay([world.bill("5000.00")]))
    case = world.do(case, "decide", by="senior")
    lines = case.claim.decisions.get().lines.select_related("line__bill__visit")
    for key, part in book(case).parts.items():
        own = [row.insurer_fen for row in lines if row.line.bill.visit.benefit == key.benefit]
        assert part.reserve == part.due == sum(own)
    case = world.pay(case)
    assert all(part.paid == part.due for part in book(case).parts.values())


# --- Bank returns ----------------------------------------------------------------------------------


def test_money_that_comes_back_before_it_was_booked_changes_nothing(world: World) -> None:
    case = world.do(world.review(), "decide")
    before = story(case)
    file = make_file(world.actor("finance"), [order_of(case).number], now=world.now)
    release_file(world.actor("checker"), file.number, now=world.now)
    case = world.do(case, "payment_returned", by="finance", order=order_of(case).number, reason="户名不符")
    assert story(case) == before
    assert order_of(case).returned_at == world.now


def test_money_that_comes_back_after_closing_is_outstanding_again(world: World) -> None:
    case = world.closed()
    amount = case.claim.decided_fen
    case = world.do(case, "payment_returned", by="finance", order=order_of(case).number, reason="AC05 已销户")
    assert story(case)[-1] == ("payment_returned", "RETURN", "DECISION", amount, -amount)
    assert book(case).open
    assert book(case).paid == 0
    case = world.do(case, "new_account", **{**PAYEE_AGAIN})
    case = world.pay(case)
    assert (book(case).reserve, book(case).paid, book(case).open) == (0, amount, False)


PAYEE_AGAIN = {
    "name": "王建国", "relation": "FATHER", "bank": "招商银行", "branch": "上海分行", "account": "6225880230001175",
}  # fmt: skip


# --- Reopened --------------------------------------------------------------------------------------


def test_a_reopened_claim_expects_the_rule_less_what_was_paid(world: World) -> None:
    case = world.closed()
    paid = case.claim.decided_fen
    case = world.do(case, "reopen", by="supervisor", reason="新的费用清单")
    assert book(case).open
    assert book(case).reserve == max(65600 - paid, 0)
    assert any(step[1] == "REOPENING" for step in story(case))
    case = world.do(case, "decide")
    assert (book(case).reserve, book(case).paid, book(case).open) == (0, paid, False)


# --- By hand ---------------------------------------------------------------------------------------


def test_a_person_sets_the_reserve_within_their_authority(world: World) -> None:
    case = world.do(world.review(), "adjust_reserve", by="senior", amount="5000.00", reason="预计需要手术")
    assert story(case)[-1][:4] == ("reserve_adjusted", "CHANGE", "MANUAL", 500000)
    event = case.events.last()
    assert event.reason == "预计需要手术"
    assert event.data == {"before_fen": 65600, "after_fen": 500000}
    # It stands against corrected facts, and goes back to the rule when asked.
    change = {"place": "1", "field": "department", "value": "呼吸科"}
    case = world.do(case, "correct_facts", by="senior", reason="科室录错", changes=[change])
    assert book(case).reserve == 500000
    case = world.do(case, "adjust_reserve", by="senior", reason="不需要手术了")
    assert story(case)[-1][:4] == ("reserve_adjusted", "CHANGE", "RULE", 65600)


@pytest.mark.parametrize(
    ("who", "amount", "error", "code"),
    [
        ("senior", "100000.01", NotAllowed, "authority"),
        ("adjuster", "10.00", NotAllowed, "role"),
        ("finance", "10.00", NotAllowed, "role"),
        ("senior", "-1", InvalidInputs, "too_small"),
        ("senior", "1.001", InvalidInputs, "decimals"),
        ("senior", "viel", InvalidInputs, "number"),
        ("senior", "", InvalidInput, "unchanged"),
    ],
)
def test_what_may_not_be_set(world: World, who: str, amount: str, error: type, code: str) -> None:
    case = world.review()
    before = story(case)
    with pytest.raises(error) as refusal:
        world.do(case, "adjust_reserve", by=who, amount=amount, reason="预计需要手术")
    assert refusal.value.code == code
    assert story(case) == before


def test_a_decided_claim_and_people_of_the_tpa_leave_the_reserve_alone(world: World) -> None:
    case = world.review(series="2024")
    tpa = make_actor("adjuster_lead", tpa=case.tpa, username="tpa_lead")
    with pytest.raises(Blocked) as refusal:
        perform_many([case.number], "adjust_reserve", tpa, data={"amount": "1", "reason": "我们的估计"})
    assert refusal.value.code == "house_only"
    (found,) = [one for one in available(case, tpa) if one.action.name == "adjust_reserve"]
    assert not found.allowed
    case = world.do(case, "decide")
    with pytest.raises(Blocked) as refusal:
        world.do(case, "adjust_reserve", by="senior", amount="1", reason="我们的估计")
    assert refusal.value.code == "state"


# --- The journal -----------------------------------------------------------------------------------


def test_movements_are_never_changed_or_removed(world: World) -> None:
    case = world.claim()
    row = Movement.objects.get(case=case)
    with pytest.raises(Conflict):
        row.save()
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Movement.objects.update(after_fen=1)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Movement.objects.filter(pk=row.pk)._raw_delete("default")


@pytest.mark.parametrize("change", [{"after_fen": 1}, {"before_fen": -5, "after_fen": -5}, {"seq": 1}])
def test_the_database_refuses_what_does_not_add_up(world: World, change: dict[str, int]) -> None:
    row = Movement.objects.get(case=world.claim())
    row.pk, row.seq, row.before_fen, row.reserve_fen = None, 2, row.after_fen, 0
    for name, value in change.items():
        setattr(row, name, value)
    row._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_reserve_of_any_past_day_is_a_sum(world: World) -> None:
    case = world.claim()
    later = world.now + timedelta(days=10)
    world.do(case, "withdraw", by="intake", now=later, reason="家长撤回")
    day = world.now.date()
    assert outstanding_on(day - timedelta(days=1)) == {}
    assert outstanding_on(day) == outstanding_on(day + timedelta(days=9)) == {"2026": 65600}
    assert outstanding_on(later.date()) == {"2026": 0}


def test_midnight_of_the_house_divides_the_months(world: World) -> None:
    case = world.claim(now=datetime(2026, 9, 30, 23, 59, tzinfo=SHANGHAI))
    late = world.claim(now=datetime(2026, 10, 1, 0, 1, tzinfo=SHANGHAI))
    months = dict(Movement.objects.values_list("case", "month"))
    assert (months[case.pk].month, months[late.pk].month) == (9, 10)


def test_a_movement_of_a_closed_month_falls_into_the_next(world: World) -> None:
    Book.objects.update_or_create(pk=1, defaults={"closed_through": datetime(2026, 9, 1).date()})
    row = Movement.objects.get(case=world.claim())
    assert (row.month.isoformat(), row.at) == ("2026-10-01", world.now)


def test_a_claim_older_than_the_books_opens_with_its_first_event(world: World) -> None:
    case = world.do(world.review(), "decide")
    with connection.cursor() as cursor:  # as if finance had come later
        triggers.remove("default")
        cursor.execute("DELETE FROM finance_movement")
        triggers.install("default")
    case = world.pay(case)
    found = book(case)
    assert (found.reserve, found.paid, found.open) == (0, case.claim.decided_fen, False)
    assert sum(Movement.objects.filter(case=case).values_list("claims", flat=True)) == 0


def test_what_was_paid_agrees_with_the_ledger(world: World) -> None:
    case = world.closed()
    entries = MoneyEntry.objects.filter(account__reference=case.number)
    assert book(case).paid == -sum(row.amount for row in entries if row.kind == "PAID")
    assert book(case).due == sum(row.amount for row in entries if row.kind == "DUE")


def test_a_batch_reads_once_and_writes_once(world: World) -> None:
    cases = [world.review(world.visit(department=f"科{index}")) for index in range(4)]
    with CaptureQueriesContext(connection) as captured:
        perform_many([case.number for case in cases], "decide", world.actor("adjuster"), now=world.now)
    tables = ("finance_book", "finance_movement")
    own = [
        sql
        for sql in (query["sql"] for query in captured.captured_queries)
        if any(name in sql for name in tables)
    ]
    assert len(own) == 2, own


# --- Paid ahead (LAW-05), and claims from before ---------------------------------------------------


def test_the_undisputed_part_is_owed_while_the_estimate_stands(world: World) -> None:
    """The subscriber sees what `pay_undisputed` publishes: an amount, and the claim goes on."""
    case = world.review()
    _publish(world, case, "undisputed_decided", insurer_fen=20000)
    found = book(case)
    assert (found.reserve, found.due, found.open) == (65600, 20000, True)
    part = next(iter(found.parts.values()))
    assert part.provision == 45600  # what is owed is money owed, the rest a provision
    with pytest.raises(InvalidInput) as refusal:
        world.do(case, "adjust_reserve", by="senior", amount="199.99", reason="预计很少")
    assert refusal.value.code == "owed"
    _publish(world, case, "paid", amount_fen=20000, order="P26-000001")
    found = book(case)
    assert (found.reserve, found.paid, next(iter(found.parts.values())).provision) == (45600, 20000, 45600)
    case = world.do(case, "decide")
    found = book(case)
    assert (found.due, found.reserve) == (case.claim.decided_fen, case.claim.decided_fen - 20000)


def _publish(world: World, case: CaseFile, event: str, **data: Any) -> None:
    batch = Batch(world.actor("senior"), world.now)
    flow = world.see(case)
    ctx = Ctx(case=flow, kind=KINDS["claim"], actor=batch.actor, now=world.now, batch=batch, data=data)
    batch.contexts.append(ctx)
    with transaction.atomic():
        publish(ctx, event)
        batch.flush()


def test_reserves_open_for_claims_from_before(world: World) -> None:
    open_claim, decided = world.claim(), world.do(world.review(world.visit(department="外科")), "decide")
    gone = world.do(world.claim(world.visit(department="眼科")), "withdraw", by="intake", reason="家长撤回")
    triggers.remove("default")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM finance_movement")
    triggers.install("default")
    assert open_missing(world.now) == 2
    assert open_missing(world.now) == 0
    assert (book(open_claim).reserve, book(decided).reserve, book(gone).seq) == (
        65600,
        decided.claim.decided_fen,
        0,
    )
    assert book(decided).due == decided.claim.decided_fen
    call_command("reserves", "--check")


# --- The data ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[estimate]]\nid="A"\nfrom=2024-01-01\nratio="1.5"', "ratio"),
        ('[[estimate]]\nid="A"\nfrom=2024-01-01\nratio="0.5"\nbenefit="X"', "benefit"),
        ('[[estimate]]\nid="A"\nfrom=2024-01-01\nratio="0.5"\nseries="2024"', "missing"),
        ('[[estimate]]\nid="A"\nfrom=2024-01-01\nratio="0.5"\nvisit="X"', "unknown"),
    ],
)
def test_a_wrong_rule_is_noticed_at_start(monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    monkeypatch.setattr(config, "_read", lambda name: tomllib.loads(text))
    config.estimate_rules.cache_clear()
    try:
        (error,) = finance_data(None)
        assert words in error.msg
    finally:
        monkeypatch.undo()
        config.estimate_rules.cache_clear()
    assert finance_data(None) == []


def test_what_was_outstanding_on_a_day_is_read_from_an_index_alone(world: World) -> None:
    world.claim()
    rows = (
        Movement.objects.filter(at__lt=world.now).order_by().values("series").annotate(fen=Sum("reserve_fen"))
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    assert "reserve_as_of" in rows.explain()
