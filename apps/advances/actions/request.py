"""Applying for an advance: by phone, told by the family (ADV-02, ADV-04)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.adjudication.trace import observe
from apps.advances.inputs import ApplyInput, CostInput
from apps.advances.models import Advance, AdvanceLine
from apps.advances.requesting import Application, read_application
from apps.advances.roles import APPLICANTS, FAMILY
from apps.advances.workflow import KIND, PAID, AdvanceFlow
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.models import CaseFile
from apps.core.errors import NotAllowed
from apps.core.money import to_fen


def apply_for_advance(
    actor: Actor, *, data: ApplyInput | Mapping[str, Any], now: datetime | None = None
) -> CaseFile:
    """File an application; what of it makes an advance impossible is said by the verification.

    Raises NotAllowed, InvalidInputs (ADV-22: the series has none; ADV-04: not by phone); nothing is stored then.
    """
    _may_apply(actor)
    now = now or timezone.now()
    read = read_application(actor, data, now)
    case = AdvanceFlow(
        kind=KIND.code, series=read.policy.series, tpa=read.policy.tpa, handbook=read.handbook,
        member=read.policy.member, policy=read.policy, hospital=read.hospital,
    )  # fmt: skip
    return open_case(
        KIND.code, actor, case=case, state="APPLIED", fill=lambda ctx: _fill(ctx, read), event="entitlement_applied",
        now=now,
    )  # fmt: skip


def _may_apply(actor: Actor) -> None:
    if FAMILY in actor.roles:
        observe("ADV-04", True)
        words = _("An advance is applied for by the service line 950610 alone.")
        raise NotAllowed(words, code="hotline", rule="ADV-04")
    if not actor.roles & APPLICANTS and not actor.is_system:
        raise role_needed(actor, APPLICANTS)


def _fill(ctx: Ctx[Any], read: Application) -> None:
    case, given = ctx.case, read.input
    case.team = Team.objects.filter(tpa=case.tpa, code__startswith="claims").order_by("code").first()
    row = _row(case, read)
    row.stay = _first_of_stay(row)
    ctx.add(row)
    for line in cost_rows(row, given.lines):
        ctx.add(line)
    case.amount_fen = row.estimate_fen
    ctx.data |= {"channel": row.channel, "estimate_fen": row.estimate_fen}
    if row.stay is not None:
        observe("PR-18", True)
        ctx.data["stay"] = row.stay.case.number


def _row(case: CaseFile, read: Application) -> Advance:
    given = read.input
    return Advance(
        case=case, channel=given.channel, caller=given.caller, need=given.need, consent=given.consent,
        campus=read.campus, department=given.department, department_group=given.department_group,
        visit_type=given.visit_type, cost=given.cost, cause=given.cause, diagnosis=given.diagnosis,
        diagnosis_name=given.diagnosis_name, admitted_on=given.admitted_on, admitted=given.admitted,
        admission_number=given.admission_number, planned_days=given.planned_days,
        estimate_fen=sum(to_fen(line.amount) for line in given.lines), expected_fen=to_fen(given.expected),
    )  # fmt: skip


def _first_of_stay(row: Advance) -> Advance | None:
    """The first advance of the stay this one is a further one of (PR-18): paid, and not settled yet."""
    rows = Advance.objects.filter(
        case__member=row.case.member, case__hospital=row.case.hospital, case__state__in=PAID,
        admitted_on=row.admitted_on, stay=None,
    )  # fmt: skip
    return rows.select_related("case").order_by("pk").first()


def cost_rows(row: Advance, lines: Sequence[CostInput]) -> list[AdvanceLine]:
    return [
        AdvanceLine(
            advance=row, position=position, name=line.name, kind=line.kind, amount_fen=to_fen(line.amount)
        )
        for position, line in enumerate(lines, 1)
    ]
