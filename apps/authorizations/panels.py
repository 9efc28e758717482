"""What the blocks of the case page show about an authorization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.authorizations.assess import requirements, trial_on
from apps.authorizations.guards import stopping_rule
from apps.authorizations.promises import held_keys
from apps.authorizations.workflow import BEFORE_DECISION
from apps.cards.queries import greyed_card
from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.documents.models import Letter
from apps.documents.queries import checklist_rows, letters_on, unasked
from apps.ledger.reservations import held_by
from apps.messaging.models import Message

Context = Mapping[str, Any]


def plan(case: CaseFile, actor: Any) -> Context:
    """What is planned, line by line, and which trigger asks for authorization because of which line."""
    given = case.authorization
    triggers = list(given.triggers)
    named = {ref for trigger in triggers for ref in trigger["lines"]}
    lines = [(line, f"{line.supplement}.{line.position}" in named) for line in trial_on(case).lines]
    return {
        "given": given, "lines": lines, "triggers": triggers,
        "required": any(trigger["level"] != "WARN" for trigger in triggers),
    }  # fmt: skip


def decision(case: CaseFile, actor: Any) -> Context:
    """What would be paid of the plan now, whether the place bills directly, what is held of the limits."""
    given, found = case.authorization, trial_on(case)
    open_ = case.state in BEFORE_DECISION
    greyed = greyed_card(case.policy_id) if case.open else None
    held = held_by(case.number)
    keys = held_keys(given.benefit)
    limits = [(account, held.get(account.pk, 0)) for account in found.accounts if account.key in keys]
    return {
        "given": given, "open": open_, "decision": found.decision if open_ else None,
        "outside": found.outside if open_ else (), "billing": found.billing, "limits": limits,
        "supplements": list(given.supplements.order_by("-number")),
        "greyed": greyed, "stopping": stopping_rule(case.handbook.handbook, greyed),
    }  # fmt: skip


def checklist(case: CaseFile, actor: Any) -> Context:
    """The same shape as on a claim, so that the same block draws it."""
    found = trial_on(case)
    papers = found.papers
    rows = checklist_rows(requirements(found), papers, case.handbook.handbook)
    return {
        "rows": rows,
        "others": unasked(rows, papers),
        "lacking": [row.requirement for row in rows if not row.requirement.satisfied],
        "satisfied": sum(row.requirement.satisfied for row in rows),
    }


def letters(case: CaseFile, actor: Any) -> Context:
    found = letters_on(case)
    tokens = [letter.token for letter in found if letter.kind == Letter.Kind.GUARANTEE]
    sendings = Message.objects.filter(case=case.pk, letter_token__in=tokens).order_by("-pk") if tokens else ()
    return {"letters": found, "sendings": list(sendings), "given": case.authorization}


def add_panels(kind: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        ("plan", _("Planned treatment"), "authorizations/panels/plan.html", plan, "main"),
        ("decision", _("Decision and letter"), "authorizations/panels/decision.html", decision, "main"),
        ("checklist", _("Papers"), "documents/panels/checklist.html", checklist, "aside"),
        ("letters", _("Letters"), "authorizations/panels/letters.html", letters, "aside"),
    ):
        kind.panels.append(Panel(name, title, template, fill, side))
