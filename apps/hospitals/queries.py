"""The hospital directory and the network list on a date (NET-01 … NET-07)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.core.imports.cells import fold
from apps.core.imports.pinyin import typed
from apps.hospitals.models import Campus, DepartmentGroup, Hospital, NetworkEntry, NetworkLookup, Scope

LOOKED_BACK = 50  # look-ups for a child that are read to find one hospital


def unless_hospital(code: str) -> list[str] | None:
    """None when we have the hospital, else some that are like what was typed, with their names."""
    if Hospital.objects.filter(code=code).exists():
        return None
    like = Hospital.objects.filter(Q(code__istartswith=code) | Q(name__contains=code))
    rows = (like if like.exists() else Hospital.objects.all()).order_by("code")
    return [f"{code} {name}" for code, name in rows.values_list("code", "name")[:10]]


# --- The network of one hospital ------------------------------------------------------------------------


def networks_on(
    place: Hospital | Campus, *, department_group: str, series: str, network_group: str, on: date
) -> frozenset[str]:
    """Benefits in whose network the place is listed on the date. One query.

    A hospital answers for all its campuses, a campus for itself only (PR-09). A group inherits
    nothing from another (NET-02). An inactive hospital is in no network.
    """
    entries = (
        _entries(place)
        .valid_on(on)
        .filter(
            department_group=department_group,
            series=series,
            network_group=network_group,
            campus__hospital__active=True,
        )
    )
    return frozenset(entries.values_list("benefit", flat=True))


def entries_at(place: Hospital | Campus, series: str) -> list[NetworkEntry]:
    """Every entry of the series at the place, whatever its dates, for `listed_at` and `answer_of`. One
    query."""
    return list(_entries(place).filter(series=series))


def listed_at(hospital: Hospital, entries: Iterable[NetworkEntry], asked: Asked) -> frozenset[str]:
    """`networks_on` from entries at hand: the benefits listed for exactly this department group."""
    return frozenset(
        entry.benefit
        for entry in entries
        if hospital.active
        and entry.department_group == asked.department_group
        and entry.network_group == asked.network_group
        and _valid(entry, asked.on)
    )


def _entries(place: Hospital | Campus) -> Any:
    if isinstance(place, Campus):
        return NetworkEntry.objects.filter(campus=place)
    return NetworkEntry.objects.filter(campus__hospital=place)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a place is out: a stable code and words for people."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Is the place in the network? With the scopes billed directly, or every reason why not."""

    listed: bool
    scopes: frozenset[str] = frozenset()
    reasons: tuple[Reason, ...] = ()


