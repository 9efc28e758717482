"""The decision letter before the decision: the same context and template, on the screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from apps.cases.models import CaseFile
from apps.claims import letters
from apps.claims.actions.special import verdict_of
from apps.claims.assess import Assessment, assessment_of
from apps.claims.booking import PAYING, Verdict
from apps.claims.models import Outcome, Proposal
from apps.claims.variants import variant_of
from apps.core.money import to_fen
from apps.documents.letter_contexts import KINDS
from apps.documents.letters import series_block, to_json
from apps.documents.models import Letter
from apps.documents.rendering import render_html


def preview_letter(case: CaseFile, text: str, now: datetime) -> str:
    """HTML of the letter that deciding now would send. Reads only."""
    found = assessment_of(case)
    context = variant_of(case).letter(found, _verdict(found, text), letters.local_day(now))
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


def _verdict(found: Assessment, text: str) -> Verdict:
    """What deciding now would book, as far as it goes while something is open; or what waits for a signature."""
    decision = found.decision
    proposal: Proposal | None = getattr(found.rows.claim, "proposal", None)
    if proposal is not None:
        base = verdict_of(proposal.outcome, decision, proposal.insurer_fen)
        return replace(base, reason=proposal.reason, member_text=proposal.member_text)
    outcome = decision.outcome if decision.outcome in (*PAYING, Outcome.DENY) else Outcome.PARTIAL
    return Verdict(outcome, decision, to_fen(decision.insurer), "", text)
