"""Reasons why an action is not possible now; each cites the rule the series has for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.authorizations.assess import clock, first_rule, missing, trial_in
from apps.authorizations.workflow import AT_HOSPITAL
from apps.cards.models import Card
from apps.cards.queries import grey_rule, greyed_card
from apps.cases.kinds import Blocker
from apps.cases.models import CaseEvent
from apps.core.money import format_yuan
from apps.documents.models import Letter
from apps.documents.queries import letters_in
from apps.ledger.queries import limits_of
from apps.messaging.models import Message

Found = Blocker | None


def say(zh: str, en: str) -> str:
    return en if (get_language() or "").startswith("en") else zh


def waiting_for_papers(ctx: Any) -> Found:
    lacking = missing(trial_in(ctx))
    if not lacking:
        return None
    titles = "、".join(say(entry.title.zh, entry.title.en) for entry in lacking)
    return Blocker("papers", _("Still missing: %(papers)s") % {"papers": titles}, lacking[0].rule)


def nothing_listed(ctx: Any) -> Found:
    """Only what no trigger names is closed as not required."""
    found = trial_in(ctx)
    if not found.required:
        return None
    first = found.triggers[0]
    return Blocker("required", say(first.message_zh, first.message_en), first.rule)


def in_cover(ctx: Any) -> Found:
    """PA-02: after the waiting period and within cover, with something left of the limits."""
    found = trial_in(ctx)
    rule = ctx.handbook.rule("authorization.required")
    outside = found.outside
    if observe(rule.id if rule else "PA-02", bool(outside)):
        return Blocker("outside", say(outside[0].message_zh, outside[0].message_en), outside[0].rule)
    return None


def somebody_else(ctx: Any) -> Found:
    """PR-19: a refused authorization is reconsidered by somebody who had no part in the refusal."""
    if not ctx.subject.reconsidered:
        return None
    spec = clock(ctx.handbook, "authorization.reconsideration")
    rule = spec.rules[0] if spec else "PR-19"
    refused = CaseEvent.objects.filter(case=ctx.case.pk, action="reject", user=ctx.actor.user_id)
    own = ctx.actor.user_id is not None and refused.exists()
    if observe(rule, own):
        return Blocker("four_eyes", _("You refused it; somebody else reconsiders."), rule)
    return None


def once(ctx: Any) -> Found:
    if not ctx.subject.reconsidered:
        return None
    return Blocker(
        "reconsidered", _("It was reconsidered already; the family may complain or appeal."), "PR-19"
    )


def within_authority(ctx: Any) -> Found:
    """The second signature comes from somebody who may decide the amount."""
    proposed = ctx.subject.proposed_fen or 0
    return None if ctx.actor.authority_fen >= proposed else above_authority(ctx.actor, proposed)


def greyed_in(ctx: Any) -> Card | None:
    """The child's card while it is greyed; looked up once an action."""
    if "greyed" not in ctx.loaded:
        ctx.loaded["greyed"] = greyed_card(ctx.case.policy_id)
    found: Card | None = ctx.loaded["greyed"]
    return found


def stopping_rule(handbook: Handbook, card: Card | None) -> str:
    return (card.greyed_rule if card else "") or grey_rule(handbook)


def card_serves(ctx: Any) -> Found:
    """BIL-03, BIL-21: no letter is written or sent on a card that is greyed."""
    card = greyed_in(ctx)
    rule = stopping_rule(ctx.handbook, card)
    if not observe(rule, card is not None) or card is None:
        return None
    words = _("The card is greyed (%(reason)s): no guarantee letter until it serves again.")
    return Blocker("greyed", words % {"reason": card.greyed_for}, rule)


def card_stopped(ctx: Any) -> Found:
    """A letter is suspended by its card alone."""
    return None if greyed_in(ctx) else Blocker("card_serves", _("The card serves."))


def is_suspended(ctx: Any) -> Found:
    """Only a letter whose hospital was told so is said to serve again."""
    told = CaseEvent.objects.filter(case=ctx.case.pk, name__in=("letter_suspended", "letter_resumed"))
    if told.order_by("-seq").values_list("name", flat=True).first() == "letter_suspended":
        return None
    return Blocker("not_suspended", _("The letter is not suspended."))


def card_serves_or_admitted(ctx: Any) -> Found:
    """BIL-03: the letter of a child who is in hospital already is honored."""
    return None if ctx.case.state in AT_HOSPITAL else card_serves(ctx)


def supplement_within_authority(ctx: Any) -> Found:
    """The second signature comes from somebody who may decide the letter as it grows."""
    asked = ctx.subject.supplements.filter(state="ASKED").first()
    total = (ctx.subject.approved_fen or 0) + ((asked.proposed_fen if asked else 0) or 0)
    return None if ctx.actor.authority_fen >= total else above_authority(ctx.actor, total)


def above_authority(actor: Any, fen: int) -> Blocker:
    words = _("%(amount)s is above your authority of %(limit)s.")
    return Blocker(
        "authority", words % {"amount": format_yuan(fen), "limit": format_yuan(actor.authority_fen)}
    )


def not_on_its_way(ctx: Any) -> Found:
    """Sending twice sends once: a copy that is still under way is not doubled."""
    letter = newest(letters_in(ctx.loaded, ctx.case))
    if letter is None:
        return Blocker("no_letter", _("There is no letter."), first_rule(ctx.handbook, "PA-21", "PA-01"))
    if Message.objects.filter(letter_token=letter.token, state=Message.State.QUEUED).exists():
        return Blocker("on_its_way", _("This letter is on its way already."))
    return None


def valid_today(ctx: Any) -> Found:
    """DBI-01, DBI-02: admitted on a letter that is valid on the day, under a policy in force."""
    given, today = ctx.subject, timezone.localtime(ctx.now).date()
    rule = first_rule(ctx.handbook, "DBI-02", "DBI-01")
    if observe(rule, given.valid_until is None or today > given.valid_until):
        return Blocker("expired", _("The letter was valid until %(day)s.") % {"day": given.valid_until}, rule)
    return None


def unused_and_over(ctx: Any) -> Found:
    """The sweep may call at any time: only a letter whose days are over, unused, expires."""
    until = ctx.subject.valid_until
    if until is not None and until < timezone.localtime(ctx.now).date():
        return None
    return Blocker("valid", _("The letter is valid until %(day)s.") % {"day": until})


def has_left(ctx: Any) -> Found:
    if ctx.subject.discharged_on:
        return None
    return Blocker("in_hospital", _("The child has not been discharged."))


def still_there(ctx: Any) -> Found:
    if ctx.subject.discharged_on is None:
        return None
    return Blocker(
        "discharged", _("The child was discharged on %(day)s.") % {"day": ctx.subject.discharged_on}
    )


def newest(letters: Iterable[Letter]) -> Letter | None:
    """The guarantee letter as it stands, of all letters of a case."""
    found = [letter for letter in letters if letter.kind == Letter.Kind.GUARANTEE]
    return max(found, key=lambda letter: letter.version, default=None)


def left_of(policy_id: int, keys: frozenset[str]) -> int | None:
    """What is left on the tightest of the named limits, in fen; None when none is open yet."""
    return min((account.left for account in limits_of(policy_id) if account.key in keys), default=None)
