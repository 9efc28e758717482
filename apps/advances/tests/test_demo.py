from apps.accounts.tests.factories import make_actor
from apps.advances import demo
from apps.advances.tests.world import Advances
from apps.advances.workflow import STATES, AdvanceFlow

ROLES = (
    "service_specialist", "senior_adjuster", "first_review", "supervisor", "finance", "payment_check", "intake", "mailroom",
)  # fmt: skip


def test_the_demonstration_shows_every_state_and_is_made_once(world: Advances) -> None:
    for role in ROLES:
        make_actor(role, username=role) if role not in ("supervisor", "finance") else world.actor(role)
    for index in range(3):
        world.child(f"DEMO{index}", "2026", index)
    made = demo.build(world.now)
    cases = AdvanceFlow.objects.filter(kind="advance")
    assert set(cases.values_list("state", flat=True)) == set(STATES)
    assert (made, demo.build(world.now), cases.count()) == (made, 0, made)
