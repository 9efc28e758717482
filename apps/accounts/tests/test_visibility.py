"""What an actor may see, on models of the house: a child with several policies, a case, a log."""

import pytest

from apps.accounts.actors import NOBODY, SYSTEM, Actor
from apps.accounts.models import Team, User
from apps.accounts.tests.factories import TeamFactory, UserFactory, make_actor
from apps.accounts.visibility import is_visible, visible_to

pytestmark = pytest.mark.django_db
STAFF = Actor(label="x", user_id=1, roles=frozenset({"intake"}))


@pytest.fixture(autouse=True)
def _shapes(monkeypatch):
    """Borrow two small tables: a row of its own (user), and one with many behind it (team → users)."""
    monkeypatch.setattr(
        User, "VISIBILITY", {"tpa": "tpa", "hospital": "hospital", "member": "team__code"}, raising=False
    )
    monkeypatch.setattr(Team, "VISIBILITY", {"tpa": "user__tpa", "hospital": "user__hospital"}, raising=False)


def only(**scope):
    return Actor(label="x", user_id=1, roles=frozenset({"intake"}), **scope)


def names(rows):
    return sorted(row.username for row in rows)


def test_an_unrestricted_actor_sees_everything():
    UserFactory(username="a", tpa="T1")
    UserFactory(username="b")
    assert names(visible_to(User.objects.all(), STAFF)) == ["a", "b"]
    assert names(visible_to(User.objects.all(), SYSTEM)) == ["a", "b"]


def test_each_restriction_narrows():
    UserFactory(username="a", tpa="T1", hospital="H1")
    UserFactory(username="b", tpa="T1", hospital="H2")
    UserFactory(username="c", tpa="T2", hospital="H1")
    assert names(visible_to(User.objects.all(), only(tpa="T1"))) == ["a", "b"]
    assert names(visible_to(User.objects.all(), only(tpa="T1", hospital="H1"))) == ["a"]
    assert names(visible_to(User.objects.all(), only(tpa="T3"))) == []


def test_a_dimension_the_table_does_not_have_hides_all():
    UserFactory()
    assert not visible_to(User.objects.all(), only(provider="P1")).exists()
    assert not visible_to(User.objects.all(), only(series=frozenset({"2026"}))).exists()


def test_nobody_and_who_has_no_role_see_nothing():
    UserFactory()
    for actor in (NOBODY, Actor(label="x", user_id=1), make_actor(), make_actor(is_superuser=True)):
        assert not visible_to(User.objects.all(), actor).exists()


def test_a_row_with_two_matches_behind_it_stands_once():
    team = TeamFactory()
    UserFactory.create_batch(2, team=team, tpa="T1")
    assert list(visible_to(Team.objects.all(), only(tpa="T1"))) == [team]


def test_two_restrictions_must_hold_for_the_same_row_behind():
    team = TeamFactory()
    UserFactory(team=team, tpa="T1", hospital="H2")
    UserFactory(team=team, tpa="T2", hospital="H1")
    assert not visible_to(Team.objects.all(), only(tpa="T1", hospital="H1")).exists()
    UserFactory(team=team, tpa="T1", hospital="H1")
    assert visible_to(Team.objects.all(), only(tpa="T1", hospital="H1")).get() == team


def test_a_path_over_a_parent_is_followed():
    team = TeamFactory(code="M1")
    UserFactory(username="a", team=team)
    UserFactory(username="b")
    assert names(visible_to(User.objects.all(), only(member="M1"))) == ["a"]


def test_a_filter_of_the_caller_stays():
    UserFactory(username="a", tpa="T1")
    UserFactory(username="b", tpa="T1")
    assert names(visible_to(User.objects.filter(username="b"), only(tpa="T1"))) == ["b"]


def test_asking_costs_no_query_and_one_row_one(django_assert_num_queries):
    user = UserFactory(tpa="T1")
    with django_assert_num_queries(0):
        visible_to(User.objects.all(), only(tpa="T1"))
    with django_assert_num_queries(1):
        assert is_visible(user, only(tpa="T1"))
    assert not is_visible(user, only(tpa="T2"))


def test_a_table_that_declares_nothing_cannot_be_listed(monkeypatch):
    monkeypatch.delattr(User, "VISIBILITY")
    with pytest.raises(TypeError, match="VISIBILITY"):
        visible_to(User.objects.all(), STAFF)
