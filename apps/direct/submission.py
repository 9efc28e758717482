"""Reading what a hospital sends: everything wrong with it at once, and everything it names looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.adjudication.handbook import Handbook
from apps.authorizations.models import Authorization
from apps.cards.models import Card
from apps.cards.queries import grey_rule, greyed_card, read_card
from apps.claims.inputs import MemberInput
from apps.claims.reporting import Found, Report, Shape, policies_of, read_report
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.direct.inputs import DirectBillInput, DirectVisitInput, SubmitInput
from apps.direct.letter import GONE, check_emergency, find, fitting, notified_in_time, observed
from apps.direct.models import Flag
from apps.direct.roles import HOSPITAL
from apps.hospitals.models import Hospital
from apps.members.brands import elsewhere, lock_of, lock_rule, tied
from apps.members.models import Member, Policy


@dataclass
class Submission:
    """What can be booked: the report, its letter, and what a reviewer should mind."""

    report: Report
    letter: Authorization | None
    card_number: str
    waived: bool | None
    flags: list[str]

    @property
    def input(self) -> SubmitInput:
        given = self.report.input
        assert isinstance(given, SubmitInput)
        return given

    @property
    def hospital(self) -> Hospital:
        return self.report.hospitals[self.input.visits[0].hospital]


def read_submission(
    actor: Actor,
    data: SubmitInput | Mapping[str, Any],
    now: datetime,
    *,
    policy: Policy | None = None,
    letter: Authorization | None = None,
) -> Submission:
    """Parse, check and look up; raises InvalidInputs with every error and its path, NotAllowed for another
    hospital's claim, Blocked for a greyed card (BIL-03) or another brand (VAC-04).

    `policy` and `letter` are those of a stay that has its case already.
    """
    if policy is not None:
        known = policy
        shape = Shape(SubmitInput, DirectVisitInput, DirectBillInput, lambda *_given: ([known], []))
    else:
        shape = SHAPE
    report = read_report(actor, data, now, shape=shape)
    given = report.input
    assert isinstance(given, SubmitInput)
    _check_place(actor, given)
    errors = [
        *_check_shape(given),
        *check_emergency(given.emergency_at, now),
        *check_email(given.contact_email),
    ]
    card_number, wrong = check_card(given.card, report.member)
    errors += wrong
    hospital, visit = report.hospitals[given.visits[0].hospital], given.visits[0]
    if given.authorization:
        try:
            letter = find(given.authorization, report.member.pk, hospital.pk, field_name="authorization")
        except InvalidInput as error:
            errors.append(error)
    elif letter is None and not errors:
        benefit = visit.benefit or visit.visit_type
        letter = fitting(report.member.pk, hospital.pk, visit.started_on, benefit)
    if errors:
        raise InvalidInputs(errors)
    handbook = report.handbook.handbook
    flags = check_serves(handbook, report.policy, hospital, visit.benefit or visit.visit_type, visit.started_on,
                         until=visit.ended_on)  # fmt: skip
    if differs(handbook, report.member, given.id_type, given.id_photo):
        flags.append(Flag.IDENTITY_DIFFERS.value)
    if letter is not None and letter.case.state in GONE | {"EXPIRED", "CLOSED"}:
        flags.append(Flag.LETTER_OVER.value)
    waived = notified_in_time(handbook, given.emergency_at, now) if given.emergency_at else None
    if given.emergency_at and waived is False and letter is None:
        flags.append(Flag.LATE_NOTICE.value)
    urgent = given.emergency_at is not None and waived is not False
    return Submission(report, letter, card_number, urgent if given.emergency_at else None, flags)


def _check_place(actor: Actor, given: SubmitInput) -> None:
    check_place(actor, [visit.hospital for visit in given.visits])


def check_place(actor: Actor, hospitals: list[str]) -> None:
    if actor.hospital and any(code != actor.hospital for code in hospitals):
        words = _("A hospital bills for itself only.")
        raise NotAllowed(words, code="hospital", field="visits.0.hospital")


def _check_shape(given: SubmitInput) -> list[DomainError]:
    errors: list[DomainError] = []
    if len(given.visits) > 1:
        words = _("A direct-billing claim is one visit or one stay; send the others as claims of their own.")
        errors.append(InvalidInput(words, code="one_visit", field="visits", rule="PR-13"))
    for position, visit in enumerate(given.visits):
        for number, bill in enumerate(visit.bills):
            errors += [
                InvalidInput(
                    _("More was collected than the line amounts to."), code="too_large", rule="BIL-22",
                    field=f"visits.{position}.bills.{number}.lines.{index}.collected",
                )
                for index, line in enumerate(bill.lines) if line.collected > line.amount - line.third_party
            ]  # fmt: skip
    return errors


def check_email(address: str) -> list[DomainError]:
    if not address:
        return []
    try:
        validate_email(address)
    except ValidationError:
        return [InvalidInput(_("This is no e-mail address."), code="email", field="contact_email")]
    return []


# --- The child and its card -----------------------------------------------------------------------------


def child_at_the_desk(actor: Actor, given: MemberInput, today: date) -> Found:
    """A hospital sees no children: it names one by number, name and date of birth, and learns nothing else
    when one of them is wrong. Everybody else names the child as in a report."""
    if HOSPITAL not in actor.roles:
        return policies_of(actor, given, today)
    number = given.number or given.policy
    missing = [
        name
        for name, value in (("number", number), ("name", given.name), ("birth_date", given.birth_date))
        if not value
    ]
    if missing:
        words = _("A hospital names the child by number, name and date of birth.")
        return [], [InvalidInput(words, code="required", field=f"member.{missing[0]}")]
    policies = Policy.objects.filter(Q(member__number=number) | Q(number=number))
    if actor.series:
        policies = policies.filter(series__in=sorted(actor.series))
    children = Member.objects.filter(pk__in=policies.values("member"), birth_date=given.birth_date)
    named = [child.pk for child in children if child.name.replace(" ", "") == given.name.replace(" ", "")]
    if len(named) != 1:
        words = _("No insured child is found with these data; compare number, name and date of birth.")
        return [], [InvalidInput(words, code="unknown_member", field="member.number")]
    own = Policy.objects.filter(member=named[0]).select_related("member", "plan", "policyholder")
    return list(own.order_by("-effective_on", "-id")), []


SHAPE = Shape(SubmitInput, DirectVisitInput, DirectBillInput, child_at_the_desk)


def check_card(text: str, member: Member, *, field: str = "card") -> tuple[str, list[DomainError]]:
    """VIS-01, VIS-04: the card shown is the patient's own."""
    if not text:
        return "", []
    try:
        number = read_card(text)
    except DomainError as error:
        error.field, error.rule = field, "VIS-04"
        return "", [error]
    card = Card.objects.filter(number=number).first()
    if observed("VIS-04", card is None or card.member_id != member.pk):
        words = _("This is not the child's own card.")
        return "", [InvalidInput(words, code="other_card", field=field, rule="VIS-04")]
    return number, []


