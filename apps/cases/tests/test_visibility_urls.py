"""The screens of cases, asked with the numbers and names of somebody else's child (LAW-09)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.models import AccessLog
from apps.accounts.tests.factories import UserFactory, web_of
from apps.cases.models import CaseFile
from apps.claims.tests.world import World

ROLES = ["manager", "supervisor", "first_review", "intake"]
STRANGERS = [
    pytest.param({"tpa": "ELSEWHERE"}, id="another administrator"),
    pytest.param({"series": ["2026"]}, id="another series"),
    pytest.param({"hospital": "CHC"}, id="another hospital"),
    pytest.param({"member": "M2026"}, id="another child"),
    pytest.param({"provider": "P1"}, id="a provider"),
]


@pytest.fixture
def case(world: World) -> CaseFile:
    """A claim of the series that an administrator runs."""
    return world.review(series="2024", external_numbers=[{"system": "HIS", "number": "HIS-778"}])


def stranger(**scope: Any) -> Client:
    return web_of(UserFactory(roles=ROLES, **scope))


def owner(case: CaseFile) -> Client:
    return web_of(UserFactory(roles=ROLES, tpa=case.tpa))


def sheet(response: Any) -> str:
    rows = load_workbook(io.BytesIO(b"".join(response))).active.iter_rows(values_only=True)
    return str(list(rows))


@pytest.mark.parametrize("scope", STRANGERS)
def test_search_and_lists_do_not_know_the_case(case: CaseFile, scope: dict[str, Any]) -> None:
    client = stranger(**scope)
    asked = [case.number, case.policy.number, "王小明", "HIS-778", case.claim.visits.get().bills.get().number]
    for text in asked:
        for name in ("admin:find", "admin:claim-report"):
            page = client.get(reverse(name), {"q": text, "member": "M2024"}, follow=True).content.decode()
            assert "P-M2024" not in page.replace(text, "")
            assert f"/case/{case.number}/" not in page.replace(f"q={case.number}", "")
        children = client.get(reverse("admin:find-child"), {"q": text}).content.decode()
        assert "M2024" not in children.replace(text, "")
    for query in ({"scope": "all"}, {"scope": "mine"}, {"scope": "all", "series": "2024"}, {"scope": "team"}):
        assert case.number not in client.get(reverse("admin:index"), query).content.decode()
        assert case.number not in sheet(client.get(reverse("admin:work-export"), query))
    following = client.get(reverse("admin:work-next"), {"scope": "all"})
    assert case.number not in following["Location"]


@pytest.mark.parametrize("scope", STRANGERS)
def test_the_case_and_its_actions_do_not_exist(case: CaseFile, scope: dict[str, Any]) -> None:
    client = stranger(**scope)
    page = reverse("admin:case", kwargs={"number": case.number})
    assert client.get(page).status_code == 404
    for name in ("note", "withdraw", "decide", "take", "nonsense"):
        address = reverse("admin:case-action", kwargs={"number": case.number, "name": name})
        for response in (
            client.get(address),
            client.get(address, headers={"HX-Request": "true"}),
            client.post(address, {"version": case.version, "reason": "not mine", "text": "hello"}),
        ):
            assert response.status_code == 404
            assert "王" not in response.content.decode()
    fresh = CaseFile.objects.get(pk=case.pk)
    assert (fresh.version, fresh.state) == (case.version, "UNDER_REVIEW")


@pytest.mark.parametrize("scope", STRANGERS)
def test_what_is_masked_is_not_revealed_and_nothing_is_logged(case: CaseFile, scope: dict[str, Any]) -> None:
    address = reverse("admin:case-reveal", kwargs={"number": case.number})
    response = stranger(**scope).post(address, {"what": "id_number", "reason": "the parents asked"})
    assert response.status_code == 404
    assert case.member.id_number not in response.content.decode()
    assert not AccessLog.objects.filter(subject=f"member:{case.member.number}").exists()


@pytest.mark.parametrize("scope", STRANGERS)
def test_cases_of_somebody_else_are_not_assigned_in_a_batch(
    case: CaseFile, world: World, scope: dict[str, Any]
) -> None:
    client, clerk = stranger(**scope), UserFactory(roles=["first_review"])
    mine = world.claim()
    picked = {
        "case": [f"{case.number}:{case.version}", f"{mine.number}:{world.see(mine).version}"],
        "assignee": clerk.pk,
    }
    client.post(reverse("admin:work-assign"), picked)
    assert not CaseFile.objects.filter(assignee=clerk).exists()  # all or none


def test_the_owner_sees_and_does_all_of_this(case: CaseFile) -> None:
    client = owner(case)
    assert client.get(reverse("admin:find"), {"q": "HIS-778"}).content.decode().count(case.number)
    assert case.number in client.get(reverse("admin:index"), {"scope": "all"}).content.decode()
    assert case.number in sheet(client.get(reverse("admin:work-export"), {"scope": "all"}))
    assert client.get(reverse("admin:case", kwargs={"number": case.number})).status_code == 200
    address = reverse("admin:case-reveal", kwargs={"number": case.number})
    response = client.post(address, {"what": "id_number", "reason": "the parents asked"})
    assert case.member.id_number in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert AccessLog.objects.filter(subject=f"member:{case.member.number}").count() == 1


def test_a_revelation_needs_a_reason_and_a_role(case: CaseFile) -> None:
    address = reverse("admin:case-reveal", kwargs={"number": case.number})
    assert owner(case).post(address, {"what": "id_number", "reason": ""}).status_code == 400
    insurer = web_of(UserFactory(roles=["insurer_user"], tpa=case.tpa))
    assert insurer.post(address, {"what": "id_number", "reason": "curious"}).status_code == 403
    assert owner(case).post(address, {"what": "password", "reason": "curious"}).status_code == 404
    assert owner(case).get(address).status_code == 405
    assert not AccessLog.objects.exists()
