"""Every state of an authorization, and what each step writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.tests.factories import UserFactory, web_of
from apps.authorizations.actions import ask_whether, request_authorization
from apps.authorizations.models import Authorization
from apps.authorizations.tasks import expire_letters
from apps.authorizations.tests.world import MAIL, Rooms, days, on
from apps.cases.clocks import sweep
from apps.cases.engine import perform
from apps.claims.tests.world import events
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed
from apps.core.errors import NotFound as Missing
from apps.documents.models import Letter, Paper
from apps.ledger.models import LimitAccount
from apps.members.models import Policy
from apps.messaging.models import Message
from apps.products.actions import load_calendar

DRUG = {"name": "注射用头孢", "kind": "DRUG", "amount": "3000.01"}


def held(world: Rooms, series: str = "2026") -> int:
    return LimitAccount.objects.get(policy=world.policy_of(series), key="annual").reserved


def row(case: Any) -> Authorization:
    return Authorization.objects.get(case=case.pk)


# --- Is it needed? ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "line", "visit_type", "rules"),
    [
        ("2026", {"kind": "DRUG", "amount": "3000.00"}, "OUTPATIENT", set()),
        ("2026", {"kind": "DRUG", "amount": "3000.01"}, "OUTPATIENT", {"PA-10"}),
        ("2026", {"kind": "EXAM", "amount": "5000.00"}, "OUTPATIENT", {"PA-09"}),
        ("2026", {"kind": "EXAM", "amount": "6000.00", "quantity": "2"}, "OUTPATIENT", set()),
        ("2026", {"kind": "EXAM", "amount": "200.00"}, "INPATIENT", {"PA-07"}),
        ("2024", {"kind": "EXAM", "amount": "5000.00"}, "OUTPATIENT", {"PA-24"}),
        ("2024", {"kind": "TREATMENT", "amount": "5000.00"}, "OUTPATIENT", set()),
        ("2024", {"kind": "EXAM", "amount": "200.00"}, "INPATIENT", {"PA-23", "PA-30"}),
    ],
)
def test_the_lines_say_whether_it_is_needed(
    world: Rooms, series: str, line: dict[str, Any], visit_type: str, rules: set[str]
) -> None:
    plan = world.plan({"name": "项目"} | line, series=series, visit_type=visit_type, diagnosis="J20.900")
    _read, found = ask_whether(world.actor("intake"), plan)
    assert {finding.rule for finding in found.triggers if finding.level != "WARN"} == rules
    assert found.required is bool(rules)


def test_pr08_the_tip_list_outside_a_stay_is_advice(world: Rooms) -> None:
    line = {"name": "输液治疗", "kind": "TREATMENT", "amount": "5000.01"}
    plan = world.plan(line, series="2024", visit_type="OUTPATIENT", diagnosis="J20.900")
    _read, found = ask_whether(world.actor("intake"), plan)
    assert [(finding.code, finding.level.value) for finding in found.triggers] == [("PA_ADVISED", "WARN")]
    assert not found.required


def test_app02_what_is_claimed_afterwards_needs_none(world: Rooms) -> None:
    case = world.ask(settlement="REIMBURSEMENT")
    assert (case.state, case.open) == ("NOT_REQUIRED", False)
    assert Message.objects.get(case=case.pk).template == "authorization"


def test_a_request_for_nothing_listed_is_closed_as_not_required(world: Rooms) -> None:
    case = world.review_of({"name": "血常规", "kind": "EXAM", "amount": "80.00"}, visit_type="OUTPATIENT")
    case = world.do(case, "find_not_required")
    assert (case.state, case.open, held(world)) == ("NOT_REQUIRED", False, 0)


def test_what_is_listed_cannot_be_closed_as_not_required(world: Rooms) -> None:
    with pytest.raises(Blocked) as refused:
        world.do(world.review_of(), "find_not_required")
    assert refused.value.rule == "PA-07"


# --- In time or late ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "planned", "asked", "latest", "late"),
    [
        (
            "2026",
            "2026-10-12",
            "2026-09-29",
            "2026-09-29",
            False,
        ),  # DL-25: five working days over the holiday
        ("2026", "2026-10-12", "2026-09-30", "2026-09-29", True),
        ("2026", "2026-10-08", "2026-09-23", "2026-09-23", False),
        ("2024", "2026-10-12", "2026-10-09", "2026-10-09", False),  # DL-06
        ("2024", "2026-10-12", "2026-10-10", "2026-10-09", True),
    ],
)
def test_lead_times_count_working_days(
    world: Rooms, series: str, planned: str, asked: str, latest: str, late: bool
) -> None:
    load_calendar([2026])
    with time_machine.travel(f"{asked}T09:00:00+08:00", tick=False):
        case = world.ask(series=series, planned_on=planned, now=world.now.replace(
            year=int(asked[:4]), month=int(asked[5:7]), day=int(asked[8:])))  # fmt: skip
    given = row(case)
    assert (given.latest_on, given.late, case.priority) == (on(latest), late, 1 if late else 2)
    assert case.state == "SUBMITTED", "a late request is taken all the same"


@pytest.mark.parametrize(("after", "waived"), [(0, True), (1, False)])
def test_pa06_an_emergency_is_notified_within_48_hours(world: Rooms, after: int, waived: bool) -> None:
    at = world.now - timedelta(hours=48, seconds=after)
    case = world.ask(emergency_at=at, planned_on=at.date())
    assert (case.state, row(case).waived, case.priority) == ("EMERGENCY_NOTIFIED", waived, 1)
    assert world.clock(case, "authorization.emergency_notice").breached is not waived


def test_pr07_a_series_without_the_hours_knows_no_such_term(world: Rooms) -> None:
    at = world.now - timedelta(hours=80)
    case = world.ask(series="2024", emergency_at=at, planned_on=at.date())
    assert (row(case).waived, row(case).notify_by) == (None, None)


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"channel": "MAIL"}, "channel", "PA-04"),
        ({"series": "2024", "channel": "MINIPROGRAM"}, "channel", "PA-27"),
        ({"series": "2024", "channel": "HOSPITAL"}, "consent", "PA-27"),
        ({"planned_on": "2026-09-01"}, "planned_on", "PA-06"),
        ({"contact_email": "nobody"}, "contact_email", ""),
        ({"hospital": "NONE"}, "hospital", ""),
        ({"member": "M9"}, "member", ""),
        ({"lines": []}, "lines", ""),
    ],
)
def test_bad_requests_name_field_and_rule_and_leave_nothing(
    world: Rooms, fields: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InvalidInputs) as refused:
        world.ask(**fields)
    assert [(error.field, error.rule) for error in refused.value.errors] == [(field, rule)]
    assert not Authorization.objects.exists()


def test_who_may_ask_and_who_sees(world: Rooms) -> None:
    with pytest.raises(NotAllowed):
        world.ask(by="finance")
    client, other = world.hospital_client("PRI"), world.hospital_client("PUB")
    told = {"name": "王小明", "birth_date": "2021-05-04"}
    with pytest.raises(NotAllowed) as refused_there:
        request_authorization(other, data=world.request(**told))
    assert refused_there.value.code == "hospital"
    with pytest.raises(InvalidInputs) as refused:
        request_authorization(client, data=world.request(**told | {"birth_date": "2021-05-05"}))
    assert refused.value.errors[0].code == "unknown_member"
    case = request_authorization(client, data=world.request(**told))
    with pytest.raises(Missing):
        perform(case.number, "withdraw", other, reason="not ours")
    assert row(case).submitter == "HOSPITAL"


# --- Papers and review ----------------------------------------------------------------------------


def test_the_review_begins_with_the_last_paper_and_photo_identity_is_asked_now(world: Rooms) -> None:
    case = world.do(world.ask(), "ask_papers", by="intake")
    assert case.state == "MATERIALS_PENDING"
    assert case.events.get(name="papers_asked").data["lacking"] == [
        "MEDICAL_RECORD",
        "COST_ESTIMATE",
        "PHOTO_ID",
    ]
    with pytest.raises(Blocked) as refused:
        world.do(case, "complete", by="intake")
    assert refused.value.rule == "PA-02"
    case = world.review_of()
    assert case.state == "UNDER_REVIEW"
    assert world.clock(case, "authorization.decision").day == on("2026-09-18")


def test_the_doctor_is_heard(world: Rooms) -> None:
    case = world.do(world.review_of(), "ask_doctor", question="手术指征？")
    case = world.do(case, "give_opinion", by="doctor", opinion="指征明确")
    assert (case.state, row(case).opinion) == ("UNDER_REVIEW", "指征明确")


def test_above_ones_authority_another_signs(world: Rooms) -> None:
    case = world.review_of({"name": "手术", "kind": "SURGERY", "amount": "80000.00"})
    with pytest.raises(Blocked, match="80,000"):
        world.do(case, "approve", by="second", amount="80000.00", valid_until="2026-10-31")
    case = world.do(case, "propose", by="second", amount="80000.00", valid_until="2026-10-31")
    assert (case.state, held(world)) == ("SECOND_REVIEW", 0)
    with pytest.raises(NotAllowed):
        world.do(case, "sign", by="second")
    case = world.do(case, "sign", by="senior")
    assert (case.state, held(world)) == ("LETTER_ISSUED", 80_000_00)


def test_pr19_a_refusal_is_reconsidered_once_by_somebody_else(world: Rooms) -> None:
    case = world.do(world.review_of(), "reject", by="adjuster", reason="非保障范围")
    assert (case.state, case.open) == ("REJECTED", False)
    case = world.do(case, "reconsider", by="intake", reason="家长补充病历")
    assert (case.state, case.open) == ("RECONSIDERATION", True)
    assert world.clock(case, "authorization.reconsideration").day == on("2026-09-17")
    with pytest.raises(Blocked) as refused:
        world.do(case, "reject", by="adjuster", reason="同前")
    assert refused.value.rule == "PR-19"
    case = world.do(case, "reject", by="second", reason="维持")
    with pytest.raises(Blocked) as refused:
        world.do(case, "reconsider", by="intake", reason="again")
    assert refused.value.rule == "PR-19"


def test_pr19_holds_after_the_second_signature_sent_it_back(world: Rooms) -> None:
    case = world.do(world.review_of(), "reject", by="second", reason="非保障范围")
    case = world.do(case, "reconsider", by="intake", reason="家长补充病历")
    terms = {"amount": "9000.00", "valid_until": "2026-10-31"}
    case = world.do(case, "propose", by="adjuster", **terms)
    case = world.do(case, "send_back", by="senior", reason="再看")
    with pytest.raises(Blocked) as refused:
        world.do(case, "approve", by="second", **terms)
    assert (case.state, refused.value.rule) == ("UNDER_REVIEW", "PR-19")


def test_pa02_outside_the_cover_nothing_is_approved(world: Rooms) -> None:
    case = world.review_of(planned_on="2027-02-01", now=world.now)
    with pytest.raises(Blocked) as refused:
        world.do(case, "approve", by="senior", amount="1.00", valid_until="2027-02-10")
    assert refused.value.code == "outside"


def test_withdrawn_before_the_decision(world: Rooms) -> None:
    case = world.do(world.review_of(), "withdraw", by="intake", reason="改期")
    assert (case.state, case.open) == ("WITHDRAWN", False)
    assert not case.clocks.exclude(state="STOPPED").exists()


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_dl27_a_decision_is_due_after_two_working_days(world: Rooms, series: str, rulebook: Any) -> None:
    load_calendar([2026])
    slow, quick = world.review_of(series=series), world.review_of(series=series)
    assert world.clock(slow, "authorization.decision").day == on("2026-09-18")
    world.do(quick, "reject", by="senior", reason="非保障范围")
    with time_machine.travel("2026-09-19T00:01:00+08:00", tick=False):
        sweep()
    assert world.clock(slow, "authorization.decision").breached
    assert not world.clock(quick, "authorization.decision").breached
    rulebook.fired("DL-27")
    rulebook.fired("DL-27", fired=False)


# --- The letter -----------------------------------------------------------------------------------


def test_approved_reserved_lettered_sent_with_receipt(world: Rooms) -> None:
    case = world.approved()
    assert (case.state, held(world)) == ("LETTER_ISSUED", 10_000_00)
    sent = [message for message in world.deliver() if message.template == "guarantee"]
    assert [(message.recipient, message.state) for message in sent] == [(MAIL, "DELIVERED")]
    case = world.see(case)
    assert case.state == "LETTER_SENT"
    assert row(case).received_at is not None
    assert events(case)[-3:] == ["authorization_decided", "letter_issued", "letter_sent"]


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_pa21_no_letter_outside_the_network_and_nothing_stays_reserved(world: Rooms, series: str) -> None:
    case = world.approved(hospital="PUB", series=series)
    assert (case.state, case.open, held(world, series)) == ("APPROVED_NO_LETTER", False, 0)
    assert not Letter.objects.filter(case=case.pk).exists()
    assert "先行支付" in Message.objects.get(case=case.pk, template="authorization").body


def test_sent_again_without_doubling(world: Rooms) -> None:
    case = world.approved()
    with pytest.raises(Blocked) as refused:
        world.do(case, "send_letter", by="intake")
    assert refused.value.code == "on_its_way"
    world.deliver()
    case = world.do(case, "send_letter", by="intake", email="second@hospital.example")
    assert [m.recipient for m in world.deliver() if m.template == "guarantee"] == [
        MAIL,
        "second@hospital.example",
    ]
    assert world.see(case).state == "LETTER_SENT"


def test_issued_anew_as_the_next_version(world: Rooms) -> None:
    case = world.do(world.sent(), "reissue", by="senior", valid_until="2026-11-15", reason="改期")
    world.deliver()
    letters = list(Letter.objects.filter(case=case.pk).order_by("version"))
    assert [(letter.version, letter.state) for letter in letters] == [(1, "SUPERSEDED"), (2, "SENT")]
    assert len({letter.number for letter in letters}) == 1
    assert (world.see(case).state, held(world)) == ("LETTER_SENT", 10_000_00)


def test_voided_with_notice_and_the_money_goes_back(world: Rooms) -> None:
    case = world.do(world.sent(), "void", by="supervisor", reason="资料不实")
    assert (case.state, held(world), world.letter(case).state) == ("VOIDED", 0, "VOID")
    assert [m.recipient for m in world.deliver() if m.template == "guarantee_void"] == [MAIL]


def test_unused_it_expires_and_the_money_goes_back(world: Rooms) -> None:
    case = world.sent()
    assert expire_letters() == 0
    with time_machine.travel("2026-11-01T00:30:00+08:00", tick=False):
        assert (expire_letters(), expire_letters()) == (1, 0)
    assert (world.see(case).state, held(world)) == ("EXPIRED", 0)


@pytest.mark.parametrize(("series", "rule"), [("2024", "DBI-02"), ("2026", "DBI-01")])
def test_nobody_is_admitted_on_a_letter_that_is_over(world: Rooms, series: str, rule: str) -> None:
    case = world.sent(series=series)
    later = world.later(days=46)
    with pytest.raises(Blocked) as refused:
        world.do(case, "admit", by="intake", now=later, admitted_on=later.date())
    assert refused.value.rule == rule


@pytest.mark.parametrize(("series", "rule"), [("2024", "DBI-02"), ("2026", "DBI-01")])
def test_the_letter_names_the_first_day_of_an_admission(world: Rooms, series: str, rule: str) -> None:
    """The day of the request, as a bed may be free before the planned day; the planned day where the cover
    begins after the request (PA-02)."""
    asked = world.now.date()
    given = world.sent(series=series).authorization
    assert (given.valid_from, given.planned_on) == (asked, on("2026-09-28"))
    with pytest.raises(InvalidInput) as refused:
        world.do(given.case, "admit", by="intake", admitted_on=asked - days(1))
    assert (refused.value.code, refused.value.rule) == ("not_valid_then", rule)
    assert str(asked) in refused.value.message
    assert world.do(given.case, "admit", by="intake", admitted_on=asked).state == "IN_USE"
    Policy.objects.filter(pk=world.policy_of(series).pk).update(effective_on=asked + days(3))
    assert world.approved(series=series).authorization.valid_from == on("2026-09-28")


# --- The stay -------------------------------------------------------------------------------------


def test_the_stay_from_admission_to_close(world: Rooms, client: Client) -> None:
    case = world.admitted()
    with pytest.raises(Blocked):
        world.do(case, "void", by="supervisor", reason="admitted children keep their letter")
    case = world.do(case, "report_costs", by="intake", amount="9000.00")
    case = world.do(case, "record_bill", by="intake", amount="6000.00", bill="F-1")
    account = LimitAccount.objects.get(policy=world.policy_of("2026"), key="annual")
    assert (account.used, account.reserved) == (6_000_00, 4_000_00)
    with pytest.raises(Blocked):
        world.do(case, "close", by="intake")
    case = world.do(case, "discharge", by="intake", discharged_on=world.now.date())
    case = world.do(case, "close", by="intake")
    account.refresh_from_db()
    assert (case.state, case.open, account.used, account.reserved) == ("CLOSED", False, 6_000_00, 0)
    assert "已使用完毕" in client.get(f"/v/{world.letter(case).token}/").content.decode()


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_dbi03_more_is_asked_during_the_stay_and_granted_by_another(world: Rooms, series: str) -> None:
    case = world.admitted(series=series)
    for costs, over in (("9000.00", False), ("10000.01", True)):
        case = world.do(case, "report_costs", by="intake", amount=costs)
        assert case.events.latest("seq").data["over"] is over
    more = [{"name": "腹腔引流", "kind": "TREATMENT", "amount": "5000.00"}]
    case = world.do(case, "ask_supplement", by="lead", reason="术后感染", lines=more, until="2026-11-10")
    assert case.state == "SUPPLEMENTARY_REVIEW"
    with pytest.raises(NotAllowed):
        world.do(case, "grant_supplement", by="lead", amount="5000.00", valid_until="2026-11-10")
    case = world.do(case, "grant_supplement", by="senior", amount="4000.00", valid_until="2026-11-10")
    world.deliver()
    letters = list(Letter.objects.filter(case=case.pk).order_by("version").values_list("version", "state"))
    assert (case.state, held(world, series), letters) == (
        "IN_USE",
        14_000_00,
        [(1, "SUPERSEDED"), (2, "SENT")],
    )
    assert world.letter(case).context["cap_fen"] == 14_000_00


def test_a_supplement_above_ones_authority_needs_a_second_signature(world: Rooms) -> None:
    case = world.admitted(amount="12000.00")
    more = [{"name": "二次手术", "kind": "SURGERY", "amount": "100000.00"}]
    case = world.do(case, "ask_supplement", by="lead", reason="切口感染", lines=more)
    terms = {"amount": "98000.00", "valid_until": "2026-11-10"}
    with pytest.raises(Blocked) as refused:
        world.do(case, "grant_supplement", by="second", **terms)
    assert (refused.value.code, held(world)) == ("authority", 12_000_00)
    case = world.do(case, "propose_supplement", by="second", **terms)
    assert (case.state, held(world), world.letter(case).version) == ("SUPPLEMENT_SIGNING", 12_000_00, 1)
    case = world.do(case, "send_back_supplement", by="final", reason="金额再核")
    case = world.do(case, "propose_supplement", by="second", **terms | {"amount": "90000.00"})
    for person, error in (("lead", NotAllowed), ("second", NotAllowed), ("senior", Blocked)):
        with pytest.raises(error):
            world.do(case, "sign_supplement", by=person)
    case = world.do(case, "sign_supplement", by="final")
    supplement = row(case).supplements.get()
    assert (supplement.state, supplement.granted_fen) == ("GRANTED", 90_000_00)
    assert (case.state, held(world)) == ("IN_USE", 102_000_00)
    assert (world.letter(case).version, world.letter(case).context["cap_fen"]) == (2, 102_000_00)


def test_a_supplement_refused_leaves_the_letter(world: Rooms) -> None:
    case = world.do(world.admitted(), "ask_supplement", by="lead", reason="延长", until="2026-11-10")
    case = world.do(case, "refuse_supplement", by="senior", answer="无必要")
    assert (case.state, held(world), world.letter(case).version) == ("IN_USE", 10_000_00, 1)


def test_a_bill_beyond_the_letter_is_refused(world: Rooms) -> None:
    case = world.admitted()
    with pytest.raises(Exception, match="10,000"):
        world.do(case, "record_bill", by="intake", amount="10000.01", bill="F-1")


def test_what_came_and_nobody_looked_at_is_not_asked_for_again(world: Rooms) -> None:
    case = world.ask()
    came = [
        Paper.objects.create(case=case, kind=kind, form="IMAGE", received_at=world.now)
        for kind in ("MEDICAL_RECORD", "PASSPORT")
    ]
    page = web_of(UserFactory(roles=["intake"])).get(f"/admin/case/{case.number}/").content.decode()
    assert page.count("已收到，待查看") == 2
    asked = world.do(case, "ask_papers", by="intake").events.get(name="papers_asked").data["lacking"]
    assert asked == ["COST_ESTIMATE"]
    came.append(Paper.objects.create(case=case, kind="COST_ESTIMATE", form="IMAGE", received_at=world.now))
    case = world.ask()
    Paper.objects.filter(pk__in=[paper.pk for paper in came]).update(case=case.pk)
    with pytest.raises(Blocked) as refused:
        world.do(case, "ask_papers", by="intake")
    assert (refused.value.code, refused.value.rule) == ("unseen", "RMB-20")
