"""Writers of hospitals beside the import: the record of look-ups (NET-04)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.accounts.actors import Actor
from apps.hospitals.models import NetworkLookup
from apps.hospitals.queries import Criteria


def record_lookup(
    actor: Actor, *, criteria: Criteria, result: dict[str, Any], member: str = "", channel: str = ""
) -> NetworkLookup:
    """Keep who asked what of the network list, for which child, and what it answered on that day."""
    asked = {name: str(value) for name, value in asdict(criteria).items() if value}
    return NetworkLookup.objects.create(
        user_id=actor.user_id,
        client_id=actor.client_id,
        member=member,
        channel=channel,
        series=criteria.series,
        criteria=asked,
        result=result,
    )
