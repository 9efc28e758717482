"""May this visit be booked? Every rule that speaks at the request, each with its id (machine (a)).

`gather` reads once; `refusals` and `warnings` only look at what was read, so they can be said in
every language. What a series does not print is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.adjudication.codes import BENEFIT_DIRECT_SERVICE
from apps.adjudication.handbook import Handbook, Level, Service
from apps.adjudication.trace import observe
from apps.appointments.models import Appointment, HospitalBan
from apps.appointments.timing import Cutoff, Lead, cutoff_of, lead_of
from apps.appointments.workflow import BEFORE, BOOKED, MISSED
from apps.cards.models import Card, CardState
from apps.cards.queries import why_not
from apps.cases.models import CaseFile
from apps.hospitals.models import Campus, Hospital, NetworkEntry
from apps.ledger.models import LimitAccount, LimitEntry
from apps.members.brands import lock_of, tied
from apps.members.models import BrandLock, Member, Policy
from apps.members.network import Insured, Place, Why, Wish, brand_reason, place_at
from apps.products.labels import labels
from apps.products.models import HandbookVersion
from apps.products.queries import network_group, working_calendar

SERVICE = "appointment"
CHECK_UP = "HEALTH_CHECK"
SCOPE_OF = {CHECK_UP: "VACCINE"}  # printed and listed with the vaccine benefit (PR-17)
OF_BENEFIT = frozenset(BENEFIT_DIRECT_SERVICE)
BY_HOSPITAL = "HOSPITAL_DIRECT"  # the family phoned the hospital itself (NET-07)
LATE = "LATE"


@dataclass(frozen=True)
class Booking:
    """A visit that somebody wants, everything it names looked up. `policy` is the one of the day, or the
    last known when none covers it (`covered` says which). `own` is the case that is asked again."""

    member: Member
    policy: Policy
    covered: bool
    handbook_row: HandbookVersion
    hospital: Hospital
    campus: Campus | None
    department_group: str
    visit_type: str
    benefit: str
    visit_on: date
    cause: str = "ILLNESS"
    channel: str = ""
    expert: str = ""
    emergency: bool = False
    own: int | None = None

    @property
    def handbook(self) -> Handbook:
        return self.handbook_row.handbook

    @property
    def wish(self) -> Wish:
        return Wish(
            on=self.visit_on, benefit=self.benefit, department_group=self.department_group, cause=self.cause,
            scope=SCOPE_OF.get(self.benefit, ""), city=self.hospital.city,
        )  # fmt: skip

    @property
    def insured(self) -> Insured:
        none = None
        if not self.covered:
            rule = self.handbook.rule("intake.in_force")
            words = _("No policy covers %(day)s.") % {"day": self.visit_on}
            none = Why("NO_POLICY", words, rule.id if rule else "")
        group = network_group(self.policy.plan, self.handbook)
        return Insured(self.member, self.policy if self.covered else None, self.handbook, group, none)


def booking_of(case: CaseFile, *, visit_on: date | None = None, channel: str = "") -> Booking:
    """An appointment that exists, as it would be asked for now (for another day, by another way)."""
    given: Appointment = case.appointment
    assert case.hospital is not None
    day = visit_on or given.visit_on
    return Booking(
        member=case.member, policy=case.policy, covered=case.policy.in_force_on(day), handbook_row=case.handbook,
        hospital=case.hospital, campus=given.campus, department_group=given.department_group,
        visit_type=given.visit_type, benefit=given.benefit, visit_on=day, cause=given.cause,
        channel=channel or given.channel, emergency=given.emergency, own=case.pk,
    )  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What the answer depends on, read once."""

    entries: list[NetworkEntry]
    card: Card | None
    ban: HospitalBan | None
    lock: BrandLock | None
    missed: int
    check_ups: int | None
    twin: str


def gather(booking: Booking) -> Known:
    """Five queries; six where a brand counts, seven for a check-up."""
    entries = NetworkEntry.objects.filter(series=booking.policy.series, campus__hospital=booking.hospital)
    if booking.campus is not None:
        entries = entries.filter(campus=booking.campus)
    at_house = CaseFile.objects.filter(kind=SERVICE, member=booking.member, hospital=booking.hospital)
    twins = at_house.filter(
        open=True, appointment__visit_on=booking.visit_on, appointment__benefit=booking.benefit
    )
    bans = HospitalBan.objects.filter(member=booking.member, hospital=booking.hospital, lifted_at=None)
    card = Card.objects.filter(policy=booking.policy.pk).first()
    if card is not None:
        card.policy = booking.policy
    return Known(
        entries=list(entries), card=card, ban=bans.first(),
        lock=lock_of(booking.policy.pk, booking.benefit) if tied(booking.handbook, booking.benefit) else None,
        missed=at_house.filter(state__in=MISSED).count(),
        check_ups=check_ups(booking) if booking.benefit == CHECK_UP else None,
        twin=(twins.exclude(pk=booking.own) if booking.own else twins).values_list("number", flat=True).first() or "",
    )  # fmt: skip


