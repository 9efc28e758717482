"""The specification's worked examples that concern claims, through the database."""

from datetime import datetime

import pytest

from apps.cases.models import CaseFile
from apps.claims.assess import assess
from apps.claims.queries import latest_decision
from apps.claims.tests.world import SHANGHAI, World
from apps.core.errors import Blocked
from apps.members.models import Policy
from apps.products.actions import load_calendar


def at(year: int, month: int, day: int, hour: int = 10) -> datetime:
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)


def completed(world: World, case: CaseFile, now: datetime) -> CaseFile:
    world.papers(case)
    if world.see(case).state == "AWAITING_ORIGINALS":
        world.do(case, "log_originals", by="mail", now=now)
    return world.do(case, "check_materials", by="intake", now=now)


def test_s21_no_authorization_is_asked_of_a_post_claim(world: World) -> None:
    scan = world.line("6000.00", name="MRI", procedure_categories=["MAJOR_EXAM"])
    case = world.review(world.visit([world.bill(lines=[scan])]))
    codes = {finding.code for finding in assess(case, world.now).findings}
    assert case.claim.route == "ONLINE"
    assert not {code for code in codes if code.startswith("PA_")}


def test_s22_exactly_ten_thousand_on_line_annotated_and_identified(world: World) -> None:
    case = world.claim(world.visit([world.bill("10000.00")]))
    keys = {entry.key for entry in assess(world.see(case), world.now).lacking}
    assert case.claim.route == "ONLINE"
    assert {"INVOICE_ANNOTATION", "PHOTO_ID"} <= keys


def test_s24_a_stay_is_one_visit(world: World) -> None:
    assert (
        world.claim(
            world.stay([world.bill("4000.00"), world.bill("4000.00"), world.bill("4000.00")])
        ).claim.route
        == "MAIL"
    )


def test_s30_the_2024_stay_has_ten_working_days(world: World) -> None:
    load_calendar([2024])
    Policy.objects.filter(series="2024").update(
        effective_on="2024-01-01", expires_on="2024-12-31", continuous_since="2023-01-01"
    )
    now = at(2024, 9, 27)
    stay = world.stay([world.bill(issued_on="2024-09-20")], started_on="2024-09-16", ended_on="2024-09-20")
    case = completed(world, world.claim(stay, series="2024", now=now), now)
    assert world.clock(case, "claim.decision").day.isoformat() == "2024-10-16"


def test_dl34_and_dl35_five_working_days_then_two_to_ten_days(world: World) -> None:
    load_calendar([2026])
    case = completed(world, world.claim(), world.now)
    assert world.clock(case, "claim.decision").day.isoformat() == "2026-09-22"
    case = world.do(case, "start_review")
    case = world.do(case, "decide", now=at(2026, 9, 22))
    clock = world.clock(case, "claim.payment")
    assert clock.target_at is not None
    assert clock.day.isoformat() == "2026-10-02"
    assert world.clock(case, "law.payment").day.isoformat() == "2026-10-02"
    assert world.clock(case, "claim.decision").state == "STOPPED"


def test_law05_sixty_days_stand_beside_the_thirty(world: World) -> None:
    case = world.claim(papers=[{"kind": "MEDICAL_RECORD", "form": "DATA"}])
    assert (world.clock(case, "law.decision").day, world.clock(case, "law.undisputed").day) == (
        at(2026, 10, 16).date(), at(2026, 11, 15).date(),
    )  # fmt: skip


def test_c9_the_series_of_the_policy_decides_not_the_year(world: World) -> None:
    case = world.claim(world.stay(), series="2024")
    assert (case.series, case.handbook.series, case.claim.route) == ("2024", "2024", "MAIL")
    assert case.tpa == case.handbook.handbook.tpa != ""


def test_a_late_bill_never_decides_a_closed_claim_again(world: World) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])

    def shot(amount: str, day: str) -> CaseFile:
        line = world.line(amount, kind="VACCINE", name="疫苗")
        return world.closed(
            world.visit([world.bill(lines=[line])], benefit="VACCINE", started_on=day), category="VACCINE"
        )

    first = shot("2500.00", "2026-09-10")
    before = latest_decision(first.pk)
    late = shot("2500.00", "2026-03-01")  # an earlier service, a later bill: it gets what is left
    after = latest_decision(first.pk)
    assert before is not None
    assert after is not None
    assert (before.pk, before.insurer_fen) == (after.pk, after.insurer_fen) == (before.pk, 250_000)
    found = latest_decision(late.pk)
    assert found is not None
    assert found.insurer_fen == 50_000


def test_hlc01_the_ninth_health_check_is_not_paid(world: World) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    paid = []
    for month in range(1, 10):
        line = world.line("300.00", kind="HEALTH_CHECK", name="体格检查", code="GROWTH_MONITORING")
        day = f"2026-{month:02d}-05"
        visit = world.visit([world.bill(lines=[line], issued_on=day)], benefit="HEALTH_CHECK", started_on=day)
        case = world.review(visit, category="HEALTH_CHECK")
        found = assess(world.see(case), world.now)
        for finding in found.open_findings:
            world.do(
                case, "answer_finding", by="senior", finding=finding.ref, accept=True, reason="listed content"
            )
        world.do(case, "decide")
        row = latest_decision(case.pk)
        assert row is not None
        paid.append(row.insurer_fen)
    assert paid[:8] == [30_000] * 8
    assert paid[8] == 0


def test_ten_thousand_without_identity_is_never_approved(world: World) -> None:
    case = world.review(world.visit([world.bill("10000.00")]))
    case.papers.filter(kind__in=["PHOTO_ID", "GUARDIAN_ID", "INSURED_ID"]).delete()
    with pytest.raises(Blocked) as caught:
        world.do(case, "decide")
    assert caught.value.rule == "KYC-01"
