"""Masked lists, search, reveal with a reason (LAW-09), visibility."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.models import AccessLog
from apps.accounts.tests.factories import UserFactory, web_of
from apps.members.models import Member
from apps.members.tests.factories import make_guardian, make_member, make_policy
from apps.products.tests.helpers import load

MEMBERS, POLICIES = "admin:members_member_changelist", "admin:members_policy_changelist"


@pytest.fixture(autouse=True)
def in_force() -> Iterator[None]:
    """The policies of these tests run through 2026."""
    with time_machine.travel(datetime(2026, 11, 2, 2, tzinfo=UTC)):
        yield


@pytest.fixture
def child(db):
    load("2024", "2026", plans=True)
    member = make_member(name="曾小明", mobile="13800138000", email="zeng@example.com")
    make_guardian(member, name="李丽娟", mobile="13900139000")
    make_policy(member, series="2026", number="P2026000001")
    return member


@pytest.fixture
def desk(child):
    return web_of(UserFactory(roles=["first_review"]))


def body(client, name, query="", *args):
    response = client.get(reverse(name, args=args) + query)
    assert response.status_code == 200
    return response.content.decode()


def secrets(member):
    guardian = member.guardians.get()
    return [member.name, member.id_number, member.mobile, member.email, member.birth_date.isoformat(), guardian.name,
            guardian.id_number, guardian.mobile]  # fmt: skip


@pytest.mark.parametrize(
    "query", ["", "?q=zxm", "?q=曾小", "?q=13900139000", "?q=P2026000001", "?series=2026"]
)
def test_the_list_finds_and_masks(desk, child, query):
    page = body(desk, MEMBERS, query)
    assert child.number in page
    assert "曾**" in page
    typed = query.partition("q=")[2]
    assert not [secret for secret in secrets(child) if secret in page and secret != typed]


@pytest.mark.parametrize("query", ["?q=nobody", "?q=13800138001", "?series=2024", "?q=%25"])
def test_the_list_finds_nothing_where_nothing_is(desk, child, query):
    assert child.number not in body(desk, MEMBERS, query)


def test_the_detail_is_masked_and_read_only(desk, child):
    page = body(desk, "admin:members_member_change", "", child.pk)
    assert child.id_masked in page
    assert "P2026000001" in page
    assert not [secret for secret in secrets(child) if secret in page]
    assert 'name="_save"' not in page


def test_the_list_costs_the_same_with_one_row_and_with_ten(desk, child, django_assert_max_num_queries):
    for size in (0, 9):
        for _ in range(size):
            make_policy(make_member())
        for name in (MEMBERS, POLICIES):
            with django_assert_max_num_queries(14):
                body(desk, name)


def test_law_09_revealing_needs_a_reason_and_is_logged(desk, child, rulebook):
    address = reverse("admin:members_member_reveal", args=[child.pk])
    assert child.id_number not in desk.get(address).content.decode()
    refused = desk.post(address, {"what": "id_number", "reason": " "})
    assert child.id_number not in refused.content.decode()
    assert "LAW-09" in refused.content.decode()
    assert not AccessLog.objects.exists()
    rulebook.fired("LAW-09")
    shown = desk.post(address, {"what": "id_number", "reason": "家长来电核对身份"})
    assert child.id_number in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = AccessLog.objects.get()
    assert (entry.subject, entry.what, entry.reason) == (
        f"member:{child.number}",
        "id_number",
        "家长来电核对身份",
    )
    rulebook.fired("LAW-09", fired=False)


def test_law_09_a_guardians_number_is_revealed_the_same_way(desk, child):
    guardian = child.guardians.get()
    address = reverse("admin:members_member_reveal", args=[child.pk])
    shown = desk.post(address, {"what": f"guardian.{guardian.pk}.mobile", "reason": "电话回访"})
    assert guardian.mobile in shown.content.decode()
    assert AccessLog.objects.get().what == f"guardian.{guardian.pk}.mobile"


def test_another_childs_guardian_cannot_be_revealed_here(desk, child):
    other = make_guardian(make_member(), name="别人")
    address = reverse("admin:members_member_reveal", args=[child.pk])
    shown = desk.post(address, {"what": f"guardian.{other.pk}.mobile", "reason": "电话回访"})
    assert other.mobile not in shown.content.decode()
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize("name", ["member", "policy"])
def test_the_export_is_masked(desk, child, name):
    address = reverse(f"admin:members_{name}_export")
    response = desk.post(address, {"format": "0", "resource": "0"})
    assert response.status_code == 200
    values = [str(cell.value) for row in load_workbook(io.BytesIO(response.content)).active for cell in row]
    assert "曾**" in values
    assert not [secret for secret in secrets(child) if secret in values]


def test_the_export_names_the_scheme_of_a_policy(desk, child):
    make_policy(child, series="2024", number="P2024000009", scheme="MAX")
    response = desk.post(reverse("admin:members_policy_export"), {"format": "0", "resource": "0"})
    _heads, *rows = load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True)
    (row,) = [row for row in rows if "P2024000009" in row]
    assert "成长优享MAX方案" in row
    assert "MAX" not in row


STRANGERS = [{"roles": ["first_review"], "series": ["2024"], "tpa": "WINDSTONE"},
             {"roles": ["first_review"], "hospital": "H001"}, {}]  # fmt: skip


@pytest.mark.parametrize("fields", STRANGERS)
def test_strangers_see_and_reveal_nothing(child, fields):
    client = web_of(UserFactory(**fields))
    assert child.number not in body(client, MEMBERS, "?q=曾小明")
    assert "P2026000001" not in body(client, POLICIES)
    assert "曾**" not in body(client, POLICIES, "?q=P2026000001")
    assert client.get(reverse("admin:members_member_change", args=[child.pk])).status_code in (302, 403, 404)
    assert client.get(reverse("admin:members_policy_change", args=[child.policies.get().pk])).status_code in (
        302,
        403,
        404,
    )
    response = client.post(
        reverse("admin:members_member_reveal", args=[child.pk]), {"what": "name", "reason": "just curious"}
    )
    assert response.status_code in (403, 404)
    assert not AccessLog.objects.exists()


def test_the_tpa_sees_its_own_policy_of_a_shared_child_only(child):
    make_policy(child, series="2024", number="P2024000009")
    client = web_of(UserFactory(roles=["first_review"], series=["2024"], tpa="WINDSTONE"))
    for page in (body(client, MEMBERS), body(client, "admin:members_member_change", "", child.pk)):
        assert "P2024000009" in page
        assert "P2026000001" not in page


def test_nothing_is_written_by_forms(desk, child):
    assert desk.get(reverse("admin:members_member_add")).status_code == 403
    desk.post(reverse("admin:members_member_change", args=[child.pk]), {"name": "x"})
    assert Member.objects.get().name == "曾小明"