def network_answer(
    place: Hospital | Campus,
    *,
    benefit: str,
    department_group: str,
    series: str,
    network_group: str,
    on: date,
) -> Answer:
    """The answer for one visit, with why when it is no (NET-04). One query, two for a lone campus.

    An empty department group means any.
    """
    hospital = place.hospital if isinstance(place, Campus) else place
    entries = entries_at(place, series)
    asked = Asked((benefit,), department_group, network_group, on)
    return answer_of(hospital, entries, asked)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the network list: any of these benefits, a department group ("" = any), a plan group."""

    benefits: tuple[str, ...]
    department_group: str
    network_group: str
    on: date
    scope: str = ""  # what must be billed directly; "" = whatever is
    names: Mapping[str, str] = field(default_factory=dict)  # of network groups; none: their codes

    def fits(self, entry: NetworkEntry) -> bool:
        return (
            entry.benefit in self.benefits
            and entry.network_group == self.network_group
            and self.department_group in ("", entry.department_group)
        )


def answer_of(hospital: Hospital, entries: list[NetworkEntry], asked: Asked) -> Answer:
    """The same from entries at hand, all of them of one series at this place. No query."""
    wanted = [entry for entry in entries if asked.fits(entry)]
    valid = [entry for entry in wanted if _valid(entry, asked.on)]
    scopes = frozenset(scope for entry in valid for scope in entry.direct_billing)
    if valid and hospital.active and (not asked.scope or asked.scope in scopes):
        return Answer(True, scopes)
    return Answer(False, scopes, tuple(_why_out(hospital, entries, wanted, asked)))


def _valid(entry: NetworkEntry, on: date) -> bool:
    return entry.starts_on <= on <= (entry.ends_on or date.max)


def _why_out(
    hospital: Hospital, entries: list[NetworkEntry], wanted: list[NetworkEntry], asked: Asked
) -> list[Reason]:
    """From the most telling reason to the weakest."""
    if not hospital.active:
        return [Reason("INACTIVE", _("The hospital is marked as not active."))]
    if not entries:
        return [Reason("NOT_LISTED", _("The hospital is in no network of this series."))]
    if any(_valid(entry, asked.on) for entry in wanted):
        return [Reason("OTHER_SCOPE", _("Listed, but this is not billed directly there."))]
    if wanted:
        return [_out_of_dates(wanted, asked.on)]
    return _elsewhere([entry for entry in entries if _valid(entry, asked.on)], asked)


def _out_of_dates(wanted: list[NetworkEntry], on: date) -> Reason:
    later = [entry.starts_on for entry in wanted if entry.starts_on > on]
    ended = [entry.ends_on for entry in wanted if entry.ends_on and entry.ends_on < on]
    if ended:
        return Reason("ENDED", _("Listed until %(day)s.") % {"day": max(ended)})
    return Reason("NOT_YET", _("Listed from %(day)s on.") % {"day": min(later)})


def _elsewhere(entries: list[NetworkEntry], asked: Asked) -> list[Reason]:
    """Listed today, but for another department, another group or another benefit."""
    department, group = asked.department_group, asked.network_group
    same_benefit = [entry for entry in entries if entry.benefit in asked.benefits]
    reasons = []
    departments = {entry.department_group for entry in same_benefit if entry.network_group == group}
    if departments:
        names = "、".join(str(DepartmentGroup(found).label) for found in sorted(departments))
        reasons.append(Reason("OTHER_DEPARTMENT", _("Listed for: %(names)s.") % {"names": names}))
    groups = {
        entry.network_group for entry in same_benefit if department in ("", entry.department_group)
    } - {group}  # fmt: skip
    if groups:
        names = "、".join(sorted(asked.names.get(group, group) for group in groups))
        reasons.append(
            Reason("OTHER_GROUP", _("Listed for another plan group only: %(names)s.") % {"names": names})
        )
    benefits = {entry.benefit for entry in entries if entry.network_group == group} - set(asked.benefits)
    if benefits and not reasons:
        known = dict(Scope.choices)
        names = "、".join(str(known.get(benefit, benefit)) for benefit in sorted(benefits))
        reasons.append(
            Reason("OTHER_BENEFIT", _("Listed for other benefits only: %(names)s.") % {"names": names})
        )
    return reasons or [Reason("NOT_LISTED", _("The hospital is not listed for this plan group on that day."))]


# --- The directory ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Criteria:
    """What somebody looks for; empty fields do not restrict. `on` is the date of the list."""

    on: date
    text: str = ""
    city: str = ""
    hospital_type: str = ""
    ownership: str = ""
    scope: str = ""
    department_group: str = ""
    benefit: str = ""
    series: str = ""
    network_group: str = ""

    @property
    def asks_network(self) -> bool:
        return any((self.scope, self.department_group, self.benefit, self.series, self.network_group))


def visible_hospitals(actor: Actor) -> QuerySet[Hospital]:
    """The directory is open to every actor; a hospital's own users and clients see their own house."""
    hospitals = Hospital.objects.all()
    return hospitals.filter(code=actor.hospital) if actor.hospital else hospitals


def visible_entries(actor: Actor) -> QuerySet[NetworkEntry]:
    """Network entries of the series an actor works for."""
    entries = NetworkEntry.objects.all()
    if actor.series:
        entries = entries.filter(series__in=sorted(actor.series))
    return entries.filter(campus__hospital__code=actor.hospital) if actor.hospital else entries


