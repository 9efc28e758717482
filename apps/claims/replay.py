"""Deciding stored facts again: a decision must come out as it was booked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.errors import FactsError
from apps.adjudication.facts import Facts
from apps.adjudication.serialize import facts_from_json
from apps.claims.models import Decision as DecisionRow
from apps.core.errors import NotFound
from apps.core.money import to_fen
from apps.products.models import HandbookVersion, Plan


def facts_of_json(data: Any) -> Facts:
    """Facts with the handbook and plan they name: by hash, else the current ones of the series."""
    if not isinstance(data, Mapping):
        raise FactsError("", data, "an object")
    series, code = str(data.get("series", "")), str(data.get("plan", ""))
    handbook = _pick(
        HandbookVersion.objects.filter(series=series).order_by("-number"), data.get("handbook_sha")
    )
    if handbook is None:
        raise NotFound(
            _("No handbook of series %(series)s is loaded.") % {"series": series},
            code="no_handbook",
            field="series",
        )
    plan = _pick(Plan.every.filter(series=series, code=code).order_by("-pk"), data.get("plan_sha"))
    if plan is None:
        raise NotFound(_("No plan %(code)s is loaded.") % {"code": code}, code="no_plan", field="plan")
    return facts_from_json(dict(data), handbook.handbook, plan.terms)


def _pick(rows: Any, sha: Any) -> Any:
    return (rows.filter(sha256=sha).first() if sha else None) or rows.first()


def replay(row: DecisionRow) -> Decision:
    """What the rules make of the stored facts now."""
    return adjudicate(facts_of_json(row.facts))


def differences(row: DecisionRow, decision: Decision) -> list[str]:
    """Lines whose figures differ from what was booked; empty = the same."""
    stored = {line.line_id: line for line in row.lines.all()}
    by_place = {
        f"{line.line.bill.visit.position}.{line.line.bill.position}.{line.line.position}": line
        for line in stored.values()
    }
    found = []
    if to_fen(decision.insurer) != row.computed_fen:
        found.append(f"insurer: {row.computed_fen} → {to_fen(decision.insurer)}")
    for line in decision.lines:
        booked = by_place.get(line.ref)
        if (
            booked is None
            or booked.insurer_fen != to_fen(line.insurer)
            or booked.disallowed_fen != to_fen(line.disallowed)
        ):
            found.append(line.ref)
    return found
