"""Children over the API: found by number or name, shown masked (LAW-09)."""

from __future__ import annotations

from datetime import date

import pytest

from apps.members.models import Member
from apps.members.tests.factories import make_guardian, make_member, make_policy
from apps.products.tests.helpers import load
from tests.api import machine, person, refusal

pytestmark = pytest.mark.django_db
MEMBERS = "/api/v1/members/"


@pytest.fixture
def child() -> Member:
    load("2024", "2026", plans=True)
    child = make_member(number="M-1", name="曾小明", mobile="13800138000")
    make_guardian(child, mobile="13900139000")
    make_policy(child, number="P-1")
    make_policy(child, series="2024", number="P-0", tpa="WINDSTONE", effective_on=date(2024, 1, 1))
    return child


@pytest.mark.parametrize(
    "asked", ["曾小明", "曾", "zengxiaoming", "zxm", "P-1", "M-1", "13800138000", "13900139000"]
)
def test_a_child_is_found_by_what_people_know(child: Member, asked: str) -> None:
    [row] = machine().get(MEMBERS, {"q": asked}).json()
    assert row["number"] == "M-1"


def test_law_09_nothing_is_given_out_whole(child: Member) -> None:
    found = machine().get(f"{MEMBERS}M-1/")
    body = found.json()
    assert body["name"] != "曾小明"
    assert [policy["number"] for policy in body["policies"]] == ["P-1", "P-0"]
    for secret in (child.id_number, "13800138000", "13900139000", "曾小明"):
        assert secret not in found.content.decode()
    assert Member.objects.get(pk=child.pk).id_number == child.id_number


def test_everybody_sees_their_own_children_and_policies(child: Member) -> None:
    for api, policies in (
        (machine(), ["P-1", "P-0"]),
        (machine(member="M-1"), ["P-1", "P-0"]),
        (machine(member="M-2"), None),
        (machine("TPA", tpa="WINDSTONE"), ["P-0"]),
        (machine("TPA", tpa="ELSEWHERE"), None),
        (machine("HOSPITAL"), None),
        (person("intake", series=["2026"]), ["P-1"]),
    ):
        found, listed = api.get(f"{MEMBERS}M-1/"), api.get(MEMBERS, {"q": "M-1"}).json()
        if policies is None:
            assert (refusal(found).status, listed) == (404, [])
        else:
            assert [policy["number"] for policy in found.json()["policies"]] == policies
            assert [policy["number"] for policy in listed[0]["policies"]] == policies


@pytest.mark.parametrize("asked", ["", " ", "曾" * 81])
def test_a_search_for_nothing_or_too_much_is_refused(child: Member, asked: str) -> None:
    assert refusal(machine().get(MEMBERS, {"q": asked}))[:3] == (400, "required", "q")


@pytest.mark.parametrize(
    "asked", ["x", "\x00\x00", "%%", "__", "'; DROP TABLE members_member; --", "🙂🙂", "\ud83d"]
)
def test_odd_searches_find_nothing_and_break_nothing(child: Member, asked: str) -> None:
    try:
        response = machine().get(MEMBERS, {"q": asked})
    except UnicodeEncodeError:
        return  # the test client cannot even send half a character
    assert response.status_code in (200, 400)
    assert response.status_code == 400 or response.json() == []


def test_refusals(child: Member) -> None:
    assert refusal(machine(scopes=["cases:read"]).get(f"{MEMBERS}M-1/"))[:2] == (403, "missing_scope")
    assert refusal(person().get(f"{MEMBERS}M-1/")).status == 403
    assert refusal(machine().get(f"{MEMBERS}M-9/")).status == 404
    for method in ("post", "put", "patch", "delete"):
        assert (
            refusal(getattr(machine(), method)(f"{MEMBERS}M-1/", {"name": "x"}, format="json")).status == 405
        )
