"""Finding children, and the policy of a date."""

from datetime import date, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.actors import Actor
from apps.core.errors import Conflict, NotFound
from apps.members import queries
from apps.members.models import FormerIdentity, Policy, id_index
from apps.members.tests.factories import make_guardian, make_member, make_policy
from apps.products.tests.helpers import load

pytestmark = pytest.mark.both_databases
WORKS = {"roles": frozenset({"intake"}), "user_id": 1}
EVERYBODY = Actor(label="adjuster", **WORKS)
NO_ROLE = Actor(label="newcomer", user_id=1)
TPA = Actor(label="tpa", series=frozenset({"2024"}), tpa="WINDSTONE", **WORKS)
STRANGER = Actor(label="other", series=frozenset({"2024"}), tpa="OTHER", **WORKS)
HOSPITAL = Actor(label="hospital", hospital="H001", **WORKS)


@pytest.fixture
def plans(db):
    load("2024", "2026", plans=True)


@pytest.fixture
def child(plans):
    member = make_member(name="曾小明", mobile="13800138000")
    make_guardian(member, name="李丽", relation="MOTHER", mobile="13900139000")
    make_policy(member, series="2024", number="P2024000001", certificate="C2024000001")
    make_policy(member, series="2026", number="P2026000001")
    return member


def typed_texts(member):
    return [
        "曾小明", "曾", "zengxiaoming", "Zeng Xiao-Ming", "zengx", "zxm", "P2024000001", "p2026000001", "C2024000001",
        member.number, member.id_number, member.id_number.lower(), f"{member.id_number[:6]} {member.id_number[6:]}",
        "13800138000", "138 0013 8000", "139-0013-9000", "＋86 13900139000",
    ]  # fmt: skip


def test_a_child_is_found_by_whatever_one_has_in_hand(child):
    other = make_member(name="李雷")
    make_policy(other)
    for text in typed_texts(child):
        assert queries.find_members(EVERYBODY, text) == [child], text


def test_it_takes_two_queries(child, django_assert_num_queries):
    for text in typed_texts(child):
        with django_assert_num_queries(2):
            found = queries.find_members(EVERYBODY, text)
            assert [policy.plan.code for policy in found[0].policies.all()]


def test_nothing_typed_finds_nothing(child, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert [queries.find_members(EVERYBODY, text) for text in ("", " ", "a", "\u200b")] == [
            [],
            [],
            [],
            [],
        ]


@pytest.mark.parametrize("text", ["%", "曾%", "z_m", "'; --", "\\", "曾小明明", "999", "𠮷"])
def test_wild_cards_and_strangers_find_nothing(child, text):
    assert queries.find_members(EVERYBODY, text) == []


def test_a_former_identity_still_finds_the_child(child):
    FormerIdentity.objects.create(
        member=child, id_type="BIRTH_CERTIFICATE", id_number="R310012345", id_index=id_index("R310012345"),
        id_masked="R31***2345",
    )  # fmt: skip
    assert queries.find_members(EVERYBODY, "R310012345") == [child]


def test_the_tpa_sees_its_policy_of_the_child_and_no_other(child):
    [found] = queries.find_members(TPA, "曾小明")
    assert [policy.series for policy in found.policies.all()] == ["2024"]


@pytest.mark.parametrize("actor", [STRANGER, HOSPITAL, NO_ROLE])
def test_the_wrong_tpa_hospitals_and_people_without_a_role_see_nothing(child, actor):
    for text in typed_texts(child):
        assert queries.find_members(actor, text) == []


def test_a_child_with_two_policies_is_found_once(plans):
    member = make_member(name="曾小明")
    make_policy(member, series="2024")
    make_policy(member, series="2024", effective_on=date(2025, 1, 1))
    assert queries.find_members(TPA, "曾小明") == [member]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["曾小明", "zengxm", "13800138000", "P2024000001", "31010520200101123X"])
def test_every_search_uses_indexes(text):
    condition = queries.search(text)
    plan = queries.Member.objects.filter(condition).explain()
    if connection.vendor == "sqlite":
        assert "SCAN members_member" not in plan
        assert "USING" in plan


