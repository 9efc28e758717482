"""The world of claims, and who answers questions in it."""

from __future__ import annotations

from apps.claims.tests.world import World


class Desk(World):
    people = World.people | {
        "service": ("service_specialist",),
        "lead": ("service_lead",),
        "manager": ("manager",),
        "auditor": ("auditor",),
        "insurer": ("insurer_user",),
    }
