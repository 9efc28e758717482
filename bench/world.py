"""What measurements start from: handbooks, hospitals, people, and one claim to copy."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.claims.seeding.copies import Copies
from apps.claims.tests.world import World
from apps.products.actions import load_calendar

SERIES = "2026"


def make_world() -> World:
    load_calendar(range(2024, 2028))
    world = World(SERIES)
    for name in ("adjuster", "second", "senior", "supervisor", "finance", "checker"):
        world.actor(name)
    for user in User.objects.all():
        user.email = f"{user.username}@example.com"
        user.save(update_fields=["email"])
    return world


def bill(world: World, lines: int) -> dict[str, Any]:
    return world.bill(
        lines=[world.line("100.00", name=f"检查项目 {n}", kind="DRUG") for n in range(1, lines + 1)]
    )


def claim_under_review(world: World, lines: int, *, child: str = "") -> CaseFile:
    """A claim with all its papers, of `lines` lines on one bill, ready to be decided; a child of its own."""
    number = child or f"L{lines}"
    world.child(number, SERIES)
    return world.review(world.visit([bill(world, lines)]), member={"number": number})


def copied(copies: Copies, count: int) -> list[str]:
    """The numbers of the cases of that many new copies, each of one case."""
    children = copies.make(count)
    return list(CaseFile.objects.filter(member__in=children).order_by("pk").values_list("number", flat=True))
