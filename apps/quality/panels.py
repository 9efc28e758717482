"""What case pages show: the inspected decision, and on a claim its inspections."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.kinds import KINDS, Panel
from apps.cases.models import CaseFile
from apps.quality.actions import KIND
from apps.quality.queries import inspections_of


def connect() -> None:
    KIND.panels += [
        Panel("decision", _("The decision"), "quality/panels/decision.html", decision),
        Panel("errors", _("Errors found"), "quality/panels/errors.html", errors, side="aside"),
    ]
    for kind in ("claim", "direct"):
        KINDS[kind].panels.append(
            Panel(
                "inspections",
                _("Quality inspections"),
                "quality/panels/inspections.html",
                inspections,
                side="aside",
            )
        )


def decision(case: CaseFile, actor: Any) -> dict[str, Any]:
    inspection = case.inspection
    row = inspection.decision
    lines = row.lines.select_related("line__bill__visit").order_by("pk")
    return {
        "inspection": inspection,
        "decision": row,
        "findings": row.result.get("findings", ()),
        "lines": lines,
        "claim": inspection.claim_case,
    }


def errors(case: CaseFile, actor: Any) -> dict[str, Any]:
    inspection = case.inspection
    return {
        "inspection": inspection,
        "errors": inspection.errors.select_related("code").order_by("pk"),
        "decision": inspection.decision,
    }


def inspections(case: CaseFile, actor: Any) -> dict[str, Any]:
    return {"inspections": inspections_of(case.pk)}
