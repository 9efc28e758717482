"""Where a child may go without paying, and why not elsewhere (NET-01 … NET-07, APT-03, DL-46)."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.actors import Actor
from apps.accounts.tests.factories import UserFactory, web_of
from apps.core.errors import Blocked, InvalidInput
from apps.hospitals.models import Hospital, NetworkLookup
from apps.hospitals.queries import look_up_before
from apps.hospitals.tests.factories import make_campus, make_entry, make_hospital
from apps.members.models import BrandLock, Member
from apps.members.network import Place, Wish, insured_on, look_up
from apps.members.tests.factories import make_member, make_policy
from apps.products.models import Plan
from apps.products.tests.helpers import load
from tests.api import machine, refusal

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
DESK = Actor(label="desk", roles=frozenset({"service_specialist"}))
DAY = date(2026, 6, 1)
SINCE = {"continuous_since": date(2024, 1, 1), "renewed": True}


@pytest.fixture(autouse=True)
def on_a_day() -> Any:
    with time_machine.travel("2026-06-01T04:00:00Z", tick=False):
        yield


@pytest.fixture
def books(db: None) -> None:
    load("2024", "2026", plans=True)


def child(series: str = "2026", version: str = "", **fields: Any) -> Member:
    plans = Plan.objects.filter(series=series).order_by("code")
    plan = plans.filter(version=version).first() if version else plans.first()
    member = make_member()
    make_policy(member, series=series, plan=plan, **SINCE | fields)
    return member


def listed(
    member: Member, *, name: str = "上海示例儿童医院", ownership: str = "PRIVATE", **fields: Any
) -> str:
    """A hospital in the child's own network; returns its code."""
    insured = insured_on(member, DAY)
    hospital = make_hospital(name=name, ownership=ownership, city="上海")
    make_entry(
        make_campus(hospital), **{"series": insured.handbook.series, "network_group": insured.group} | fields
    )
    return hospital.code


def answers(member: Member, **wish: Any) -> dict[str, Place]:
    asked = Wish(**{"on": DAY} | wish)
    found, _page = look_up(DESK, insured_on(member, asked.on), asked, list)
    return {place.hospital.code: place for place in found}


def reasons(place: Place) -> list[tuple[str, str]]:
    return [(why.code, why.rule) for why in place.why]


def test_dl_46_a_listed_hospital_is_in_and_others_are_out_with_the_rule_that_says_so(books: None) -> None:
    member = child(version="NATIONAL")
    good = listed(member)
    cases = {
        listed(member, network_group="BEIJING"): [("OTHER_GROUP", "NET-02")],
        listed(member, ends_on=date(2026, 5, 31)): [("ENDED", "DL-46")],
        listed(member, starts_on=date(2026, 6, 2)): [("NOT_YET", "DL-46")],
        listed(member, benefit="INPATIENT"): [("OTHER_BENEFIT", "NET-01")],
        listed(member, direct_billing=["EMERGENCY"]): [("OTHER_SCOPE", "NET-01")],
        listed(member, series="2024"): [("NOT_LISTED", "DL-46")],
        make_hospital().code: [("NOT_LISTED", "DL-46")],
    }
    found = answers(member)
    assert found[good].direct
    assert next(iter(found)) == good  # the network stands first
    assert {code: reasons(found[code]) for code in cases} == cases
    assert list(answers(member, only_listed=True)) == [good]


def test_a_closed_house_is_out_for_who_asks_by_name(books: None) -> None:
    member = child()
    code = listed(member, name="停业诊所")
    Hospital.objects.filter(code=code).update(active=False)
    assert code not in answers(member)
    assert reasons(answers(member, text="停业")[code]) == [("INACTIVE", "DL-46")]


def test_pr_09_the_department_counts(books: None) -> None:
    member = child()
    code = listed(member, department_group="INTERNATIONAL")
    assert answers(member, department_group="INTERNATIONAL")[code].direct
    assert reasons(answers(member, department_group="GENERAL")[code]) == [("OTHER_DEPARTMENT", "NET-01")]


