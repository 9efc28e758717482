"""The facts of a saved claim as the input they came from, changed, checked again, and put back.

So a correction is checked by exactly the rules of a report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.cases.inputs import parse_input
from apps.claims.building import FEN_FIELDS, build_visit
from apps.claims.checks import check_bill, check_size, check_visit
from apps.claims.inputs import BillInput, LineInput, VisitInput
from apps.claims.models import Bill, BillLine, Visit
from apps.claims.reporting import places_of
from apps.claims.rows import BillRows, ClaimRows, VisitRows
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.core.money import to_yuan
from apps.hospitals.models import Campus, Hospital

Place = tuple[int, ...]


@dataclass(frozen=True)
class Change:
    """One corrected field: `place` is "1" (visit), "1.2" (bill) or "1.2.3" (line), counted from 1."""

    place: str
    field: str
    value: Any


@dataclass
class Lookups:
    """What `build_visit` asks of a report."""

    hospitals: dict[str, Hospital]
    campuses: dict[tuple[str, str], Campus]
    prior_visits: dict[str, Visit]


def stated(rows: ClaimRows) -> list[dict[str, Any]]:
    """The visits of a claim as data for `VisitInput`."""
    return [_visit(visit) for visit in rows.visits]


def _visit(rows: VisitRows) -> dict[str, Any]:
    visit = rows.visit
    same = (
        "visit_type", "benefit", "department", "department_group", "doctor", "record_number", "admission_number",
        "started_on", "ended_on", "admitted_at", "discharged_at", "cause", "event_on", "emergency", "surgery",
        "follow_up", "prior_reference", "direct_billed", "used_social_insurance", "psychiatrist_diagnosed",
        "psychiatrist_recommended",
    )  # fmt: skip
    return {name: getattr(visit, name) for name in same} | {
        "hospital": visit.hospital.code,
        "campus": visit.campus.code if visit.campus else "",
        "diagnoses": list(visit.diagnoses),
        "procedures": list(visit.procedures),
        "conditions": list(visit.conditions),
        "bills": [_bill(bill) for bill in rows.bills],
    }


def _bill(rows: BillRows) -> dict[str, Any]:
    bill = rows.bill
    same = (
        "bill_type", "code", "number", "check_code", "serial_number", "issued_on", "insurance_type", "insurance_number",
        "state", "electronic", "verified",
    )  # fmt: skip
    amounts = {name: to_yuan(getattr(bill, f"{name}_fen")) for name in (*FEN_FIELDS, "amount")}
    return (
        {name: getattr(bill, name) for name in same}
        | amounts
        | {"lines": [_line(line) for line in rows.lines]}
    )


def _line(line: BillLine) -> dict[str, Any]:
    same = (
        "name", "kind", "code", "category", "benefit", "specification", "quantity", "vaccine_approved",
        "vaccine_experimental",
    )  # fmt: skip
    return {name: getattr(line, name) for name in same} | {
        "unit_price": to_yuan(line.unit_price_fen),
        "amount": to_yuan(line.amount_fen),
        "third_party": to_yuan(line.third_party_fen),
        "procedure_categories": list(line.procedure_categories),
    }


# --- Changing ---------------------------------------------------------------------------------------


def apply(data: list[dict[str, Any]], changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Put the changes into the data; returns what changed. Raises for places and fields that do not exist."""
    errors: list[DomainError] = []
    log: list[dict[str, Any]] = []
    for index, change in enumerate(changes):
        try:
            target, cls = _at(data, change.place, f"changes.{index}.place")
            _check_field(cls, change.field, f"changes.{index}.field")
            log.append(
                {
                    "place": change.place,
                    "field": change.field,
                    "from": str(target.get(change.field)),
                    "to": str(change.value),
                }
            )
            target[change.field] = _value(change)
        except DomainError as error:
            errors.append(error)
    if errors:
        raise InvalidInputs(errors)
    return log


def _value(change: Change) -> Any:
    if change.field in ("diagnoses", "procedures") and isinstance(change.value, str):
        return [
            {"code": code.strip()}
            for code in change.value.replace("；", ";").replace(",", ";").split(";")
            if code.strip()
        ]
    return change.value


def _at(data: list[dict[str, Any]], place: str, path: str) -> tuple[dict[str, Any], type[Any]]:
    """The part of the data at a place, and its input class."""
    try:
        numbers = [int(part) - 1 for part in place.split(".")]
        if not 1 <= len(numbers) <= 3 or min(numbers) < 0:
            raise ValueError
        target: dict[str, Any] = data[numbers[0]]
        for number, inner in zip(numbers[1:], ("bills", "lines"), strict=False):
            target = target[inner][number]
        return target, (VisitInput, BillInput, LineInput)[len(numbers) - 1]
    except (ValueError, IndexError) as error:
        words = _("“%(place)s” is no visit, bill or line of this claim. Expected: 1, 1.2 or 1.2.3.")
        raise InvalidInput(words % {"place": place}, code="unknown_place", field=path) from error


