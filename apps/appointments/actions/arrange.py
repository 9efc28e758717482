"""Between request and confirmation: accepted, confirmed by the hospital, or not possible there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM
from apps.appointments import guards
from apps.appointments.actions.request import close
from apps.appointments.inputs import TIME, read_time
from apps.appointments.judging import BY_HOSPITAL, booking_of
from apps.appointments.roles import ARRANGERS, DESK, TPA
from apps.appointments.telling import confirm_to_family, cutoff_at, tell_family
from apps.appointments.workflow import KIND
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.core.errors import InvalidInput
from apps.hospitals.models import Hospital
from apps.members.network import place_of, places_for

OFFERED = 5  # alternatives


@dataclass(frozen=True)
class ConfirmInput:
    time: str = ask(_("Time"), default="", max_length=5, help=TIME)
    reference: str = ask(_("Number at the hospital"), default="", max_length=60)


@dataclass(frozen=True)
class UnavailableInput:
    reason: str = ask(_("What the hospital said"), widget="textarea", min_length=2, max_length=400)


def _accept(ctx: Ctx[NoInput]) -> None:
    ctx.data["visit_on"] = ctx.subject.visit_on.isoformat()


def _accept_self_booked(ctx: Ctx[NoInput]) -> None:
    """NET-07: the family booked with the hospital itself; it is only kept."""
    ctx.then("confirm_self_booked")


def _confirm(ctx: Ctx[ConfirmInput]) -> None:
    given, told = ctx.subject, ctx.input or ConfirmInput()
    at = read_time(told.time) or given.visit_time
    if at is None:
        raise InvalidInput(_("For what time is it confirmed?"), code="required", field="time")
    given.visit_time, given.reference = at, told.reference or given.reference
    book(ctx)


def _confirm_self_booked(ctx: Ctx[NoInput]) -> None:
    book(ctx)


def book(ctx: Ctx[Any]) -> None:
    """Confirmed: told once, and reminded before it can no longer be canceled in time."""
    given = ctx.subject
    given.rounds += 1
    given.authorization = "" if given.emergency else _authorization(ctx)
    set_reminder(ctx)
    ctx.update(given, "visit_time", "reference", "rounds", "authorization")
    ctx.data |= {"visit_on": given.visit_on.isoformat(), "time": f"{given.visit_time:%H:%M}"}
    ctx.emit("appointment_arranged")
    if given.channel != BY_HOSPITAL:
        confirm_to_family(ctx)


def _authorization(ctx: Ctx[Any]) -> str:
    stay = ctx.subject.visit_type == "INPATIENT"
    return guards.authorization_for(ctx.case, ctx.subject.visit_on) if stay else ""


def set_reminder(ctx: Ctx[Any]) -> None:
    given, cutoff = ctx.subject, cutoff_at(ctx.case)
    given.remind_at = cutoff.remind_at if cutoff and cutoff.binding and cutoff.remind_at > ctx.now else None
    ctx.update(given, "remind_at")


def _unavailable(ctx: Ctx[UnavailableInput]) -> None:
    """Where else the child may go that day without paying, as the look-up knows it."""
    assert ctx.input is not None
    given, ctx.reason = ctx.subject, ctx.input.reason
    found = alternatives(ctx)
    given.alternatives = [hospital.code for hospital in found]
    ctx.update(given, "alternatives")
    ctx.data["alternatives"] = given.alternatives
    close(ctx)
    ctx.emit("appointment_arranged")
    tell_family(ctx, "unavailable", reason=ctx.reason, alternatives=[str(hospital) for hospital in found])


def alternatives(ctx: Ctx[Any]) -> list[Hospital]:
    """Houses that bill the same directly on that day, in the same city, else anywhere; the own brand first,
    and no other where the benefit is tied to one (VAC-04, VAC-22)."""
    booking = booking_of(ctx.case)
    insured = replace(booking.insured, locks=tuple(ctx.case.policy.brand_locks.all()))
    tied = [lock.brand for lock in insured.locks if lock.benefit == booking.benefit]
    for city in dict.fromkeys((booking.hospital.city, "")):
        wish = replace(booking.wish, city=city, only_listed=True)
        rows = places_for(SYSTEM, insured, wish).exclude(pk=booking.hospital.pk)
        if tied:
            rows = rows.filter(Q(brand__in=tied) | Q(brand="", name__in=tied))
        found = [row for row in rows[: OFFERED * 4] if place_of(insured, wish, row).direct]
        if found:
            brand = booking.hospital.own_brand
            return sorted(found, key=lambda row: row.own_brand != brand)[:OFFERED]
    return []


ACTIONS: tuple[Action[Any], ...] = (
    Action("accept", _("Arrange it"), DESK | {TPA}, _accept, transition="accept",
           guards=(guards.not_over, guards.still_possible), event="accepted", style="primary", order=10),
    Action("accept_self_booked", _("Booked by the family"), frozenset(), _accept_self_booked, transition="accept",
           event="accepted", system=True, manual=False),
    Action("confirm", _("Hospital confirms"), ARRANGERS, _confirm, transition="confirm", input=ConfirmInput,
           guards=(guards.not_over, guards.authorized, guards.still_possible), event="confirmed",
           initial=lambda ctx: {"time": f"{ctx.subject.visit_time:%H:%M}" if ctx.subject.visit_time else ""},
           style="primary", order=10),
    Action("confirm_self_booked", _("Booked by the family"), frozenset(), _confirm_self_booked, transition="confirm",
           guards=(guards.authorized,), event="confirmed", system=True, manual=False),
    Action("unavailable", _("Hospital cannot"), ARRANGERS, _unavailable, transition="find_unavailable",
           input=UnavailableInput, event="unavailable", order=30),
)  # fmt: skip
for action in ACTIONS:
    KIND.action(action)
