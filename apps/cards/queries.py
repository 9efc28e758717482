"""What a card shows, and what the hospital's desk is told about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from stdnum import luhn

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication import trace
from apps.adjudication.handbook import Handbook
from apps.cards.models import Card, CardLink, CardState
from apps.core.errors import InvalidInput, NotAllowed, NotFound
from apps.hospitals.models import Hospital, NetworkLookup
from apps.hospitals.queries import look_up_before
from apps.members.network import Insured, Place, Why, covered_here
from apps.products.queries import current_handbook, network_group

QR, PAGE = signing.TimestampSigner(salt="cards.qr"), signing.TimestampSigner(salt="cards.page")
QR_LIVES, PAGE_LIVES = timedelta(minutes=10), timedelta(minutes=10)
NOTED_PARAMETERS = ("card.hospital_ownerships", "card.public_needs_appointment", "card.grey_after_reminders")
NOTED_RULES = ("network.before_visit", "authorization.required", "card.failed")
HOSPITAL, DESK = (
    "api_hospital",
    frozenset({"service_specialist", "service_lead", "supervisor", "booking_lead"}),
)


# --- Whose card -----------------------------------------------------------------------------------------


def cards_of_account(actor: Actor, account: str) -> QuerySet[Card]:
    """Cards that this account of this front end holds now; nobody else's."""
    links = CardLink.objects.filter(client=actor.client_id, account=account, unbound_at=None)
    if actor.client_id is None or not account:
        links = links.none()
    cards = visible_to(Card.objects.all(), actor).filter(pk__in=links.values("card"))
    return cards.select_related("policy__plan", "member").order_by("-policy__effective_on", "-pk")


def card_of_account(actor: Actor, account: str, number: str) -> Card:
    card = cards_of_account(actor, account).filter(number=number).first()
    if card is None:
        raise NotFound(_("There is nothing at this address, or it is not yours to see."))
    return card


# --- The face -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Benefit:
    code: str
    rider: str
    held: bool


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Face:
    """What stands on a card at one moment; `shown_on` None where the series prints no date (CRD-02)."""

    number: str
    spaced: str
    title: str
    name: str
    series: str
    plan: str
    state: CardState
    shown_on: date | None
    valid_from: date
    valid_until: date
    hotline: str
    functions: tuple[str, ...]  # CRD-28
    benefits: tuple[Benefit, ...]  # CRD-03: more about the card
    notes: tuple[Note, ...]  # APP-26: how the card is used, in the words of the series
    rules: tuple[str, ...]
    why: Why | None = None
    qr: str = ""


def face_of(card: Card, now: datetime, *, whole_name: bool) -> Face:
    """The card at this moment. Needs policy, plan and member; one query for the handbook.

    `whole_name` for those who hold the card: staff see it masked and without its code. A card that does not
    serve has no code.
    """
    handbook = current_handbook(card.policy.series).handbook
    day, policy = timezone.localdate(now), card.policy
    state = card.state_on(day)
    service, contact = handbook.service("card"), handbook.contacts.get("hotline")
    dated = handbook.parameters.get("card.shows_date")
    functions = handbook.parameters.get("card.functions")
    chinese = (get_language() or "zh").startswith("zh")
    title = (service.title.zh if chinese else service.title.en) if service else ""
    benefits = tuple(
        Benefit(benefit.code, benefit.rider, not benefit.rider or benefit.rider in policy.riders)
        for benefit in policy.plan.terms.benefits
    )
    rules = [
        service.rule if service else "",
        dated.rule if dated else "",
        functions.rule if functions else "",
    ]
    return Face(
        number=card.number, spaced=card.spaced, title=title,
        name=card.member.name if whole_name else card.member.masked_name, series=policy.series,
        plan=policy.plan.name if chinese else policy.plan.name_en or policy.plan.name, state=state,
        shown_on=day if dated and dated.value else None, valid_from=policy.effective_on,
        valid_until=policy.covered_until, hotline=contact.value if contact else "",
        functions=tuple(functions.value) if functions else (), benefits=benefits,
        notes=_notes(handbook, chinese),
        rules=tuple(rule for rule in rules if rule), why=why_not(card, state),
        qr=QR.sign(card.number) if whole_name and state == CardState.ACTIVE else "",
    )  # fmt: skip


def _notes(handbook: Handbook, chinese: bool) -> tuple[Note, ...]:
    """What a family should know before it shows the card (APP-26), as far as the series says it."""
    told = [handbook.parameters[key].rule for key in NOTED_PARAMETERS if key in handbook.parameters]
    told += [rule.id for key in NOTED_RULES if (rule := handbook.rule(key))]
    rules = [handbook.rules[rule_id] for rule_id in dict.fromkeys(told) if rule_id in handbook.rules]
    return tuple(Note(rule.says.zh if chinese else rule.says.en, rule.id) for rule in rules)


def why_not(card: Card, state: CardState) -> Why | None:
    """Why the card does not serve on the day of that state."""
    policy = card.policy
    if state == CardState.GREYED:
        return Why(
            "GREYED",
            _("Direct billing is stopped: %(reason)s") % {"reason": card.greyed_for},
            card.greyed_rule,
        )
    if state == CardState.EXPIRED:
        return Why("ENDED", _("The cover ended on %(day)s.") % {"day": policy.covered_until}, "C9")
    if state == CardState.PENDING:
        return Why("NOT_YET", _("The cover begins on %(day)s.") % {"day": policy.effective_on}, "C9")
    return None


