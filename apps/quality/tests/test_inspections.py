"""Quality inspection (质检): drawn at random, inspected by somebody else, reworked by a new decision."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.actors import actor_of_user
from apps.accounts.models import Role, User
from apps.accounts.tests.factories import UserFactory, make_actor, web_of
from apps.cases.engine import available, perform
from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.core.errors import Blocked, InvalidInput, NotAllowed, NotFound
from apps.direct.tests.world import Direct
from apps.quality.actions.sampling import draw_by_hand, draw_yesterday, sample
from apps.quality.models import Draw, ErrorCode, Inspection
from apps.quality.queries import frequent_errors, results
from apps.quality.tests.test_straight import rule

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def inspector(world: World) -> Any:
    return make_actor("quality_check", username="inspector")


def drawn(world: World, series: str = "2026") -> CaseFile:
    """A closed claim of the first reviewer, drawn for inspection."""
    claim = world.closed(series=series)
    today = world.now.date()
    draw_by_hand(make_actor("manager"), series, "MANUAL", today, today, 100)
    return Inspection.objects.get(claim_case=claim.pk).case


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_without_error_it_closes(world: World, inspector: Any, series: str) -> None:
    case = drawn(world, series)
    case = perform(case.number, "pass_inspection", inspector)
    assert (case.state, case.open) == ("PASSED", False)
    [row] = results(inspector, world.now.date(), world.now.date())
    assert (row.drawn, row.inspected, row.passed, row.rate) == (1, 1, 1, 100)


def test_errors_send_the_claim_back_and_the_new_decision_ends_it(world: World, inspector: Any) -> None:
    case = drawn(world)
    found = {"code": "A1", "place": "1.1.1", "note": "漏扣第三方"}
    data = {"errors": [found], "right_amount": "700.00", "rework": True, "reason": "金额有误"}
    case = perform(case.number, "find_errors", inspector, **data)
    claim = world.see(case.inspection.claim_case)
    assert (case.state, claim.state) == ("REWORK", "UNDER_REVIEW")
    assert case.number in claim.events.get(name="reopened").reason
    world.do(claim, "decide")
    case = CaseFile.objects.get(pk=case.pk)
    assert (case.state, case.open) == ("REWORKED", False)
    [row] = results(inspector, world.now.date(), world.now.date())
    assert (row.passed, row.reworked, row.off_fen) == (0, 1, 10_000)
    [error] = frequent_errors(inspector, world.now.date(), world.now.date())
    assert (error["code__code"], error["n"]) == ("A1", 1)


def test_a_direct_claim_is_reworked_too(now: Any) -> None:
    inspector, hospitals = make_actor("quality_check"), Direct()
    claim = hospitals.decided(hospitals.visit(hospital="PRI"))
    today = hospitals.now.date()
    draw_by_hand(make_actor("manager"), "2026", "MANUAL", today, today, 100)
    case = Inspection.objects.get(claim_case=claim.pk).case
    perform(case.number, "find_errors", inspector, errors=[{"code": "B2"}], rework=True, reason="项目录错")
    hospitals.do(claim, "decide", by="senior")
    assert CaseFile.objects.get(pk=case.pk).state == "REWORKED"


def test_an_upheld_objection_counts_as_passed(world: World, inspector: Any) -> None:
    case = drawn(world)
    perform(case.number, "find_errors", inspector, errors=[{"code": "C1"}], reason="理由不清")
    lead = make_actor("supervisor")
    case = perform(case.number, "uphold_objection", lead, reason="理由充分")
    assert case.state == "PASSED"
    assert frequent_errors(inspector, world.now.date(), world.now.date()) == []


def test_nobody_inspects_an_own_decision(world: World) -> None:
    case = drawn(world)
    decider = Inspection.objects.get(case=case).decision.proposed_by
    decider.roles.add(Role.objects.get(code="quality_check"))
    actor = actor_of_user(User.objects.get(pk=decider.pk))
    with pytest.raises(Blocked) as refused:
        perform(case.number, "pass_inspection", actor)
    assert refused.value.code == "four_eyes"
    [blocked] = [one for one in available(case, actor) if one.action.name == "pass_inspection"]
    assert not blocked.allowed


def test_wrong_errors_change_nothing(world: World, inspector: Any) -> None:
    case = drawn(world)
    for errors, field in (
        ([], "errors"),
        ([{"code": "ZZ"}], "errors.0.code"),
        ([{"code": "A1"}, {"code": "A1"}], "errors.1.code"),
        ([{"code": "A1", "place": "1.1.1"}, {"code": "A1", "place": "1.9"}], "errors.1.place"),
    ):
        with pytest.raises(InvalidInput) as refused:
            perform(case.number, "find_errors", inspector, errors=errors, reason="有误")
        assert refused.value.field == field
    assert CaseFile.objects.get(pk=case.pk).state == "DRAWN"


def test_rework_waits_until_the_money_is_out(world: World, inspector: Any) -> None:
    claim = world.do(world.review(), "decide")
    today = world.now.date()
    draw_by_hand(make_actor("manager"), "2026", "MANUAL", today, today, 100)
    case = Inspection.objects.get(claim_case=claim.pk).case
    with pytest.raises(Blocked) as refused:
        perform(case.number, "find_errors", inspector, errors=[{"code": "A1"}], rework=True, reason="有误")
    assert (refused.value.code, refused.value.field) == ("state", "rework")
    assert claim.number in str(
        refused.value.message
    )  # the claim is what cannot be opened, not the inspection
    assert CaseFile.objects.get(pk=case.pk).state == "DRAWN"


def test_wrong_role_and_wrong_tpa_are_refused(world: World) -> None:
    case = drawn(world, "2024")
    with pytest.raises(NotAllowed):
        perform(case.number, "pass_inspection", make_actor("first_review"))
    with pytest.raises(NotFound):
        perform(case.number, "pass_inspection", make_actor("quality_check", tpa="ELSEWHERE"))
    with pytest.raises(NotAllowed):
        draw_by_hand(make_actor("first_review"), "2024", "MANUAL", world.now.date(), world.now.date(), 5)


def test_yesterday_is_drawn_once_by_the_rule(world: World) -> None:
    claims = [world.closed(series="2026") for _ in range(3)]
    rule("2026", straight_percent=100, manual_percent=34)
    tomorrow = world.now + timedelta(days=1)
    first = draw_yesterday(tomorrow)
    assert {(row.stratum, row.population, row.drawn) for row in first} == {
        ("STRAIGHT", 0, 0),
        ("MANUAL", 3, 2),
    }
    assert draw_yesterday(tomorrow) == []
    assert Inspection.objects.filter(claim_case__in=claims).count() == 2
    assert Draw.objects.count() == 2


def test_a_sample_is_repeatable_by_its_seed() -> None:
    keys = list(range(1000))
    assert sample(keys, 5, "a") == sample(keys, 5, "a") != sample(keys, 5, "b")
    assert len(sample(keys, 5, "a")) == 50
    assert len(sample(keys[:1], 1, "a")) == 1


def test_a_wrong_sample_is_refused(world: World) -> None:
    manager, today = make_actor("manager"), world.now.date()
    with pytest.raises(InvalidInput):
        draw_by_hand(manager, "2026", "MANUAL", today, today, 0)
    with pytest.raises(InvalidInput):
        draw_by_hand(manager, "2026", "MANUAL", today, today - timedelta(days=1), 5)
    assert not Draw.objects.exists()


def test_pages_draw_and_show_results(world: World, inspector: Any) -> None:
    world.closed(series="2026")
    web = web_of(UserFactory(roles=["quality_check"]))
    today = world.now.date().isoformat()
    sent = {"series": "2026", "stratum": "MANUAL", "since": today, "until": today, "percent": "100"}
    assert web.post(reverse("admin:quality-inspections"), sent).status_code == 302
    case = Inspection.objects.get().case
    page = web.get(reverse("admin:case", args=[case.number])).content.decode()
    assert case.inspection.claim_case.number in page
    form = web.get(reverse("admin:case-action", args=[case.number, "find_errors"])).content.decode()
    assert 'name="errors.0.code"' in form
    assert 'value="1.1.1"' in form
    perform(case.number, "find_errors", inspector, errors=[{"code": "B1"}], reason="除外责任")
    page = web.get(reverse("admin:quality-inspections")).content.decode()
    assert str(ErrorCode.objects.get(code="B1")) in page
    excel = web.get(reverse("admin:quality-inspections"), {"excel": "1"})
    each = load_workbook(BytesIO(excel.content)).worksheets[2]
    claim = case.inspection.claim_case.number
    assert [(row[0], row[1], row[4]) for row in each.values][1:] == [(case.number, claim, "重要")]
    assert web.get(reverse("admin:quality-inspections"), {"since": "nonsense"}).status_code == 200
    assert web.post(reverse("admin:quality-inspections"), sent | {"percent": "500"}).status_code == 400


def test_who_may_only_read_is_offered_no_form(world: World) -> None:
    reader, today = web_of(UserFactory(roles=["auditor"])), world.now.date().isoformat()
    for name in ("admin:quality-inspections", "admin:quality-replays"):
        assert "data-form" not in reader.get(reverse(name)).content.decode()
    sent = {"series": "2026", "stratum": "MANUAL", "since": today, "until": today, "percent": "100"}
    assert reader.post(reverse("admin:quality-inspections"), sent).status_code == 403
    assert (
        "data-form"
        in web_of(UserFactory(roles=["manager"])).get(reverse("admin:quality-replays")).content.decode()
    )