def directory(actor: Actor, criteria: Criteria) -> QuerySet[Hospital]:
    """Hospitals that fit, with campuses and their matching entries on the date (NET-06).

    Three queries when read, however many hospitals: `hospital.campuses.all()` carries
    `campus.listed`, the entries that matched.
    """
    entries = _matching(visible_entries(actor), criteria)
    hospitals = visible_hospitals(actor).filter(active=True)
    for name in ("city", "hospital_type", "ownership"):
        if value := getattr(criteria, name):
            hospitals = hospitals.filter(**{name: value})
    if criteria.text:
        hospitals = hospitals.filter(search(criteria.text))
    if criteria.asks_network:
        hospitals = hospitals.filter(Exists(entries.filter(campus__hospital=OuterRef("pk"))))
    listed = entries.order_by("series", "network_group", "department_group", "benefit")
    campuses = Campus.objects.order_by("code").prefetch_related(Prefetch("network", listed, to_attr="listed"))
    return hospitals.order_by("city", "name").prefetch_related(Prefetch("campuses", campuses))


def places(
    actor: Actor, criteria: Criteria, asked: Asked, *, only_listed: bool = False, code: str = ""
) -> QuerySet[Hospital]:
    """Hospitals by place and name, in the network asked for or not, those listed first (NET-04).

    Three queries when read, however many: `hospital.campuses.all()`, and on each campus
    `campus.listed` with all its entries of the series, from which `answer_of` tells why.
    """
    entries = visible_entries(actor).filter(series=criteria.series)
    own = entries.valid_on(asked.on).filter(  # type: ignore[attr-defined]
        benefit__in=asked.benefits, network_group=asked.network_group, campus__hospital__active=True
    )
    if asked.department_group:
        own = own.filter(department_group=asked.department_group)
    hospitals = visible_hospitals(actor).filter(code=code) if code else visible_hospitals(actor)
    for name in ("city", "hospital_type", "ownership"):
        if value := getattr(criteria, name):
            hospitals = hospitals.filter(**{name: value})
    if criteria.text:
        hospitals = hospitals.filter(search(criteria.text))
    elif not code:
        hospitals = hospitals.filter(active=True)  # who asks for a closed house by name is told why
    own = _with_scope(own, asked.scope).filter(campus__hospital=OuterRef("pk"))
    hospitals = hospitals.annotate(is_listed=Exists(own))
    if only_listed:
        hospitals = hospitals.filter(is_listed=True)
    campuses = Campus.objects.order_by("code").prefetch_related(
        Prefetch("network", entries.order_by("department_group", "benefit", "starts_on"), to_attr="listed")
    )
    return hospitals.order_by("-is_listed", "city", "name", "pk").prefetch_related(
        Prefetch("campuses", campuses)
    )


def look_up_before(member: str, hospital: str, visit_on: date) -> NetworkLookup | None:
    """The last look-up for the child by the day of the visit that showed this hospital (DL-46)."""
    end = timezone.make_aware(datetime.combine(visit_on + timedelta(days=1), time.min))
    earlier = NetworkLookup.objects.filter(member=member, at__lt=end).select_related("user").order_by("-id")
    return next((found for found in earlier[:LOOKED_BACK] if found.names(hospital)), None)


def _matching(entries: QuerySet[NetworkEntry], criteria: Criteria) -> QuerySet[NetworkEntry]:
    found: QuerySet[NetworkEntry] = entries.valid_on(criteria.on)  # type: ignore[attr-defined]
    for name in ("department_group", "benefit", "series", "network_group"):
        if value := getattr(criteria, name):
            found = found.filter(**{name: value})
    return _with_scope(found, criteria.scope)


def _with_scope(entries: QuerySet[NetworkEntry], scope: str) -> QuerySet[NetworkEntry]:
    """No database of ours has "list contains" in common; the text of the list has."""
    if not scope:
        return entries
    return entries.alias(scopes=Cast("direct_billing", TextField())).filter(scopes__contains=f'"{scope}"')


def search(text: str) -> Q:
    """Name in Chinese or English, code, brand, or the beginning of its reading or initials."""
    found = fold(text)
    condition = (
        Q(name__icontains=text.strip())
        | Q(name__icontains=found)
        | Q(name_en__icontains=found)
        | Q(code__iexact=found)
    )
    condition |= Q(brand__icontains=found)
    if reading := typed(found) if re.fullmatch(r"[A-Za-z '-]+", found) else "":
        condition |= Q(pinyin__contains=reading) | Q(initials__startswith=reading)
    return condition
