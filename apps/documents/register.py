"""Every bill once, over all claims (PR-01, LAW-11).

The identity of a bill follows from its type. An electronic fiscal bill and the paper it was
exchanged for carry the same code and number, so they share one identity.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.visibility import visible_to
from apps.adjudication.trace import observe
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs
from apps.documents.models import BillRegister

SEEN = "BILL_SEEN"
RULE_KEY, RULE = "papers.bill_register", "LAW-11"


# --- Identity -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """What code, number and check code of a bill type look like, with words for the user."""

    space: str
    code: str
    number: str
    check: str
    code_words: Callable[[], str]
    number_words: Callable[[], str]


def _fiscal(check: str) -> Shape:
    return Shape(
        "FISCAL", r"\d{8}", r"\d{10}", check,
        lambda: _("The code of a fiscal medical bill has 8 digits."),
        lambda: _("The number of a fiscal medical bill has 10 digits."),
    )  # fmt: skip


SHAPES = {
    "FISCAL_E": _fiscal(r"[0-9A-Z]{6}"),
    "FISCAL_PAPER": _fiscal(r"([0-9A-Z]{6})?"),
    "VAT": Shape(
        "VAT", r"\d{10}|\d{12}", r"\d{8}", r"[0-9A-Z]{0,20}",
        lambda: _("The code of a VAT invoice has 10 or 12 digits."),
        lambda: _("The number of a VAT invoice has 8 digits."),
    ),
    "DIGITAL": Shape(
        "DIGITAL", r"", r"\d{20}", r"[0-9A-Z]{0,20}",
        lambda: _("A fully digital invoice has no code; leave it empty."),
        lambda: _("The number of a fully digital invoice has 20 digits."),
    ),
    "OTHER": Shape(
        "OTHER", r"[0-9A-Z]{0,20}", r"[0-9A-Z]{1,20}", r"[0-9A-Z]{0,20}",
        lambda: _("At most 20 letters and digits are expected."),
        lambda: _("1 to 20 letters and digits are expected."),
    ),
}  # fmt: skip


def bill_identity(
    bill_type: str, code: str, number: str, check_code: str = "", *, issuer: str = "", field: str = ""
) -> str:
    """'FISCAL:01020304:1234567890'. Raises InvalidInputs naming every wrong part (PR-01).

    `issuer` (a hospital's code) keeps the numbers of OTHER bills of different houses apart; `field`
    is the input path of the bill ("visits.0.bills.1").
    """
    path = f"{field}." if field else ""
    shape = SHAPES.get(bill_type)
    if shape is None:
        raise InvalidInput(
            _("“%(type)s” is no bill type. Expected: %(expected)s.")
            % {"type": bill_type, "expected": ", ".join(SHAPES)},
            code="bill_type",
            field=f"{path}bill_type",
            rule="PR-01",
        )
    code, number, check = clean_number(code), clean_number(number), clean_number(check_code)
    checks = (
        ("code", code, shape.code, shape.code_words),
        ("number", number, shape.number, shape.number_words),
        ("check_code", check, shape.check, lambda: _("The check code has 6 letters and digits.")),
    )
    errors: list[DomainError] = [
        InvalidInput(words(), code=f"bill_{name}", field=path + name, rule="PR-01")
        for name, value, pattern, words in checks
        if not re.fullmatch(pattern, value)
    ]
    if errors:
        raise InvalidInputs(errors)
    parts = [shape.space, *([clean_number(issuer)] if bill_type == "OTHER" and issuer else []), code, number]
    return ":".join(part for part in parts if part)


def clean_number(text: str) -> str:
    """Full-width digits, spaces and hyphens as people type or paste them."""
    return re.sub(r"[\s\-‐–—_]", "", unicodedata.normalize("NFKC", text or "")).upper()


# --- Register -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BillClaim:
    """A bill to register; `field` is the input path shown in errors ("visits.0.bills.1")."""

    identity: str
    amount_fen: int
    issued_on: date
    field: str = ""


def register_bills(ctx: Any, bills: Sequence[BillClaim]) -> None:
    """Register the bills of `ctx.case`, all or none: one SELECT, one INSERT.

    Bills of this case that stand already are left alone, so an edited claim may call it again.
    Raises Blocked (code BILL_SEEN, LAW-11) naming the other case if the actor may see it, also when
    another intake wins the race between the two statements.
    """
    _refuse_repetition(ctx, bills)
    fresh = _not_yet_registered(ctx, bills)
    rows = [
        BillRegister(
            identity=bill.identity,
            number=bill.identity.rpartition(":")[2],
            case=ctx.case,
            amount_fen=bill.amount_fen,
            issued_on=bill.issued_on,
        )
        for bill in fresh
    ]
    try:
        with transaction.atomic():
            BillRegister.objects.bulk_create(rows)
    except IntegrityError:
        _not_yet_registered(ctx, bills)  # the winner has committed: this names its case
        raise


def _refuse_repetition(ctx: Any, bills: Sequence[BillClaim]) -> None:
    seen: set[str] = set()
    for bill in bills:
        if bill.identity in seen:
            observe(rule_id(ctx), True)
            raise Blocked(
                _("Bill %(bill)s appears twice in this claim.") % {"bill": printed(bill.identity)},
                code=SEEN,
                field=bill.field,
                rule=rule_id(ctx),
            )
        seen.add(bill.identity)


def _not_yet_registered(ctx: Any, bills: Sequence[BillClaim]) -> list[BillClaim]:
    taken = dict(
        BillRegister.objects.filter(identity__in=[bill.identity for bill in bills], released_at=None)
        .values_list("identity", "case")
    )  # fmt: skip
    foreign = [bill for bill in bills if taken.get(bill.identity, ctx.case.pk) != ctx.case.pk]
    if observe(rule_id(ctx), bool(foreign)):
        raise _seen(ctx, foreign[0], taken[foreign[0].identity])
    return [bill for bill in bills if bill.identity not in taken]


def _seen(ctx: Any, bill: BillClaim, case_id: int) -> Blocked:
    other = (
        visible_to(CaseFile.objects.filter(pk=case_id), ctx.actor).values_list("number", flat=True).first()
    )
    words = (
        _("Bill %(bill)s has been claimed already in %(case)s.")
        % {"bill": printed(bill.identity), "case": other}
        if other
        else _("Bill %(bill)s has been claimed already.") % {"bill": printed(bill.identity)}
    )
    data = {"identity": bill.identity} | ({"case": other} if other else {})
    return Blocked(words, code=SEEN, field=bill.field, rule=rule_id(ctx), data=data)


def rule_id(ctx: Any) -> str:
    """The id the series of the case gives to the register's rule."""
    rule = ctx.handbook.rule(RULE_KEY)
    return rule.id if rule else RULE


def printed(identity: str) -> str:
    """As people read it: code and number without the name of the number space."""
    return " ".join(identity.split(":")[1:])


def release_bills(case: CaseFile) -> int:
    """A withdrawn or refused claim frees its bills for another one; returns how many."""
    return BillRegister.objects.filter(case=case, released_at=None).update(released_at=timezone.now())