def differs(handbook: Handbook, member: Member, id_type: str, has_photo: bool) -> bool:
    """VIS-01: an identity paper with photo, of the type of the enrollment; else the reviewer is told."""
    if "VIS-01" not in handbook.rules or not id_type:
        return False
    return observed("VIS-01", id_type != member.id_type or not has_photo)


# --- Whether direct billing serves at all ---------------------------------------------------------------


def check_serves(
    handbook: Handbook, policy: Policy, hospital: Hospital, benefit: str, day: date, *, until: date | None
) -> list[str]:
    """BIL-03, BIL-21: nothing is billed directly after the card was greyed; a stay that had begun is honored
    and flagged. VAC-04, VAC-22: nothing at another brand than that of the first visit."""
    flags = []
    card, rule = greyed_card(policy.pk), grey_rule(handbook)
    if card is not None and card.greyed_at is not None:
        since = timezone.localtime(card.greyed_at).date()
        if observed(rule, day > since):
            words = _(
                "The card is greyed since %(day)s (%(reason)s): what was treated later is not billed directly."
            )
            raise Blocked(
                words % {"day": since, "reason": card.greyed_for},
                code="greyed",
                rule=rule,
                field="visits.0.started_on",
            )
        if until is None or until > since:
            flags.append(Flag.CARD_GREYED.value)
    else:
        observed(rule, False)
    lock = lock_of(policy.pk, benefit) if tied(handbook, benefit) else None
    if elsewhere(handbook, lock, benefit, hospital):
        assert lock is not None
        words = _(
            "This benefit is tied to the brand “%(brand)s” since %(day)s; direct billing serves there only."
        )
        raise Blocked(
            words % {"brand": lock.brand, "day": lock.visited_on}, code="other_brand", rule=lock_rule(handbook),
            field="visits.0.hospital",
        )  # fmt: skip
    return flags
