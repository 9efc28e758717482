"""Reading a request: everything wrong with it at once, and everything it names looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.facts import LineFacts
from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.adjudication.words import channel_names
from apps.authorizations.assess import SERVICE
from apps.authorizations.facts import Plan
from apps.authorizations.inputs import MAXIMUM_LINES, PlanInput, PlannedInput, RequestInput
from apps.authorizations.roles import HOSPITAL
from apps.cases.inputs import parse_input
from apps.core.errors import DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.hospitals.models import Campus, Hospital
from apps.hospitals.queries import visible_hospitals
from apps.members.models import Policy
from apps.products.queries import handbook_for

T = TypeVar("T", bound=PlanInput)
FARTHEST = timedelta(days=366)
BENEFIT_OF = {"OBSERVATION_WARD": "EMERGENCY"}


@dataclass(frozen=True)
class Read:
    """A request that can be filed: the input and the plan with all it names."""

    input: PlanInput
    plan: Plan


def read_plan(actor: Actor, data: PlanInput | Mapping[str, Any], now: datetime) -> Read:
    """The question whether authorization is needed; raises InvalidInputs with every error."""
    return _read(actor, _parsed(PlanInput, data), now, [])


def read_request(actor: Actor, data: RequestInput | Mapping[str, Any], now: datetime) -> Read:
    """The same for a request that is to be filed: channel, consent and contact are checked, too."""
    given = _parsed(RequestInput, data)
    return _read(actor, given, now, _check_contact(given))


def _parsed(cls: type[T], data: T | Mapping[str, Any]) -> T:
    return data if isinstance(data, cls) else parse_input(cls, data)  # type: ignore[arg-type]


def _read(actor: Actor, given: PlanInput, now: datetime, errors: list[DomainError]) -> Read:
    today = timezone.localtime(now).date()
    errors += _check_dates(given, now)
    errors += _check_lines(given.lines)
    hospital, campus, wrong = _place(actor, given)
    errors += wrong
    policy, wrong = _policy(actor, given)
    errors += wrong
    if policy is None or hospital is None:
        raise InvalidInputs(errors)
    handbook = handbook_for(
        policy.series, min(given.planned_on, today) if given.emergency_at else given.planned_on
    )
    if isinstance(given, RequestInput):
        errors += _check_channel(given, handbook.handbook)
    if errors:
        raise InvalidInputs(errors)
    plan = Plan(
        ref="", policy=policy, handbook=handbook, hospital=hospital, campus=campus,
        department_group=given.department_group, department=getattr(given, "department", ""),
        visit_type=given.visit_type, benefit=given.benefit or BENEFIT_OF.get(given.visit_type, given.visit_type),
        planned_on=given.planned_on, days=given.planned_days, lines=planned_lines(given.lines),
        diagnosis=given.diagnosis, cause=given.cause,
        surgery=given.surgery or any(line.kind == "SURGERY" for line in given.lines),
        emergency_at=given.emergency_at, course=given.course, channel=getattr(given, "channel", ""),
    )  # fmt: skip
    return Read(given, plan)


def planned_lines(lines: tuple[PlannedInput, ...], supplement: int = 0) -> tuple[LineFacts, ...]:
    return tuple(
        LineFacts(
            ref=f"{supplement}.{position}", name=line.name, kind=line.kind, amount=line.amount,
            quantity=line.quantity, unit_price=line.unit_price or unit_price(line), code=line.code,
            procedure_categories=line.procedure_categories,
        )
        for position, line in enumerate(lines, 1)
    )  # fmt: skip


def unit_price(line: PlannedInput) -> Decimal:
    """Where no unit price is given, the amount by the quantity: 2 × 3,000 is no item of 6,000 (PA-09)."""
    return (line.amount / line.quantity).quantize(Decimal("0.01"))


# --- Checks -----------------------------------------------------------------------------------------


def _check_dates(given: PlanInput, now: datetime) -> list[DomainError]:
    today = timezone.localtime(now).date()
    errors: list[DomainError] = []
    if given.planned_on > today + FARTHEST:
        words = _("The planned start lies more than a year ahead.")
        errors.append(InvalidInput(words, code="too_far", field="planned_on"))
    if given.emergency_at is None and given.planned_on < today and given.settlement == "DIRECT":
        words = _("The treatment has begun already; only an emergency is notified afterwards.")
        errors.append(InvalidInput(words, code="begun", field="planned_on", rule="PA-06"))
    if given.emergency_at and given.emergency_at > now:
        words = _("An emergency visit lies in the past.")
        errors.append(InvalidInput(words, code="future", field="emergency_at"))
    return errors


def _check_lines(lines: tuple[PlannedInput, ...]) -> list[DomainError]:
    if not lines:
        return [InvalidInput(_("At least one planned item is needed."), code="required", field="lines")]
    if len(lines) > MAXIMUM_LINES:
        words = _("At most %(limit)d items are possible.") % {"limit": MAXIMUM_LINES}
        return [InvalidInput(words, code="too_many", field="lines")]
    return [
        InvalidInput(_("Quantity × unit price and amount differ."), code="sum", field=f"lines.{index}.amount")
        for index, line in enumerate(lines)
        if line.unit_price and abs(line.unit_price * line.quantity - line.amount) > Decimal("0.01")
    ]


def _check_contact(given: RequestInput) -> list[DomainError]:
    if not given.contact_email:
        return []
    try:
        validate_email(given.contact_email)
    except ValidationError:
        return [InvalidInput(_("This is no e-mail address."), code="email", field="contact_email")]
    return []


def _check_channel(given: RequestInput, handbook: Handbook) -> list[DomainError]:
    """PA-04, PA-27: a way the series offers; a hospital that asks has the family's consent."""
    service = handbook.service(SERVICE)
    if service is None or not service.offered:
        words = _("Series %(series)s knows no prior authorization.") % {"series": handbook.series}
        return [
            InvalidInput(words, code="closed", field="channel", rule=service.rule if service else "GEN-08")
        ]
    errors: list[DomainError] = []
    if observe(service.channel_rule, given.channel not in service.channels):
        words = _("Series %(series)s takes requests by: %(channels)s.") % {
            "series": handbook.series, "channels": channel_names(service.channels),
        }  # fmt: skip
        errors.append(InvalidInput(words, code="channel", field="channel", rule=service.channel_rule))
    if given.channel == "HOSPITAL" and not given.consent:
        asked = _("The hospital asks on the family's behalf: their consent is needed.")
        errors.append(InvalidInput(asked, code="consent", field="consent", rule=service.channel_rule))
    return errors