def test_net_03_a_rider_not_bought_keeps_the_child_out_everywhere(books: None) -> None:
    without, bought = child(), child(riders=["VACCINE"])
    code = listed(without, benefit="VACCINE")
    assert ("NO_RIDER", "NET-03") in reasons(answers(without, benefit="VACCINE")[code])
    assert answers(bought, benefit="VACCINE")[code].direct


def test_net_05_a_series_without_the_network_bills_nothing_of_it(books: None) -> None:
    member = child("2024")
    code = listed(member, benefit="OUTPATIENT")
    assert ("NO_NETWORK", "NET-05") in reasons(answers(member, benefit="DENTAL")[code])
    assert "NO_NETWORK" not in [why.code for why in answers(member)[code].why]


def test_pr_16_a_waiting_period_is_named_with_its_last_day(books: None) -> None:
    fresh = child(continuous_since=DAY, renewed=False, effective_on=DAY)
    code = listed(fresh)
    planned = insured_on(fresh, DAY).policy.plan.terms.benefit("OUTPATIENT")  # type: ignore[union-attr]
    waits = {entry.cause: entry.days for entry in planned.waiting} if planned else {}
    assert reasons(answers(fresh, cause="ILLNESS")[code]) == (
        [("WAITING", "PR-16")] if waits.get("ILLNESS") else []
    )
    assert answers(child(), cause="ILLNESS")[code].direct
    assert waits.get("ILLNESS"), "the sample plan has a waiting period; else this proves nothing"


def test_c9_a_day_without_cover_is_out_everywhere(books: None) -> None:
    member = child()
    code = listed(member)
    assert reasons(answers(member, on=date(2027, 2, 1))[code]) == [("NO_POLICY", "C9")]


def test_crd_21_a_public_hospital_needs_an_appointment_where_the_card_is_for_private_ones(
    books: None,
) -> None:
    old, new = child("2024"), child("2026")
    there, here = listed(old, ownership="PUBLIC"), listed(new, ownership="PUBLIC")
    assert [(why.code, why.rule) for why in answers(old)[there].mind] == [("APPOINTMENT", "CRD-21")]
    assert answers(new)[here].mind == ()


def test_dl_46_a_look_up_is_found_before_the_visit(books: None, rulebook: Any) -> None:
    member = child()
    code = listed(member)
    assert look_up_before(member.number, code, DAY) is None
    answers(member, city="上海")
    kept = look_up_before(member.number, code, DAY)
    assert kept is not None
    assert (kept.member, kept.channel, kept.criteria["city"]) == (member.number, "HOTLINE", "上海")
    assert kept.result["hospitals"] == [code]
    assert look_up_before(member.number, code, date(2026, 5, 31)) is None  # after the visit is too late
    assert look_up_before(child().number, code, DAY) is None
    rulebook.read_back("APT-03", kept.channel)


@pytest.mark.parametrize(
    ("series", "channel", "rule"), [("2026", "POST", "APT-03"), ("2024", "MINIPROGRAM", "NET-07")]
)
def test_apt_03_a_channel_the_series_does_not_have(books: None, series: str, channel: str, rule: str) -> None:
    insured = insured_on(child(series), DAY)
    with pytest.raises(Blocked) as refused:
        look_up(DESK, insured, Wish(on=DAY), list, channel=channel)
    assert refused.value.rule == rule
    with pytest.raises(InvalidInput):
        look_up(DESK, insured, Wish(on=DAY, benefit="TEETH"), list)
    closed = replace(insured, handbook=replace(insured.handbook, services={}))
    with pytest.raises(Blocked):
        look_up(DESK, closed, Wish(on=DAY), list)
    assert not NetworkLookup.objects.exists()