def check_ups(booking: Booking) -> int:
    """Check-ups used and promised in the policy period: counted by decisions (HLC-01), made and not yet
    billed, and booked. Two queries."""
    account = LimitAccount.objects.filter(
        policy=booking.policy.pk, key__startswith=f"benefit:{CHECK_UP}:", unit="COUNT"
    ).first()
    used = account.used if account else 0
    counted = LimitEntry.objects.filter(account=account, used__gt=0).values("service_date")
    of_policy = Appointment.objects.filter(case__policy=booking.policy.pk, benefit=CHECK_UP)
    of_policy = of_policy.exclude(case=booking.own) if booking.own else of_policy
    ahead = Q(case__state__in=BEFORE | BOOKED | {"CHECKED_IN"})
    made = Q(case__state="COMPLETED") & ~Q(visit_on__in=counted)
    return used + of_policy.filter(ahead | made).count()


# --- The answer -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """`refused`: nothing may be booked. `lead` None: the series prints no lead time."""

    booking: Booking
    known: Known
    at: datetime

    @cached_property
    def refused(self) -> tuple[Why, ...]:
        return tuple(refusals(self.booking, self.known))

    @cached_property
    def minded(self) -> tuple[Why, ...]:
        return tuple(warnings(self.booking, self.known))

    @cached_property
    def lead(self) -> Lead | None:
        booking = self.booking
        return lead_of(booking.handbook, booking.hospital, booking.visit_on, self.at, working_calendar())

    @cached_property
    def cutoff(self) -> Cutoff | None:
        booking = self.booking
        return cutoff_of(booking.handbook, booking.hospital, booking.visit_on, working_calendar())

    @property
    def late(self) -> bool:
        return self.lead is not None and self.lead.late

    def again(self) -> Answer:
        """The same answer, to be said in another language."""
        return Answer(self.booking, self.known, self.at)

    @cached_property
    def place(self) -> Place:
        return place_of(self.booking, self.known)


def judge(booking: Booking, at: datetime) -> Answer:
    return Answer(booking, gather(booking), at)


def place_of(booking: Booking, known: Known) -> Place:
    return place_at(booking.insured, booking.wish, booking.hospital, known.entries)


def refusals(booking: Booking, known: Known) -> Iterator[Why]:
    """Everything that forbids the booking, at once."""
    for check in _REFUSALS:
        yield from check(booking, known)


def warnings(booking: Booking, known: Known) -> Iterator[Why]:
    """What does not forbid it, and somebody should know."""
    for check in _WARNINGS:
        yield from check(booking, known)


def said(whys: Callable[[], Sequence[Why]]) -> list[dict[str, str]]:
    """What is kept of an answer: it stays in both languages, whatever the handbook says later."""
    with translation.override("zh-hans"):
        zh = list(whys())
    with translation.override("en"):
        en = list(whys())
    return [
        {"code": one.code, "rule": one.rule, "zh": one.words, "en": other.words}
        for one, other in zip(zh, en, strict=True)
    ]


def first_rule(handbook: Handbook, *ids: str) -> str:
    """The first of these ids the series carries; "" when it carries none."""
    return next((rule for rule in ids if rule in handbook.rules), "")


def missed_rule(handbook: Handbook) -> str:
    """What a series says of who does not come (APT-12, APT-25)."""
    return first_rule(handbook, "APT-12", "APT-25")


def _out(booking: Booking, known: Known) -> Iterator[Why]:
    """Cover, waiting period, rider and network, as the look-up tells them (NET-01 … NET-05, DL-46)."""
    handbook, place = booking.handbook, place_of(booking, known)
    codes = {why.code for why in place.why}
    waiting, of_benefit = first_rule(handbook, "APT-01"), first_rule(handbook, "VAC-01", "VAC-20")
    for rule in filter(None, (waiting, first_rule(handbook, "DL-45"))):
        observe(rule, "WAITING" in codes)
    if booking.benefit in OF_BENEFIT and of_benefit:
        observe(of_benefit, bool(place.why))
    scope = first_rule(handbook, "APP-01")
    if scope:
        observe(scope, "OTHER_SCOPE" in codes)
    cited = {"WAITING": waiting, "OTHER_SCOPE": scope}
    for why in place.why:
        yield Why(why.code, why.words, cited.get(why.code) or why.rule)


def _card(booking: Booking, known: Known) -> Iterator[Why]:
    """A greyed card bills nothing directly (BIL-03, BIL-21)."""
    if known.card is None:
        return
    state = known.card.state_on(booking.visit_on)
    printed = booking.handbook.parameters.get("card.grey_after_reminders")
    if printed:
        observe(printed.rule, state == CardState.GREYED)
    if state == CardState.GREYED and (why := why_not(known.card, state)):
        yield Why(why.code, why.words, why.rule or (printed.rule if printed else ""))