# --- Look-ups ---------------------------------------------------------------------------------------


def _place(actor: Actor, given: PlanInput) -> tuple[Hospital | None, Campus | None, list[DomainError]]:
    if actor.hospital and given.hospital != actor.hospital:
        raise NotAllowed(_("A hospital asks for itself only."), code="hospital", field="hospital")
    hospital = visible_hospitals(actor).filter(code=given.hospital).first()
    if hospital is None:
        words = _("No hospital has the code “%(code)s”.") % {"code": given.hospital[:40]}
        return None, None, [InvalidInput(words, code="unknown_hospital", field="hospital")]
    campus = None
    if given.campus:
        campus = (
            Campus.objects.select_related("hospital").filter(hospital=hospital, code=given.campus).first()
        )
        if campus is None:
            words = _("This hospital has no campus “%(code)s”.") % {"code": given.campus[:40]}
            return hospital, None, [InvalidInput(words, code="unknown_campus", field="campus")]
    return hospital, campus, []


def _policy(actor: Actor, given: PlanInput) -> tuple[Policy | None, list[DomainError]]:
    """The policy of the planned day (C9). A hospital sees no children: it names one by number, name
    and date of birth, and learns nothing else when one of them is wrong."""
    condition = Q(member__number=given.member) | Q(number=given.member)
    policies = Policy.objects.filter(condition).select_related("member", "plan", "policyholder")
    if HOSPITAL in actor.roles:
        if not given.name or given.birth_date is None:
            words = _("A hospital names the child by number, name and date of birth.")
            return None, [
                InvalidInput(words, code="required", field="name" if not given.name else "birth_date")
            ]
        if actor.series:
            policies = policies.filter(series__in=sorted(actor.series))
        found = list(policies.order_by("-effective_on", "-id"))
    else:
        found = list(visible_to(policies, actor).order_by("-effective_on", "-id"))
    found = [policy for policy in found if _is_named(policy, given)]
    if not found:
        words = _("No insured child is found with these data; compare number, name and date of birth.")
        return None, [InvalidInput(words, code="unknown_member", field="member")]
    if len({policy.member_id for policy in found}) > 1:
        words = _("Several children are insured under this number; name the child by member number.")
        return None, [InvalidInput(words, code="several_children", field="member")]
    return _of_day(found, given.planned_on)


def _is_named(policy: Policy, given: PlanInput) -> bool:
    member = policy.member
    same = not given.name or given.name.replace(" ", "") == member.name.replace(" ", "")
    return same and (given.birth_date is None or given.birth_date == member.birth_date)


def _of_day(found: list[Policy], day: date) -> tuple[Policy | None, list[DomainError]]:
    covering = [policy for policy in found if policy.in_force_on(day)]
    if len(covering) > 1:
        numbers = ", ".join(f"{policy.number} ({policy.series})" for policy in covering)
        words = _("Several policies cover %(day)s: %(numbers)s. Name one.") % {"day": day, "numbers": numbers}
        return None, [InvalidInput(words, code="several_policies", field="member", rule="C9")]
    return (covering or found)[0], []
