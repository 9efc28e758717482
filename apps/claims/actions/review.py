"""Review: take it up, answer findings, withdraw, reopen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.clocks import local
from apps.adjudication.handbook import Level
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.claims import guards
from apps.claims.actions.common import ReasonInput, answer_row
from apps.claims.actions.inquiries import end_all
from apps.claims.assess import Assessment, assessment_in, reassess
from apps.claims.models import Proposal
from apps.claims.roles import COMPLIANCE, DESK, MACHINES, REVIEWERS, SENIORS, SUPERVISORS
from apps.claims.workflow import BEFORE_DECISION, COLLECTING, KIND
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.documents.register import release_bills


def _start_review(ctx: Ctx[NoInput]) -> None:
    if ctx.case.assignee_id is None and ctx.actor.user_id is not None:
        ctx.case.assignee_id = ctx.actor.user_id
        ctx.data["assignee"] = ctx.actor.label


KIND.action(
    Action(
        "start_review",
        _("Start review"),
        REVIEWERS,
        _start_review,
        transition="start_review",
        style="primary",
        order=10,
    )
)

# --- Answers to findings --------------------------------------------------------------------------


@dataclass(frozen=True)
class AnswerInput:
    finding: str = ask(_("Finding"), max_length=120, widget="finding")
    accept: bool = ask(
        _("Answer"),
        widget="select",
        choices=[(True, _("pay nevertheless")), (False, pgettext_lazy("finding", "refuse"))],
    )
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


def answer_finding(ctx: Ctx[AnswerInput]) -> None:
    """A person decides what the text leaves open; where it leaves nothing open, nobody may."""
    given = ctx.input
    assert given is not None
    found = assessment_in(ctx)
    asked = _answerable(found, given.finding)
    if not asked.discretion:
        words = _("The text leaves no room here; correct the facts instead.")
        raise Blocked(words, code="no_discretion", field="finding", rule=asked.rule)
    if asked.regulatory and not ctx.actor.roles & (COMPLIANCE | SENIORS):
        words = _("What is missing here is regulatory: compliance or a senior decides an exception.")
        raise NotAllowed(words, code="role", field="finding", rule=asked.rule)
    for ref in (given.finding, *_twins(found, given.finding, asked)):
        found.rows.overrides.append(
            answer_row(ctx, ref, asked.rule, accept=given.accept, reason=given.reason)
        )
    fresh = reassess(found.rows, ctx.now, found.facts.balances)
    ctx.loaded |= {"assessment": fresh, "facts": fresh.facts}
    ctx.reason = given.reason
    ctx.data |= {"finding": given.finding, "rule": asked.rule, "accept": given.accept}


@dataclass(frozen=True)
class Asked:
    """What is answered: a finding, or an entry of the check list that a person may waive (PR-02)."""

    rule: str
    discretion: bool
    regulatory: bool
    entry: bool


def _asked(found: Assessment) -> dict[str, Asked]:
    entries = {
        entry.ref: Asked(entry.rule, entry.discretion, entry.key == "PHOTO_ID", True)
        for entry in found.requirements
    }
    findings = {
        finding.ref: Asked(finding.rule, finding.discretion, finding.level is Level.PEND, False)
        for finding in found.findings
    }
    return entries | findings


def _answerable(found: Assessment, ref: str) -> Asked:
    known = _asked(found)
    if ref not in known:
        refs = ", ".join(sorted(ref for ref, asked in known.items() if asked.discretion)) or "–"
        raise InvalidInput(
            _("No such finding. Open are: %(known)s.") % {"known": refs[:400]},
            code="unknown_finding",
            field="finding",
        )
    return known[ref]


def _twins(found: Assessment, ref: str, asked: Asked) -> list[str]:
    """The same question as check-list entry and as finding (KYC-01) is answered once."""
    return [
        other
        for other, its in _asked(found).items()
        if other != ref
        and its.rule == asked.rule
        and its.regulatory
        and asked.regulatory
        and its.entry != asked.entry
    ]


KIND.action(
    Action(
        "answer_finding", _("Answer a finding"), REVIEWERS | COMPLIANCE, answer_finding,
        states=COLLECTING | {"UNDER_REVIEW"}, input=AnswerInput, event="finding_answered", order=30,
    )
)  # fmt: skip

# --- Non-disclosure (LAW-12) ----------------------------------------------------------------------


@dataclass(frozen=True)
class KnowledgeInput:
    known_on: date = ask(_("Known since"), rule="LAW-12")
    reason: str = ask(_("What became known"), widget="textarea", min_length=2, max_length=2000)


def _record_nondisclosure(ctx: Ctx[KnowledgeInput]) -> None:
    """From here the right to rescind lasts 30 days; recording it again never prolongs it."""
    assert ctx.input is not None
    claim, known = ctx.case.claim, ctx.input.known_on
    if known > timezone.localtime(ctx.now).date():
        raise InvalidInput(_("The date lies in the future."), code="future", field="known_on", rule="LAW-12")
    claim.knowledge_on = min(claim.knowledge_on or known, known)
    ctx.update(claim, "knowledge_on")
    ctx.emit("knowledge_of_nondisclosure", local(claim.knowledge_on))
    ctx.reason = ctx.input.reason
    ctx.data["known_on"] = claim.knowledge_on.isoformat()


KIND.action(
    Action(
        "record_nondisclosure", _("Record non-disclosure"), SENIORS | COMPLIANCE | {"investigation"}, _record_nondisclosure,
        states=BEFORE_DECISION, input=KnowledgeInput, event="knowledge_of_nondisclosure", order=200,
    )
)  # fmt: skip

# --- Withdrawal and reopening ---------------------------------------------------------------------


def _withdraw(ctx: Ctx[ReasonInput]) -> None:
    """The member takes the claim back: its bills are free for another one, every promise ends."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    release_bills(ctx.case)
    Proposal.objects.filter(claim=ctx.case.pk).delete()
    end_all(ctx, ctx.input.reason)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("withdrawn")
    ctx.emit("closed")


def _reopen(ctx: Ctx[ReasonInput]) -> None:
    """New facts: a further decision version follows; the former one stays booked until then."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    claim = ctx.case.claim
    ctx.case.open, ctx.case.closed_at = True, None
    if claim.decided_fen is None:  # it never had its papers; the check list comes first
        ctx.then("resume_check")
    else:
        ctx.then("resume_review")


def _resume(ctx: Ctx[NoInput]) -> None:
    """The clocks of a reopened claim start anew: what the law counts, and what the contract counts
    when nothing is missing."""
    ctx.emit("first_received")
    if ctx.action == "resume_review":
        ctx.emit("materials_complete")


KIND.action(
    Action(
        "withdraw", _("Withdraw"), DESK | MACHINES, _withdraw, transition="withdraw", input=ReasonInput, event="withdrawn",
        guards=(guards.nothing_decided_yet,), style="danger", order=90,
    )
)  # fmt: skip
KIND.action(
    Action(
        "reopen",
        _("Reopen"),
        SUPERVISORS,
        _reopen,
        transition="reopen",
        input=ReasonInput,
        event="reopened",
        system=True,
        order=90,
    )
)
for name, words in (("resume_review", _("Resume review")), ("resume_check", _("Resume check"))):
    KIND.action(Action(name, words, frozenset(), _resume, transition=name, system=True, manual=False))
