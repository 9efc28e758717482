"""Replays as pages, command and long work."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.tests.factories import UserFactory, make_actor, web_of
from apps.claims.tests.world import World
from apps.core.errors import Conflict, InvalidInput, InvalidInputs, NotAllowed
from apps.products.models import HandbookVersion, Plan
from apps.quality.actions.replays import Question, ask_replay, cancel, run_replay
from apps.quality.models import Replay

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def cheaper(world: World, series: str = "2026") -> str:
    """The plan of a series with a tenth of its annual maximum."""
    text = world.policy_of(series).plan.text
    lines = []
    for line in text.splitlines():
        if line.startswith("annual_maximum"):
            line = "annual_maximum = 500"
        lines.append(line)
    assert "annual_maximum = 500" in lines
    return "\n".join(lines)


def test_as_booked_finds_no_difference(world: World) -> None:
    world.closed(series="2026")
    world.closed(series="2024")
    replay = run_replay(ask_replay(make_actor("manager"), Question()).pk)
    assert (replay.state, replay.compared, replay.differing, replay.problems) == ("DONE", 2, 0, 0)
    assert replay.before_fen == replay.after_fen > 0


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_another_plan_shows_claims_lines_and_amounts(world: World, series: str) -> None:
    case = world.closed(series=series)
    world.closed(series="2024" if series == "2026" else "2026")
    question = Question(plan_text=cheaper(world, series), plan_name="cheaper.toml")
    replay = run_replay(ask_replay(make_actor("manager"), question).pk)
    assert (replay.series, replay.compared, replay.differing) == (series, 1, 1)
    [change] = replay.changes.all()
    assert change.case_id == case.pk
    assert (change.after_fen, change.difference_fen) == (50_000, 50_000 - change.before_fen)
    assert change.lines[0]["after"]["insurer"] == 50_000
    before, after = change.lines[0]["reasons_before"], change.lines[0]["reasons_after"]
    assert before != after
    assert all(reason["rule"] and reason["message_zh"] for reason in (*before, *after))


def test_a_plan_says_nothing_about_the_children_of_another(world: World) -> None:
    world.closed(series="2026")
    text = cheaper(world, "2026").replace('code = "NATIONAL"', 'code = "ELSEWHERE"')
    assert "ELSEWHERE" in text
    replay = run_replay(ask_replay(make_actor("manager"), Question(plan_text=text, plan_name="x.toml")).pk)
    assert (replay.state, replay.compared) == ("DONE", 0)


def test_wrong_questions_are_refused_with_their_place(world: World) -> None:
    manager = make_actor("manager")
    with pytest.raises(InvalidInputs) as refused:
        ask_replay(manager, Question(plan_text="[plan]\ncode = 1"))
    assert refused.value.errors[0].field
    with pytest.raises(InvalidInputs):
        ask_replay(manager, Question(handbook_text="not a handbook"))
    with pytest.raises(InvalidInput):
        ask_replay(manager, Question(series="2024", plan_text=cheaper(world)))
    with pytest.raises(InvalidInput):
        ask_replay(
            manager, Question(handbook_text=world.handbook("2024").text, plan_text=cheaper(world, "2026"))
        )
    for actor in (make_actor("first_review"), make_actor("manager", tpa="TPA")):
        with pytest.raises(NotAllowed):
            ask_replay(actor, Question())
    assert not Replay.objects.exists()


def test_canceled_stays_canceled_and_ends_once(world: World) -> None:
    world.closed(series="2026")
    manager = make_actor("manager")
    replay = ask_replay(manager, Question())
    cancel(manager, replay.pk)
    assert run_replay(replay.pk).state == "CANCELED"
    with pytest.raises(Conflict):
        cancel(manager, replay.pk)


def test_a_second_worker_starts_over_without_doubling(world: World) -> None:
    world.closed(series="2026")
    replay = ask_replay(make_actor("manager"), Question(plan_text=cheaper(world)))
    run_replay(replay.pk)
    Replay.objects.filter(pk=replay.pk).update(state="RUNNING")  # as a killed worker leaves it
    again = run_replay(replay.pk)
    assert (again.done, again.changes.count()) == (1, 1)


def test_pages_ask_show_and_export(world: World) -> None:
    case = world.closed(series="2026")
    web = web_of(UserFactory(roles=["manager"]))
    upload = io.BytesIO(cheaper(world).encode())
    upload.name = "cheaper.toml"
    response = web.post(reverse("admin:quality-replays"), {"plan_file": upload})
    replay = Replay.objects.get()
    assert response["Location"] == reverse("admin:quality-replay", args=[replay.pk])
    run_replay(replay.pk)
    page = web.get(reverse("admin:quality-replay", args=[replay.pk])).content.decode()
    assert case.number in page
    assert "cheaper.toml" in web.get(reverse("admin:quality-replays")).content.decode()
    assert (
        case.number
        not in web.get(reverse("admin:quality-replay", args=[replay.pk]), {"q": "NOTHING"}).content.decode()
    )
    assert (
        case.number
        in web.get(
            reverse("admin:quality-replay", args=[replay.pk]), {"q": replay.changes.get().appeared[0]}
        ).content.decode()
    )
    book = load_workbook(
        io.BytesIO(web.get(reverse("admin:quality-replay", args=[replay.pk]), {"excel": "1"}).content)
    )
    assert len(book.sheetnames) == 3
    claims = list(book.worksheets[1].iter_rows(min_row=2, values_only=True))
    assert claims[0][0] == case.number
    assert book.worksheets[2].max_row == 2
    assert (
        web.get(reverse("admin:quality-replay", args=[replay.pk]), headers={"HX-Request": "true"}).status_code
        == 200
    )


def test_the_page_refuses_what_is_no_text_and_wrong_roles(world: World) -> None:
    web = web_of(UserFactory(roles=["manager"]))
    upload = io.BytesIO(b"\xff\xfe\x00")
    upload.name = "x.toml"
    assert web.post(reverse("admin:quality-replays"), {"plan_file": upload}).status_code == 400
    assert web.get(reverse("admin:quality-replay", args=[999])).status_code == 404
    assert (
        web_of(UserFactory(roles=["first_review"])).get(reverse("admin:quality-replays")).status_code == 403
    )
    assert (
        web_of(UserFactory(roles=["auditor"])).post(reverse("admin:quality-replays"), {}).status_code == 403
    )


def test_the_command_prints_what_would_change(world: World, tmp_path: Any, capsys: Any) -> None:
    case = world.closed(series="2026")
    call_command("replay")
    assert "1 decisions, 0 different" in capsys.readouterr().out
    file = tmp_path / "plan.toml"
    file.write_text(cheaper(world), encoding="utf-8")
    call_command("replay", "--plan", str(file), "--lines")
    out = capsys.readouterr().out
    assert case.number in out
    assert "1 decisions, 1 different" in out
    book = tmp_path / "handbook.toml"
    book.write_text(world.handbook("2026").text, encoding="utf-8")
    call_command("replay", "--handbook", str(book))
    assert "1 decisions, 0 different" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("replay", "--plan", str(tmp_path / "missing.toml"))
    file.write_text("[plan]", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("replay", "--plan", str(file))


def test_a_published_handbook_and_a_loaded_plan_can_be_chosen(world: World) -> None:
    world.closed(series="2026")
    web = web_of(UserFactory(roles=["manager"]))
    book, plan = (
        HandbookVersion.objects.get(series="2026"),
        Plan.objects.get(series="2026", code=world.policy_of("2026").plan.code),
    )
    assert (
        web.post(
            reverse("admin:quality-replays"), {"handbook": str(book.pk), "plan": str(plan.pk)}
        ).status_code
        == 302
    )
    replay = run_replay(Replay.objects.get().pk)
    assert replay.handbook_name == "2026 v1"
    assert (replay.differing, replay.compared) == (0, 1)
