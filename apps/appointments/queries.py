"""Reads of appointments that others may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Case as SqlCase
from django.db.models import Count, F, IntegerField, Q, QuerySet, Value, When

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.trace import observe
from apps.appointments.models import Appointment, HospitalBan
from apps.appointments.workflow import BEFORE, BOOKED, MISSED
from apps.cases.models import CaseEvent, CaseFile
from apps.hospitals.models import Campus, Hospital
from apps.members.models import Member, Policy

EXPECTED = ("CONFIRMED", "SUSPENDED", "CHECKED_IN", "COMPLETED", "NO_SHOW")


@dataclass(frozen=True)
class CompletedVisit:
    """A direct-billed visit that was made: what its claim starts from (event `visit_completed`)."""

    number: str
    member: Member
    policy: Policy
    hospital: Hospital
    campus: Campus | None
    department: str
    department_group: str
    visit_type: str
    benefit: str
    cause: str
    emergency: bool
    visit_on: date
    visit_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime
    card_number: str
    shown_id_type: str
    id_photo: bool | None
    id_override: str
    form_signed: bool
    receipt_signed: bool
    signed_by: str
    authorization: str  # number of the case, of a stay


def completed_visit(case: CaseFile) -> CompletedVisit:
    """Of a COMPLETED appointment, in the action's transaction or later; ValueError for another."""
    given: Appointment = case.appointment
    if given.completed_at is None or case.hospital is None:
        raise ValueError(f"{case.number} is no visit that was made")
    return CompletedVisit(
        number=case.number, member=case.member, policy=case.policy, hospital=case.hospital, campus=given.campus,
        department=given.department, department_group=given.department_group, visit_type=given.visit_type,
        benefit=given.benefit, cause=given.cause, emergency=given.emergency, visit_on=given.visit_on,
        visit_at=given.visit_at, arrived_at=given.checked_in_at, completed_at=given.completed_at,
        card_number=given.card.number if given.card else "", shown_id_type=given.shown_id_type,
        id_photo=given.id_photo, id_override=given.id_override, form_signed=given.form_signed,
        receipt_signed=given.receipt_signed, signed_by=given.signed_by, authorization=given.authorization,
    )  # fmt: skip


def appointment_missing(handbook: Any, policy_id: int, hospital: Hospital, day: date) -> bool:
    """CRD-21, APT-20: at a public hospital the card bills directly only with a confirmed appointment.

    One query, none where the series does not print it or the house is private.
    """
    printed = handbook.parameters.get("card.public_needs_appointment")
    if printed is None or not printed.value or hospital.ownership != "PUBLIC":
        return False
    kept = Appointment.objects.filter(
        case__policy=policy_id, case__hospital=hospital, visit_on=day,
        case__state__in=("CONFIRMED", "CHECKED_IN", "COMPLETED"),
    )  # fmt: skip
    return observe(printed.rule, not kept.exists())


def visible_appointments(actor: Actor) -> QuerySet[CaseFile]:
    """Hospitals see what they are to arrange or expect, not what was refused."""
    return visible_to(CaseFile.objects.filter(kind="appointment"), actor)


def arrivals(actor: Actor, day: date, *, hospital: str = "") -> list[Appointment]:
    """Who is expected on a day, by time; children who may come first. One query, handbooks included."""
    rows = Appointment.objects.filter(visit_on=day, case__state__in=EXPECTED)
    if hospital:
        rows = rows.filter(case__hospital__code=hospital)
    related = ("case__member", "case__hospital", "case__handbook", "campus")
    rows = visible_to(rows, actor).select_related(*related).defer("case__handbook__text")
    return list(rows.order_by(F("visit_time").asc(nulls_last=True), "case"))


@dataclass(frozen=True)
class Missed:
    """A missed or late-canceled visit, when and why it came to that, and what a manager decided; `count`
    are all of this child at this hospital."""

    given: Appointment
    count: int
    ban: HospitalBan | None
    happened: CaseEvent | None
    decided: CaseEvent | None


