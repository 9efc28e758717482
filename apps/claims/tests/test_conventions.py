"""Conventions of the rules as claims live them: local days (C1), exact money (C8), strength (C10), traces (C11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import AccessLog
from apps.adjudication.handbook import Level
from apps.cases import clocks
from apps.cases.models import CaseEvent, ClockStep
from apps.cases.testing_rulebook import Reader
from apps.cases.tests.test_views import case_url, enter
from apps.claims.assess import assess
from apps.claims.models import Bill, Override
from apps.claims.tests.world import World
from apps.core.errors import Blocked, Conflict, InvalidInputs
from apps.documents.models import Letter, Paper
from apps.documents.tests.factories import pdf
from apps.members.models import Policy

PAPER = {"kind": "CLAIM_FORM", "form": "E_SIGNED"}


@pytest.mark.parametrize("series", ["2024", "2026"])
@pytest.mark.parametrize(
    ("received", "local"),
    [
        (datetime(2026, 9, 15, 15, 59, 59, tzinfo=UTC), date(2026, 9, 15)),
        (datetime(2026, 9, 15, 16, 0, tzinfo=UTC), date(2026, 9, 16)),
    ],
)
def test_c1_days_are_those_of_shanghai_and_storage_is_utc(
    world: World, rulebook: Reader, series: str, received: datetime, local: date
) -> None:
    """One second apart: 23:59:59 and 00:00 in Shanghai, both 15 September in UTC."""
    case = world.claim(series=series, papers=[PAPER], now=received)
    row = world.clock(case, "law.decision")
    assert row.day == local + timedelta(days=30)
    assert (row.started_at, row.started_at.utcoffset()) == (received, timedelta(0))
    page = enter(world, "adjuster").get(case_url(case)).content.decode()
    assert f"{local:%Y-%m-%d} " + ("23:59" if local.day == 15 else "00:00") in page
    rulebook.fired("C1", fired=local != received.date())


@pytest.mark.parametrize("series", ["2024", "2026"])
@pytest.mark.parametrize(
    ("amount", "field"),
    [("10.001", True), ("-0.01", True), ("1e400", True), ("12345678901.00", True), ("NaN", True), ("0.10", False)],
)  # fmt: skip
def test_c8_money_is_whole_fen_or_refused(
    world: World, rulebook: Reader, series: str, amount: str, field: bool
) -> None:
    line = {"name": "血常规", "kind": "EXAM", "amount": amount}
    bill = world.bill() | {"lines": [line], "amount": amount}
    if field:
        with pytest.raises(InvalidInputs) as caught:
            world.claim(world.visit([bill]), series=series)
        assert any(error.field.endswith("amount") for error in caught.value.errors)
        assert not Bill.objects.exists()
    else:
        case = world.claim(world.visit([bill]), series=series)
        assert (case.claim.claimed_fen, Bill.objects.get().amount_fen) == (10, 10)
    rulebook.fired("C8", fired=field)


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_c10_what_the_text_forbids_nobody_allows_what_it_leaves_open_a_person_decides(
    world: World, rulebook: Reader, series: str
) -> None:
    told: dict[Level, Any] = {}
    forbidden = world.claim(world.visit(hospital="PRI"), series=series)
    assert forbidden.state == "REFUSAL_PENDING"
    with pytest.raises(Blocked) as caught:
        world.do(forbidden, "overrule_refusal", by="supervisor", reason="kind member")
    assert caught.value.code == "no_discretion"
    told[Level.BLOCK] = caught.value.rule

    held = world.claim(world.visit(hospital="PRI", visit_type="EMERGENCY", emergency=True), series=series)
    assert held.state == "EMERGENCY_HOLD"
    [asked] = [
        finding for finding in assess(world.see(held), world.now).intake if finding.level is Level.REFER
    ]
    assert asked.discretion
    told[Level.REFER] = asked.rule

    Policy.objects.filter(series=series).update(
        effective_on="2024-01-01", expires_on="2024-12-31", continuous_since="2023-01-01"
    )
    old = world.visit([world.bill(issued_on="2024-06-01")], started_on="2024-06-01")
    warned = world.review(old, series=series)
    [warning] = [finding for finding in assess(warned, world.now).findings if finding.code == "LIMITATION"]
    assert warning.level is Level.WARN
    assert world.do(warned, "decide").state == "PAYMENT_PENDING"  # seen, not in the way
    told[Level.WARN] = warning.rule

    assert (told[Level.REFER], told[Level.WARN]) == ("LAW-07", "LAW-06")
    assert told[Level.BLOCK] == {"2024": "DBO-03", "2026": "APT-02"}[series]
    rulebook.read_back("C10", told)


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_c11_everything_is_on_the_record(world: World, rulebook: Reader, series: str) -> None:
    """States, answers, a paper looked at, letters and reminders: who, when, from, to, why. Nothing of it changes."""
    case = world.claim(world.visit([world.bill("10000.00")]), series=series)
    scan = SimpleUploadedFile("record.pdf", pdf(1), "application/pdf")
    world.do(case, "attach_paper", by="intake", kind="MEDICAL_RECORD", files=[scan])
    client = enter(world, "adjuster")
    paper = Paper.objects.get(case=case, file__isnull=False)
    assert client.get(f"/files/{paper.pk}/").status_code == 200
    read = AccessLog.objects.get(what__startswith="paper:MEDICAL_RECORD")
    assert (read.subject, read.user_id) == (f"member:M{series}", world.actor("adjuster").user_id)

    Paper.objects.filter(case=case).update(legible=True, color=True)
    world.papers(case)
    world.do(world.do(case, "check_materials", by="intake"), "start_review")
    case.papers.update(has_photo=False)
    answer = {"finding": "PHOTO_ID_MISSING", "accept": True, "reason": "婴儿尚无照片证件"}
    world.do(case, "answer_finding", by="compliance", **answer)
    clock = world.clock(case, "claim.decision")
    assert clocks.sweep(clock.next_at) >= 1
    case = world.do(case, "decide", reason="按规则核定", by="senior")

    answered = Override.objects.get(finding="PHOTO_ID_MISSING")
    assert (answered.reason, answered.user_id) == ("婴儿尚无照片证件", world.actor("compliance").user_id)
    decided = CaseEvent.objects.filter(case=case, action="decide").get()
    assert (decided.from_state, decided.to_state, decided.reason) == (
        "UNDER_REVIEW",
        {"2024": "PARTIAL", "2026": "APPROVED"}[series],
        "按规则核定",
    )
    assert (decided.actor_label, decided.at) == (world.actor("senior").label, world.now)
    reminded = ClockStep.objects.get(clock=clock, kind="REMIND")
    assert {letter.kind for letter in Letter.objects.filter(case=case)} >= {"ACCEPTANCE", "EOB"}
    page = enter(world, "adjuster").get(case_url(case)).content.decode()
    for shown in ("婴儿尚无照片证件", "按规则核定", world.actor("senior").label, clock.spec_id):
        assert shown in page, shown
    for row in (decided, read, reminded):
        with pytest.raises(Conflict):
            row.save()
    rulebook.read_back("C11", [decided.reason, answered.reason, read.subject, reminded.at])
