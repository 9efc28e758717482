"""The only writers of cards: issue, bind, unbind, grey, restore (CRD-01 … CRD-07, CRD-20 … CRD-28).

How a card is bound is the series' data (`card.binding_fields`): by the child's name and a code sent to
the mobile number of the enrollment, or by relation, name and identity paper. A family that fails is
told what to do, and the failure is kept for the hotline.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from stdnum import luhn

from apps.accounts.actors import Actor
from apps.adjudication import trace
from apps.adjudication.handbook import Handbook
from apps.cards.models import BindingFailure, Card, CardCode, CardEvent, CardLink, CardState
from apps.core.crypto import blind_index
from apps.core.errors import Blocked, Conflict, DomainError, InvalidInput, NotAllowed
from apps.core.imports.cells import CellError, phone
from apps.members.identity import RESIDENT, check_identity
from apps.members.models import Guardian, Member, Policy, id_index, mobile_index
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message
from apps.products.queries import current_handbook

PREFIX = "80"
CODE_LIVES = timedelta(minutes=5)
CODE_TRIES = 5
CODE_PAUSE = timedelta(minutes=1)  # between two codes for one number
CODES_A_DAY = 5  # for one number, and for one account
FAILURES_A_DAY = 10  # of one account; then the hotline only
TEMPLATE = "card_code"
HIDDEN = "******"
GREYERS = frozenset(
    {"collections", "recovery", "recovery_lead", "service_lead", "supervisor", "claims_manager"}
)


# --- Issuing --------------------------------------------------------------------------------------------


def on_policies_written(sender: Any, policies: Sequence[Policy], **kwargs: Any) -> None:
    issue(policies)


def issue(policies: Iterable[Policy]) -> int:
    """A card for each issued policy that has none (CRD-01; CRD-20: paid and issued); two statements.

    A policy applied for only (PENDING) gets its card when a later roster says that it was issued.
    """
    issued = {policy.pk: policy for policy in policies if policy.status != Policy.Status.PENDING}
    held = set(Card.objects.filter(policy__in=issued).values_list("policy", flat=True)) if issued else set()
    now = timezone.now()
    cards = [
        Card(number=new_number(), policy=policy, member_id=policy.member_id, issued_at=now)
        for pk, policy in issued.items() if pk not in held
    ]  # fmt: skip
    Card.objects.bulk_create(cards, ignore_conflicts=True)  # two imports at once: one card
    return len(cards)


def new_number() -> str:
    """'80' and 13 random digits with a check digit behind them."""
    body = f"{PREFIX}{secrets.randbelow(10**13):013d}"
    return body + str(luhn.calc_check_digit(body))


# --- Greying --------------------------------------------------------------------------------------------


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
        _note(actor, [card], CardEvent.Kind.GREYED, now, reason, rule)
    return Card.objects.select_related("policy").get(pk=card.pk)


def restore(actor: Actor, card: Card, *, reason: str, rule: str = "", now: datetime | None = None) -> Card:
    """Let a greyed card serve again. Raises as `grey` does."""
    reason = _may_grey(actor, reason)
    now = now or timezone.now()
    with transaction.atomic():
        done = Card.objects.filter(pk=card.pk, version=card.version, greyed_at__isnull=False).update(
            greyed_at=None, greyed_for="", greyed_rule="", version=F("version") + 1
        )
        if not done:
            raise Conflict(_("This card is not greyed, or was changed meanwhile."), code="card_changed")
        _note(actor, [card], CardEvent.Kind.RESTORED, now, reason, rule)
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


def _note(
    actor: Actor, cards: Iterable[Card], kind: CardEvent.Kind, at: datetime, reason: str = "", rule: str = ""
) -> None:
    CardEvent.objects.bulk_create(
        CardEvent(
            card=card, at=at, kind=kind, actor_label=actor.label[:80], user_id=actor.user_id,
            client_id=actor.client_id, reason=reason, rule=rule,
        )
        for card in cards
    )  # fmt: skip


# --- Binding --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Binding:
    """What a family types. Which fields count is the series' data; others must be empty."""

    account: str  # who is logged in at the front end; its own name for them
    series: str
    name: str
    relation: str = ""
    mobile: str = ""
    code: str = ""
    id_type: str = ""
    id_number: str = ""
    birth_date: date | None = None
    sex: str = ""
    valid_until: date | None = None


