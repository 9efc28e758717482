"""What happened to a card is written down by whoever did it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from apps.accounts.actors import Actor
from apps.cards.models import Card, CardEvent


def note(
    actor: Actor, cards: Iterable[Card], kind: CardEvent.Kind, at: datetime, reason: str = "", rule: str = ""
) -> None:
    CardEvent.objects.bulk_create(
        CardEvent(
            card=card, at=at, kind=kind, actor_label=actor.label[:80], user_id=actor.user_id,
            client_id=actor.client_id, reason=reason, rule=rule,
        )
        for card in cards
    )  # fmt: skip
