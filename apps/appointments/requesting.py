"""Reading a request: everything wrong with the input at once, and everything it names looked up.

What a rule refuses is no wrong input: it is filed and rejected with its reasons (`judging`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeVar

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.appointments.inputs import RequestInput, WishInput, read_time
from apps.appointments.judging import Booking, today
from apps.appointments.roles import OVERRIDERS
from apps.cases.inputs import parse_input
from apps.core.errors import DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.hospitals.models import Campus, Hospital
from apps.members.models import Policy
from apps.products.queries import handbook_for

T = TypeVar("T", bound=WishInput)
FARTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Read:
    input: WishInput
    booking: Booking
    time: time | None = None


def read_wish(actor: Actor, data: WishInput | Mapping[str, object], now: datetime) -> Read:
    """The question whether it may be booked. Raises InvalidInputs with every error."""
    given = data if isinstance(data, WishInput) else parse_input(WishInput, data)
    return _read(actor, given, now, [])


def read_request(actor: Actor, data: RequestInput | Mapping[str, object], now: datetime) -> Read:
    """The same for a request to be filed. Raises NotAllowed for an override without the permission."""
    given = data if isinstance(data, RequestInput) else parse_input(RequestInput, data)
    if given.override_reason and not actor.roles & OVERRIDERS:
        words = _("Only a lead or manager lets a late request go on.")
        raise NotAllowed(words, code="override", field="override_reason", rule="APT-07")
    errors: list[DomainError] = []
    at = None
    try:
        at = read_time(given.time)
    except InvalidInput as error:
        errors.append(error)
    if given.channel == "HOSPITAL_DIRECT" and not given.time:
        words = _("Booked at the hospital itself: say for what time.")
        errors.append(InvalidInput(words, code="required", field="time", rule="NET-07"))
    found = _read(actor, given, now, errors)
    return Read(found.input, found.booking, at)


def _read(actor: Actor, given: WishInput, now: datetime, errors: list[DomainError]) -> Read:
    if given.visit_on < today(now):
        errors.append(InvalidInput(_("This day has passed."), code="past", field="visit_on"))
    if given.visit_on > today(now) + FARTHEST:
        words = _("The visit lies more than a year ahead.")
        errors.append(InvalidInput(words, code="too_far", field="visit_on"))
    hospital, campus, wrong = _place(given)
    errors += wrong
    policy, wrong = _policy(actor, given)
    errors += wrong
    if errors or policy is None or hospital is None:
        raise InvalidInputs(errors)
    booking = Booking(
        member=policy.member, policy=policy, covered=policy.in_force_on(given.visit_on),
        handbook_row=handbook_for(policy.series, given.visit_on), hospital=hospital, campus=campus,
        department_group=given.department_group, visit_type=given.visit_type,
        benefit=given.benefit or given.visit_type, visit_on=given.visit_on, cause=given.cause,
        channel=given.channel, expert=given.expert, emergency=given.emergency,
    )  # fmt: skip
    return Read(given, booking)


def _place(given: WishInput) -> tuple[Hospital | None, Campus | None, list[DomainError]]:
    hospital = Hospital.objects.filter(code=given.hospital).first()
    if hospital is None:
        words = _("No hospital has the code “%(code)s”.") % {"code": given.hospital[:40]}
        return None, None, [InvalidInput(words, code="unknown_hospital", field="hospital")]
    if not given.campus:
        return hospital, None, []
    campus = Campus.objects.select_related("hospital").filter(hospital=hospital, code=given.campus).first()
    if campus is None:
        words = _("This hospital has no campus “%(code)s”.") % {"code": given.campus[:40]}
        return hospital, None, [InvalidInput(words, code="unknown_campus", field="campus")]
    return hospital, campus, []


def _policy(actor: Actor, given: WishInput) -> tuple[Policy | None, list[DomainError]]:
    """The policy of the visit's day (C9), else the last one, under which the refusal is filed."""
    known = Policy.objects.filter(Q(member__number=given.member) | Q(number=given.member))
    known = known.select_related("member", "plan", "policyholder").order_by("-effective_on", "-id")
    found = list(visible_to(known, actor))
    if not found:
        nobody = _("No insured child has this member or policy number.")
        return None, [InvalidInput(nobody, code="unknown_member", field="member")]
    if len({policy.member_id for policy in found}) > 1:
        several = _("Several children are insured under this number; name the child by member number.")
        return None, [InvalidInput(several, code="several_children", field="member")]
    covering = [policy for policy in found if policy.in_force_on(given.visit_on)]
    if len(covering) > 1:
        words = _("Several policies cover %(day)s: %(numbers)s. Name one.") % {
            "day": given.visit_on,
            "numbers": ", ".join(f"{policy.number} ({policy.series})" for policy in covering),
        }
        return None, [InvalidInput(words, code="several_policies", field="member", rule="C9")]
    return (covering or found)[0], []
