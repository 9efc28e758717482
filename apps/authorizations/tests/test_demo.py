from apps.accounts.tests.factories import make_actor
from apps.authorizations import demo
from apps.authorizations.tests.world import Rooms
from apps.authorizations.workflow import STATES, AuthorizationFlow

PASSING = {"LETTER_SENT", "NOT_REQUIRED", "EXPIRED"}  # a worker, or time, makes these


def test_the_demonstration_shows_every_state_and_is_made_once(world: Rooms) -> None:
    for role in ("service_specialist", "intake", "senior_adjuster", "first_review", "supervisor"):
        make_actor(role, username=role)
    for index in range(3):
        world.child(f"DEMO{index}", "2026", index)
    made = demo.build(world.now)
    cases = AuthorizationFlow.objects.filter(kind="authorization")
    assert set(cases.values_list("state", flat=True)) == set(STATES) - PASSING
    assert (made, demo.build(world.now), cases.count()) == (made, 0, made)
