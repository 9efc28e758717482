import pytest
from django.core.management import call_command
from django.utils.translation import override

from apps.accounts.actors import Actor
from apps.accounts.models import Role
from apps.accounts.roles import CATALOGUE, role_needed, sync_roles

pytestmark = pytest.mark.django_db


def test_after_migrating_every_role_stands():
    assert set(Role.objects.values_list("code", flat=True)) == {spec.code for spec in CATALOGUE}


def test_an_edited_limit_is_kept_and_a_lost_role_comes_back():
    Role.objects.filter(code="first_review").update(authority_fen=1, name="一审")
    Role.objects.filter(code="mailroom").delete()
    call_command("migrate", verbosity=0)
    role = Role.objects.get(code="first_review")
    assert (role.authority_fen, role.name) == (1, "一审")
    assert Role.objects.filter(code="mailroom").exists()


def test_nothing_missing_is_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        sync_roles()


def test_roles_are_named_in_the_language_of_the_reader(settings):
    role = Role.objects.get(code="second_review")
    assert str(role) == "复核"
    with override("en"):
        assert str(role) == "Second review"
        assert str(Role(name="自定", name_en="")) == "自定"


def test_who_lacks_a_role_is_told_its_name_and_the_machine_its_code():
    actor = Actor(label="app", roles=frozenset({"api_member_app"}))
    error = role_needed(actor, {"second_review", "first_review"})
    assert error.message == "app 无权执行此操作，须具备以下角色之一：初审、复核。"
    assert (error.code, error.data) == ("role", {"roles": ["first_review", "second_review"]})
    with override("en"):
        assert "First review, Second review" in role_needed(actor, {"second_review", "first_review"}).message
        assert role_needed(actor, set()).message == "Only the system does this."
