"""Reading an application: everything wrong with it at once, and everything it names looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.adjudication.words import channel_names
from apps.advances.assess import SERVICE
from apps.advances.inputs import MAXIMUM_LINES, ApplyInput
from apps.cases.inputs import parse_input
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.hospitals.models import Campus, Hospital
from apps.hospitals.queries import visible_hospitals
from apps.members.models import Policy
from apps.products.models import HandbookVersion
from apps.products.queries import handbook_for

FARTHEST = timedelta(days=180)


@dataclass(frozen=True)
class Application:
    """One that can be filed, with all it names."""

    input: ApplyInput
    policy: Policy
    handbook: HandbookVersion
    hospital: Hospital
    campus: Campus | None


def read_application(actor: Actor, data: ApplyInput | Mapping[str, Any], now: datetime) -> Application:
    """Raises InvalidInputs with every error; of a series without advances, ADV-22 and the way that is left."""
    given = data if isinstance(data, ApplyInput) else parse_input(ApplyInput, data)
    errors = [*_check_dates(given, now), *_check_lines(given)]
    policy, wrong = _policy(actor, given)
    errors += wrong
    hospital, campus, wrong = _place(actor, given)
    errors += wrong
    if policy is None:
        raise InvalidInputs(errors)
    handbook = handbook_for(policy.series, given.admitted_on)
    closed = _offered(handbook.handbook)
    errors += closed or _check_service(given, handbook.handbook)
    if errors or hospital is None:
        raise InvalidInputs(errors)
    return Application(given, policy, handbook, hospital, campus)


# --- Checks -----------------------------------------------------------------------------------------


def _offered(handbook: Handbook) -> list[DomainError]:
    """ADV-22: nothing else of the application matters where the series knows no advance (GEN-04)."""
    service = handbook.service(SERVICE)
    rule = service.rule if service else "GEN-04"
    if not observe(rule, service is None or not service.offered):
        return []
    where = service.redirect if service else None
    instead = (where.en if (get_language() or "").startswith("en") else where.zh) if where else ""
    words = _("Series %(series)s knows no inpatient advance. %(instead)s") % {
        "series": handbook.series, "instead": instead,
    }  # fmt: skip
    return [InvalidInput(words, code="closed", field="member", rule=rule, data={"redirect": "REIMBURSEMENT"})]


def _check_service(given: ApplyInput, handbook: Handbook) -> list[DomainError]:
    """ADV-04: by the hotline. ADV-02, ADV-13: what the family has to say first."""
    service = handbook.service(SERVICE)
    assert service is not None  # `_offered` looked
    errors: list[DomainError] = []
    if observe(service.channel_rule, given.channel not in service.channels):
        words = _("An advance is applied for by: %(channels)s. Ask the family to call.") % {
            "channels": channel_names(service.channels)
        }
        errors.append(InvalidInput(words, code="channel", field="channel", rule=service.channel_rule))
    if observe("ADV-02", not given.need):
        unsaid = _("Without the family's word that money is short there is no advance.")
        errors.append(InvalidInput(unsaid, code="need", field="need", rule="ADV-02"))
    return errors


def _check_dates(given: ApplyInput, now: datetime) -> list[DomainError]:
    today = timezone.localtime(now).date()
    if given.admitted and given.admitted_on > today:
        ahead = _("The admission lies in the future.")
        return [InvalidInput(ahead, code="future", field="admitted_on", rule="ADV-02")]
    if given.admitted_on > today + FARTHEST:
        words = _("The admission lies more than %(days)d days ahead.") % {"days": FARTHEST.days}
        return [InvalidInput(words, code="too_far", field="admitted_on")]
    return []


def _check_lines(given: ApplyInput) -> list[DomainError]:
    if not given.lines:
        return [InvalidInput(_("At least one expected cost is needed."), code="required", field="lines")]
    if len(given.lines) > MAXIMUM_LINES:
        words = _("At most %(limit)d items are possible.") % {"limit": MAXIMUM_LINES}
        return [InvalidInput(words, code="too_many", field="lines")]
    if given.expected > sum(line.amount for line in given.lines):
        more = _("Others cannot pay more than the expected cost.")
        return [InvalidInput(more, code="too_large", field="expected")]
    return []


# --- Look-ups ---------------------------------------------------------------------------------------


def _place(actor: Actor, given: ApplyInput) -> tuple[Hospital | None, Campus | None, list[DomainError]]:
    hospital = visible_hospitals(actor).filter(code=given.hospital).first()
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


def _policy(actor: Actor, given: ApplyInput) -> tuple[Policy | None, list[DomainError]]:
    """The policy of the day of admission (C9, PR-14); none in force: the latest, and the verification says so."""
    condition = Q(member__number=given.member) | Q(number=given.member)
    policies = Policy.objects.filter(condition).select_related("member", "plan", "policyholder")
    found = list(visible_to(policies, actor).order_by("-effective_on", "-id"))
    if not found:
        words = _("No insured child is found with these data; compare number, name and date of birth.")
        return None, [InvalidInput(words, code="unknown_member", field="member")]
    if len({policy.member_id for policy in found}) > 1:
        words = _("Several children are insured under this number; name the child by member number.")
        return None, [InvalidInput(words, code="several_children", field="member")]
    return _of_day(found, given.admitted_on)


def _of_day(found: list[Policy], day: date) -> tuple[Policy | None, list[DomainError]]:
    covering = [policy for policy in found if policy.in_force_on(day)]
    if len(covering) > 1:
        numbers = ", ".join(f"{policy.number} ({policy.series})" for policy in covering)
        words = _("Several policies cover %(day)s: %(numbers)s. Name one.") % {"day": day, "numbers": numbers}
        return None, [InvalidInput(words, code="several_policies", field="member", rule="C9")]
    return (covering or found)[0], []