def _visit(booking: Booking, known: Known) -> Iterator[Why]:
    """APP-01, APT-22: what kind of visit, and in which department of a public house."""
    handbook = booking.handbook
    kinds, groups = (
        handbook.parameters.get(f"appointment.{key}") for key in ("visit_types", "department_groups")
    )
    if kinds and observe(kinds.rule, booking.visit_type not in kinds.value):
        yield Why(
            "VISIT_TYPE",
            _("Series %(series)s books no such visit.") % {"series": handbook.series},
            kinds.rule,
        )
    public = booking.hospital.ownership == "PUBLIC"
    if groups and observe(groups.rule, public and booking.department_group not in groups.value):
        words = _("At public hospitals only special-needs and international departments are booked.")
        yield Why("DEPARTMENT", words, groups.rule)


def _expert(booking: Booking, known: Known) -> Iterator[Why]:
    """APT-10."""
    allowed = booking.handbook.parameters.get("appointment.named_expert")
    if allowed and observe(allowed.rule, bool(booking.expert.strip()) and not allowed.value):
        words = _("A named expert cannot be booked; a wish is passed on without obligation.")
        yield Why("EXPERT", words, allowed.rule)


def _banned(booking: Booking, known: Known) -> Iterator[Why]:
    """APT-25 (the hospital's list), APT-12 (a manager's decision)."""
    rule = missed_rule(booking.handbook)
    if rule:
        observe(rule, known.ban is not None)
    if known.ban is not None:
        words = _("%(hospital)s takes no booking for this child since %(day)s: %(reason)s") % {
            "hospital": booking.hospital, "day": known.ban.since, "reason": known.ban.reason,
        }  # fmt: skip
        yield Why("BANNED", words, known.ban.rule or rule)


def _channels(booking: Booking) -> tuple[Service | None, Service | None]:
    handbook = booking.handbook
    own = BENEFIT_DIRECT_SERVICE.get(booking.benefit)
    return handbook.service(SERVICE), handbook.service(own) if own else None


def _channel(booking: Booking, known: Known) -> Iterator[Why]:
    """APT-04, APT-26; a benefit whose direct billing the series does not have (NET-05)."""
    general, own = _channels(booking)
    series = {"series": booking.handbook.series}
    if general is None or not general.offered:
        yield Why(
            "CLOSED", _("Series %(series)s books no appointments.") % series, general.rule if general else ""
        )
        return
    if own and not own.offered:
        yield Why("CLOSED", _("Series %(series)s does not bill this benefit directly.") % series, own.rule)
    wrong = bool(booking.channel) and booking.channel not in general.channels
    if observe(general.channel_rule, wrong):
        words = _("Series %(series)s takes bookings by: %(channels)s.")
        yield Why("CHANNEL", words % (series | {"channels": labels(general.channels)}), general.channel_rule)


def _other_way(booking: Booking, known: Known) -> Iterator[Why]:
    """VAC-02: printed by phone only; another way of the series is taken with a warning."""
    _general, own = _channels(booking)
    if own is None or not own.channels or not own.channel_rule:
        return
    wrong = bool(booking.channel) and booking.channel not in own.channels
    level = booking.handbook.rules[own.channel_rule].level
    if observe(own.channel_rule, wrong) and level == Level.WARN:
        words = _("For this benefit the handbook prints: %(channels)s.")
        yield Why("OTHER_CHANNEL", words % {"channels": labels(own.channels)}, own.channel_rule)


def _brand(booking: Booking, known: Known) -> Iterator[Why]:
    """VAC-04, VAC-22."""
    why = brand_reason(booking.handbook, known.lock, booking.benefit, booking.hospital)
    if why:
        yield why


def _counted(booking: Booking, known: Known) -> Iterator[Why]:
    """HLC-01: at most eight check-ups a period, those already booked included."""
    rule, most = (
        booking.handbook.rule("decide.health_check_count"),
        booking.handbook.value("health_check.maximum"),
    )
    if known.check_ups is None or rule is None or most is None:
        return
    if observe(rule.id, known.check_ups >= most):
        words = _("%(count)d of %(most)d check-ups of this period are used or booked.")
        yield Why("CHECK_UPS", words % {"count": known.check_ups, "most": most}, rule.id)


def _twice(booking: Booking, known: Known) -> Iterator[Why]:
    if known.twin:
        yield Why("BOOKED", _("This visit is asked for already: %(number)s.") % {"number": known.twin})


def _missed(booking: Booking, known: Known) -> Iterator[Why]:
    """APT-12: missed visits at this house do not forbid the next one; a manager decides."""
    if known.missed:
        words = _("%(count)d visits at this hospital were missed or canceled late.") % {"count": known.missed}
        yield Why("MISSED", words, missed_rule(booking.handbook))


def _minded(booking: Booking, known: Known) -> Iterator[Why]:
    """Where the card alone does not serve (CRD-21)."""
    yield from place_of(booking, known).mind


_REFUSALS = (_out, _card, _visit, _expert, _banned, _channel, _brand, _counted, _twice)
_WARNINGS = (_other_way, _missed, _minded)


def as_of(case: CaseFile) -> tuple[Why, ...]:
    """What stands against an appointment on the way, looked at again: cover, network, card, brand."""
    booking = booking_of(case)
    known = gather(booking)
    again: tuple[Any, ...] = (_out, _card, _banned, _brand)
    return tuple(why for check in again for why in check(booking, known))


def today(now: datetime) -> date:
    return timezone.localtime(now).date()