def missed(actor: Actor, *, seen: bool = False, limit: int = 200) -> list[Missed]:
    """What a manager has to look at (`seen`: has looked at), the latest first. Four queries."""
    rows = Appointment.objects.filter(case__state__in=MISSED, flagged=not seen)
    rows = (
        visible_to(rows, actor)
        .select_related("case__member", "case__hospital")
        .order_by("-visit_on", "-case")
    )
    found = list(rows[:limit])
    pairs = {(row.case.member_id, row.case.hospital_id) for row in found}
    of_children = Q(member__in={member for member, _hospital in pairs})
    counted = CaseFile.objects.filter(of_children, kind="appointment", state__in=MISSED)
    counts = {
        (row["member"], row["hospital"]): row["n"]
        for row in counted.values("member", "hospital").annotate(n=Count("pk")).order_by()
    }
    bans = {
        (ban.member_id, ban.hospital_id): ban
        for ban in HospitalBan.objects.filter(of_children, lifted_at=None)
    }
    told = CaseEvent.objects.filter(to_state__in=MISSED, case__in=[row.case_id for row in found])
    happened, decided = {}, {}
    for event in told.order_by("seq"):
        if event.name == "missed_reviewed":
            decided[event.case_id] = event
        elif event.from_state != event.to_state:
            happened[event.case_id] = event
    keys = [(row.case.member_id, row.case.hospital_id) for row in found]
    return [
        Missed(row, counts.get(key, 0), bans.get(key), happened.get(row.case_id), decided.get(row.case_id))  # type: ignore[arg-type]
        for row, key in zip(found, keys, strict=True)
    ]


# --- What the sweeps look for -----------------------------------------------------------------------------


def to_remind(now: datetime) -> list[Appointment]:
    """Confirmed ones whose reminder is due. One query by index."""
    rows = Appointment.objects.filter(remind_at__lte=now, case__state="CONFIRMED")
    related = ("case__member", "case__policy__policyholder", "case__handbook", "case__hospital", "campus")
    return list(rows.select_related(*related).order_by("remind_at", "case")[:500])


def to_miss(today: date) -> list[str]:
    rows = Appointment.objects.filter(visit_on__lt=today, case__state="CONFIRMED", case__open=True)
    return list(rows.order_by("case").values_list("case__number", flat=True)[:500])


def to_stop(today: date) -> list[tuple[str, str]]:
    """(number, action): what a greyed card or the end of cover suspends, restores or ends. One query.

    The actions' own guards decide; this only finds what may need them.
    """
    live = Appointment.objects.filter(case__open=True, case__kind="appointment")
    ended = Q(case__policy__expires_on__lt=F("visit_on")) | Q(case__policy__ended_on__lt=F("visit_on"))
    greyed = Q(case__policy__card__greyed_at__isnull=False)
    passed = Q(visit_on__lt=today)
    suspend = Q(case__state="CONFIRMED") & (greyed | ended) & ~passed
    end = Q(case__state__in=BEFORE) & (ended | passed)
    rows = live.filter(suspend | end | Q(case__state="SUSPENDED")).annotate(
        turn=SqlCase(When(suspend, then=Value(1)), When(end, then=Value(2)), default=Value(3),
                     output_field=IntegerField())
    )  # fmt: skip
    actions = {1: "suspend", 2: "end", 3: "restore"}
    found = rows.order_by("case").values_list("case__number", "turn")[:1000]
    return [(number, actions[turn]) for number, turn in found]


def of_policy(policy_id: int) -> list[tuple[str, str]]:
    """(number, state) of the booked visits of a policy."""
    rows = CaseFile.objects.filter(kind="appointment", policy=policy_id, state__in=BOOKED, open=True)
    return list(rows.order_by("pk").values_list("number", "state"))
