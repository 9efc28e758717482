"""At the hospital: card and identity checked, the visit done and signed for (VIS-01, VIS-04, APT-05, APT-06)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.appointments import guards
from apps.appointments.actions.request import close
from apps.appointments.judging import first_rule, today
from apps.appointments.roles import COUNTER, DESK, HOSPITAL, MANAGERS, OVERRIDERS
from apps.appointments.workflow import KIND
from apps.cards.queries import Verdict, verify
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.members.brands import lock_of, lock_rule, tied
from apps.members.models import BrandLock, IdType


@dataclass(frozen=True)
class CheckInInput:
    """What the family shows at the counter."""

    card: str = ask(_("Card number or code"), max_length=200, rule="VIS-04")
    id_type: str = ask(_("Identity shown"), choices=list(IdType.choices), widget="select", rule="VIS-01")
    photo: bool = ask(_("With photo"), default=False, rule="VIS-01")
    override_reason: str = ask(
        _("Identity accepted though different, because"),
        default="",
        max_length=400,
        help=_("needs a permission"),
    )


@dataclass(frozen=True)
class CompleteInput:
    form_signed: bool = ask(_("Claim form signed"), default=False, rule="APT-06")
    receipt_signed: bool = ask(_("Receipt signed"), default=False, rule="APT-06")
    signed_by: str = ask(_("Signed by"), default="", max_length=80, help=_("a guardian signs for a child"))


@dataclass(frozen=True)
class WhyInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=400)


def _check_in(ctx: Ctx[CheckInInput]) -> None:
    """The patient's own card, valid and showing this day, and an identity paper as the series asks."""
    shown, given = ctx.input, ctx.subject
    assert shown is not None
    _own_card(ctx, _read_card(ctx, shown.card))
    _identity(ctx, shown)
    given.shown_id_type, given.id_photo, given.checked_in_at = shown.id_type, shown.photo, ctx.now
    given.remind_at = None
    ctx.update(
        given,
        "card",
        "card_shown_on",
        "shown_id_type",
        "id_photo",
        "id_override",
        "checked_in_at",
        "remind_at",
    )
    ctx.data |= {"id_type": shown.id_type, "photo": shown.photo}


def _read_card(ctx: Ctx[Any], text: str) -> Verdict:
    assert ctx.case.hospital is not None
    try:
        return verify(ctx.actor, text=text, on=today(ctx.now), now=ctx.now, hospital=ctx.case.hospital.code)
    except DomainError as error:
        error.field = "card"
        raise


def _own_card(ctx: Ctx[Any], found: Verdict) -> None:
    rule = first_rule(ctx.handbook, "VIS-04")
    if observe(rule, found.card.policy_id != ctx.case.policy_id):
        words = _("This is not the card of this child's policy.")
        raise Blocked(words, code="other_card", field="card", rule=rule)
    if found.why:
        why = found.why[0]
        raise Blocked(why.words, code=why.code, field="card", rule=why.rule or rule)
    ctx.subject.card, ctx.subject.card_shown_on = found.card, found.shown_on


def _identity(ctx: Ctx[CheckInInput], shown: CheckInInput) -> None:
    """VIS-01: with photo and of the kind of the enrollment; a lead may accept another one, with a reason."""
    handbook = ctx.handbook
    rule = first_rule(handbook, "VIS-01", "VIS-04")
    wrong = _what_is_wrong(ctx, shown)
    observe(rule, bool(wrong))
    if not wrong:
        return
    if not shown.override_reason:
        raise Blocked(wrong, code="identity", field="id_type", rule=rule)
    if not ctx.actor.roles & OVERRIDERS:
        words = _("Only a lead or manager accepts another identity paper.")
        raise NotAllowed(words, code="override", field="override_reason", rule=rule)
    ctx.subject.id_override = shown.override_reason
    ctx.reason = shown.override_reason


def _what_is_wrong(ctx: Ctx[Any], shown: CheckInInput) -> Any:
    handbook, member = ctx.handbook, ctx.case.member
    if handbook.value("visit.id_type_as_enrolled") and shown.id_type != member.id_type:
        words = _("Enrolled with another paper: %(paper)s.")
        return words % {"paper": IdType(member.id_type).label}
    types = handbook.value("photo_id.types", ())
    if handbook.value("visit.photo_id_required") and (not shown.photo or shown.id_type not in types):
        return _("A valid identity paper with photo is needed.")
    return ""


