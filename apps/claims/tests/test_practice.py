"""Practice decisions and printed rules that show in a claim's decision or on its page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.adjudication.checklist import checklist
from apps.adjudication.intake import assess_intake, intake_outcome
from apps.adjudication.tests.builders import CALENDAR, hospital, make_facts, make_plan, paid, policy, printed
from apps.cases.models import CaseFile
from apps.cases.testing_rulebook import Reader
from apps.cases.tests.test_views import case_url, enter
from apps.claims.assess import assess
from apps.claims.models import Decision, Outcome
from apps.claims.queries import latest_decision
from apps.claims.tests.world import World
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed
from apps.ledger.models import LimitAccount, MoneyAccount
from apps.members.models import Policy
from apps.products.actions import load_calendar

BOTH = pytest.mark.parametrize("series", ["2024", "2026"])
DIRECT_ONLY = {"2024": "NET-05", "2026": "VAC-06"}


# --- Dental and eye are benefits, not departments (PR-10) ------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("department", "code", "illness"), [("眼科", "H10.900", "结膜炎"), ("口腔科", "S02.500", "牙外伤")]
)
def test_pr10_an_illness_seen_at_the_eye_or_dental_department_is_an_outpatient_benefit(
    world: World, rulebook: Reader, series: str, department: str, code: str, illness: str
) -> None:
    visit = world.visit(department=department, diagnoses=[{"code": code, "name": illness}])
    case = world.do(world.review(visit, series=series), "decide")
    decided = latest_decision(case.pk)
    assert decided is not None
    assert decided.insurer_fen > 0
    assert not {finding["rule"] for finding in decided.result["findings"]} & {"VAC-06", "NET-05", "NET-03"}
    rulebook.fired("PR-10")


@BOTH
@pytest.mark.parametrize(("benefit", "department"), [("EYE", "眼科"), ("DENTAL", "口腔科")])
def test_pr10_the_benefits_eye_and_dental_are_not_for_post_claims(
    world: World, rulebook: Reader, series: str, benefit: str, department: str
) -> None:
    Policy.objects.filter(series="2026").update(riders=["EYE", "DENTAL"])
    case = world.claim(world.visit(benefit=benefit, department=department), series=series)
    assert case.state == "REFUSAL_PENDING"
    found = assess(case, world.now).intake
    assert DIRECT_ONLY[series] in {rule for finding in found for rule in (finding.rule, *finding.also)}
    rulebook.fired("PR-10", fired=False)


# --- Content of a health check (HLC-03) -------------------------------------------------------------


@BOTH
def test_hlc03_evaluation_and_advice_belong_to_a_check_dental_treatment_does_not(
    world: World, rulebook: Reader, series: str
) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    listed = ("DEVELOPMENT_EVALUATION", "FEEDING_ADVICE", "ORAL_HYGIENE_ADVICE")
    lines = [world.line("100.00", kind="HEALTH_CHECK", name=code, code=code) for code in listed]
    lines.append(world.line("100.00", kind="TREATMENT", name="补牙", code="DENTAL_TREATMENT"))
    visit = world.visit([world.bill(lines=lines)], benefit="HEALTH_CHECK")
    case = world.review(visit, series=series, category="HEALTH_CHECK")
    decision = assess(case, world.now).decision
    assert [line.disallowed for line in decision.lines] == [0, 0, 0, 100]
    [refused] = [finding for finding in decision.findings if finding.code == "HEALTH_CHECK_ITEM"]
    assert refused.rule == "HLC-02"
    assert refused.figures["item"] == "补牙"
    world.do(case, "decide")
    row = Decision.objects.get(claim=case.pk)
    kept = {line.line.code: line.disallowed_fen for line in row.lines.select_related("line")}
    assert kept == dict.fromkeys(listed, 0) | {"DENTAL_TREATMENT": 10_000}
    rulebook.read_back("HLC-03", kept)


# --- Steps of a vaccine claim (VAC-07) --------------------------------------------------------------


def test_vac07_papers_are_prepared_after_the_visit_then_filed_and_submitted(
    world: World, rulebook: Reader
) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    lines = [world.line("300.00", kind="VACCINE", name="流感疫苗")]
    visit = world.visit([world.bill(lines=lines)], benefit="VACCINE")
    case = world.complete(visit, series="2026", category="VACCINE")
    assert case.claim.visits.get().started_on < case.opened_at.date()
    steps = list(case.events.order_by("seq").values_list("name", flat=True))
    assert steps.index("reported") < steps.index("routed") < steps.index("materials_complete")
    rulebook.read_back("VAC-07", steps)


# --- Identity before approval (DL-48) ---------------------------------------------------------------


@pytest.mark.parametrize(("amount", "asked"), [("10000.00", True), ("9999.99", False)])
def test_dl48_no_approval_from_ten_thousand_without_photo_identity(
    world: World, rulebook: Reader, amount: str, asked: bool
) -> None:
    case = world.review(world.visit([world.bill(amount)]))
    identity = list(case.papers.filter(kind__in=["PHOTO_ID", "GUARDIAN_ID", "INSURED_ID"]))
    case.papers.filter(pk__in=[paper.pk for paper in identity]).delete()
    if not asked:
        found = assess(world.see(case), world.now).open_findings
        assert not [finding for finding in found if finding.rule == "KYC-01"]
    else:
        with pytest.raises(Blocked) as caught:
            world.do(case, "decide", by="senior")
        assert (caught.value.code, caught.value.rule) == ("open_findings", "KYC-01")
        assert world.see(case).state == "UNDER_REVIEW"
        assert not Decision.objects.exists()
        world.papers(case, "INSURED_ID", "GUARDIAN_ID")
    assert world.do(case, "decide", by="senior").state == "PAYMENT_PENDING"
    rulebook.fired("DL-48", fired=asked)


# --- Ex gratia and compromise (PR-23) -----------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("action", "outcome"), [("decide_ex_gratia", Outcome.EX_GRATIA), ("compromise", Outcome.COMPROMISE)]
)
def test_pr23_only_seniors_with_a_reason_and_in_the_books_but_not_by_the_limits(
    world: World, rulebook: Reader, series: str, action: str, outcome: Outcome
) -> None:
    lines = [world.line("500.00"), world.line("300.00", kind="POSTAGE", name="快递费")]
    case = world.review(world.visit([world.bill(lines=lines)]), series=series)
    computed = int(assess(case, world.now).decision.insurer * 100)
    for person in ("adjuster", "intake", "finance"):
        with pytest.raises(NotAllowed):
            world.do(case, action, amount="700.00", reason="家庭困难，予以通融", by=person)
    with pytest.raises((InvalidInput, InvalidInputs)) as caught:
        world.do(case, action, amount="700.00", reason="困难", by="senior")
    assert "reason" in str(getattr(caught.value, "field", "") or caught.value.errors[0].field)
    with pytest.raises(InvalidInput) as caught:
        world.do(case, action, amount="800.01", reason="家庭困难，予以通融处理", by="senior")
    assert (caught.value.rule, caught.value.field) == ("PR-23", "amount")
    assert not Decision.objects.exists()
    rulebook.fired("PR-23")
    case = world.do(case, action, amount="700.00", reason="家庭困难，予以通融处理", by="senior")
    row = Decision.objects.get(claim=case.pk)
    assert (row.outcome, row.insurer_fen, row.computed_fen) == (outcome.value, 70_000, computed)
    assert MoneyAccount.objects.get(reference=case.number).balance == 70_000
    account = LimitAccount.objects.filter(policy=case.policy, key="annual").first()
    used = account.used if account else 0
    assert used == (computed if outcome == Outcome.EX_GRATIA else 0)
    rulebook.fired("PR-23", fired=False)


# --- The panel on pre-existing conditions (PR-24) -------------------------------------------------------


def panel(client: Client, case: CaseFile) -> Any:
    response = client.get(case_url(case))
    assert response.status_code == 200
    return response.content.decode()


@BOTH
def test_pr24_five_years_of_claims_and_the_days_left_to_rescind(
    world: World, rulebook: Reader, series: str
) -> None:
    """Known on 1 September, asked on the 16th: 15 of 30 days are left, the last is 1 October."""
    load_calendar([2026])
    Policy.objects.update(effective_on="2020-01-01", continuous_since="2020-01-01", concluded_on="2025-06-01")
    old = world.visit([world.bill(issued_on="2022-03-03")], started_on="2022-03-03")
    older = world.visit([world.bill(issued_on="2021-09-01")], started_on="2021-09-01")
    near, far = world.claim(old, series=series), world.claim(older, series=series)
    case = world.review(series=series)
    client = enter(world, "senior")
    page = panel(client, case)
    assert near.number in page
    assert far.number not in page  # five years and two weeks ago
    assert "2026-10-01" not in page
    rulebook.fired("PR-24", fired=False)  # nobody knows of anything: no days run
    reason = "2024年病历记载哮喘，投保时未告知"
    world.do(case, "record_nondisclosure", by="senior", known_on="2026-09-01", reason=reason)
    page = panel(client, case)
    assert "2026-10-01" in page
    clock = world.clock(case, "law.rescission")
    assert (clock.day.isoformat(), clock.spec_id) == ("2026-10-01", "LAW-12")
    rulebook.fired("PR-24")


# --- Direct billing of outpatients (DBO-01) ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("ownership", "networks", "direct"),
    [
        ("PRIVATE", ("OUTPATIENT",), True),
        ("PUBLIC", ("OUTPATIENT",), True),  # some public institutions bill directly
        ("PUBLIC", (), False),  # the others: the member pays and claims
    ],
)
def test_dbo01_network_private_and_some_public_institutions_bill_directly(
    rulebook: Reader, ownership: str, networks: tuple[str, ...], direct: bool
) -> None:
    visit = paid(800, hospital=hospital("H", ownership, networks=networks))
    given = {"handbook": printed("2026"), "plan": make_plan(series="2026"), "policy": policy()}
    billed = make_facts(visit, category="DIRECT", channel="HOSPITAL", **given)
    found = assess_intake(billed, CALENDAR)
    assert intake_outcome(found) == ("ACCEPT" if direct else "REFUSE")
    if direct:
        papers = {entry.key: entry.rule for entry in checklist(billed, "DIRECT")}
        assert {"DIRECT_CLAIM_FORM", "SIGNED_RECEIPT", "INVOICE", "ITEMIZED_BILL"} <= set(papers)
        assert papers["DIRECT_CLAIM_FORM"] == "APT-06"
    else:
        assert {finding.rule for finding in found} == {"NET-01"}
        claimed = make_facts(visit, category="REIMBURSEMENT", channel="MINIPROGRAM", **given)
        assert intake_outcome(assess_intake(claimed, CALENDAR)) == "ACCEPT"
    rulebook.fired("DBO-01", fired=direct)
