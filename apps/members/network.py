"""Where a child may go without paying: each hospital in or out on a day, and why (NET-01 … NET-07, DL-46).

What is out for the child itself (no cover that day, an optional benefit not bought, a waiting period)
is worked out once; what is out at a hospital comes from the network list of the child's plan group.
Rules are asked for by key; what a series does not print is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.adjudication import trace
from apps.adjudication.codes import NETWORK_OF
from apps.adjudication.cover import last_waiting_day, rider_missing
from apps.adjudication.handbook import Handbook
from apps.core.errors import Blocked, InvalidInput, NotFound
from apps.hospitals.actions import record_lookup
from apps.hospitals.models import Hospital, NetworkEntry, Ownership, Scope
from apps.hospitals.queries import Answer, Asked, Criteria, answer_of, places
from apps.hospitals.series import group_names
from apps.members.brands import elsewhere, lock_rule
from apps.members.models import BrandLock, Member, Policy
from apps.members.queries import policy_on
from apps.products.labels import labels
from apps.products.queries import current_handbook, network_group

HOTLINE = "HOTLINE"
CAUSES = ("ILLNESS", "ACCIDENT")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a family looks for; empty fields do not restrict.

    `benefit` is what the visit is for; `scope` is what must be billed directly, the benefit itself by default.
    """

    on: date
    benefit: str = "OUTPATIENT"
    department_group: str = ""
    scope: str = ""
    cause: str = "ILLNESS"
    city: str = ""
    hospital_type: str = ""
    ownership: str = ""
    text: str = ""
    only_listed: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """Why a place is out, or what to mind where it is in."""

    code: str
    words: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One hospital for one child. `entries` are its valid network entries that fit."""

    hospital: Hospital
    direct: bool
    scopes: tuple[str, ...] = ()
    why: tuple[Why, ...] = ()
    mind: tuple[Why, ...] = ()
    entries: tuple[NetworkEntry, ...] = ()


@dataclass(frozen=True)
class Insured:
    """A child's policy of the day with what its series says; `policy` None when nothing covers the day.

    `locks` are the clinic brands its benefits are tied to, where whoever asks wants to hear of them.
    """

    member: Member
    policy: Policy | None
    handbook: Handbook
    group: str = ""
    none: Why | None = None
    locks: tuple[BrandLock, ...] = ()


def insured_on(member: Member, day: date, *, series: str = "") -> Insured:
    """Policy, handbook and plan group that speak for a visit (C9); at most five queries.

    Raises Conflict when several policies cover the day and no series is named.
    """
    try:
        policy = policy_on(member, day, series=series)
    except NotFound as nothing:
        last = member.policies.select_related("plan").order_by("-effective_on", "-id")
        known = (last.filter(series=series) if series else last).first()
        if known is None:
            raise
        handbook = current_handbook(known.series).handbook
        rule = _id(handbook, "intake.in_force")
        trace.observe(rule, True)
        return Insured(
            member, None, handbook, network_group(known.plan, handbook),
            Why("NO_POLICY", str(nothing.message), rule),
        )  # fmt: skip
    handbook = current_handbook(policy.series).handbook
    group, locks = network_group(policy.plan, handbook), tuple(policy.brand_locks.all())
    return Insured(member, policy, handbook, group, locks=locks)


def look_up(
    actor: Actor, insured: Insured, wish: Wish, page: Any, *, channel: str = HOTLINE
) -> tuple[list[Place], Any]:
    """The places of one page, and that page. The look-up is kept with its answer (NET-04, DL-46).

    `page` is a function from a queryset to its rows. Raises Blocked when the series offers no such
    look-up or channel (APT-03, NET-07), InvalidInput for a benefit nobody knows.
    """
    check_channel(insured.handbook, channel)
    if wish.benefit not in Scope.values:
        raise InvalidInput(
            _("a benefit: %(known)s") % {"known": " / ".join(Scope.values)}, field="benefit", code="benefit"
        )
    rows = page(places_for(actor, insured, wish))
    own = own_reasons(insured, wish)
    found = [place_of(insured, wish, hospital, own) for hospital in rows]
    record_lookup(
        actor,
        criteria=_criteria(insured, wish),
        member=insured.member.number,
        channel=channel,
        result={
            "count": len(found),
            "cause": wish.cause,
            "hospitals": [place.hospital.code for place in found if place.direct],
            "out": {place.hospital.code: [why.code for why in place.why] for place in found if not place.direct},
        },
    )  # fmt: skip
    return found, rows


def check_channel(handbook: Handbook, channel: str) -> None:
    """The look-up is a service of the series with channels of its own (APT-03, NET-07)."""
    service = handbook.service("hospital_directory")
    if service is None or not service.offered:
        rule = service.rule if service else ""
        raise Blocked(_("This series offers no look-up of hospitals."), code="service_closed", rule=rule)
    if service.channels and channel not in service.channels:
        raise Blocked(
            _("Series %(series)s takes look-ups by: %(channels)s.")
            % {"series": handbook.series, "channels": labels(service.channels)},
            code="channel",
            field="channel",
            rule=service.channel_rule or service.rule,
        )


def channel_of(insured: Insured, *, machine: bool) -> str:
    """How a look-up came in when nobody says: staff are called, machines are asked on line."""
    service = insured.handbook.service("hospital_directory")
    online = [channel for channel in service.channels if channel != HOTLINE] if service else []
    return online[0] if machine and online else HOTLINE


def places_for(actor: Actor, insured: Insured, wish: Wish, *, code: str = "") -> QuerySet[Hospital]:
    """The hospitals to be answered for, those in the network first."""
    return places(
        actor, _criteria(insured, wish), _asked(insured, wish), only_listed=wish.only_listed, code=code
    )


def place_of(insured: Insured, wish: Wish, hospital: Hospital, own: tuple[Why, ...] | None = None) -> Place:
    """One hospital out of `places_for`; no query."""
    entries: list[NetworkEntry] = [entry for campus in hospital.campuses.all() for entry in campus.listed]  # type: ignore[attr-defined]
    return place_at(insured, wish, hospital, entries, own)


def place_at(
    insured: Insured,
    wish: Wish,
    hospital: Hospital,
    entries: list[NetworkEntry],
    own: tuple[Why, ...] | None = None,
) -> Place:
    """The same from its entries of the series at hand, or from those of one campus (PR-09); no query."""
    own = own_reasons(insured, wish) if own is None else own
    asked = _asked(insured, wish)
    answer = answer_of(hospital, entries, asked)
    out = own + _list_reasons(insured.handbook, answer) + _tied_elsewhere(insured, wish, hospital)
    fitting = [
        entry for entry in entries
        if asked.fits(entry) and entry.starts_on <= wish.on <= (entry.ends_on or date.max)
    ]  # fmt: skip
    return Place(
        hospital, not out, tuple(scope for scope in Scope.values if scope in answer.scopes), out,
        mind_at(insured.handbook, hospital) if not out else (), tuple(fitting),
    )  # fmt: skip


def own_reasons(insured: Insured, wish: Wish) -> tuple[Why, ...]:
    """What keeps the child out everywhere: no cover, no network or rider for the benefit, waiting."""
    if insured.policy is None:
        return (insured.none,) if insured.none else ()
    handbook, policy = insured.handbook, insured.policy
    trace.observe(_id(handbook, "intake.in_force"), False)
    return tuple(
        why for why in (
            _no_network(handbook, insured.group, wish.benefit),
            _no_rider(handbook, policy, wish.benefit),
            _waits(handbook, policy, wish),
        ) if why
    )  # fmt: skip


# --- Reasons --------------------------------------------------------------------------------------------


def _no_network(handbook: Handbook, group: str, benefit: str) -> Why | None:
    """NET-05: a series without a network for a benefit bills nothing of it directly."""
    nets = NETWORK_OF.get(benefit, (benefit,))
    known = {network.benefit for network in handbook.networks if network.group == group}
    missing = known.isdisjoint(nets)
    rule = _id(handbook, "intake.direct_only") or _id(handbook, "intake.network_by_version")
    trace.observe(rule, missing)
    words = _("Series %(series)s has no network for this benefit; it is not billed directly.")
    return Why("NO_NETWORK", words % {"series": handbook.series}, rule) if missing else None


def _no_rider(handbook: Handbook, policy: Policy, benefit: str) -> Why | None:
    """NET-03: an optional benefit needs its rider; REC-02: the plan must have it."""
    plan = policy.plan.terms
    missing = rider_missing(handbook, plan, policy.riders, benefit)
    rule = handbook.rule("intake.rider") or handbook.rule("decide.not_covered")
    if rule:
        trace.observe(rule.id, missing)
    if missing:
        return Why(
            "NO_RIDER", _("The policy was bought without this optional benefit."), rule.id if rule else ""
        )
    if plan.benefit(benefit) is None:
        return Why(
            "NOT_COVERED", _("The plan does not have this benefit."), _id(handbook, "decide.not_covered")
        )
    return None


def _waits(handbook: Handbook, policy: Policy, wish: Wish) -> Why | None:
    """PR-16: the cause is still waiting on that day."""
    planned = policy.plan.terms.benefit(wish.benefit)
    waiting = (
        next((entry for entry in planned.waiting if entry.cause == wish.cause), None) if planned else None
    )
    last = (
        last_waiting_day(waiting, since=policy.continuous_since, renewed=policy.renewed) if waiting else None
    )
    rule = _id(handbook, "decide.waiting_period")
    if not trace.observe(rule, last is not None and wish.on <= last):
        return None
    return Why("WAITING", _("Waiting period to %(day)s (inclusive).") % {"day": last}, rule)


def _tied_elsewhere(insured: Insured, wish: Wish, hospital: Hospital) -> tuple[Why, ...]:
    lock = next((lock for lock in insured.locks if lock.benefit == wish.benefit), None)
    why = brand_reason(insured.handbook, lock, wish.benefit, hospital) if lock else None
    return (why,) if why else ()


def brand_reason(handbook: Handbook, lock: BrandLock | None, benefit: str, hospital: Hospital) -> Why | None:
    """VAC-04, VAC-22: the brand of the first visit made; another branch of it serves."""
    if not elsewhere(handbook, lock, benefit, hospital) or lock is None:
        return None
    words = _("This benefit is tied to the brand “%(brand)s” since the visit on %(day)s.")
    return Why("BRAND", words % {"brand": lock.brand, "day": lock.visited_on}, lock_rule(handbook))


# What the network list says → the rule that says so, by the first key that the series prints.
_RULES = {
    "OTHER_GROUP": ("intake.network_no_inheritance", "intake.network_by_version"),
    "OTHER_DEPARTMENT": ("intake.network_by_version",),
    "OTHER_BENEFIT": ("intake.network_by_version",),
    "OTHER_SCOPE": ("intake.network_by_version",),
}
_BY_LIST = ("network.before_visit", "intake.network_look_up")


def _list_reasons(handbook: Handbook, answer: Answer) -> tuple[Why, ...]:
    """DL-46: not on the list of the day means no direct billing."""
    unlisted = _id(handbook, "network.before_visit")
    trace.observe(unlisted, not answer.listed)
    return tuple(Why(reason.code, reason.words, _first(handbook, reason.code)) for reason in answer.reasons)


def _first(handbook: Handbook, code: str) -> str:
    return next((rule.id for key in _RULES.get(code, _BY_LIST) if (rule := handbook.rule(key))), "")


def mind_at(handbook: Handbook, hospital: Hospital) -> tuple[Why, ...]:
    """CRD-21: where the card alone does not serve, a confirmed appointment does."""
    accepted = handbook.parameters.get("card.hospital_ownerships")
    if accepted is None:
        return ()
    outside = hospital.ownership not in accepted.value
    trace.observe(accepted.rule, outside)
    if not outside:
        return ()
    name = Ownership(hospital.ownership).label
    if handbook.value("card.public_needs_appointment"):
        words = _("%(ownership)s: the card serves here only with a confirmed appointment.")
        return (Why("APPOINTMENT", words % {"ownership": name}, accepted.rule),)
    return (Why("CARD_NOT_TAKEN", _("The card is not taken here."), accepted.rule),)


def _id(handbook: Handbook, key: str) -> str:
    rule = handbook.rule(key)
    return rule.id if rule else ""


def _asked(insured: Insured, wish: Wish) -> Asked:
    nets = NETWORK_OF.get(wish.benefit, (wish.benefit,))
    scope, names = wish.scope or wish.benefit, group_names(insured.handbook)
    return Asked(nets, wish.department_group, insured.group, wish.on, scope, names)


def _criteria(insured: Insured, wish: Wish) -> Criteria:
    return Criteria(
        on=wish.on, text=wish.text, city=wish.city, hospital_type=wish.hospital_type, ownership=wish.ownership,
        scope=wish.scope, department_group=wish.department_group, benefit=wish.benefit,
        series=insured.handbook.series, network_group=insured.group,
    )  # fmt: skip


def covered_here(actor: Actor, insured: Insured, code: str, on: date) -> list[tuple[str, Place]]:
    """What is billed directly at one hospital on a day: (benefit, answer) for each benefit; four queries."""
    wish = Wish(on=on)
    hospital = places_for(actor, insured, wish, code=code).first()
    if hospital is None:
        return []
    return [
        (benefit, place_of(insured, replace(wish, benefit=benefit), hospital)) for benefit in Scope.values
    ]
