"""My work and the case page, as a browser sees them."""

import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.models import AccessLog, Team, User
from apps.cases.models import CaseFile, SavedFilter
from apps.cases.queries import Filters, worklist
from apps.claims.tests.world import World

pytestmark = pytest.mark.django_db


def enter(world: World, name: str, **fields: object) -> Client:
    """A browser of one of the world's people."""
    world.actor(name)
    User.objects.filter(username=name).update(is_staff=True, **fields)
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def case_url(case: CaseFile, action: str = "") -> str:
    return f"/admin/case/{case.number}/" + (f"do/{action}/" if action else "")


def queries(client: Client, url: str) -> int:
    client.get(url)  # caches, session
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_an_action_nobody_knows_is_a_page_in_words(world: World) -> None:
    page = enter(world, "supervisor").get(case_url(world.claim(), "abracadabra"))
    assert page.status_code == 404
    assert "此地址上没有您在本案件可做的操作" in page.content.decode()
    assert page.content.decode().count("abracadabra") == 1  # the address itself


# --- My work ---------------------------------------------------------------------------------


def test_rows_cost_no_queries(world: World) -> None:
    client = enter(world, "supervisor")
    world.claim()
    one = queries(client, "/admin/?scope=all")
    for _n in range(29):
        world.claim()
    assert queries(client, "/admin/?scope=all") == one
    assert one <= 25


def test_due_first_and_counted(world: World) -> None:
    client = enter(world, "supervisor")
    late, later = world.claim(), world.claim()
    CaseFile.objects.filter(pk=late.pk).update(next_due=world.now - timedelta(hours=3))
    late.clocks.update(due_at=world.now - timedelta(hours=3))
    page = client.get("/admin/?scope=all").content.decode()
    assert page.index(late.number) < page.index(later.number)
    assert "c-left--late" in page
    assert client.get("/admin/?scope=all&due=late").context["rows"][0].case == late
    assert client.get("/admin/?scope=all").context["counts"]["late"] == 1


def test_what_is_urgent_and_has_no_due_stands_where_it_was_opened(world: World) -> None:
    soon, waiting, urgent = world.claim(), world.claim(), world.claim()
    CaseFile.objects.filter(pk=soon.pk).update(next_due=world.now + timedelta(hours=3))
    CaseFile.objects.filter(pk__in=[waiting.pk, urgent.pk]).update(next_due=None)
    CaseFile.objects.filter(pk=urgent.pk).update(priority=1)
    listed = worklist(world.actor("adjuster"), Filters(scope="all"), world.now)
    assert [case.number for case in listed] == [urgent.number, soon.number, waiting.number]


def test_how_a_due_was_counted_stands_in_the_row(world: World) -> None:
    client = enter(world, "supervisor")
    case = world.complete()
    row = next(row for row in client.get("/admin/?scope=all").context["rows"] if row.case.pk == case.pk)
    assert "DL-" in row.left.how or "LAW-" in row.left.how
    assert row.step  # what one does next with a complete claim


def test_mine_is_mine_or_nobodys(world: World) -> None:
    client = enter(world, "adjuster")
    free, mine, others = world.claim(), world.claim(), world.claim()
    world.do(mine, "take")
    world.do(others, "take", by="second")
    shown = {row.case.number for row in client.get("/admin/").context["rows"]}
    assert shown == {free.number, mine.number}


def test_unknown_filters_are_left_out(world: World) -> None:
    client = enter(world, "adjuster")
    world.claim()
    response = client.get("/admin/?due=nonsense&team=x&assignee=y&sort=z&page=-3&scope=w")
    assert response.status_code == 200
    assert len(response.context["rows"]) == 1


