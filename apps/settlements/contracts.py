"""Terms and accounts of hospitals: one person enters them, another confirms; rows stay as the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.actions import reveal
from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.trace import observe
from apps.cases.inputs import ask, parse_input
from apps.core.errors import Conflict, DomainError, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.hospitals.models import Hospital
from apps.payments.payees import HospitalAccountInput, build_hospital_payee
from apps.products.queries import current_handbook, series_codes
from apps.settlements.access import CHECKERS, MAKERS, READERS, TERMS_CHECKERS, TERMS_MAKERS, need
from apps.settlements.models import HospitalAccount, PaymentTerms, Proposed

RULE = "PR-25"
State = Proposed.State
Kind = PaymentTerms.Kind


@dataclass(frozen=True)
class TermsInput:
    """Terms as the contract says. Days are counted after the base day; a day that is no working day stays."""

    series: str = ask(gettext_lazy("Series"), max_length=10)
    kind: str = ask(gettext_lazy("Kind"), choices=list(Kind.choices), widget="select", rule=RULE)
    days: int = ask(gettext_lazy("Days"), minimum=0, maximum=365, rule=RULE)
    contract: str = ask(gettext_lazy("Contract"), min_length=2, max_length=60)
    starts_on: date = ask(gettext_lazy("Valid from"))
    reason: str = ask(gettext_lazy("Reason"), widget="textarea", min_length=4, max_length=200)
    unit: str = ask(
        gettext_lazy("Counted in"),
        default="CALENDAR",
        choices=list(PaymentTerms.Unit.choices),
        widget="select",
    )
    cutoff_day: int | None = ask(
        gettext_lazy("Cut-off day"), default=None, minimum=1, maximum=31, help=gettext_lazy("31 = the last of the month")
    )  # fmt: skip
    ends_on: date | None = ask(gettext_lazy("Valid until"), default=None, help=gettext_lazy("Empty = open"))
    contact_name: str = ask(gettext_lazy("Contact"), default="", max_length=80)
    contact_email: str = ask(gettext_lazy("Email"), default="", max_length=200)


def hospital_of(code: str) -> Hospital:
    found = Hospital.objects.filter(code=code.strip()).first()
    if found is None:
        raise NotFound(_("No such hospital: %(code)s") % {"code": code[:40]}, field="hospital")
    return found


# --- Terms -----------------------------------------------------------------------------------------


def propose_terms(
    actor: Actor, hospital: str, data: dict[str, Any], *, now: datetime | None = None
) -> PaymentTerms:
    """Enter terms of a hospital; they count once somebody else has confirmed them."""
    need(actor, TERMS_MAKERS)
    given = parse_input(TermsInput, data)
    if errors := _terms_errors(given):
        raise InvalidInputs(errors)
    _need_series(actor, given.series)
    return PaymentTerms.objects.create(
        hospital=hospital_of(hospital),
        series=given.series,
        tpa=current_handbook(given.series).handbook.tpa,
        kind=given.kind,
        days=given.days,
        unit=given.unit,
        cutoff_day=given.cutoff_day,
        contract=given.contract,
        contact_name=given.contact_name,
        contact_email=given.contact_email,
        starts_on=given.starts_on,
        ends_on=given.ends_on,
        reason=given.reason,
        proposed_by_id=actor.person_id,
        proposed_at=now or timezone.now(),
    )


def _terms_errors(given: TermsInput) -> list[DomainError]:
    errors: list[DomainError] = []
    if given.series not in series_codes():
        errors.append(
            InvalidInput(
                _("No such series: %(series)s") % {"series": given.series}, field="series", rule=RULE
            )
        )
    if (given.kind == Kind.MONTHLY) != (given.cutoff_day is not None):
        words = (
            _("Monthly terms need a cut-off day.")
            if given.kind == Kind.MONTHLY
            else _("Only monthly terms have a cut-off day.")
        )
        errors.append(InvalidInput(words, field="cutoff_day", code="cutoff", rule=RULE))
    if given.ends_on and given.ends_on < given.starts_on:
        errors.append(InvalidInput(_("The period ends before it begins."), field="ends_on", code="period"))
    if given.contact_email:
        try:
            validate_email(given.contact_email)
        except ValidationError:
            errors.append(InvalidInput(_("This is no e-mail address."), field="contact_email", code="email"))
    return errors


def confirm_terms(actor: Actor, pk: int, *, now: datetime | None = None) -> PaymentTerms:
    """Confirm terms that somebody else entered; the former ones end the day before."""
    need(actor, TERMS_CHECKERS)
    with transaction.atomic():
        row = _proposed(PaymentTerms, visible_to(PaymentTerms.objects.all(), actor), pk, actor)
        Hospital.objects.select_for_update().get(pk=row.hospital_id)
        others = PaymentTerms.objects.filter(
            hospital=row.hospital_id, series=row.series, state=State.IN_FORCE
        ).order_by("starts_on")
        for other in others:
            if other.starts_on >= row.starts_on and (row.ends_on is None or other.starts_on <= row.ends_on):
                raise Conflict(
                    _("Confirmed terms from %(day)s would overlap; give these an end before it.")
                    % {"day": other.starts_on},
                    code="overlap",
                    field="starts_on",
                    rule=RULE,
                )
            if other.starts_on < row.starts_on <= (other.ends_on or date.max):
                other.ends_on = row.starts_on - timedelta(days=1)
                other.save(update_fields=["ends_on"])
        return _confirm(row, actor, now)  # type: ignore[return-value]


def refuse_terms(actor: Actor, pk: int, *, now: datetime | None = None) -> PaymentTerms:
    """Turn proposed terms down; the row stays. Who entered them may take them back so."""
    need(actor, TERMS_CHECKERS | TERMS_MAKERS)
    with transaction.atomic():
        row = _proposed(PaymentTerms, visible_to(PaymentTerms.objects.all(), actor), pk)
        row.state = State.REFUSED
        row.save(update_fields=["state"])
    return row  # type: ignore[return-value]


def _need_series(actor: Actor, series: str) -> None:
    if actor.series and series not in actor.series:
        raise NotAllowed(_("You do not see series %(series)s.") % {"series": series}, code="series")


# --- Accounts --------------------------------------------------------------------------------------


def propose_account(
    actor: Actor, hospital: str, data: dict[str, Any], *, now: datetime | None = None
) -> HospitalAccount:
    """Enter the account of a hospital, also a corrected one: a new payee, in force once somebody else confirms it."""
    need(actor, MAKERS)
    given = parse_input(HospitalAccountInput, data)
    place = hospital_of(hospital)
    payee = build_hospital_payee(place, given)
    with transaction.atomic():
        payee.save(force_insert=True)
        return HospitalAccount.objects.create(
            hospital=place,
            payee=payee,
            reason=given.reason,
            proposed_by_id=actor.person_id,
            proposed_at=now or timezone.now(),
        )


def confirm_account(actor: Actor, pk: int, *, now: datetime | None = None) -> HospitalAccount:
    """Confirm an account that somebody else entered; the former one stays with the orders that used it."""
    need(actor, CHECKERS)
    with transaction.atomic():
        row = _proposed(HospitalAccount, HospitalAccount.objects.all(), pk, actor)
        HospitalAccount.objects.filter(hospital=row.hospital_id, state=State.IN_FORCE).update(
            state=State.REPLACED
        )
        return _confirm(row, actor, now)  # type: ignore[return-value]


def refuse_account(actor: Actor, pk: int, *, now: datetime | None = None) -> HospitalAccount:
    need(actor, CHECKERS | MAKERS)
    with transaction.atomic():
        row = _proposed(HospitalAccount, HospitalAccount.objects.all(), pk)
        row.state = State.REFUSED
        row.save(update_fields=["state"])
    return row  # type: ignore[return-value]


def reveal_account(actor: Actor, pk: int, *, reason: str) -> str:
    """The account number in full; asks why and logs who (LAW-09)."""
    need(actor, READERS)
    actor.person_id  # noqa: B018  machines are refused
    row = HospitalAccount.objects.select_related("payee", "hospital").filter(pk=pk).first()
    if row is None:
        raise NotFound(_("No such account."), field="account")
    reveal(actor, subject=f"hospital:{row.hospital.code}", what="account", reason=reason)
    return row.payee.account


# --- Shared ----------------------------------------------------------------------------------------


def _proposed(model: Any, visible: Any, pk: int, actor: Actor | None = None) -> Any:
    """The proposed row, locked. With an actor: who is not the one that entered it (four eyes)."""
    row = model.objects.select_for_update().filter(pk=pk, pk__in=visible.values("pk")).first()
    if row is None:
        raise NotFound(_("No such entry: %(number)s") % {"number": pk}, field="id")
    if row.state != State.PROPOSED:
        raise Conflict(_("This is “%(state)s” already.") % {"state": row.get_state_display()}, code="state")
    if actor is not None and observe(RULE, row.proposed_by_id == actor.user_id):
        raise NotAllowed(
            _("Four eyes: you entered this; somebody else must confirm it."), code="four_eyes", rule=RULE
        )
    return row


def _confirm(row: Any, actor: Actor, now: datetime | None) -> Any:
    row.state, row.confirmed_by_id, row.confirmed_at = State.IN_FORCE, actor.person_id, now or timezone.now()
    try:
        with transaction.atomic():
            row.save(update_fields=["state", "confirmed_by", "confirmed_at"])
    except IntegrityError as error:
        raise Conflict(_("Somebody else was faster. Reload and look again."), code="race") from error
    return row
