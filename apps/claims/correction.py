"""The form of a correction: every fact as it stands, what is to stand instead, and what that would decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.cases.engine import perform
from apps.cases.forms import CODE_WORDS, ActionForm
from apps.cases.models import CaseFile
from apps.cases.queries import case_for
from apps.claims.assess import Assessment, assess
from apps.claims.inputs import BillInput, LineInput, VisitInput
from apps.claims.restating import stated

SHOWN = {
    VisitInput: (
        "visit_type", "hospital", "department", "department_group", "started_on", "ended_on", "cause", "event_on",
        "diagnoses", "procedures", "record_number", "emergency", "surgery", "used_social_insurance",
    ),
    BillInput: (
        "bill_type", "code", "number", "check_code", "issued_on", "amount", "pooled_fund", "serious_illness",
        "assistance", "other_insurer", "personal_account", "state", "verified",
    ),
    LineInput: ("name", "kind", "category", "quantity", "amount", "third_party"),
}  # fmt: skip
OUTCOMES = {"APPROVE": "payable in full", "PARTIAL": "payable in part", "DENY": "not payable"}


@dataclass(frozen=True)
class Cell:
    """A fact: `was` as stored, `shown` for people, `value` what the form holds, `index` its row of changes."""

    place: str
    name: str
    label: Any
    widget: str  # text | money | date | select
    was: str
    shown: Any
    value: str
    choices: tuple[tuple[str, Any], ...] = ()
    index: int | None = None
    errors: tuple[Any, ...] = ()


@dataclass
class Part:
    """A visit, a bill or a line with its facts; `inner` = bills of a visit, lines of a bill."""

    place: str
    cells: list[Cell]
    inner: list[Part] = field(default_factory=list)
    taken_out: bool = False


@dataclass(frozen=True)
class Given:
    """What a refused form held: changes by place and field, lines taken out, errors by place and field."""

    changes: Mapping[tuple[str, str], tuple[int, str]]
    removed: frozenset[str]
    errors: Mapping[tuple[str, str], tuple[Any, ...]]
    loose: tuple[Any, ...]


def given_in(form: ActionForm) -> Given:
    if not form.is_bound:
        return Given({}, frozenset(), {}, tuple(form.loose_errors()))
    data = form.payload()
    changes = {
        (str(row.get("place", "")), str(row.get("field", ""))): (n, str(row.get("value", "")))
        for n, row in enumerate(data.get("changes") or ())
    }
    at = {index: place for place, (index, _value) in changes.items()}
    errors: dict[tuple[str, str], tuple[Any, ...]] = {}
    loose: list[Any] = []
    for path, several in form.path_errors.lists():
        parts = path.split(".")
        if parts[0] == "visits" and len(parts) > 2:
            place = fact_at(path)
        elif parts[0] == "changes" and len(parts) > 1 and parts[1].isdigit():
            place = at.get(int(parts[1]), ("", ""))
        else:
            if path not in ("reason",) and not path.startswith("add."):
                loose += several
            continue
        errors[place] = (*errors.get(place, ()), *several)
    return Given(changes, frozenset(str(data.get("remove", "")).split(",")), errors, tuple(loose))


def fact_at(path: str) -> tuple[str, str]:
    """'visits.0.bills.1.lines.2.amount' → ('1.2.3', 'amount'); 'visits.0.diagnoses.0.code' → ('1', 'diagnoses')."""
    parts, numbers = path.split("."), []
    while len(parts) > 2 and parts[0] in ("visits", "bills", "lines") and parts[1].isdigit():
        numbers.append(str(int(parts[1]) + 1))
        parts = parts[2:]
    return ".".join(numbers), parts[0]


def parts_of(case: CaseFile, form: ActionForm, now: datetime) -> tuple[list[Part], Given]:
    """Everything that can be corrected, with what a refused form held."""
    given = given_in(form)
    visits = [
        _part(VisitInput, visit, str(n), given) for n, visit in enumerate(stated(assess(case, now).rows), 1)
    ]
    return visits, given


def _part(cls: type[Any], data: Mapping[str, Any], place: str, given: Given) -> Part:
    inner = {VisitInput: ("bills", BillInput), BillInput: ("lines", LineInput)}.get(cls)
    rows = data[inner[0]] if inner else ()
    return Part(
        place,
        list(_cells(cls, data, place, given)),
        [_part(inner[1], row, f"{place}.{n}", given) for n, row in enumerate(rows, 1)] if inner else [],
        place in given.removed,
    )


def _cells(cls: type[Any], data: Mapping[str, Any], place: str, given: Given) -> Iterator[Cell]:
    known = {item.name: item for item in fields(cls)}
    for name in SHOWN[cls]:
        item, was = known[name], _text(data[name])
        index, value = given.changes.get((place, name), (None, was))
        widget, choices = _asked(item, data[name])
        words = dict(choices)
        yield Cell(
            place, name, item.metadata["label"], widget, was, words.get(was, was) or "—", value, choices, index,
            given.errors.get((place, name), ()),
        )  # fmt: skip


def _asked(item: Any, value: Any) -> tuple[str, tuple[tuple[str, Any], ...]]:
    if isinstance(value, bool):
        return "select", (("True", _("yes")), ("False", _("no")))
    choices = item.metadata.get("choices")
    if choices:
        words = tuple((code, CODE_WORDS.get(code, label)) for code, label in choices)
        return "select", words if any(code == "" for code, _label in words) else (("", "—"), *words)
    if item.name.endswith("_on"):
        return "date", ()
    return ("money" if item.metadata.get("widget") == "money" else "text"), ()


def _text(value: Any) -> str:
    """A stored value as its input holds it; codes of diagnoses and procedures side by side."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(str(one.get("code", "")) for one in value)
    return str(value)


# --- What it would decide -----------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    claimed: Any
    insurer: Any
    outcome: str
    route: str
    lacking: int
    findings: Mapping[str, Any]


def _outcome(found: Assessment) -> Outcome:
    decision = found.decision
    return Outcome(
        decision.billed,
        decision.insurer,
        str(_(OUTCOMES[decision.outcome])) if decision.outcome in OUTCOMES else _("findings open"),
        found.routing.route,
        len(found.lacking),
        {f"{one.rule} {one.place} {one.code}": one for one in found.findings if not one.overridden},
    )


@dataclass(frozen=True)
class Consequence:
    before: Outcome
    after: Outcome

    @property
    def gone(self) -> list[Any]:
        return [one for key, one in self.before.findings.items() if key not in self.after.findings]

    @property
    def new(self) -> list[Any]:
        return [one for key, one in self.after.findings.items() if key not in self.before.findings]


def consequence(case: CaseFile, actor: Actor, data: Mapping[str, Any], now: datetime) -> Consequence:
    """What a correction would make of the claim: it is carried out, looked at, and undone.

    Raises what the correction itself would raise; nothing is kept in either case.
    """
    before = _outcome(assess(case, now))
    with transaction.atomic():
        perform(
            case.number, "correct_facts", actor, now=now, **{**data, "reason": data.get("reason") or "…?"}
        )
        after = _outcome(assess(case_for(actor, case.number), now))
        transaction.set_rollback(True)
    return Consequence(before, after)