# Field of the handbook → field of `Binding`.
FIELDS = {
    "NAME": "name", "MOBILE": "mobile", "RELATION": "relation", "ID_TYPE": "id_type", "ID_NUMBER": "id_number",
    "BIRTH_DATE": "birth_date", "SEX": "sex", "VALID_UNTIL": "valid_until",
}  # fmt: skip


def request_code(
    actor: Actor, *, account: str, series: str, name: str, mobile: str, now: datetime | None = None
) -> datetime:
    """Send a code to the enrollment's mobile number; returns when it expires (CRD-24, CRD-25).

    Whether such a child is enrolled is not told: the answer is the same, only the SMS is missing.
    Raises Blocked where the series binds otherwise or codes were asked for too often.
    """
    client = _front_end(actor)
    handbook, now = _open(series), now or timezone.now()
    rule = _binding_rule(handbook)
    if "MOBILE" not in handbook.value("card.binding_fields", ()):
        raise Blocked(
            _("Series %(series)s binds cards by the identity paper, not by a code.") % {"series": series},
            code="no_code_in_series", rule=rule,
        )  # fmt: skip
    number = _mobile(mobile, rule)
    with transaction.atomic():
        _not_too_often(client, account, number, now, handbook)
        enrolled = bool(_by_mobile(actor, series, name, number))
        row = CardCode.objects.create(
            client_id=client, account=account, mobile_index=mobile_index(number), series=series,
            created_at=now, expires_at=now + CODE_LIVES,
        )  # fmt: skip
        if enrolled:
            code = f"{secrets.randbelow(10**6):06d}"
            CardCode.objects.filter(pk=row.pk).update(digest=_digest(row.pk, code))
            queue_message(
                None, case=None, channel=Message.Channel.SMS, template=TEMPLATE, recipient=number,
                context={"code": code, "minutes": CODE_LIVES.seconds // 60, "hotline": _hotline(handbook)},
                key=f"card-code-{row.pk}",
            )  # fmt: skip
    return row.expires_at


def bind(actor: Actor, typed: Binding, now: datetime | None = None) -> list[Card]:
    """Link the account with all cards of the child in the series that have not ended (CRD-04, CRD-27).

    Cards bound before are returned, too. Raises InvalidInput (a field), or Blocked: data that differ
    from the enrollment (CRD-05, CRD-24), a wrong code, a paper policy before its day (CRD-22, DL-16).
    Each refusal is kept and says how to reach the hotline (CRD-07, CRD-26).
    """
    client = _front_end(actor)
    handbook, now = _open(typed.series), now or timezone.now()
    today = timezone.localdate(now)
    try:
        _not_failing_on(client, typed, now, handbook)
        _fields(handbook, typed, today)
        cards = _cards(actor, client, handbook, typed, now)
        _in_time(handbook, cards, today)
        found = [card for card in cards if _binds_on(handbook, card) <= today]
    except DomainError as refused:
        told = _with_help(handbook, refused)
        _keep_failure(client, typed, told, now)
        raise told from refused
    with transaction.atomic():
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
        _note(actor, [link.card for link in new], CardEvent.Kind.BOUND, now, typed.account)
    return found


def unbind(actor: Actor, *, account: str, number: str, now: datetime | None = None) -> None:
    """Take a card off an account; other accounts of the family keep it. Idempotent."""
    client, now = _front_end(actor), now or timezone.now()
    with transaction.atomic():
        links = CardLink.objects.filter(client=client, account=account, card__number=number, unbound_at=None)
        cards = list(Card.objects.filter(pk__in=links.values("card")))
        if links.update(unbound_at=now):
            _note(actor, cards, CardEvent.Kind.UNBOUND, now, account)


def hide_code(message: Message) -> None:
    """What was sent is no longer readable in the outbox."""
    if message.template == TEMPLATE:
        Message.objects.filter(pk=message.pk).update(body=HIDDEN)


# --- What stands in the way -----------------------------------------------------------------------------


def _front_end(actor: Actor) -> int:
    if actor.client_id is None or "api_member_app" not in actor.roles:
        raise NotAllowed(_("Only a member front end binds cards."), code="front_end_needed")
    return actor.client_id


def _open(series: str) -> Handbook:
    handbook = current_handbook(series).handbook
    service = handbook.service("card")
    if service is None or not service.offered:
        raise Blocked(
            _("Series %(series)s has no electronic card.") % {"series": series}, code="service_closed",
            rule=service.rule if service else "",
        )  # fmt: skip
    return handbook


def _binding_rule(handbook: Handbook) -> str:
    parameter = handbook.parameters.get("card.binding_fields")
    return parameter.rule if parameter else ""


def _fields(handbook: Handbook, typed: Binding, today: date) -> None:
    """Every field the series asks for, none it does not (CRD-05, CRD-06, CRD-24)."""
    rule, asked = _binding_rule(handbook), list(handbook.value("card.binding_fields", ()))
    extra = handbook.parameters.get("card.extra_fields")
    further = list(extra.value) if extra and "ID_TYPE" in asked and typed.id_type != RESIDENT else []
    needed = {FIELDS[name]: rule for name in asked if name in FIELDS}
    needed |= {FIELDS[name]: extra.rule for name in further if extra and name in FIELDS}
    if "MOBILE" in asked:
        needed["code"] = rule
    for field, of in needed.items():
        if trace.observe(of, not getattr(typed, field)):
            raise InvalidInput(_("Series %(series)s needs this.") % {"series": typed.series},
                               field=field, code="required", rule=of)  # fmt: skip
    for field in {"mobile", "code", "id_type", "id_number", "birth_date", "sex", "valid_until"} - set(needed):
        of = extra.rule if extra and field in ("birth_date", "sex", "valid_until") else rule
        if trace.observe(of, bool(getattr(typed, field))):
            raise InvalidInput(_("Series %(series)s does not ask for this here; leave it empty.")
                               % {"series": typed.series}, field=field, code="not_asked", rule=of)  # fmt: skip
    if typed.valid_until and typed.valid_until < today:
        raise InvalidInput(_("This paper expired on %(day)s.") % {"day": typed.valid_until},
                           field="valid_until", code="expired", rule=extra.rule if extra else rule)  # fmt: skip


def _cards(actor: Actor, client: int, handbook: Handbook, typed: Binding, now: datetime) -> list[Card]:
    """The child's cards that have not ended. Raises Blocked when the data are not those of the enrollment."""
    rule = _binding_rule(handbook)
    if "MOBILE" in handbook.value("card.binding_fields", ()):
        number = _mobile(typed.mobile, rule)
        _prove(client, typed, number, now, rule)
        members = _by_mobile(actor, typed.series, typed.name, number)
    else:
        members = _by_identity(actor, typed, timezone.localdate(now), rule)
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


def _by_mobile(actor: Actor, series: str, name: str, number: str) -> list[Member]:
    """Children of this exact name whose own or whose policyholder's number it is (CRD-24)."""
    index = mobile_index(number)
    holders = Guardian.objects.filter(mobile_index=index, is_policyholder=True).values("member_id")
    named = _insured(actor, series).filter(name=name.strip())
    return list(named.filter(mobile_index=index) | named.filter(pk__in=holders))


def _by_identity(actor: Actor, typed: Binding, today: date, rule: str) -> list[Member]:
    """The child with this name and paper; other papers also with birth date and sex (CRD-05, CRD-06)."""
    try:
        identity = check_identity(
            id_type=typed.id_type,
            number=typed.id_number,
            today=today,
            birth_date=typed.birth_date,
            sex=typed.sex,
        )
    except InvalidInput as wrong:
        raise InvalidInput(
            wrong.message, field=wrong.field, code=wrong.code, rule=wrong.rule or rule
        ) from wrong
    found = _insured(actor, typed.series).filter(
        id_type=typed.id_type, id_index=id_index(identity.number), name=typed.name.strip()
    )
    if typed.birth_date:
        found = found.filter(birth_date=typed.birth_date, sex=typed.sex)
    return list(found)


def _insured(actor: Actor, series: str) -> Any:
    policies = Policy.objects.filter(series=series)
    if actor.tpa:
        policies = policies.filter(tpa=actor.tpa)
    children = Member.objects.filter(pk__in=policies.values("member_id"))
    if actor.series and series not in actor.series:
        return children.none()
    return children.filter(number=actor.member) if actor.member else children


# --- Codes ----------------------------------------------------------------------------------------------


def _mobile(text: str, rule: str) -> str:
    try:
        return phone(text)
    except CellError as wrong:
        raise InvalidInput(_("a mobile number"), field="mobile", code="mobile", rule=rule) from wrong


def _digest(pk: int, code: str) -> str:
    return blind_index(code, f"card_code:{pk}")


def _prove(client: int, typed: Binding, number: str, now: datetime, rule: str) -> None:
    """The last code of this account and number, once, in time, at most CODE_TRIES guesses.

    Each guess is counted by compare-and-set before it is looked at, so that no race gives more.
    """
    last = CardCode.objects.filter(
        client=client, account=typed.account, mobile_index=mobile_index(number), series=typed.series
    ).order_by("-pk").first()  # fmt: skip
    counted = last is not None and CardCode.objects.filter(
        pk=last.pk, used_at=None, expires_at__gt=now, tries__lt=CODE_TRIES
    ).update(tries=F("tries") + 1)  # fmt: skip
    if last is None or not counted:
        trace.observe(rule, True)
        raise Blocked(
            _("There is no valid code; ask for a new one."), code="code_gone", field="code", rule=rule
        )
    right = bool(last.digest) and constant_time_compare(last.digest, _digest(last.pk, typed.code.strip()))
    if trace.observe(rule, not right):
        raise Blocked(_("The code is wrong."), code="code_wrong", field="code", rule=rule)
    if not CardCode.objects.filter(pk=last.pk, used_at=None).update(used_at=now):
        raise Blocked(_("The code was used already."), code="code_gone", field="code", rule=rule)


def _not_too_often(client: int, account: str, number: str, now: datetime, handbook: Handbook) -> None:
    since = CardCode.objects.filter(created_at__gt=now - timedelta(days=1))
    of_number = since.filter(mobile_index=mobile_index(number))
    of_account = since.filter(client=client, account=account)
    rule = _binding_rule(handbook)
    if of_number.filter(created_at__gt=now - CODE_PAUSE).exists():
        raise Blocked(
            _("A code was sent a moment ago; ask again after a minute."), code="too_soon", rule=rule
        )
    if of_number.count() >= CODES_A_DAY or of_account.count() >= 2 * CODES_A_DAY:
        raise _with_help(handbook, Blocked(_("Too many codes today."), code="too_many_codes", rule=rule))


def _not_failing_on(client: int, typed: Binding, now: datetime, handbook: Handbook) -> None:
    day = BindingFailure.objects.filter(client=client, account=typed.account, at__gt=now - timedelta(days=1))
    if day.count() >= FAILURES_A_DAY:
        raise Blocked(_("Too many attempts today."), code="too_many_attempts", rule=_binding_rule(handbook))


# --- When it fails --------------------------------------------------------------------------------------


def _hotline(handbook: Handbook) -> str:
    contact = handbook.contacts.get("hotline")
    return contact.value if contact else ""


def _with_help(handbook: Handbook, refused: DomainError) -> DomainError:
    """The same refusal with the way out: the hotline of the series (CRD-07, CRD-26)."""
    rule = handbook.rule("card.failed")
    words = _("%(refusal)s If it does not work, call %(hotline)s, day and night.") % {
        "refusal": refused.message, "hotline": _hotline(handbook),
    }  # fmt: skip
    data = {**refused.data, "hotline": _hotline(handbook), "help_rule": rule.id if rule else ""}
    return type(refused)(words, code=refused.code, field=refused.field, rule=refused.rule, data=data)


def _keep_failure(client: int, typed: Binding, told: DomainError, now: datetime) -> None:
    tried = typed.mobile or typed.id_number
    BindingFailure.objects.create(
        at=now, client_id=client, account=typed.account, series=typed.series, code=told.code[:40], rule=told.rule,
        words=str(told.message)[:400], tried=f"{typed.id_type} …{tried[-4:]}".strip() if len(tried) > 8 else "",
    )  # fmt: skip