def test_the_front_end_asks_for_its_own_child(
    books: None, django_assert_num_queries: Any, rulebook: Any
) -> None:
    member = child("2024")
    code = listed(member, ownership="PUBLIC")
    make_campus(make_hospital(), code="9", phone="021-1", address="徐汇区")
    api = machine(member=member.number)
    address = f"/api/v1/members/{member.number}/hospitals/"
    first, second = api.get(address, {"on": "2026-06-01"}).json()["results"]
    assert (first["code"], first["direct"], first["mind"][0]["rule"]) == (code, True, "CRD-21")
    assert (second["direct"], second["why"][0]["rule"]) == (False, "DL-46")
    assert second["campuses"][0]["phone"] == "021-1"
    rulebook.read_back("NET-07", second["campuses"])
    kept = NetworkLookup.objects.get()
    assert (kept.channel, kept.client_id is not None) == ("ONLINE", True)
    for _n in range(6):
        listed(member)
    with django_assert_num_queries(9):  # key; child, policy, handbook; houses, campuses, entries; record
        api.get(address)
    other = make_member()
    assert refusal(api.get(f"/api/v1/members/{other.number}/hospitals/")).status == 404
    assert refusal(machine(tpa="ELSEWHERE").get(address)).status == 404
    assert refusal(api.get(address, {"benefit": "TEETH"})).field == "benefit"
    assert refusal(api.get(address, {"channel": "MINIPROGRAM"})).rule == "NET-07"


@pytest.mark.parametrize(("series", "rule"), [("2026", "VAC-04"), ("2024", "VAC-22")])
def test_a_benefit_tied_to_a_brand_is_billed_at_its_branches_only(
    books: None, series: str, rule: str
) -> None:
    member = child(series, **({"riders": ["VACCINE"]} if series == "2026" else {}))
    codes = {}
    for name, brand in (("悦安一店", "悦安"), ("悦安二店", "悦安"), ("康宁诊所", "康宁")):
        codes[name] = listed(member, name=name, benefit="VACCINE", direct_billing=["VACCINE"])
        Hospital.objects.filter(code=codes[name]).update(brand=brand)
    before = answers(member, benefit="VACCINE")
    assert all(before[code].direct for code in codes.values())
    BrandLock.objects.create(
        policy=member.policies.get(),
        benefit="VACCINE",
        brand="悦安",
        visited_on=date(2026, 5, 20),
        visit="P26-1",
    )
    after = answers(member, benefit="VACCINE")
    assert [after[codes[name]].direct for name in codes] == [True, True, False]
    assert reasons(after[codes["康宁诊所"]]) == [("BRAND", rule)]


def test_the_page_answers_exports_and_shows_what_was_asked_before(books: None) -> None:
    member = child(version="NATIONAL")
    listed(member, name='=HYPERLINK("http://x")')
    listed(member, name="北京示例诊所", network_group="BEIJING")
    desk = web_of(UserFactory(roles=["service_specialist"]))
    address = reverse("admin:members_member_hospitals", args=[member.pk])
    assert "NET-02" not in desk.get(address).content.decode()
    assert not NetworkLookup.objects.exists()  # an empty form is no look-up
    page = desk.get(address, {"on": "2026-06-01", "benefit": "OUTPATIENT", "search": "1"}).content.decode()
    assert "NET-02" in page
    assert member.name not in page
    file = desk.get(address, {"on": "2026-06-01", "export": "xlsx"})
    sheet = load_workbook(io.BytesIO(file.content)).active
    assert [row[5].value for row in sheet.iter_rows(min_row=2)] in (["是", "否"], ["yes", "no"])
    assert not [cell for row in sheet for cell in row if cell.data_type == "f"]
    assert NetworkLookup.objects.count() == 2
    assert "热线 · " in desk.get(address).content.decode()
    found = desk.get(reverse("admin:hospitals_networklookup_changelist"), {"q": member.number})
    assert member.number in found.content.decode()
    stranger = web_of(UserFactory(roles=["service_specialist"], tpa="ELSEWHERE"))
    assert stranger.get(address).status_code == 404
