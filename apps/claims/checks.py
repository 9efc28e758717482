"""What can be wrong with reported visits, bills and lines, without looking anything up.

Each check yields errors with the path of the field; none stops the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.claims.inputs import (
    MAXIMUM_LINES,
    BillInput,
    DiagnosisInput,
    LineInput,
    ProcedureInput,
    VisitInput,
)
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.core.money import format_yuan, to_fen
from apps.documents.register import bill_identity

# National (GB) and insurance (YB) versions: J20.900, J20.900x001, A17.000+, M49.000*; plain J20.9.
ICD_10 = re.compile(r"[A-Z]\d{2}(\.[0-9x]{1,3}(x\d{3})?)?[+*]?")
ICD_9 = re.compile(r"\d{2}(\.\d{1,4}(x\d{3})?)?")
STAYS = ("INPATIENT", "OBSERVATION_WARD")


def check_visit(visit: VisitInput, path: str, today: date) -> Iterator[DomainError]:
    yield from _dates_of_visit(visit, path, today)
    if not visit.bills:
        yield InvalidInput(_("A visit has at least one bill."), code="required", field=f"{path}.bills")
    for index, diagnosis in enumerate(visit.diagnoses):
        yield from check_code(diagnosis, f"{path}.diagnoses.{index}.code")
    for index, procedure in enumerate(visit.procedures):
        yield from check_code(procedure, f"{path}.procedures.{index}.code")


def check_code(given: DiagnosisInput | ProcedureInput, field: str) -> Iterator[DomainError]:
    """ICD-10 of a diagnosis, ICD-9-CM-3 of a procedure."""
    pattern, example = (ICD_10, "J20.900") if isinstance(given, DiagnosisInput) else (ICD_9, "47.0901")
    if not pattern.fullmatch(given.code):
        yield _unknown(given.code, example, field)


def _unknown(code: str, example: str, field: str) -> InvalidInput:
    words = _("“%(value)s” is no such code. Expected: one like %(example)s.") % {
        "value": code,
        "example": example,
    }
    return InvalidInput(words, code="unknown_code", field=field)


def _dates_of_visit(visit: VisitInput, path: str, today: date) -> Iterator[DomainError]:
    ended = visit.ended_on
    if visit.started_on > today:
        yield _future(f"{path}.started_on")
    if visit.visit_type in STAYS and ended is None:
        yield InvalidInput(_("A stay needs its discharge date."), code="required", field=f"{path}.ended_on")
    if ended is not None and ended > today:
        yield _future(f"{path}.ended_on")
    if ended is not None and ended < visit.started_on:
        yield InvalidInput(
            _("The discharge lies before the admission."), code="order", field=f"{path}.ended_on"
        )
    if visit.event_on is not None and visit.event_on > (ended or visit.started_on):
        yield InvalidInput(_("The event lies after the visit."), code="order", field=f"{path}.event_on")
    for name, moment, day in (
        ("admitted_at", visit.admitted_at, visit.started_on),
        ("discharged_at", visit.discharged_at, ended or visit.started_on),
    ):
        if moment is not None and timezone.localtime(moment).date() != day:
            yield InvalidInput(
                _("The time does not fit the date %(day)s.") % {"day": day.isoformat()},
                code="order",
                field=f"{path}.{name}",
            )


def _future(field: str) -> InvalidInput:
    return InvalidInput(_("The date lies in the future."), code="future", field=field)


def check_bill(bill: BillInput, path: str, today: date, issuer: str = "") -> Iterator[DomainError]:
    """`issuer` is the hospital's code: numbers of bills of type OTHER are its own."""
    try:
        bill_identity(bill.bill_type, bill.code, bill.number, bill.check_code, issuer=issuer, field=path)
    except InvalidInputs as several:
        yield from several.errors
    except DomainError as error:
        yield error
    if bill.issued_on > today:
        yield _future(f"{path}.issued_on")
    if not bill.lines:
        yield InvalidInput(_("A bill has at least one line."), code="required", field=f"{path}.lines")
    total = sum((line.amount for line in bill.lines), Decimal(0))
    if bill.lines and total != bill.amount:
        yield InvalidInput(
            _("The lines add up to %(sum)s, the bill says %(amount)s.")
            % {"sum": format_yuan(to_fen(total)), "amount": format_yuan(to_fen(bill.amount))},
            code="sum",
            field=f"{path}.amount",
            data={"sum": str(total), "amount": str(bill.amount)},
        )
    for index, line in enumerate(bill.lines):
        yield from _check_line(line, f"{path}.lines.{index}")
    if settled(bill) > bill.amount:
        yield InvalidInput(
            _("Third parties paid more than the bill's amount."),
            code="too_large",
            field=f"{path}.pooled_fund",
            rule="PR-11",
        )


def settled(bill: BillInput) -> Decimal:
    """Paid by others without the personal account: of the bill, or of its lines where they say more (PR-11)."""
    whole = bill.pooled_fund + bill.serious_illness + bill.assistance + bill.other_insurer
    return max(whole, sum((line.third_party for line in bill.lines), Decimal(0)))


def _check_line(line: LineInput, path: str) -> Iterator[DomainError]:
    if line.third_party > line.amount:
        yield InvalidInput(
            _("Third parties paid more than the line's amount."),
            code="too_large",
            field=f"{path}.third_party",
            rule="PR-11",
        )
    if line.quantity != line.quantity.quantize(Decimal("0.001")):
        yield InvalidInput(
            _("Quantities have at most three decimals."), code="decimals", field=f"{path}.quantity"
        )


def check_size(visits: Iterable[VisitInput], path: str = "visits") -> Iterator[DomainError]:
    visits = list(visits)
    lines = sum(len(bill.lines) for visit in visits for bill in visit.bills)
    if lines > MAXIMUM_LINES:
        yield InvalidInput(
            _("A claim has at most %(limit)d lines, this one has %(lines)d. Report it in parts.")
            % {"limit": MAXIMUM_LINES, "lines": lines},
            code="too_many_lines",
            field=path,
        )


def all_at_once(errors: Iterable[DomainError]) -> None:
    """Raise everything that is wrong together."""
    found = list(errors)
    if found:
        raise InvalidInputs(found)
