"""The provider that advances, and its account: one person enters it, another confirms it (ADV-03, ADV-14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.roles import role_needed
from apps.advances.models import Advance, Provider
from apps.cases.engine import perform
from apps.cases.inputs import ask, parse_input
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed
from apps.payments.models import Payee
from apps.payments.payees import HospitalAccountInput, build_provider_payee
from apps.products.queries import current_handbook, series_codes

MAKERS = frozenset({"finance", "finance_lead", "provider_lead"})
CHECKERS = frozenset({"finance_lead", "payment_check"})


@dataclass(frozen=True)
class ProviderInput:
    """Who is designated for a series, and where its money goes."""

    series: str = ask(_("Series"), max_length=10, rule="ADV-03")
    provider: str = ask(_("Provider"), min_length=2, max_length=80, rule="ADV-03")
    account: HospitalAccountInput = ask(_("Account"))
    phone: str = ask(_("Phone"), default="", max_length=30)


def enter(actor: Actor, data: dict[str, Any], *, now: datetime | None = None) -> Provider:
    """Designate a provider, or enter another account of it; it counts once somebody else has confirmed it."""
    _need(actor, MAKERS)
    given = parse_input(ProviderInput, data)
    if given.series not in series_codes():
        raise InvalidInput(
            _("No such series: %(series)s") % {"series": given.series}, field="series", code="unknown_series"
        )
    service = current_handbook(given.series).handbook.service("advance")
    if service is None or not service.offered:
        words = _("Series %(series)s knows no inpatient advance.") % {"series": given.series}
        raise InvalidInput(words, field="series", code="closed", rule=service.rule if service else "GEN-04")
    payee = _payee(given)
    with transaction.atomic():
        payee.save(force_insert=True)
        row = Provider.objects.select_for_update().filter(series=given.series).first() or Provider(
            series=given.series, name=given.provider
        )
        if row.payee_id is None:
            row.name = given.provider
        elif row.name != given.provider:
            raise InvalidInput(
                _("%(name)s is designated for this series; another provider needs another series.")
                % {"name": row.name},
                field="provider", code="designated", rule="ADV-03",
            )  # fmt: skip
        row.phone = given.phone or row.phone
        row.proposed, row.proposed_by_id, row.proposed_at = payee, actor.person_id, now or timezone.now()
        row.save()
    return row


def _payee(given: ProviderInput) -> Payee:
    try:
        return build_provider_payee(given.provider, given.account)
    except InvalidInputs as several:
        for error in several.errors:
            error.field = f"account.{error.field}"
        raise


def confirm(actor: Actor, pk: int, *, now: datetime | None = None) -> Provider:
    """Somebody else than who entered the account; claims that wait for their payment follow it."""
    _need(actor, CHECKERS)
    now = now or timezone.now()
    with transaction.atomic():
        row = Provider.objects.select_for_update().filter(pk=pk).first()
        if row is None or row.proposed_id is None:
            raise Blocked(_("No account waits for its confirmation."), code="nothing")
        if row.proposed_by_id == actor.person_id:
            raise NotAllowed(
                _("Four eyes: you entered this account; somebody else confirms it."), code="four_eyes"
            )
        row.payee_id, row.proposed = row.proposed_id, None
        row.confirmed_by_id, row.confirmed_at = actor.person_id, now
        row.save()
        _move_claims(row, now)
    return row


def _move_claims(row: Provider, now: datetime) -> None:
    """What is ordered from now on goes to the new account."""
    open_ = Advance.objects.filter(provider=row, claim__open=True).select_related("claim__claim")
    for claim in {advance.claim for advance in open_ if advance.claim is not None}:
        perform(
            claim.number,
            "assign_claim",
            SYSTEM,
            now=now,
            payee=row.payee_id,
            amount_fen=claim.claim.assigned_fen,
        )


def visible_providers(actor: Actor) -> QuerySet[Provider]:
    """For people of the house: administrators have no advances, and accounts are no affair of others."""
    return Provider.objects.none() if _outside(actor) else Provider.objects.all()


def _need(actor: Actor, roles: frozenset[str]) -> None:
    if not roles & actor.roles:
        raise role_needed(actor, roles)
    if _outside(actor):
        raise NotAllowed(
            _("The insurer's own people enter and confirm this account."), code="not_of_the_house"
        )


def _outside(actor: Actor) -> bool:
    return bool(actor.tpa or actor.hospital or actor.provider or actor.member)