def _check_field(cls: type[Any], name: str, path: str) -> None:
    known = sorted(item.name for item in fields(cls) if item.name not in ("bills", "lines"))
    if name not in known:
        raise InvalidInput(
            _("“%(value)s” is not known. Expected: %(expected)s.")
            % {"value": name, "expected": ", ".join(known)},
            code="unknown_field",
            field=path,
        )


def remove(data: list[dict[str, Any]], places: Sequence[str]) -> None:
    """Take lines out, last first, so that the places before them stay true."""
    for place in sorted(
        places, key=lambda text: [int(part) for part in text.split(".") if part.isdigit()], reverse=True
    ):
        target, cls = _at(data, place, "remove")
        if cls is not LineInput:
            raise InvalidInput(_("Only lines can be taken out."), code="unknown_place", field="remove")
        bill, _cls = _at(data, place.rpartition(".")[0], "remove")
        bill["lines"] = [line for line in bill["lines"] if line is not target]


def add(data: list[dict[str, Any]], bill_place: str, line: Mapping[str, Any]) -> None:
    bill, cls = _at(data, bill_place, "add.bill")
    if cls is not BillInput:
        raise InvalidInput(
            _("Name the bill the line stands on, such as 1.1."), code="unknown_place", field="add.bill"
        )
    bill["lines"].append(dict(line))


# --- Checking and putting back -----------------------------------------------------------------------


def reread(data: list[dict[str, Any]], today: date) -> tuple[list[VisitInput], Lookups]:
    """Parse and check everything again, as a report is; raises with every error and its path."""
    errors: list[DomainError] = []
    visits: list[VisitInput] = []
    for index, raw in enumerate(data):
        try:
            visits.append(parse_input(VisitInput, raw, path=f"visits.{index}."))
        except InvalidInputs as several:
            errors += several.errors
    if errors:
        raise InvalidInputs(errors)
    for index, visit in enumerate(visits):
        errors += check_visit(visit, f"visits.{index}", today)
        for position, bill in enumerate(visit.bills):
            errors += check_bill(bill, f"visits.{index}.bills.{position}", today, visit.hospital)
    errors += check_size(visits)
    hospitals, campuses, wrong = places_of(list(enumerate(visits)))
    errors += wrong
    if errors:
        raise InvalidInputs(errors)
    return visits, Lookups(hospitals, campuses, {})


KEPT = {"id", "position", "claim", "visit", "bill", "prior_visit"}


def restate(ctx: Any, rows: ClaimRows, visits: Sequence[VisitInput], lookups: Lookups) -> ClaimRows:
    """Write the checked visits over the rows: changed columns, new lines, lines taken out."""
    fresh = ClaimRows(rows.case, rows.claim, papers=rows.papers, overrides=rows.overrides)
    for position, given in enumerate(visits, 1):
        built = build_visit(rows.claim, position, given, lookups)
        old = rows.visits[position - 1]
        _copy(ctx, built.visit, old.visit)
        for new_bill, old_bill in zip(built.bills, old.bills, strict=True):
            _copy(ctx, new_bill.bill, old_bill.bill)
            old_bill.lines = _restate_lines(ctx, new_bill, old_bill)
        fresh.visits.append(old)
    return fresh


def _restate_lines(ctx: Any, new: BillRows, old: BillRows) -> list[BillLine]:
    kept: list[BillLine] = []
    for line in new.lines:
        line.bill = old.bill
        if len(kept) < len(old.lines):
            there = old.lines[len(kept)]
            _copy(ctx, line, there)
            kept.append(there)
        else:
            line.position = (old.lines[-1].position if old.lines else 0) + 1 + len(kept) - len(old.lines)
            ctx.add(line)
            kept.append(line)
    for superfluous in old.lines[len(kept) :]:
        superfluous.delete()
    return kept


def _copy(ctx: Any, source: models.Model, target: Visit | Bill | BillLine) -> None:
    changed = []
    for column in target._meta.concrete_fields:
        if column.name in KEPT:
            continue
        value = getattr(source, column.attname)
        if getattr(target, column.attname) != value:
            setattr(target, column.attname, value)
            if column.is_relation:
                setattr(target, column.name, getattr(source, column.name))
            changed.append(column.name)
    if changed:
        ctx.update(target, *changed)
