"""Greyed for an unpaid bill or by people with a reason, and restored (BIL-03, BIL-21)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.cards.actions.journal import note
from apps.cards.models import Card, CardEvent, card_greyed, card_restored
from apps.core.errors import Conflict, InvalidInput, NotAllowed

GREYERS = frozenset(
    {"collections", "recovery", "recovery_lead", "service_lead", "supervisor", "claims_manager"}
)


def grey(actor: Actor, card: Card, *, reason: str, rule: str = "", now: datetime | None = None) -> Card:
    """Stop direct billing with this card; those of brothers and sisters stay as they are (CRD-04).

    The system greys for an unpaid bill and names the rule; people need one of `GREYERS` and a reason.
    Raises NotAllowed, InvalidInput, or Conflict when the card is grey already.
    """
    reason = _may_grey(actor, reason)
    now = now or timezone.now()
    with transaction.atomic():
        done = Card.objects.filter(pk=card.pk, version=card.version, greyed_at=None).update(
            greyed_at=now, greyed_for=reason, greyed_rule=rule, version=F("version") + 1
        )
        if not done:
            raise Conflict(_("This card was greyed or changed meanwhile."), code="card_changed", rule=rule)
        note(actor, [card], CardEvent.Kind.GREYED, now, reason, rule)
        transaction.on_commit(lambda: card_greyed.send(Card, card=card), robust=True)
    return Card.objects.select_related("policy").get(pk=card.pk)


def reword(actor: Actor, card: Card, *, reason: str, rule: str = "", now: datetime | None = None) -> Card:
    """A grey card stays grey for another reason than before; told to nobody. Raises as `grey` does."""
    reason = _may_grey(actor, reason)
    now = now or timezone.now()
    with transaction.atomic():
        done = Card.objects.filter(pk=card.pk, version=card.version, greyed_at__isnull=False).update(
            greyed_for=reason, greyed_rule=rule, version=F("version") + 1
        )
        if not done:
            raise Conflict(_("This card is not greyed, or was changed meanwhile."), code="card_changed")
        note(actor, [card], CardEvent.Kind.GREYED, now, reason, rule)
    return Card.objects.select_related("policy").get(pk=card.pk)


def restore(actor: Actor, card: Card, *, reason: str, rule: str = "", now: datetime | None = None) -> Card:
    """Let a greyed card serve again, and what waited for it go on (`card_restored`). Raises as `grey` does."""
    reason = _may_grey(actor, reason)
    now = now or timezone.now()
    with transaction.atomic():
        done = Card.objects.filter(pk=card.pk, version=card.version, greyed_at__isnull=False).update(
            greyed_at=None, greyed_for="", greyed_rule="", version=F("version") + 1
        )
        if not done:
            raise Conflict(_("This card is not greyed, or was changed meanwhile."), code="card_changed")
        note(actor, [card], CardEvent.Kind.RESTORED, now, reason, rule)
        transaction.on_commit(lambda: card_restored.send(Card, card=card), robust=True)
    return Card.objects.select_related("policy").get(pk=card.pk)


def may_grey(actor: Actor) -> bool:
    return actor.is_system or bool(actor.roles & GREYERS)


def _may_grey(actor: Actor, reason: str) -> str:
    if not may_grey(actor):
        raise NotAllowed(_("Only collections, recovery and leads grey a card."), code="role")
    words = " ".join(reason.split())
    if not 4 <= len(words) <= 200:
        raise InvalidInput(_("Say why, in 4 to 200 characters."), field="reason", code="reason_required")
    return words