def test_empty_list_says_what_comes(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.claim()
    world.do(case, "take", by="second")
    page = client.get("/admin/?scope=mine")
    assert page.context["rows"] == []
    assert page.context["coming"]["row"].case.number == case.number


def test_bulk_assignment_is_all_or_nothing(world: World) -> None:
    client = enter(world, "supervisor")
    one, two = world.claim(), world.claim()
    person = User.objects.get(username="supervisor")
    stale = {"case": [f"{one.number}:1", f"{two.number}:99"], "assignee": str(person.pk)}
    client.post("/admin/work/assign/", stale)
    assert not CaseFile.objects.filter(assignee=person).exists()
    fresh = [f"{case.number}:{CaseFile.objects.get(pk=case.pk).version}" for case in (one, two)]
    client.post("/admin/work/assign/", {"case": fresh, "assignee": str(person.pk)})
    assert CaseFile.objects.filter(assignee=person).count() == 2


def test_bulk_assignment_needs_the_role(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.claim()
    version = CaseFile.objects.get(pk=case.pk).version
    client.post("/admin/work/assign/", {"case": f"{case.number}:{version}", "assignee": "1"})
    assert CaseFile.objects.get(pk=case.pk).assignee is None


def test_excel_holds_the_rows_masked(world: World) -> None:
    client = enter(world, "supervisor")
    case = world.claim()
    sheet = load_workbook(io.BytesIO(client.get("/admin/work/export/?scope=all").content)).active
    assert sheet is not None
    row = [cell.value for cell in sheet[2]]
    assert row[0] == case.number
    assert row[2] == "王**"
    assert "王小明" not in row


def test_saved_filters_are_private(world: World) -> None:
    client, other = enter(world, "adjuster"), enter(world, "second")
    client.post("/admin/work/filters/", {"name": "late ones", "query": "scope=all&due=late&evil=1"})
    saved = SavedFilter.objects.get()
    assert "evil" not in saved.query
    assert "due=late" in saved.query
    other.post(f"/admin/work/filters/{saved.pk}/delete/")
    assert SavedFilter.objects.exists()
    client.post(f"/admin/work/filters/{saved.pk}/delete/", {"back": "https://elsewhere.example/"})
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"]
)
def test_back_stays_in_the_house(world: World, back: str) -> None:
    client = enter(world, "adjuster")
    assert (
        client.post("/admin/work/filters/", {"name": "x", "query": "", "back": back})["Location"] == "/admin/"
    )


# --- Search ----------------------------------------------------------------------------------


def test_a_case_number_opens_the_case(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.claim()
    assert client.get("/admin/find/", {"q": case.number.lower()})["Location"] == case_url(case)


def test_search_by_what_people_have_in_hand(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.claim(
        world.visit([world.bill(number="7788990011")]), external_numbers=[{"system": "TPA", "number": "X-1"}]
    )
    for text in ("王小明", "P-M2026", "EM20261", "X-1", "7788990011", "13800138000"):
        found = [row.case.number for row in client.get("/admin/find/", {"q": text}).context["rows"]]
        assert found == [case.number], text
    assert client.get("/admin/find/", {"q": "nobody"}).context["rows"] == []


def test_search_looks_up_and_never_scans(world: World) -> None:
    client = enter(world, "adjuster")
    world.claim()
    with CaptureQueriesContext(connection) as captured:
        client.get("/admin/find/", {"q": "7788990011"})
    assert not [query["sql"] for query in captured if "LIKE '%" in query["sql"]]


# --- The case page ---------------------------------------------------------------------------


def test_case_page_shows_the_case(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.review()
    page = client.get(case_url(case)).content.decode()
    for text in (case.number, "王**", "血常规", "do/decide/", "panel-findings", "panel-timeline"):
        assert text in page


def test_identity_is_never_on_the_page(world: World) -> None:
    client = enter(world, "adjuster")
    page = client.get(case_url(world.review())).content.decode()
    assert "EM20261" not in page
    assert "13800138000" not in page


def test_lines_cost_no_queries_on_the_page(world: World) -> None:
    client = enter(world, "adjuster")
    small = world.review()
    many = [world.line("20.00") for _n in range(30)]
    large = world.review(world.visit([world.bill(lines=many)], started_on="2026-09-08"))
    assert queries(client, case_url(large)) <= queries(client, case_url(small)) + 2


def test_another_administrators_case_is_not_there(world: World) -> None:
    client = enter(world, "adjuster", tpa="SOMEBODY")
    case = world.claim(series="2026")
    assert client.get(case_url(case)).status_code == 404
    assert client.post(case_url(case, "note"), {"version": "1", "text": "hello"}).status_code == 404
    assert client.get("/admin/find/", {"q": case.number}).context["rows"] == []
    assert client.get("/admin/?scope=all").context["rows"] == []


def test_an_action_needs_its_role(world: World) -> None:
    case = world.review()
    client = enter(world, "mail")
    assert client.get(case_url(case, "decide")).status_code == 404
    assert client.post(case_url(case, "decide"), {"version": str(case.version)}).status_code == 404
    assert world.see(case).state == "UNDER_REVIEW"


def test_doing_an_action(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.complete()
    response = client.post(case_url(case, "start_review"), {"version": str(case.version)})
    assert response["Location"] == case_url(case) + "?done=start_review"
    assert world.see(case).state == "UNDER_REVIEW"


def test_the_form_comes_alone_for_htmx(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.review()
    page = client.get(case_url(case, "decide"), headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith("<form")
    assert 'name="member_text"' in page


def test_errors_stand_at_their_field_and_words_are_kept(world: World) -> None:
    client = enter(world, "senior")
    case = world.review()
    response = client.post(
        case_url(case, "record_nondisclosure"),
        {"version": str(case.version), "known_on": "soon", "reason": "told"},
    )
    page = response.content.decode()
    assert response.status_code == 400
    assert "has-error" in page[page.index('data-field="known_on"') - 80 : page.index('data-field="known_on"')]
    assert "told" in page
    assert "LAW-12" in page


def test_a_stale_screen_is_told_what_changed(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.review()
    seen = case.version
    world.do(case, "note", by="second", text="called the mother")
    response = client.post(case_url(case, "decide"), {"version": str(seen), "member_text": "my words"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "called the mother" in page
    assert "my words" in page
    assert page.count(f"{case.number} 已被他人修改") == 1
    assert world.see(case).state == "UNDER_REVIEW"


def test_a_page_that_stood_open_learns_whose_session_it_is(world: World) -> None:
    client, address = enter(world, "adjuster"), reverse("admin:session")
    assert client.get(address).json() == {"user": str(client.session["_auth_user_id"])}
    client.logout()
    assert client.get(address).headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_a_form_without_its_version_changes_nothing(world: World, version: str) -> None:
    client = enter(world, "adjuster")
    case = world.review()
    assert client.post(case_url(case, "decide"), {"version": version}).status_code == 409
    assert world.see(case).state == "UNDER_REVIEW"


def test_blocked_actions_say_why(world: World) -> None:
    client = enter(world, "senior")
    page = client.get(case_url(world.review())).content.decode()
    assert "is-blocked" in page
    assert 'role="tooltip"' in page


# --- Reveal (LAW-09) ---------------------------------------------------------------------------


def test_revealing_needs_a_reason_and_is_logged(world: World) -> None:
    client = enter(world, "adjuster")
    case = world.claim()
    url = case_url(case) + "reveal/"
    refused = client.post(url, {"what": "id_number", "reason": ""})
    assert refused.status_code == 400
    assert "LAW-09" in refused.content.decode()
    shown = client.post(url, {"what": "id_number", "reason": "compare the passport"})
    assert "EM20261" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    log = AccessLog.objects.get()
    assert (log.subject, log.what, log.reason) == ("member:M2026", "id_number", "compare the passport")


def test_only_known_things_are_revealed(world: World) -> None:
    client = enter(world, "adjuster")
    response = client.post(
        case_url(world.claim()) + "reveal/", {"what": "id_index", "reason": "curious about it"}
    )
    assert response.status_code == 404
    assert not AccessLog.objects.exists()


# --- Around ----------------------------------------------------------------------------------


def test_calculator_counts_with_pauses(world: World) -> None:
    client = enter(world, "adjuster")
    answer = client.get(
        "/admin/calculator/", {"duration": "5", "unit": "workdays", "start": "2026-09-16T10:00"}
    )
    assert len(answer.context["due"].counted) == 5
    assert client.get("/admin/calculator/", {"duration": "x", "start": "2026-09-16T10:00"}).status_code == 400
    assert client.get("/admin/calculator/", {"duration": "5", "start": "never"}).status_code == 400
    paused = {
        "duration": "5",
        "start": "2026-09-16T10:00",
        "from0": "2026-09-17T09:00",
        "until0": "2026-09-21T09:00",
    }
    assert client.get("/admin/calculator/", paused).context["due"].day > answer.context["due"].day


def test_lists_are_for_people_with_a_role(world: World) -> None:
    stranger = User.objects.create(username="stranger", is_staff=True)
    client = Client()
    client.force_login(stranger)
    world.claim()
    assert client.get("/admin/cases/casefile/").status_code == 403
    assert enter(world, "adjuster").get("/admin/cases/casefile/").status_code == 200
    assert enter(world, "adjuster").get("/admin/cases/clock/").status_code == 200
    assert enter(world, "adjuster").get("/admin/cases/caseevent/").status_code == 200


def test_nobody_without_log_in(client: Client) -> None:
    for url in (
        "/admin/",
        "/admin/find/",
        "/admin/calculator/",
        "/admin/dashboard/",
        "/admin/claims/report/",
    ):
        assert client.get(url).status_code == 302


def test_team_filter_counts_the_assignees_team(world: World) -> None:
    team = Team.objects.create(code="t", name="one")
    client = enter(world, "adjuster", team=team)
    case = world.claim()
    world.do(case, "take")
    CaseFile.objects.filter(pk=case.pk).update(team=None)
    assert len(client.get(f"/admin/?scope=all&team={team.pk}").context["rows"]) == 1
    assert len(client.get("/admin/?scope=all&team=none").context["rows"]) == 0
