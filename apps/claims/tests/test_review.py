"""Disputes, answers, corrections, withdrawals: what happens to a claim under review."""

from datetime import datetime
from typing import Any

import pytest

from apps.cases.models import CaseFile
from apps.claims.models import Override
from apps.claims.tests.world import SHANGHAI, World, events
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed
from apps.documents.models import BillRegister
from apps.products.actions import load_calendar


def at(month: int, day: int, hour: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI)


# --- Dispute (PR-04, S32) ---------------------------------------------------------------------------


def vaccine_claim(world: World, series: str, now: datetime) -> CaseFile:
    from apps.members.models import Policy

    Policy.objects.filter(series=series).update(riders=["VACCINE"])
    line = world.line("300.00", kind="VACCINE", name="疫苗")
    visit = world.visit([world.bill(lines=[line])], benefit="VACCINE")
    case = world.claim(visit, series=series, category="VACCINE", now=now)
    world.papers(case)
    case = world.do(case, "check_materials", by="intake", now=now)
    return world.do(case, "start_review", now=now)


def test_s32_the_dispute_pauses_the_2026_clock(world: World) -> None:
    load_calendar([2026])
    case = vaccine_claim(world, "2026", at(9, 28))
    assert world.clock(case, "claim.decision").day.isoformat() == "2026-10-10"
    case = world.do(case, "open_dispute", by="supervisor", reason="诊断与费用不符", now=at(9, 30))
    assert case.state == "DISPUTED"
    assert world.clock(case, "claim.decision").state == "PAUSED"
    case = world.do(case, "close_dispute", by="supervisor", reason="医院已澄清", now=at(10, 9))
    assert case.state == "UNDER_REVIEW"
    assert world.clock(case, "claim.decision").day.isoformat() == "2026-10-13"


def test_pr04_the_2024_clock_and_the_law_run_on(world: World) -> None:
    load_calendar([2026])
    case = vaccine_claim(world, "2024", at(9, 28))
    world.do(case, "open_dispute", by="supervisor", reason="诊断与费用不符", now=at(9, 30))
    assert world.clock(case, "claim.decision").state == "RUNNING"


def test_pr04_a_dispute_is_opened_by_a_senior(world: World) -> None:
    with pytest.raises(NotAllowed):
        world.do(world.review(), "open_dispute", by="adjuster", reason="strange bill")


# --- Papers found missing in the review -----------------------------------------------------------


def test_return_for_papers_restarts_the_contract_clock(world: World) -> None:
    case = world.review()
    case.papers.filter(kind="MEDICAL_RECORD").update(usable=False, note="blurred")
    case = world.do(case, "return_to_materials", reason="page 2 cannot be read")
    assert case.state == "MATERIALS_PENDING"
    assert world.clock(case, "claim.decision").state == "STOPPED"
    case = world.do(case, "papers_arrived", by="intake")
    case.papers.filter(kind="MEDICAL_RECORD").update(usable=True)
    case = world.do(case, "check_materials", by="intake")
    assert case.state == "COMPLETE"
    assert world.clock(case, "claim.decision").state == "RUNNING"


def test_law01_a_returned_claim_was_asked_once(world: World) -> None:
    case = world.claim()
    case = world.do(case, "check_materials", by="intake")
    world.papers(case)
    case = world.do(world.do(case, "papers_arrived", by="intake"), "check_materials", by="intake")
    case = world.do(case, "start_review")
    case.papers.filter(kind="MEDICAL_RECORD").update(usable=False)
    with pytest.raises(Blocked) as caught:
        world.do(case, "return_to_materials", reason="page 2 cannot be read")
    assert caught.value.rule == "LAW-01"
    assert (
        world.do(case, "return_to_materials", by="supervisor", reason="page 2").state == "MATERIALS_PENDING"
    )


# --- Answers ----------------------------------------------------------------------------------------


def without_photo(world: World) -> CaseFile:
    case = world.review(world.visit([world.bill("10000.00")]))
    case.papers.update(has_photo=False)
    return case


def test_pr02_compliance_decides_the_exception_once(world: World) -> None:
    case = without_photo(world)
    world.authority("first_review", 50_000)
    with pytest.raises(NotAllowed):
        world.do(case, "answer_finding", finding="PHOTO_ID_MISSING", accept=True, reason="baby without photo")
    world.do(
        case,
        "answer_finding",
        by="compliance",
        finding="PHOTO_ID_MISSING",
        accept=True,
        reason="baby without photo",
    )
    assert {row.finding for row in Override.objects.filter(claim=case.pk)} == {"PHOTO_ID_MISSING", "PHOTO_ID"}
    assert world.do(case, "decide").state == "PAYMENT_PENDING"


