"""Writers of hospitals beside the import: look-ups (NET-04), and brands that closed (VAC-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.core.errors import InvalidInput, NotAllowed
from apps.hospitals.models import BrandClosure, Hospital, NetworkLookup
from apps.hospitals.queries import Criteria

NETWORK_MANAGERS = frozenset({"manager", "provider_lead", "tpa_manager", "supervisor"})


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


def close_brand(
    actor: Actor,
    *,
    brand: str,
    closed_on: date,
    designated: Sequence[str],
    evidence: str,
    now: datetime | None = None,
) -> BrandClosure:
    """Keep that a clinic brand closed and which brands take its children; said again, it is corrected.

    Raises NotAllowed, InvalidInput (a brand no hospital has, a closed one as successor, no evidence).
    """
    if not actor.roles & NETWORK_MANAGERS:
        raise NotAllowed(_("Closing a brand is for those who manage the network."), code="role")
    names = [name.strip() for name in designated if name.strip()]
    known = set(Hospital.objects.filter(brand__in=[brand, *names]).values_list("brand", flat=True))
    for field, name in [("brand", brand), *(("designated", name) for name in names)]:
        if name not in known:
            words = _("No hospital is of the brand “%(brand)s”.") % {"brand": name[:40]}
            raise InvalidInput(words, field=field, code="unknown_brand", rule="VAC-05")
    closed = set(BrandClosure.objects.filter(brand__in=names).values_list("brand", flat=True))
    if brand in names or closed:
        words = _("A brand that closed cannot take over.")
        raise InvalidInput(words, field="designated", code="closed_brand", rule="VAC-05")
    if not evidence.strip():
        raise InvalidInput(_("What proves it?"), field="evidence", code="required", rule="VAC-05")
    row, _new = BrandClosure.objects.update_or_create(
        brand=brand,
        defaults={
            "closed_on": closed_on, "designated": names, "evidence": evidence.strip()[:200],
            "recorded_by": actor.label[:80], "recorded_at": now or timezone.now(),
        },
    )  # fmt: skip
    return row
