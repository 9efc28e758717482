"""Linking the accounts of a family with its cards, as each series says (CRD-04 … CRD-07, CRD-22 … CRD-27)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.adjudication import trace
from apps.adjudication.handbook import Handbook
from apps.cards.actions.codes import mobile_number, prove
from apps.cards.actions.enrolled import by_identity, by_mobile
from apps.cards.actions.fields import Binding, check_fields
from apps.cards.actions.houses import binding_rule, front_end, open_series, with_help
from apps.cards.actions.journal import note
from apps.cards.models import BindingFailure, Card, CardEvent, CardLink, CardState
from apps.core.errors import Blocked, DomainError
from apps.members.models import Policy

FAILURES_A_DAY = 10  # of one account; then the hotline only


def bind(actor: Actor, typed: Binding, now: datetime | None = None) -> list[Card]:
    """Link the account with all cards of the child in the series that have not ended (CRD-04, CRD-27).

    Cards bound before are returned, too. Raises InvalidInput (a field), or Blocked: data that differ
    from the enrollment (CRD-05, CRD-24), a wrong code, a paper policy before its day (CRD-22, DL-16).
    Each refusal is kept and says how to reach the hotline (CRD-07, CRD-26).
    """
    client = front_end(actor)
    handbook, now = open_series(typed.series), now or timezone.now()
    today = timezone.localdate(now)
    try:
        _not_failing_on(client, typed, now, handbook)
        check_fields(handbook, typed, today)
        cards = _cards(actor, client, handbook, typed, now)
        _in_time(handbook, cards, today)
        found = [card for card in cards if _binds_on(handbook, card) <= today]
    except DomainError as refused:
        told = with_help(handbook, refused)
        _keep_failure(client, typed, told, now)
        raise told from refused
    with transaction.atomic():
        list(Card.objects.select_for_update().filter(pk__in=[card.pk for card in found]).order_by("pk"))
        links = [
            CardLink(
                client_id=client, account=typed.account, card=card, bound_at=now,
                relation=typed.relation or "OTHER",
            )
            for card in found
        ]  # fmt: skip
        held = set(
            CardLink.objects.filter(client=client, account=typed.account, card__in=found, unbound_at=None)
            .values_list("card", flat=True)
        )  # fmt: skip
        new = [link for link in links if link.card_id not in held]
        CardLink.objects.bulk_create(new, ignore_conflicts=True)
        note(actor, [link.card for link in new], CardEvent.Kind.BOUND, now, typed.account)
    return found


def unbind(actor: Actor, *, account: str, number: str, now: datetime | None = None) -> None:
    """Take a card off an account; other accounts of the family keep it. Idempotent."""
    client, now = front_end(actor), now or timezone.now()
    with transaction.atomic():
        links = CardLink.objects.filter(client=client, account=account, card__number=number, unbound_at=None)
        cards = list(Card.objects.filter(pk__in=links.values("card")))
        if links.update(unbound_at=now):
            note(actor, cards, CardEvent.Kind.UNBOUND, now, account)


def _cards(actor: Actor, client: int, handbook: Handbook, typed: Binding, now: datetime) -> list[Card]:
    """The child's cards that have not ended. Raises Blocked when the data are not those of the enrollment."""
    rule = binding_rule(handbook)
    if "MOBILE" in handbook.value("card.binding_fields", ()):
        number = mobile_number(typed.mobile, rule)
        prove(client, typed, number, now, rule)
        members = by_mobile(actor, typed.series, typed.name, number)
    else:
        members = by_identity(actor, typed, timezone.localdate(now), rule)
    if trace.observe(rule, not members):
        raise Blocked(
            _("These are not the data of the enrollment. Type name, relation, kind of paper and numbers "
              "exactly as they were given then."),
            code="not_as_enrolled", rule=rule,
        )  # fmt: skip
    today = timezone.localdate(now)
    cards = Card.objects.filter(member__in=members, policy__series=typed.series).select_related(
        "policy__plan"
    )
    if actor.tpa:
        cards = cards.filter(policy__tpa=actor.tpa)
    alive = [card for card in cards.order_by("pk") if card.state_on(today) != CardState.EXPIRED]
    service = handbook.service("card")
    if not alive:
        raise Blocked(
            _("No card: the policy has ended, or is not issued yet."), code="no_card",
            rule=service.rule if service else "",
        )  # fmt: skip
    return alive


def _binds_on(handbook: Handbook, card: Card) -> date:
    """CRD-22, DL-16: a paper policy's card is bound from the day it takes effect, that day included."""
    paper = card.policy.enroll_channel == Policy.Channel.PAPER
    waits = paper and handbook.value("card.paper_binding_after") == "EFFECTIVE_DATE"
    return card.policy.effective_on if waits else date.min


def _in_time(handbook: Handbook, cards: list[Card], today: date) -> None:
    first = min(_binds_on(handbook, card) for card in cards)
    paper, deadline = handbook.rule("card.paper"), handbook.parameters.get("card.paper_binding_after")
    if paper:
        trace.observe(paper.id, first > today)
    if deadline:
        trace.observe(deadline.rule, first > today)
    if first > today:
        raise Blocked(
            _("Enrolled on paper: the card can be bound from %(day)s on.") % {"day": first},
            code="paper_too_early", rule=paper.id if paper else deadline.rule if deadline else "",
            data={"from": first.isoformat(), "rules": [deadline.rule] if deadline else []},
        )  # fmt: skip


def _not_failing_on(client: int, typed: Binding, now: datetime, handbook: Handbook) -> None:
    day = BindingFailure.objects.filter(client=client, account=typed.account, at__gt=now - timedelta(days=1))
    if day.count() >= FAILURES_A_DAY:
        raise Blocked(_("Too many attempts today."), code="too_many_attempts", rule=binding_rule(handbook))


def _keep_failure(client: int, typed: Binding, told: DomainError, now: datetime) -> None:
    tried = typed.mobile or typed.id_number
    BindingFailure.objects.create(
        at=now, client_id=client, account=typed.account, series=typed.series, code=told.code[:40], rule=told.rule,
        words=str(told.message)[:400], tried=f"{typed.id_type} …{tried[-4:]}".strip() if len(tried) > 8 else "",
    )  # fmt: skip
