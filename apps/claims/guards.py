"""Reasons why an action is not possible now. Each asks the handbook by key and reports to the trace,
so the rulebook sees every guard firing and not firing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Level
from apps.adjudication.trace import observe
from apps.cases.kinds import Blocker
from apps.cases.models import ClockPause
from apps.claims.assess import assessment_in
from apps.claims.assignment import family_part
from apps.claims.models import Inquiry
from apps.claims.originals import close_after, outstanding, unseen, waiting
from apps.claims.rescission import rescission_window
from apps.claims.roles import SUPERVISORS
from apps.core.money import to_yuan
from apps.payments.queries import unordered_fen

Found = Blocker | None


def rule_of(ctx: Any, key: str, default: str = "") -> str:
    """The id a series gives to a rule; `default` where law or practice applies to every series."""
    rule = ctx.handbook.rule(key)
    return rule.id if rule else default


def fires(ctx: Any, key: str, fired: bool, default: str = "") -> bool:
    """Report the evaluation of a rule of this series."""
    rule = rule_of(ctx, key, default)
    return observe(rule, fired) if rule else fired


def one_notice(ctx: Any) -> Found:
    """LAW-01: what is missing is asked for once; again only by a supervisor."""
    again = ctx.case.claim.notices > 0 and not ctx.actor.roles & SUPERVISORS and not ctx.actor.is_system
    if fires(ctx, "papers.once", again, "LAW-01"):
        return Blocker(
            "second_notice",
            _(
                "A supplement notice was sent already; what is missing may be asked for once. A supervisor may ask again."
            ),
            rule_of(ctx, "papers.once", "LAW-01"),
        )
    return None


def something_missing(ctx: Any) -> Found:
    if assessment_in(ctx).lacking:
        return None
    return Blocker("nothing_missing", _("Nothing is missing."))


def something_to_send(ctx: Any) -> Found:
    """A reminder asks for what is not here; what is here waits for us (RMB-20)."""
    if outstanding(assessment_in(ctx)):
        return None
    return Blocker(
        "unseen", _("Everything has come; look at the papers first."), rule_of(ctx, "papers.legible")
    )


def papers_seen(ctx: Any) -> Found:
    """RMB-20, RMB-21: somebody looked at every picture before the check list counts."""
    waiting_for = [paper for paper in assessment_in(ctx).rows.papers if unseen(paper)]
    rule = rule_of(ctx, "papers.legible")
    if fires(ctx, "papers.legible", bool(waiting_for)):
        return Blocker(
            "unseen",
            _("%(count)d papers were not looked at yet (legible? in color?).") % {"count": len(waiting_for)},
            rule,
        )
    return None


def nothing_open(ctx: Any) -> Found:
    """Findings that ask for a person, or for something missing, stop a decision."""
    open_findings = assessment_in(ctx).open_findings
    if not open_findings:
        return None
    first = open_findings[0]
    return Blocker(
        "open_findings",
        _("%(count)d findings are open. First: %(what)s")
        % {"count": len(open_findings), "what": words(first)},
        first.rule,
    )


def identity_settled(ctx: Any) -> Found:
    """KYC-01 is regulatory: it stops ex gratia payments and compromises too."""
    pending = [
        finding for finding in assessment_in(ctx).open_findings if finding.level in (Level.PEND, Level.BLOCK)
    ]
    if not pending:
        return None
    return Blocker("open_findings", words(pending[0]), pending[0].rule)


def words(finding: Any) -> str:
    from django.utils.translation import get_language

    return finding.message_en if (get_language() or "").startswith("en") else finding.message_zh


def refusal_confirmed_only(ctx: Any) -> Found:
    """A refusal is confirmed while its ground still stands (PR-06)."""
    if assessment_in(ctx).intake_outcome == "REFUSE":
        return None
    return Blocker(
        "no_ground", _("The facts give no ground for a refusal any more; take the claim in."), "PR-06"
    )


def refusal_has_discretion(ctx: Any) -> Found:
    """A refusal is overruled only where the text leaves room; where it forbids, facts must change."""
    hard = [
        finding
        for finding in assessment_in(ctx).intake
        if finding.level is Level.BLOCK and not finding.discretion
    ]
    if not hard:
        return None
    return Blocker("no_discretion", words(hard[0]), hard[0].rule)


def long_enough_without_papers(ctx: Any) -> Found:
    """Appendix A: closed only after the notice and the days the series sets (default 180)."""
    awaited, days = waiting(ctx.case), close_after(ctx.handbook)
    if awaited is None:
        return Blocker(
            "not_asked", _("Nobody was told yet what is missing."), rule_of(ctx, "papers.once", "LAW-01")
        )
    until = timezone.localtime(awaited.since) + timedelta(days=days)
    if ctx.now < until:
        return Blocker(
            "too_early",
            _("Waiting for papers until %(day)s (%(days)d days).")
            % {"day": until.date().isoformat(), "days": days},
        )
    return None


def within_authority(ctx: Any) -> Found:
    """The second signature comes from somebody who may decide the amount."""
    proposal = getattr(ctx.case.claim, "proposal", None)
    if proposal is None or ctx.actor.authority_fen >= proposal.insurer_fen:
        return None
    return Blocker(
        "authority",
        _("%(amount)s is above your authority of %(limit)s.")
        % {"amount": to_yuan(proposal.insurer_fen), "limit": to_yuan(ctx.actor.authority_fen)},
    )


def rescission_in_time(ctx: Any) -> Found:
    """LAW-12, PR-24: 30 days from knowledge, never after two years from the contract."""
    window = rescission_window(ctx.case, ctx.handbook, timezone.localtime(ctx.now).date())
    if fires(ctx, "decide.rescission", not window.open, "LAW-12"):
        return Blocker("too_late", window.words, rule_of(ctx, "decide.rescission", "LAW-12"))
    return None


def payee_known(ctx: Any) -> Found:
    """RMB-12, RMB-33: money goes to a structured account of the beneficiary."""
    if fires(ctx, "pay.account", ctx.case.claim.payee_id is None and not _all_assigned(ctx)):
        return Blocker("payee", _("The payee's account is not known yet."), rule_of(ctx, "pay.account"))
    return None


def _all_assigned(ctx: Any) -> bool:
    """What is owed goes to a provider that advanced it; nothing is left for an account of the family (ADV-14)."""
    if ctx.case.claim.assigned_to_id is None:
        return False
    return family_part(ctx.case, ctx.loaded.get("payable_fen") or unordered_fen(ctx.case)) == 0


# --- Inquiries and pauses -------------------------------------------------------------------------


def ground_of(inquiry: Inquiry) -> str:
    """What a handbook calls the reason to pause."""
    return "investigation" if inquiry.kind == Inquiry.Kind.INVESTIGATION else "dispute"


def prints_pause(ctx: Any, ground: str) -> bool:
    """Whether any clock of the series may stand still for this reason (PR-04)."""
    return any(ground in spec.pauses for spec in ctx.handbook.clocks)


def may_stand_still(ctx: Any) -> Found:
    """PR-04: only for a reason the series prints, and only once."""
    open_ones = Inquiry.objects.filter(claim=ctx.case.pk, state=Inquiry.State.OPEN)
    grounds = [ground_of(row) for row in open_ones.exclude(kind=Inquiry.Kind.MEDICAL)]
    printed = any(prints_pause(ctx, ground) for ground in grounds)
    rule = rule_of(ctx, "clock.pauses", "PR-04")
    if fires(ctx, "clock.pauses", not printed, "PR-04"):
        words_ = _("Series %(series)s prints no pause of its clocks for this reason; the promise runs on.")
        return Blocker("no_pause", words_ % {"series": ctx.handbook.series}, rule)
    if (
        ClockPause.objects.filter(clock__case=ctx.case.pk, ended_at=None)
        .exclude(reason="missing_papers")
        .exists()
    ):
        return Blocker("standing", _("The clock stands still already."), rule)
    return None


def something_asked(ctx: Any) -> Found:
    if ctx.case.claim.inquiries_open:
        return None
    return Blocker("nothing_asked", _("No inquiry is open."))


def inquiries_answered(ctx: Any) -> Found:
    """Who asked for an opinion waits for it, or takes the question back."""
    if not ctx.case.claim.inquiries_open:
        return None
    return Blocker(
        "inquiry_open", _("An inquiry is open: its answer belongs beside the decision. Cancel it to go on.")
    )


def nothing_decided_yet(ctx: Any) -> Found:
    """A claim with a decision is not withdrawn: its bills are used up and its money may be paid."""
    if ctx.case.claim.decided_fen is None:
        return None
    return Blocker(
        "decided_before", _("A decision was made on this claim; it can be decided anew, not withdrawn.")
    )


def nothing_proposed(ctx: Any) -> Found:
    """While a second signature is awaited the decision stands with its signer."""
    if getattr(ctx.case.claim, "proposal", None) is None:
        return None
    return Blocker("proposed", _("A decision waits for its second signature."))
