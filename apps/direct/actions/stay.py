"""A stay billed directly: admitted on a letter or as an emergency, costs on the way, bills at discharge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.adjudication.trace import observe
from apps.authorizations.assess import emergency_timing, first_rule
from apps.authorizations.models import Authorization
from apps.authorizations.workflow import AT_HOSPITAL
from apps.cases.context import Ctx
from apps.cases.engine import open_case, perform
from apps.cases.inputs import ask, parse_input
from apps.cases.kinds import Action, Blocker
from apps.cases.models import CaseFile
from apps.claims.actions.intake import queue_rows
from apps.claims.building import build_rows
from apps.claims.inputs import VisitInput
from apps.claims.models import Category, Claim
from apps.claims.reporting import places_of
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs
from apps.core.money import to_fen
from apps.direct.actions.submit import desk, may_submit, take_in
from apps.direct.inputs import AdmissionInput, DirectPaperInput, DirectVisitInput
from apps.direct.letter import GONE, check_emergency, find
from apps.direct.models import DirectClaim, Flag
from apps.direct.roles import AT_THE_BED
from apps.direct.submission import (
    check_card,
    check_email,
    check_place,
    check_serves,
    child_at_the_desk,
    differs,
    read_submission,
)
from apps.direct.workflow import KIND, DirectFlow
from apps.documents.queries import papers_of
from apps.members.models import Policy
from apps.products.queries import handbook_for


@dataclass
class Admission:
    input: AdmissionInput
    case: DirectFlow
    letter: Authorization | None
    campus: Any
    card_number: str
    waived: bool | None
    flags: list[str]


def admit_child(
    actor: Actor,
    *,
    data: AdmissionInput | Mapping[str, Any],
    source: str = DirectClaim.Source.DESK,
    now: datetime | None = None,
) -> CaseFile:
    """DBI-01, DBI-02: a stay begins, on a letter that was sent or as an emergency notified in time (PA-06).

    Raises InvalidInputs with everything wrong at once; Blocked without a letter, or for a greyed card (BIL-03).
    """
    now = now or timezone.now()
    may_submit(actor)
    read = read_admission(actor, data, now)
    return open_case(
        "direct", actor, case=read.case, state="ADMITTED", fill=lambda ctx: _fill(ctx, read, source), event="admitted",
        now=now,
    )  # fmt: skip


def read_admission(actor: Actor, data: AdmissionInput | Mapping[str, Any], now: datetime) -> Admission:
    given = data if isinstance(data, AdmissionInput) else parse_input(AdmissionInput, data)
    check_place(actor, [given.hospital])
    today = timezone.localtime(now).date()
    errors = [*check_emergency(given.emergency_at, now), *check_email(given.contact_email)]
    visit = VisitInput(
        visit_type="INPATIENT", hospital=given.hospital, department=given.department, started_on=given.admitted_on,
        bills=(), campus=given.campus,
    )  # fmt: skip
    hospitals, campuses, wrong = places_of([(0, visit)])
    for error in wrong:
        error.field = error.field.removeprefix("visits.0.")
    errors += wrong
    if given.admitted_on > today:
        errors.append(InvalidInput(_("The date lies in the future."), code="future", field="admitted_on"))
    policies, wrong = child_at_the_desk(actor, given.member, today)
    errors += wrong
    if not policies or errors:
        raise InvalidInputs(errors)
    policy, member = _of_day(policies, given), policies[0].member
    hospital = hospitals[given.hospital]
    card_number, wrong = check_card(given.card, member)
    errors += wrong
    letter = None
    if given.authorization:
        try:
            letter = find(given.authorization, member.pk, hospital.pk, field_name="authorization")
        except InvalidInput as error:
            errors.append(error)
    if errors:
        raise InvalidInputs(errors)
    version = handbook_for(policy.series, given.admitted_on)
    handbook = version.handbook
    waived, flags = _permitted(handbook, letter, given, now)
    flags += check_serves(
        handbook, policy, hospital, given.benefit, given.admitted_on, until=given.admitted_on
    )
    if differs(handbook, member, given.id_type, given.id_photo):
        flags.append(Flag.IDENTITY_DIFFERS.value)
    case = DirectFlow(
        kind="direct", series=policy.series, tpa=policy.tpa, handbook=version, member=member, policy=policy,
        hospital=hospital,
    )  # fmt: skip
    campus = campuses.get((given.hospital, given.campus))
    return Admission(given, case, letter, campus, card_number, waived, flags)


def _of_day(policies: list[Policy], given: AdmissionInput) -> Policy:
    """PR-14: a stay belongs to the policy of its admission."""
    named = [policy for policy in policies if policy.number == given.member.policy] or policies
    covering = [policy for policy in named if policy.in_force_on(given.admitted_on)]
    if not covering:
        words = _("No policy of this child covers %(day)s.") % {"day": given.admitted_on}
        raise InvalidInput(words, code="not_in_force", field="admitted_on", rule="C9")
    if len(covering) > 1:
        numbers = ", ".join(f"{policy.number} ({policy.series})" for policy in covering)
        words = _("Several policies cover %(day)s: %(numbers)s. Name one.") % {
            "day": given.admitted_on,
            "numbers": numbers,
        }
        raise InvalidInput(words, code="several_policies", field="member.policy", rule="C9")
    return covering[0]


def _permitted(
    handbook: Any, letter: Authorization | None, given: AdmissionInput, now: datetime
) -> tuple[bool | None, list[str]]:
    """Whether the child may be admitted directly, and what to mind: a letter that was sent; or an emergency,
    within the hours the series prints (PA-06), the letter to follow."""
    rule = first_rule(handbook, "DBI-02", "DBI-01")
    state = letter.case.state if letter is not None else ""
    if state in AT_HOSPITAL | {"LETTER_SENT"}:
        observe(rule, False)
        return None, []
    known = letter if letter is not None and letter.emergency and state not in GONE else None
    emergency_at = given.emergency_at or (known.emergency_at if known else None)
    if observe(rule, emergency_at is None):
        words = _("A stay is billed directly on a guarantee letter that was sent, or as an emergency.")
        raise Blocked(words, code="no_letter", rule=rule, field="authorization")
    assert emergency_at is not None
    timing = emergency_timing(handbook, emergency_at, now)
    if known is not None and known.waived is not None:
        late: bool | None = not known.waived
    else:
        late = None if timing is None else timing.late
    if late:
        words = _("The emergency was notified after the 48 hours; it needs a guarantee letter.")
        raise Blocked(
            words, code="late_notice", rule=timing.rule if timing else "PA-06", field="emergency_at"
        )
    return True, [Flag.LATE_NOTICE.value] if late is None else []


def _fill(ctx: Ctx[Any], read: Admission, source: str) -> None:
    given = read.input
    ctx.case.team = desk(ctx)
    claim = Claim(
        case=ctx.case, category=Category.DIRECT, channel="HOSPITAL_DIRECT", route="DIRECT", reported_at=ctx.now,
        reporter_name=given.reporter.name, reporter_relation=given.reporter.relation,
    )  # fmt: skip
    direct = DirectClaim(
        case=ctx.case, source=source, authorization=read.letter, emergency_at=given.emergency_at, waived=read.waived,
        card_number=read.card_number, id_type=given.id_type, id_photo=given.id_photo,
        contact_name=given.contact_name or given.reporter.name, contact_email=given.contact_email, campus=read.campus,
        department=given.department, department_group=given.department_group, diagnosis=given.diagnosis,
        diagnosis_name=given.diagnosis_name, admitted_on=given.admitted_on, flags=read.flags,
    )  # fmt: skip
    ctx.add(claim)
    ctx.add(direct)
    if read.letter is not None:
        ctx.case.amount_fen = read.letter.approved_fen or 0
        if read.letter.case.state == "LETTER_SENT":
            perform(read.letter.case, "admit", ctx.actor, now=ctx.now, admitted_on=given.admitted_on)
    ctx.data |= {
        "admitted_on": given.admitted_on.isoformat(), "flags": read.flags,
        "authorization": read.letter.case.number if read.letter else "",
    }  # fmt: skip


# --- On the way ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CostsInput:
    amount: Decimal = ask(
        _("Costs so far"), widget="money", minimum=Decimal(0), help=_("of the whole stay, not only of today")
    )


def _report_costs(ctx: Ctx[CostsInput]) -> None:
    """What the stay costs so far; beyond the letter it is flagged, and more has to be asked for (DBI-03)."""
    assert ctx.input is not None
    direct = ctx.subject
    direct.reported_fen = to_fen(ctx.input.amount)
    letter = direct.authorization
    cap = (letter.approved_fen or 0) if letter is not None else 0
    over = observe(first_rule(ctx.handbook, "DBI-03", "DBI-01"), direct.reported_fen > cap)
    if over:
        direct.flag(Flag.OVER_LETTER)
    elif Flag.OVER_LETTER in direct.flags:
        direct.flags = [flag for flag in direct.flags if flag != Flag.OVER_LETTER]
    ctx.update(direct, "reported_fen", "flags")
    if letter is not None and letter.case.state in AT_HOSPITAL and letter.discharged_on is None:
        perform(letter.case, "report_costs", ctx.actor, now=ctx.now, amount=ctx.input.amount)
    ctx.data |= {"incurred_fen": direct.reported_fen, "cap_fen": cap, "over": over}


@dataclass(frozen=True)
class DischargeInput:
    """The child goes home: the stay with its bills and the papers of the discharge."""

    visits: tuple[DirectVisitInput, ...] = ask(_("Visits"), widget="lines")
    papers: tuple[DirectPaperInput, ...] = ask(_("Papers"), default=(), widget="lines")


def _discharge(ctx: Ctx[DischargeInput]) -> None:
    """The bills come: from here on as a visit (machine c1), with summary and surgery report asked for."""
    direct = ctx.subject
    _same(ctx, {"started_on": direct.admitted_on, "visit_type": "INPATIENT"})
    direct.discharged_on = _take_bills(ctx)
    letter = direct.authorization
    if letter is not None and ctx.case.claim.claimed_fen > (letter.approved_fen or 0):
        direct.flag(Flag.OVER_LETTER)
    ctx.update(direct, "discharged_on", "flags", "collected_fen")
    ctx.data["discharged_on"] = str(direct.discharged_on)


def _send_bills(ctx: Ctx[DischargeInput]) -> None:
    """The bills of a visit that its appointment announced."""
    direct = ctx.subject
    _same(ctx, {"started_on": direct.expected_on})
    _take_bills(ctx)
    direct.expected_on = None
    ctx.update(direct, "expected_on", "flags", "collected_fen")


def _take_bills(ctx: Ctx[DischargeInput]) -> date:
    """Visit, bills and papers of a case that waited for them; the last day of the visit."""
    given, direct, case = ctx.input, ctx.subject, ctx.case
    assert given is not None
    case.policy.member = case.member
    data = {
        "member": {"number": case.member.number}, "reporter": {"name": case.claim.reporter_name},
        "visits": list(given.visits), "papers": list(given.papers), "contact_email": direct.contact_email,
    }  # fmt: skip
    read = read_submission(ctx.actor, data, ctx.now, policy=case.policy, letter=direct.authorization)
    claim = case.claim
    rows = build_rows(read.report, case)
    claim.claimed_fen, claim.first_received_at, rows.claim = rows.claim.claimed_fen, ctx.now, claim
    case._state.fields_cache["claim"] = claim  # the row that is stored, not the one just built
    for row in rows.visits:
        row.visit.claim = claim
    ctx.update(claim, "claimed_fen", "first_received_at")
    queue_rows(ctx, rows)
    for flag in read.flags:
        direct.flag(flag)
    take_in(ctx, rows, direct, read, papers_of(case))
    ended: date = rows.visits[0].visit.ended_on
    return ended


def _same(ctx: Ctx[DischargeInput], wanted: dict[str, Any]) -> None:
    """The bills are of this visit or stay, at this hospital."""
    assert ctx.input is not None
    errors: list[DomainError] = []
    wanted = {"hospital": ctx.case.hospital.code if ctx.case.hospital else "", **wanted}
    for index, visit in enumerate(ctx.input.visits):
        errors += [
            InvalidInput(
                _("This stay has %(value)s here.") % {"value": value},
                code="other_stay",
                field=f"visits.{index}.{name}",
            )
            for name, value in wanted.items()
            if getattr(visit, name) != value
        ]
    if errors:
        raise InvalidInputs(errors)


def _stay(ctx: Ctx[Any]) -> dict[str, Any]:
    """The form starts with what the admission said."""
    direct, case = ctx.subject, ctx.case
    diagnoses = [{"code": direct.diagnosis, "name": direct.diagnosis_name}] if direct.diagnosis else []
    today = timezone.localtime(ctx.now).date()
    visit = {
        "visit_type": "INPATIENT", "hospital": case.hospital.code if case.hospital else "",
        "department": direct.department, "department_group": direct.department_group,
        "campus": direct.campus.code if direct.campus else "", "started_on": direct.admitted_on, "ended_on": today,
        "diagnoses": diagnoses, "bills": [{"lines": [{}]}],
    }  # fmt: skip
    return {"visits": [visit]}


KIND.action(
    Action(
        "report_costs", _("Report the costs so far"), AT_THE_BED, _report_costs, transition="report_costs",
        input=CostsInput, event="costs_reported", order=30,
    )
)  # fmt: skip
KIND.action(
    Action(
        "discharge", _("Discharged, with bills"), AT_THE_BED, _discharge, transition="discharge", input=DischargeInput,
        initial=_stay, event="discharged", style="primary", order=10,
    )
)  # fmt: skip


def expected(ctx: Any) -> Blocker | None:
    if ctx.subject.expected_on is not None:
        return None
    return Blocker("has_bills", _("The bills of this visit are here already."))


def _visit(ctx: Ctx[Any]) -> dict[str, Any]:
    direct, case = ctx.subject, ctx.case
    visit = {
        "visit_type": "OUTPATIENT", "hospital": case.hospital.code if case.hospital else "",
        "department": direct.department, "department_group": direct.department_group,
        "campus": direct.campus.code if direct.campus else "", "started_on": direct.expected_on,
        "diagnoses": [{}], "bills": [{"lines": [{}]}],
    }  # fmt: skip
    return {"visits": [visit]}


KIND.action(
    Action(
        "send_bills", _("Bills of the visit"), AT_THE_BED, _send_bills, transition="take_in", input=DischargeInput,
        guards=(expected,), initial=_visit, event="bills_sent", style="primary", order=10,
    )
)  # fmt: skip