def page_token(card: Card, client_id: int) -> str:
    """For a link that a front end hands to the family's browser."""
    return PAGE.sign(f"{card.number}-{client_id}")


def card_of_page(token: str) -> tuple[Card, int] | None:
    """The card of a link given out a moment ago, and the front end; None when it is old or not ours."""
    try:
        number, _dash, client = PAGE.unsign(token, max_age=PAGE_LIVES).partition("-")
    except signing.BadSignature:
        return None
    card = Card.objects.filter(number=number).select_related("policy__plan", "member").first()
    return (card, int(client)) if card else None


# --- The desk -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the desk is told. `accepted`: this card may be billed directly here for something today."""

    card: Card
    state: CardState
    accepted: bool
    on: date
    shown_on: date | None
    why: tuple[Why, ...]
    covers: tuple[tuple[str, Place], ...] = ()
    looked_up: NetworkLookup | None = None
    mind: tuple[Why, ...] = field(default=())


def verify(actor: Actor, *, text: str, on: date, now: datetime, hospital: str = "") -> Verdict:
    """The code of a card, or its number typed by hand, at a hospital on a day.

    Hospitals ask for themselves, staff of the desk name the hospital. Raises NotAllowed for others,
    InvalidInput for a mistyped number, NotFound for what is no card of ours.
    """
    where = _place(actor, hospital)
    number, seen_at = _read(text)
    cards = Card.objects.select_related("policy__plan", "member").filter(number=number)
    card = (cards if actor.hospital else visible_to(cards, actor)).first()
    if card is None:
        raise NotFound(_("This is no card of ours."), field="card", code="no_card")
    state = card.state_on(on)
    handbook = current_handbook(card.policy.series).handbook
    stopped = [why for why in (why_not(card, state), _shown(handbook, seen_at, on, now)) if why]
    group, locks = network_group(card.policy.plan, handbook), tuple(card.policy.brand_locks.all())
    insured = Insured(card.member, card.policy, handbook, group, locks=locks)
    covers = tuple(covered_here(actor, insured, where, on)) if state == CardState.ACTIVE else ()
    known = look_up_before(card.member.number, where, on)
    return Verdict(
        card, state, not stopped and any(place.direct for _benefit, place in covers), on,
        timezone.localdate(seen_at) if seen_at else None, tuple(stopped), covers, known,
        _not_looked_up(handbook, known),
    )  # fmt: skip


def _place(actor: Actor, hospital: str) -> str:
    if actor.hospital and hospital in ("", actor.hospital):
        return actor.hospital
    if actor.hospital or not (actor.roles & DESK or actor.is_system):
        raise NotAllowed(_("Only hospitals and the service desk check cards."), code="role")
    if not Hospital.objects.filter(code=hospital).exists():
        raise InvalidInput(_("Name the hospital by its code."), field="hospital", code="hospital")
    return hospital


def _read(text: str) -> tuple[str, datetime | None]:
    """(number, when the code was shown); a typed number has no moment."""
    plain = "".join(text.split())
    if ":" not in plain:
        if not (plain.isascii() and plain.isdigit() and luhn.is_valid(plain)):
            raise InvalidInput(
                _("the 16 digits of the card; one is mistyped"), field="card", code="card_number"
            )
        return plain, None
    try:
        number = QR.unsign(plain)
    except signing.BadSignature as forged:
        raise NotFound(_("This is no card of ours."), field="card", code="no_card") from forged
    stamp = signing.b62_decode(plain.split(":")[1])
    return number, datetime.fromtimestamp(stamp, tz=timezone.get_current_timezone())


def _shown(handbook: Handbook, seen_at: datetime | None, on: date, now: datetime) -> Why | None:
    """CRD-02: the card shows the day of the visit, else it is a picture of a card."""
    if seen_at is None:
        return None
    dated = handbook.parameters.get("card.shows_date")
    day = timezone.localdate(seen_at)
    if dated and dated.value and trace.observe(dated.rule, day != on):
        words = _("The card shows %(shown)s, the visit is on %(day)s: a picture, not the card.")
        return Why("OTHER_DATE", words % {"shown": day, "day": on}, dated.rule)
    if now - seen_at > QR_LIVES:
        return Why("STALE", _("This code is old; ask the family to open the card again."))
    return None


def _not_looked_up(handbook: Handbook, known: NetworkLookup | None) -> tuple[Why, ...]:
    rule = handbook.rule("network.before_visit")
    if known or rule is None:
        return ()
    return (Why("NOT_LOOKED_UP", _("Nobody looked this hospital up for the child before."), rule.id),)


def policies_with_card(policies: Any) -> set[int]:
    """Those of these policies that have our card, by id (PR-03); one query."""
    return set(Card.objects.filter(policy__in=policies).values_list("policy", flat=True))


def read_card(text: str) -> str:
    """The number behind a scanned code or typed digits; InvalidInput or NotFound for what is no card of ours."""
    return _read(text)[0]


def greyed_card(policy_id: int) -> Card | None:
    """The card of a policy while direct billing with it is stopped; one query."""
    return Card.objects.filter(policy=policy_id, greyed_at__isnull=False).first()


def grey_rule(handbook: Handbook) -> str:
    """The series' rule of what a greyed card is good for no longer (BIL-03, BIL-21)."""
    parameter = handbook.parameters.get("card.grey_after_reminders")
    return parameter.rule if parameter else ""
