"""Payees: what is asked of them, and what is wrong with an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from stdnum import luhn

from apps.cases.inputs import ask
from apps.core.crypto import blind_index, mask
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.hospitals.models import Hospital
from apps.members.models import Member
from apps.payments.models import Payee

RELATIONS = [
    ("MOTHER", _("mother")),
    ("FATHER", _("father")),
    ("GUARDIAN", _("guardian")),
    ("SELF", _("the insured")),
    ("OTHER", _("other, with power of attorney")),
]
DEBIT_CARD_DIGITS = range(16, 20)


@dataclass(frozen=True)
class PayeeInput:
    """Structured bank data (RMB-12, RMB-33) and what the money-laundering check asks for."""

    name: str = ask(_("Account name"), max_length=80, min_length=2)
    relation: str = ask(_("Relation to the insured"), choices=RELATIONS, widget="select")
    bank: str = ask(_("Bank"), max_length=80, min_length=2)
    account: str = ask(_("Account number"), max_length=34)
    branch: str = ask(_("Branch"), default="", max_length=120)
    clearing_number: str = ask(_("Clearing number"), default="", max_length=12, help=_("12 digits"))
    id_type: str = ask(_("Identity type"), default="", max_length=20)
    id_number: str = ask(_("Identity number"), default="", max_length=40)
    id_valid_until: date | None = ask(_("Identity valid until"), default=None)
    nationality: str = ask(_("Nationality"), default="CN", max_length=40)
    occupation: str = ask(_("Occupation"), default="", max_length=60)
    address: str = ask(_("Address"), default="", max_length=200)
    corporate: bool = ask(_("Corporate account"), default=False)


def build_payee(member: Member, data: PayeeInput, *, path: str = "payee.", branch_rule: str = "") -> Payee:
    """An unsaved payee; raises InvalidInputs naming every wrong field.

    `branch_rule` is the rule id of a series that asks for the branch (RMB-33), "" when it does not.
    """
    account = data.account.replace(" ", "").replace("-", "")
    errors = [*_account_errors(account, data, path), *_other_errors(data, path, branch_rule)]
    if errors:
        raise InvalidInputs(errors)
    return Payee(
        member=member,
        name=data.name,
        relation=data.relation,
        bank=data.bank,
        branch=data.branch,
        clearing_number=data.clearing_number,
        account=account,
        account_index=blind_index(account, "account"),
        account_masked=mask(account, 4, 4),
        id_type=data.id_type,
        id_number=data.id_number,
        id_index=blind_index(data.id_number, "id_number") if data.id_number else "",
        id_masked=mask(data.id_number) if data.id_number else "",
        id_valid_until=data.id_valid_until,
        nationality=data.nationality,
        occupation=data.occupation,
        address=data.address,
        corporate=data.corporate,
    )


@dataclass(frozen=True)
class HospitalAccountInput:
    """The account of a hospital: always a corporate one, with the branch that the bank's form asks for."""

    name: str = ask(_("Account name"), max_length=80, min_length=2)
    bank: str = ask(_("Bank"), max_length=80, min_length=2)
    branch: str = ask(_("Branch"), max_length=120, min_length=2)
    account: str = ask(_("Account number"), max_length=40)
    reason: str = ask(
        _("Reason"), widget="textarea", min_length=4, max_length=200, help=_("Why, and which paper says so")
    )
    clearing_number: str = ask(_("Clearing number"), default="", max_length=12, help=_("12 digits"))


def build_hospital_payee(hospital: Hospital, data: HospitalAccountInput) -> Payee:
    """An unsaved payee of a hospital; raises InvalidInputs naming every wrong field."""
    return _corporate(data, "HOSPITAL", hospital=hospital)


def build_provider_payee(provider: str, data: HospitalAccountInput) -> Payee:
    """An unsaved payee of a provider that advances; raises InvalidInputs naming every wrong field."""
    return _corporate(data, "PROVIDER", provider=provider)


def _corporate(data: HospitalAccountInput, relation: str, **owner: Any) -> Payee:
    account = data.account.replace(" ", "").replace("-", "")
    plain = PayeeInput(
        name=data.name, relation=relation, bank=data.bank, branch=data.branch, account=account,
        clearing_number=data.clearing_number, corporate=True,
    )  # fmt: skip
    errors = [*_account_errors(account, plain, ""), *_other_errors(plain, "", "")]
    if errors:
        raise InvalidInputs(errors)
    return Payee(
        name=data.name,
        relation=relation,
        bank=data.bank,
        branch=data.branch,
        clearing_number=data.clearing_number,
        account=account,
        account_index=blind_index(account, "account"),
        account_masked=mask(account, 4, 4),
        corporate=True,
        **owner,
    )


def _account_errors(account: str, data: PayeeInput, path: str) -> list[DomainError]:
    if not account.isascii() or not account.isdigit() or not 8 <= len(account) <= 30:
        return [
            InvalidInput(_("An account number has 8 to 30 digits."), field=path + "account", code="account")
        ]
    is_card = not data.corporate and len(account) in DEBIT_CARD_DIGITS and account.startswith("62")
    if is_card and not luhn.is_valid(account):
        expected = luhn.calc_check_digit(account[:-1])
        return [
            InvalidInput(
                _(
                    "The check digit of this card number is wrong: it ends in %(found)s, %(expected)s would be right."
                )
                % {"found": account[-1], "expected": expected},
                field=path + "account",
                code="check_digit",
            )
        ]
    return []


def _other_errors(data: PayeeInput, path: str, branch_rule: str) -> list[DomainError]:
    errors: list[DomainError] = []
    if branch_rule and not data.branch:
        errors.append(
            InvalidInput(
                _("This series asks for the bank branch."),
                field=path + "branch",
                code="required",
                rule=branch_rule,
            )
        )
    if data.clearing_number and not (data.clearing_number.isdigit() and len(data.clearing_number) == 12):
        errors.append(
            InvalidInput(
                _("A clearing number has 12 digits."), field=path + "clearing_number", code="clearing"
            )
        )
    return errors
