from apps.accounts.tests.factories import make_actor
from apps.billing import demo
from apps.billing.tests.world import Bills
from apps.billing.workflow import STATES, BillFlow
from apps.members.models import Policy


def test_the_demonstration_shows_every_state_and_is_made_once(world: Bills) -> None:
    for role in ("service_specialist", "collections", "service_lead"):
        make_actor(role, username=role)
    for index in range(15):
        world.child(f"DEMO{index}", "2026", index)
        Policy.objects.filter(number=f"P-DEMO{index}").update(number=f"DEMO-P2026-{index:02d}")
    made = demo.build(world.now)
    bills = BillFlow.objects.filter(kind="bill")
    assert set(bills.values_list("state", flat=True)) == set(STATES)
    assert (made, demo.build(world.now), bills.count()) == (made, 0, made)
