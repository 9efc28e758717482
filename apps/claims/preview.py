"""The decision letter before the decision: the same context and template, on the screen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from apps.cases.models import CaseFile
from apps.claims import letters
from apps.claims.assess import Assessment
from apps.claims.models import Outcome
from apps.claims.panels import assessment_of
from apps.core.money import to_fen
from apps.documents.letters import KINDS, series_block, to_json
from apps.documents.models import Letter
from apps.documents.rendering import render_html

PAYING = (Outcome.APPROVE, Outcome.PARTIAL)


def preview_letter(case: CaseFile, text: str, now: datetime) -> str:
    """HTML of the letter that deciding now would send. Reads only."""
    found = assessment_of(case)
    context = _context(found, text, now)
    letter = Letter(
        case=case,
        number="—",
        version=1,
        kind=KINDS[type(context)],
        context=to_json(context) | {"series": series_block(found.facts.handbook)},
        created_at=now,
    )
    page = {
        "letter": mark_safe(render_html(letter)),
        "css": mark_safe(render_to_string("letters/letter.css")),
    }
    return render_to_string("claims/parts/letter.html", page)


def _context(found: Assessment, text: str, now: datetime) -> Any:
    """As `booking` builds it for the verdict the rules make."""
    decision, handbook, on = found.decision, found.facts.handbook, letters.local_day(now)
    if decision.outcome == Outcome.DENY:
        reasons = letters.reasons_of(decision.findings, handbook)
        return letters.refusal(found.rows, reasons, at_intake=False, on=on, text=text)
    paid = to_fen(decision.insurer)
    outcome = decision.outcome if decision.outcome in PAYING and paid else "ZERO"
    return letters.explanation(
        found.rows, decision, handbook, outcome=outcome, paid_fen=paid, on=on, text=text
    )