# --- the policy of a date ---------------------------------------------------------------------------------


def test_c9_the_policy_in_force_on_the_service_date(child):
    Policy.objects.filter(series="2024").update(effective_on=date(2025, 1, 1), expires_on=date(2025, 12, 31))
    assert queries.policy_on(child, date(2025, 12, 31)).series == "2024"
    assert queries.policy_on(child, date(2026, 1, 1)).series == "2026"


def test_c9_overlapping_policies_are_listed_and_a_person_chooses(child):
    day = date(2026, 3, 1)
    assert {policy.series for policy in queries.policies_on(child, day)} == {"2024", "2026"}
    with pytest.raises(Conflict) as several:
        queries.policy_on(child, day)
    assert len(several.value.data["policies"]) == 2
    assert queries.policy_on(child, day, series="2024").series == "2024"


def test_no_policy_says_which_ones_there_are(child):
    with pytest.raises(NotFound) as none:
        queries.policy_on(child, date(2023, 1, 1))
    assert none.value.rule == "C9"
    assert "P2026000001" in str(none.value.message)


@pytest.mark.parametrize(
    ("fields", "day", "status"),
    [
        ({}, date(2026, 1, 1), "IN_FORCE"),
        ({}, date(2026, 12, 31), "IN_FORCE"),
        ({}, date(2025, 12, 31), "PENDING"),
        ({}, date(2027, 1, 1), "LAPSED"),
        ({"status": "PENDING"}, date(2026, 6, 1), "PENDING"),
        ({"status": "TERMINATED", "ended_on": date(2026, 5, 1)}, date(2026, 5, 1), "IN_FORCE"),
        ({"status": "TERMINATED", "ended_on": date(2026, 5, 1)}, date(2026, 5, 2), "TERMINATED"),
        ({"status": "TERMINATED", "ended_on": date(2025, 12, 31)}, date(2026, 1, 1), "TERMINATED"),
        ({"status": "LAPSED", "ended_on": date(2026, 5, 1)}, date(2026, 5, 2), "LAPSED"),
        ({"status": "LAPSED"}, date(2026, 5, 2), "IN_FORCE"),
    ],
)
def test_the_status_on_a_date(plans, fields, day, status):
    policy = make_policy(make_member(), **fields)
    assert policy.status_on(day) == status
    assert policy.in_force_on(day) is (status == "IN_FORCE")
    assert (policy in Policy.objects.in_force_on(day)) is (status == "IN_FORCE")


def test_pr_14_a_stay_over_two_periods(plans):
    member = make_member()
    old = make_policy(member, series="2024", effective_on=date(2025, 1, 1))
    new = make_policy(member, series="2026", effective_on=date(2026, 1, 1))
    assert queries.policy_on(member, date(2025, 12, 30)) == old  # the default: the period of admission
    stretches = queries.stretches_of_stay(member, date(2025, 12, 30), date(2026, 1, 2))
    assert [(stretch.policy, stretch.first.day, stretch.last.day) for stretch in stretches] == [
        (old, 30, 31),
        (new, 1, 2),
    ]


def test_pr_14_days_without_cover_are_a_stretch_of_their_own(plans):
    member = make_member()
    policy = make_policy(member, effective_on=date(2026, 1, 1), expires_on=date(2026, 1, 10))
    stretches = queries.stretches_of_stay(member, date(2026, 1, 9), date(2026, 1, 12))
    assert [stretch.policy for stretch in stretches] == [policy, None]


@given(start=st.dates(date(2024, 1, 1), date(2026, 12, 31)), length=st.integers(1, 400), ended=st.integers(-1, 400) | st.none(),
       day=st.dates(date(2024, 1, 1), date(2028, 12, 31)))  # fmt: skip
def test_in_force_is_what_the_dates_say(start, length, ended, day):
    policy = Policy(
        status="IN_FORCE", effective_on=start, expires_on=start + timedelta(days=length),
        ended_on=None if ended is None else start + timedelta(days=min(ended, length)),
    )  # fmt: skip
    inside = start <= day <= policy.expires_on and (policy.ended_on is None or day <= policy.ended_on)
    assert policy.in_force_on(day) is inside