def _undo(ctx: Ctx[WhyInput]) -> None:
    assert ctx.input is not None
    given, ctx.reason = ctx.subject, ctx.input.reason
    given.card, given.card_shown_on, given.shown_id_type, given.id_photo = None, None, "", None
    given.id_override, given.checked_in_at = "", None
    ctx.update(given, "card", "card_shown_on", "shown_id_type", "id_photo", "id_override", "checked_in_at")


def _complete(ctx: Ctx[CompleteInput]) -> None:
    assert ctx.input is not None
    finish(ctx, ctx.input)


def finish(ctx: Ctx[Any], signed: CompleteInput) -> None:
    """Form and receipt are signed, and the first visit ties the benefit to the brand (VAC-04)."""
    _signed(ctx, signed)
    given = ctx.subject
    given.form_signed, given.receipt_signed = signed.form_signed, signed.receipt_signed
    given.signed_by, given.completed_at = signed.signed_by.strip(), ctx.now
    ctx.update(given, "form_signed", "receipt_signed", "signed_by", "completed_at")
    _tie(ctx)
    close(ctx)


def _signed(ctx: Ctx[Any], signed: CompleteInput) -> None:
    rule = first_rule(ctx.handbook, "APT-06", "DBO-02", "VIS-04")
    bill = first_rule(ctx.handbook, "VAC-03", "VAC-21") if tied(ctx.handbook, ctx.subject.benefit) else rule
    errors: list[DomainError] = []
    if bill != rule:
        observe(bill, not signed.receipt_signed)
    if observe(rule, not (signed.form_signed and signed.receipt_signed)):
        for field, ok, of in (
            ("form_signed", signed.form_signed, rule),
            ("receipt_signed", signed.receipt_signed, bill),
        ):
            if not ok:
                words = _("A direct-billed visit ends with claim form and receipt signed.")
                errors.append(InvalidInput(words, code="unsigned", field=field, rule=of))
    if not signed.signed_by.strip():
        errors.append(InvalidInput(_("Who signed?"), code="required", field="signed_by", rule=rule))
    if errors:
        raise InvalidInputs(errors)


def _tie(ctx: Ctx[Any]) -> None:
    given, hospital = ctx.subject, ctx.case.hospital
    if not tied(ctx.handbook, given.benefit) or hospital is None:
        return
    if observe(lock_rule(ctx.handbook), lock_of(ctx.case.policy_id, given.benefit) is None):
        ctx.add(
            BrandLock(
                policy=ctx.case.policy, benefit=given.benefit, brand=hospital.own_brand, visited_on=given.visit_on,
                visit=ctx.case.number,
            )
        )  # fmt: skip
        ctx.data["brand"] = hospital.own_brand


def _found_present(ctx: Ctx[WhyInput]) -> None:
    """Marked as missed by the calendar, and the hospital shows that the child was there."""
    assert ctx.input is not None
    given, ctx.reason = ctx.subject, ctx.input.reason
    given.flagged, given.checked_in_at = False, ctx.now
    given.hold_slot()
    ctx.update(given, "flagged", "checked_in_at", "slot")
    ctx.case.open, ctx.case.closed_at = True, None


ACTIONS: tuple[Action[Any], ...] = (
    Action("check_in", _("Arrived: card and identity"), COUNTER, _check_in, transition="check_in", input=CheckInInput,
           guards=(guards.on_the_day, guards.still_possible), event="checked_in", style="primary", order=10),
    Action("undo_check_in", _("Not arrived after all"), DESK, _undo, transition="undo_check_in", input=WhyInput,
           event="check_in_undone", order=70),
    Action("complete", _("Visit done"), COUNTER | {HOSPITAL}, _complete, transition="complete", input=CompleteInput,
           event="visit_completed", style="primary", order=10),
    Action("found_present", _("The child was there"), MANAGERS, _found_present, transition="find_present",
           input=WhyInput, guards=(guards.not_asked_again,), order=20),
)  # fmt: skip
for action in ACTIONS:
    KIND.action(action)
