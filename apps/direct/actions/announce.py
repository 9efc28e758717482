"""A visit made by appointment: its claim is opened at once and waits for the hospital's bills."""

from __future__ import annotations

from typing import Any

from apps.appointments.queries import CompletedVisit
from apps.authorizations.models import Authorization
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.models import CaseFile
from apps.claims.models import Category, Claim
from apps.direct.actions.submit import CHECKED, check_paper, desk
from apps.direct.models import DirectClaim, Flag
from apps.direct.submission import differs
from apps.direct.workflow import DirectFlow


def announce(ctx: Ctx[Any], visit: CompletedVisit) -> CaseFile | None:
    """In the appointment's transaction; once an appointment. The checks of its counter count (VIS-01, VIS-04)."""
    if DirectClaim.objects.filter(appointment=visit.number).exists():
        return None
    appointment = ctx.case
    case = DirectFlow(
        kind="direct", series=appointment.series, tpa=appointment.tpa, handbook=appointment.handbook,
        member=visit.member, policy=visit.policy, hospital=visit.hospital,
    )  # fmt: skip
    return open_case(
        "direct", ctx.actor, case=case, state="INTAKE_INCOMPLETE", fill=lambda own: _fill(own, visit), event="announced",
        now=ctx.now,
    )  # fmt: skip


def _fill(ctx: Ctx[Any], visit: CompletedVisit) -> None:
    ctx.case.team = desk(ctx)
    letter = None
    if visit.authorization:
        letter = Authorization.objects.select_related("case").filter(case__number=visit.authorization).first()
    direct = DirectClaim(
        case=ctx.case, source=DirectClaim.Source.APPOINTMENT, appointment=visit.number, authorization=letter,
        expected_on=visit.visit_on, card_number=visit.card_number, id_type=visit.shown_id_type,
        id_photo=bool(visit.id_photo), campus=visit.campus, department=visit.department,
        department_group=visit.department_group,
    )  # fmt: skip
    if differs(ctx.handbook, visit.member, visit.shown_id_type, bool(visit.id_photo)):
        direct.flag(Flag.IDENTITY_DIFFERS)
    ctx.add(
        Claim(
            case=ctx.case, category=Category.DIRECT, channel="HOSPITAL_DIRECT", route="DIRECT", reported_at=ctx.now,
            reporter_name=visit.signed_by[:80] or visit.hospital.name[:80],
        )
    )  # fmt: skip
    ctx.add(direct)
    for kind, column in CHECKED.items():
        if getattr(direct, column):
            ctx.add(check_paper(ctx, kind, getattr(direct, column)))
    ctx.data |= {"appointment": visit.number, "visit_on": visit.visit_on.isoformat(), "flags": direct.flags}
