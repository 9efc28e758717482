"""The report form, the coverage check and the letter before the decision."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.cases.tests.test_views import case_url, enter
from apps.claims.models import Claim
from apps.claims.tests.world import World

pytestmark = pytest.mark.django_db


def flat(tree: Any, path: str = "") -> dict[str, str]:
    """A report as the fields of its form."""
    if isinstance(tree, dict):
        pairs = tree.items()
    elif isinstance(tree, (list, tuple)):
        pairs = enumerate(tree)  # type: ignore[assignment]
    else:
        return {path: "on" if tree is True else "" if tree is False else str(tree)}
    return {
        name: value
        for key, part in pairs
        for name, value in flat(part, f"{path}.{key}" if path else str(key)).items()
    }


def test_a_report_by_phone_becomes_a_claim(world: World) -> None:
    client = enter(world, "intake")
    response = client.post("/admin/claims/report/", flat(world.report(channel="HOTLINE")))
    case = CaseFile.objects.get()
    assert response["Location"] == case_url(case)
    assert case.claim.payee.account_masked.startswith("6222")
    assert case.amount_fen == 80_000


def test_the_empty_form_has_one_visit_one_bill_one_line(world: World) -> None:
    page = enter(world, "intake").get("/admin/claims/report/").content.decode()
    assert 'name="visits.0.bills.0.lines.0.amount"' in page
    assert 'name="visits.__0__.bills.__1__.lines.__2__.amount"' in page


def test_every_error_stands_at_its_field(world: World) -> None:
    client = enter(world, "intake")
    bill = world.bill(number="12", lines=[world.line("10.00"), world.line("20.00")])
    bill["lines"][1]["amount"] = "abc"
    report = world.report(world.visit([bill], hospital="NONE"))
    response = client.post("/admin/claims/report/", flat(report))
    assert response.status_code == 400
    assert not Claim.objects.exists()
    visit = response.context["form"].f["visits"].rows.forms[0]
    bill = visit.f["bills"].rows.forms[0]
    assert [error.code for error in bill.f["lines"].rows.forms[1].f["amount"].errors] == ["number"]
    page = response.content.decode()
    assert 'value="abc"' in page
    assert page.count("has-error") >= 1


def test_sums_that_differ_are_named(world: World) -> None:
    client = enter(world, "intake")
    report = world.report(world.visit([world.bill("10.00") | {"amount": "11.00"}]))
    form = client.post("/admin/claims/report/", flat(report)).context["form"]
    bill = form.f["visits"].rows.forms[0].f["bills"].rows.forms[0]
    assert [error.code for error in bill.f["amount"].errors] == ["sum"]


def test_a_bill_claimed_before_is_refused_with_its_rule(world: World) -> None:
    client = enter(world, "intake")
    bill = world.bill(number="1234567890")
    world.claim(world.visit([bill]))
    response = client.post("/admin/claims/report/", flat(world.report(world.visit([bill]))))
    assert response.status_code == 409
    assert "LAW-11" in response.content.decode()
    assert Claim.objects.count() == 1


def test_the_check_saves_nothing_and_names_the_papers(world: World) -> None:
    client = enter(world, "intake")
    page = client.post("/admin/claims/check/", flat(world.report(channel="HOTLINE"))).content.decode()
    assert "RMB-" in page
    assert not CaseFile.objects.exists()


def test_reporting_needs_the_role(world: World) -> None:
    client = enter(world, "finance")
    assert client.get("/admin/claims/report/").status_code == 403
    assert client.post("/admin/claims/report/", flat(world.report())).status_code == 403
    assert not CaseFile.objects.exists()


QUESTION = {
    "member": "M2026", "hospital": "PUB", "started_on": "2026-09-10", "visit_type": "OUTPATIENT", "department_group": "GENERAL",
    "cause": "ILLNESS", "lines.0.kind": "EXAM", "lines.0.amount": "1200",
}  # fmt: skip


def test_coverage_check_answers_and_saves_nothing(world: World) -> None:
    response = enter(world, "intake").post("/admin/claims/coverage/", QUESTION)
    assert response.status_code == 200
    assert response.context["decision"].billed == 1200
    assert not CaseFile.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hospital": "NONE"}, "hospital"),
        ({"member": "M9"}, "member"),
        ({"started_on": "soon"}, "started_on"),
        ({"visit_type": ""}, "visit_type"),
    ],
)
def test_coverage_errors_stand_at_the_question(world: World, change: dict[str, str], field: str) -> None:
    response = enter(world, "intake").post("/admin/claims/coverage/", QUESTION | change)
    assert response.status_code in (400, 404)
    assert response.context["form"].f[field].errors, response.context["form"].path_errors


def test_coverage_error_in_a_line(world: World) -> None:
    form = (
        enter(world, "intake")
        .post("/admin/claims/coverage/", QUESTION | {"lines.0.amount": "much"})
        .context["form"]
    )
    assert form.f["lines"].rows.forms[0].f["amount"].errors


def test_finders(world: World) -> None:
    client = enter(world, "intake")
    assert "M2026" in client.get("/admin/claims/find-child/", {"q": "王小明"}).content.decode()
    assert "王小明" not in client.get("/admin/claims/find-child/", {"q": "王小明"}).content.decode()
    assert 'data-value="PUB"' in client.get("/admin/claims/find-hospital/", {"q": "儿童"}).content.decode()
    other = enter(world, "intake", tpa="SOMEBODY")
    assert "M2026" not in other.get("/admin/claims/find-child/", {"q": "王小明"}).content.decode()


def test_the_letter_before_the_decision(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.review()
    before = case.letters.count()
    page = client.post(f"/admin/claims/{case.number}/letter/", {"member_text": "祝早日康复"}).content.decode()
    assert "祝早日康复" in page
    assert case.letters.count() == before
    assert (
        "<script"
        not in client.post(
            f"/admin/claims/{case.number}/letter/", {"member_text": "<script>x</script>"}
        ).content.decode()
    )


def test_the_verdict_says_when_somebody_else_must_sign(world: World) -> None:
    client = enter(world, "adjuster")
    world.authority("first_review", 1)
    case = world.review()
    assert client.get(f"/admin/claims/{case.number}/verdict/").context["second_signature"]
    assert client.get("/admin/claims/C26-999999/verdict/").status_code == 404


def test_deciding_on_the_page(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.review()
    response = client.post(case_url(case, "decide"), {"version": str(case.version), "member_text": ""})
    assert response.status_code == 302
    assert world.see(case).claim.decided_fen is not None
    page = client.get(response["Location"]).content.decode()
    assert page.count("已完成") == 1  # said once, beside the way to the next case
    assert "data-done" in page


def test_claims_list(world: World) -> None:
    case = world.claim()
    page = enter(world, "adjuster").get("/admin/claims/claim/").content.decode()
    assert case.number in page


def test_strangers_see_no_finder(world: World) -> None:
    client = Client()
    client.force_login(User.objects.create(username="outsider"))
    assert client.get("/admin/claims/find-child/", {"q": "王小明"}).status_code == 302
