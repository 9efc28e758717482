"""What is asked when an appeal is recorded, assigned, reviewed, answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.keys import CHANNELS
from apps.appeals.guards import concerned, reviewers
from apps.appeals.models import Result
from apps.appeals.target import decision_of, lines_of, rules_in, target_of
from apps.cases.inputs import ask, codes
from apps.core.money import format_yuan

EXTENTS = [(code, words) for code, words in Result.choices if code != Result.UPHELD]


def lines_to_name(ctx: Any) -> list[tuple[str, Any]]:
    """The lines of the decision on the claim somebody appeals against, with what was paid."""
    target = target_of(ctx.case) if ctx is not None else None
    return [
        (place, f"{place} {row.line.name} · {format_yuan(row.insurer_fen)} / {format_yuan(row.billed_fen)}")
        for place, row in (lines_of(ctx.case.pk, target.version) if target else ())
    ]


@dataclass(frozen=True, kw_only=True)
class AppealInput:
    """What a family says. With a complaint, what is left empty is taken from it."""

    claim: str = ask(_("Claim"), default="", max_length=30, help=_("number of the claim or direct claim"))
    complaint: str = ask(
        _("Complaint taken up"), default="", max_length=30, rule="APP-27",
        help=_("number of the complaint whose family wishes an appeal"),
    )  # fmt: skip
    appellant: str = ask(_("Who appeals"), default="", max_length=80)
    text: str = ask(_("What is said to be wrong"), default="", widget="textarea", max_length=4000)
    lines: tuple[str, ...] = ask(
        _("Lines"), default=(), choices=lines_to_name, help=_("such as 1.2.3; none = the whole decision")
    )


@dataclass(frozen=True, kw_only=True)
class RecordInput(AppealInput):
    """What staff and administrators record."""

    channel: str = ask(_("Channel"), choices=codes(CHANNELS), default="HOTLINE", rule="APL-01")


def people(ctx: Any) -> list[tuple[Any, Any]]:
    """Only who may review: nobody who had a part in the decision (LAW-10)."""
    if ctx is None:
        return []
    found = reviewers(ctx.case, concerned(ctx.subject))
    return [(str(user.pk), f"{user} · {user.team}" if user.team else str(user)) for user in found]


@dataclass(frozen=True)
class AssignInput:
    assignee: int = ask(
        _("Reviewer"), choices=people, widget="select", rule="LAW-10",
        help=_("nobody who had a part in the decision"),
    )  # fmt: skip


@dataclass(frozen=True)
class AskPapersInput:
    text: str = ask(_("What is asked for"), widget="textarea", min_length=4, max_length=2000)


@dataclass(frozen=True)
class DeliveredInput:
    at: datetime = ask(_("Reached the family at"), rule="PR-04")
    evidence: str = ask(
        _("Evidence"), min_length=4, max_length=200, rule="PR-04",
        help=_("advice of delivery, signature, screenshot …"),
    )  # fmt: skip
    reached: str = ask(_("Reached whom, by what way"), min_length=2, max_length=120, rule="PR-04")


@dataclass(frozen=True)
class ArrivedInput:
    note: str = ask(_("What came, or why the review goes on"), default="", widget="textarea", max_length=400)


def rules_to_name(ctx: Any) -> list[tuple[Any, Any]]:
    """The rules of the decision, those that took something away first; the rule of the appeal itself last."""
    if ctx is None:
        return []
    row, handbook = ctx.subject, ctx.handbook
    decision = decision_of(row, row.version)
    findings = decision.result.get("findings", []) if decision else []
    ids = [*(one.rule for one in row.rules.all()), *rules_in(findings), *(found["rule"] for found in findings), row.rule]  # fmt: skip
    known = [one for one in dict.fromkeys(ids) if one]
    return [(one, f"{one} {handbook.rules[one].title.zh}" if one in handbook.rules else one) for one in known]


@dataclass(frozen=True)
class ReasonInput:
    rule: str = ask(_("Rule"), choices=rules_to_name, widget="select", max_length=12)
    text: str = ask(_("Reason in words for the family"), widget="textarea", min_length=4, max_length=1000)


@dataclass(frozen=True, kw_only=True)
class UpholdInput:
    reasons: tuple[ReasonInput, ...] = ask(_("Reasons, by rule"), widget="lines", rule="APL-01")
    note: str = ask(_("Note of the review"), default="", widget="textarea", max_length=2000)


@dataclass(frozen=True, kw_only=True)
class OverturnInput:
    extent: str = ask(_("How far"), choices=EXTENTS, widget="select")
    reason: str = ask(_("What was wrong, in words for the family"), widget="textarea", min_length=4, max_length=2000)  # fmt: skip


@dataclass(frozen=True)
class SettledInput:
    """What became of the claim. Fen; 0 and None: it was taken in, or ended without a new decision."""

    decision: int = ask(_("Decision"), default=0, minimum=0)
    insurer_fen: int | None = ask(_("Insurer pays (fen)"), default=None, minimum=0)


@dataclass(frozen=True)
class AnswerInput:
    text: str = ask(
        pgettext_lazy("appeal", "Answer"), widget="textarea", min_length=4, max_length=4000,
        help=_("stands at the beginning of the letter; reasons and lines follow"),
    )  # fmt: skip


@dataclass(frozen=True)
class WithdrawInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=400)
