"""Deciding many claims on one page: what each would come to, what keeps it back, and all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.actors import Actor, actor_of
from apps.accounts.visibility import visible_to
from apps.adjudication.decision import Decision, Finding
from apps.cases.engine import perform_each
from apps.cases.models import CaseFile
from apps.cases.views import show
from apps.claims.actions.decide import COMPUTED
from apps.claims.assess import STOPPING, Assessment, adjudicate_many
from apps.claims.guards import words
from apps.core.errors import DomainError, InvalidInput
from apps.core.money import format_yuan, to_fen

SHOWN = 100
SCOPES = ("mine", "team", "all")


@dataclass(frozen=True)
class Row:
    """One claim under review: its decision by the rules, and why it cannot be decided here ("" = it can)."""

    case: CaseFile
    decision: Decision
    findings: tuple[Finding, ...]
    kept_back: Any
    refusal: Any = ""

    @property
    def payable_fen(self) -> int:
        return to_fen(self.decision.insurer)


def rows_for(actor: Actor, scope: str, refusals: Mapping[str, DomainError] | None = None) -> list[Row]:
    """Claims under review that wait for a decision, due first; a constant number of queries."""
    cases = visible_to(CaseFile.objects.filter(kind="claim", state="UNDER_REVIEW", open=True), actor)
    if scope == "mine":
        cases = cases.filter(assignee=actor.user_id)
    elif scope == "team":
        cases = cases.filter(team=actor.team_id)
    related = ("claim__payee", "member", "policy__plan", "handbook", "assignee")
    found = list(cases.select_related(*related).order_by("next_due", "pk")[:SHOWN])
    assessments = adjudicate_many(found, timezone.now())
    return [_row(case, assessments[case.pk], actor, (refusals or {}).get(case.number)) for case in found]


def _row(case: CaseFile, found: Assessment, actor: Actor, refusal: DomainError | None) -> Row:
    return Row(
        case, found.decision, found.findings, _kept_back(found, actor), refusal.message if refusal else ""
    )


def _kept_back(found: Assessment, actor: Actor) -> Any:
    """What a person must do on the claim's own page first."""
    waiting = [finding for finding in found.findings if finding.level in STOPPING and not finding.overridden]
    if waiting:
        return f"{waiting[0].rule}: {words(waiting[0])}"
    if found.decision.outcome not in dict(COMPUTED):
        return _("Findings are open; answer them first.")
    amount = to_fen(found.decision.insurer)
    if amount > actor.authority_fen:
        return _("%(amount)s is above your authority of %(limit)s.") % {
            "amount": format_yuan(amount),
            "limit": format_yuan(actor.authority_fen),
        }
    return ""


def batch(request: HttpRequest) -> HttpResponse:
    """Pick claims, decide them as the rules make it; each that refuses says why and stays as it was."""
    actor = actor_of(request)
    given = request.POST if request.method == "POST" else request.GET
    scope = given.get("scope", "mine")
    scope = scope if scope in SCOPES else "mine"
    refusals: dict[str, DomainError] = {}
    status = 200
    if request.method == "POST":
        try:
            picked = _picked(request.POST.getlist("case"))
        except DomainError as error:
            messages.error(request, str(error.message))
            status = error.status
        else:
            answers = perform_each(picked, "decide", actor)
            refusals = {number: error for number, error in answers.items() if error is not None}
            done = len(answers) - len(refusals)
            if done:
                text = ngettext("%(n)d claim decided.", "%(n)d claims decided.", done) % {"n": done}
                messages.success(request, text)
            if not refusals:
                return redirect(f"{request.path}?scope={scope}")
            messages.error(request, _refused(refusals))
            status = 409
    rows = rows_for(actor, scope, refusals)
    ready = [row for row in rows if not row.kept_back]
    context = {
        "title": _("Decide together"),
        "scope": scope,
        "rows": rows,
        "ready": len(ready),
        "total_fen": sum(row.payable_fen for row in ready),
        "limit": SHOWN,
    }
    return show(request, "claims/batch.html", context, status=status)


def _picked(values: list[str]) -> dict[str, int]:
    """ "C26-000001:7" → number and the version that was seen. Raises InvalidInput for anything else."""
    picked = {}
    for value in values[:SHOWN]:
        number, colon, version = value.partition(":")
        if not colon or not version.isdigit() or len(version) > 9:
            raise InvalidInput(
                _("This is no case of the list: %(value)s") % {"value": value[:40]}, field="case"
            )
        picked[number] = int(version)
    if not picked:
        raise InvalidInput(_("Pick at least one claim."), code="required", field="case")
    return picked


def _refused(refusals: Mapping[str, DomainError]) -> str:
    said = [(number, str(error.message)) for number, error in list(refusals.items())[:5]]
    first = [words if number in words else f"{number}: {words}" for number, words in said]
    more = len(refusals) - len(first)
    return "\n".join([*first, f"… +{more}"] if more else first)
