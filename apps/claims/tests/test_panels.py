"""What the case page shows: each panel fills, and its template renders what matters."""

from typing import Any

import pytest
from django.template.loader import render_to_string

from apps.claims.actions import KIND
from apps.claims.tests.world import World
from apps.documents.models import Letter
from apps.members.models import Policy

PANELS = {panel.name: panel for panel in KIND.panels}


@pytest.mark.parametrize("name", list(PANELS))
@pytest.mark.parametrize("stage", ["claim", "review", "closed"])
def test_every_panel_fills_and_renders(world: World, name: str, stage: str) -> None:
    lines = [world.line("500.00"), world.line("18.00", kind="POSTAGE", name="快递费")]
    case = world.see(getattr(world, stage)(world.visit([world.bill(lines=lines)])))
    context = PANELS[name].context(case, world.actor("adjuster"))
    html = render_to_string(
        PANELS[name].template, {"case": case, "data": context, "panel": PANELS[name], **context}
    )
    assert html.strip()


def filled(world: World, name: str, case: Any) -> Any:
    return PANELS[name].context(world.see(case), world.actor("adjuster"))


def test_a_finding_opens_to_clause_figures_and_remedy(world: World) -> None:
    lines = [world.line("500.00"), world.line("18.00", kind="POSTAGE", name="快递费")]
    rows = filled(world, "findings", world.review(world.visit([world.bill(lines=lines)])))["findings"]
    [row] = [row for row in rows if row.finding.rule == "RMB-23"]
    assert row.clause
    assert row.source.startswith("26:")
    assert not row.open


def test_limits_before_here_and_left(world: World) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    line = world.line("1000.00", kind="VACCINE", name="疫苗")
    case = world.review(world.visit([world.bill(lines=[line])], benefit="VACCINE"), category="VACCINE")
    rows = {str(row.title): row for row in filled(world, "limits", case)["limits"]}
    [vaccine] = [row for title, row in rows.items() if row.limit == "3,000.00" and row.here != "0.00"]
    assert (vaccine.used, vaccine.here, vaccine.left) == ("0.00", "1,000.00", "2,000.00")


def test_history_shows_other_claims_and_the_days_to_rescind(world: World) -> None:
    world.closed()
    case = world.review(world.visit(started_on="2026-09-12"))
    world.do(
        case, "record_nondisclosure", by="senior", known_on="2026-09-10", reason="record of 2024 shows asthma"
    )
    context = filled(world, "history", case)
    assert len(context["past"]) == 1
    assert context["paid"] == 80_000
    assert context["years"] == 5
    assert context["rescission"].known_on is not None


def test_visits_show_look_alikes(world: World) -> None:
    first = world.claim()
    second = world.claim()
    [alike] = filled(world, "visits", second)["similar"]
    assert (alike.case.pk, alike.why) == (first.pk, "amount")


def test_law02_arithmetic_line_by_line(world: World) -> None:
    case = world.claim(papers=[{"kind": "MEDICAL_RECORD", "form": "DATA"}])
    world.do(case, "check_materials", by="intake")
    world.do(
        case,
        "supplement_delivered",
        by="system",
        at=world.later(days=2),
        evidence="SMS 138****8000",
        now=world.later(days=2),
    )
    world.do(case, "papers_arrived", by="intake", now=world.later(days=5))
    counted = {one.rule: one for one in filled(world, "statutory", case)["counts"]}
    shown = [(line.kind, line.days, line.total) for line in counted["LAW-02"].lines]
    assert shown == [
        ("START", 0, 0),
        ("COUNTED", 2, 2),
        ("PAUSED", 3, 2),
        ("COUNTED", 28, 30),
        ("DUE", 0, 30),
    ]
    proof = counted["LAW-02"].lines[2].proof
    assert proof is not None
    assert "SMS" in proof.evidence
    assert Letter.objects.get(case=case, kind="SUPPLEMENT").number in proof.paper


def test_the_check_list_counts(world: World) -> None:
    context = filled(world, "checklist", world.claim())
    assert context["lacking"]
    assert context["notices"] == 0