def test_an_unknown_finding_names_those_there_are(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.do(without_photo(world), "answer_finding", finding="NO_SUCH", accept=True, reason="why not")
    assert "PHOTO_ID_MISSING" in str(caught.value.message)


def test_where_the_text_leaves_no_room_nobody_answers(world: World) -> None:
    case = world.review(world.visit([world.bill(lines=[world.line(), world.line("9.00", kind="POSTAGE")])]))
    ref = next(f.ref for f in found_of(world, case).findings if f.amount)
    with pytest.raises(Blocked) as caught:
        world.do(case, "answer_finding", finding=ref, accept=True, reason="be kind", by="senior")
    assert caught.value.code == "no_discretion"


def found_of(world: World, case: CaseFile) -> Any:
    from apps.claims.assess import assess

    return assess(world.see(case), world.now)


def test_a_changed_mind_is_kept_too(world: World) -> None:
    case = without_photo(world)
    for accept in (True, False):
        world.do(
            case,
            "answer_finding",
            by="compliance",
            finding="PHOTO_ID_MISSING",
            accept=accept,
            reason="second thought",
        )
    rounds = list(
        Override.objects.filter(finding="PHOTO_ID_MISSING").order_by("round").values_list("round", "accept")
    )
    assert rounds == [(1, True), (2, False)]


# --- Corrections -----------------------------------------------------------------------------------


def correct(world: World, case: CaseFile, *changes: tuple[str, str, str], **more: Any) -> CaseFile:
    rows = [{"place": place, "field": field, "value": value} for place, field, value in changes]
    return world.do(case, "correct_facts", reason="misread", changes=rows, **more)


def test_a_correction_moves_amount_route_and_state(world: World) -> None:
    case = world.claim()
    case = correct(world, case, ("1.1", "amount", "12000.00"), ("1.1.1", "amount", "12000.00"))
    assert case.state == "AWAITING_ORIGINALS"
    assert (case.amount_fen, case.claim.claimed_fen, case.claim.route) == (1_200_000, 1_200_000, "MAIL")
    case = correct(world, case, ("1.1", "amount", "900.00"), ("1.1.1", "amount", "900.00"))
    assert case.state == "ONLINE_SUBMITTED"
    event = case.events.filter(name="facts_corrected").latest("seq")
    assert event.data["changes"][0] == {"place": "1.1", "field": "amount", "from": "12000.00", "to": "900.00"}
    assert event.reason == "misread"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        (("1.1", "amount", "900.00"), "visits.0.bills.0.amount", "sum"),
        (("1.1.1", "amount", "-1"), "visits.0.bills.0.lines.0.amount", "too_small"),
        (("1.1.1", "kind", "MAGIC"), "visits.0.bills.0.lines.0.kind", "unknown_code"),
        (("1", "hospital", "NOWHERE"), "visits.0.hospital", "unknown_hospital"),
        (("1", "started_on", "2026-12-24"), "visits.0.started_on", "future"),
        (("1.1", "number", "12"), "visits.0.bills.0.number", "bill_number"),
        (("2", "hospital", "PUB"), "changes.0.place", "unknown_place"),
        (("1.1.9", "amount", "1"), "changes.0.place", "unknown_place"),
        (("x", "amount", "1"), "changes.0.place", "unknown_place"),
        (("1.1", "color", "red"), "changes.0.field", "unknown_field"),
    ],
)
def test_wrong_corrections_change_nothing(
    world: World, change: tuple[str, str, str], field: str, code: str
) -> None:
    case = world.claim()
    with pytest.raises(InvalidInputs) as caught:
        correct(world, case, change)
    assert (field, code) in {(error.field, error.code) for error in caught.value.errors}
    assert world.see(case).version == case.version


def test_lines_are_added_and_taken_out(world: World) -> None:
    case = world.review(
        world.visit([world.bill(lines=[world.line("300.00", name="a"), world.line("500.00", name="b")])])
    )
    extra = {"bill": "1.1", "line": world.line("50.00", name="c")}
    case = world.do(
        case, "correct_facts", reason="line b is another child's", remove=["1.1.1"], add=[extra],
        changes=[{"place": "1.1", "field": "amount", "value": "550.00"}],
    )  # fmt: skip
    rows = found_of(world, case).rows
    assert [(line.position, line.name, line.amount_fen) for bill in rows.bills() for line in bill.lines] == [
        (1, "b", 50_000), (2, "c", 5_000),
    ]  # fmt: skip
    assert case.claim.claimed_fen == 55_000


def test_law11_a_corrected_bill_number_is_registered_anew(world: World) -> None:
    taken = world.bill()
    world.claim(world.visit([taken]))
    case = world.claim()
    with pytest.raises(Blocked):
        correct(world, case, ("1.1", "number", taken["number"]))
    case = correct(world, case, ("1.1", "number", "9999999999"))
    assert list(
        BillRegister.objects.filter(case=case, released_at=None).values_list("identity", flat=True)
    ) == ["FISCAL:01020304:9999999999"]


def test_a_private_hospital_found_in_the_review_makes_it_a_refusal(world: World) -> None:
    case = correct(world, world.review(), ("1", "hospital", "PRI"))
    case = world.do(case, "decide")
    assert case.state == "DENIED"


# --- Withdrawal --------------------------------------------------------------------------------------


def test_withdrawal_ends_every_promise(world: World) -> None:
    case = world.do(world.review(), "withdraw", by="intake", reason="the member asked")
    assert (case.state, case.open, case.next_due) == ("WITHDRAWN", False, None)
    assert not case.clocks.exclude(state="STOPPED").exists()
    assert events(case)[-1] == "withdrawn"


def test_a_decided_claim_is_not_withdrawn(world: World) -> None:
    with pytest.raises(Blocked):
        world.do(world.do(world.review(), "decide"), "withdraw", by="intake", reason="too late")


def test_common_actions_are_there(world: World) -> None:
    case = world.do(world.review(), "note", text="called the hospital")
    assert case.events.latest("seq").reason == "called the hospital"
