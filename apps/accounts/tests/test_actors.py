import pytest
from django.contrib.auth.models import AnonymousUser

from apps.accounts.actors import NOBODY, SYSTEM, actor_of_client, actor_of_principal, actor_of_user
from apps.accounts.models import Role
from apps.accounts.tests.factories import ApiClientFactory, TeamFactory, UserFactory, make_actor

pytestmark = pytest.mark.django_db


def test_a_user_acts_with_the_highest_authority_of_their_roles(django_assert_num_queries):
    user = UserFactory(
        roles=["first_review", "second_review"], name="陈晨", team=TeamFactory(), series=["2026"]
    )
    with django_assert_num_queries(1):
        actor = actor_of_user(user)
    assert (actor.label, actor.team_id, actor.key) == ("陈晨", user.team_id, f"user:{user.pk}")
    assert actor.roles == {"first_review", "second_review"}
    assert actor.authority_fen == 50_000_00
    assert actor.restricted
    assert actor.series == {"2026"}


def test_who_was_made_inactive_acts_no_more():
    actor = actor_of_user(UserFactory(roles=["final_approval"], is_active=False))
    assert (actor.roles, actor.authority_fen, actor.may_see_cases) == (frozenset(), 0, False)


def test_a_superuser_without_roles_has_no_business_with_cases():
    actor = actor_of_user(UserFactory(is_superuser=True))
    assert actor.is_known
    assert (actor.roles, actor.authority_fen, actor.may_see_cases) == (frozenset(), 0, False)


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("HOSPITAL", "api_hospital"),
        ("TPA", "api_tpa"),
        ("PROVIDER", "api_provider"),
        ("MEMBER_APP", "api_member_app"),
    ],
)
def test_a_machine_acts_with_the_role_of_its_kind_and_its_scopes(kind, role):
    client = ApiClientFactory(kind=kind, scopes=["claims:read"])
    actor = actor_of_client(client)
    assert (actor.roles, actor.scopes, actor.key) == ({role}, {"claims:read"}, f"client:{client.pk}")
    assert Role.objects.filter(code=role).exists()


def test_nobody_and_the_system_are_told_apart():
    assert actor_of_principal(AnonymousUser()) is NOBODY
    assert (NOBODY.is_known, NOBODY.key, NOBODY.may_see_cases) == (False, "nobody", False)
    assert (SYSTEM.is_known, SYSTEM.key, SYSTEM.may_see_cases) == (True, "system", True)


def test_the_factory_makes_actors_of_any_shape():
    actor = make_actor("mailroom", tpa="T1")
    assert (actor.roles, actor.tpa) == ({"mailroom"}, "T1")
