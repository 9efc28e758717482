"""What the rules say about a plan: needed or not, in time or late, covered or not, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.authorization import authorization_required
from apps.adjudication.checklist import Requirement, checklist, lacking
from apps.adjudication.clocks import due_at, in_time
from apps.adjudication.decision import Decision, Finding
from apps.adjudication.engine import adjudicate
from apps.adjudication.facts import Facts
from apps.adjudication.handbook import ClockSpec, Handbook, Level, Title
from apps.adjudication.identity import Gap, identity_gaps, identity_needed
from apps.adjudication.intake import assess_intake
from apps.adjudication.trace import observe
from apps.adjudication.words import gap_name, gap_name_en
from apps.authorizations.facts import Plan, facts_of, plan_of
from apps.authorizations.models import PlannedLine
from apps.cases.models import CaseFile
from apps.core.money import to_fen
from apps.documents.models import Paper
from apps.documents.queries import paper_facts, papers_of
from apps.hospitals.models import NetworkEntry
from apps.hospitals.queries import Answer, Asked, answer_of, entries_at, listed_at
from apps.ledger.models import LimitAccount
from apps.ledger.queries import limits_of
from apps.products.queries import network_group, working_calendar

LIST = "AUTHORIZATION"
SERVICE = "authorization"
SCOPE_OF = {"OBSERVATION_WARD": "EMERGENCY", "INTERNET": "OUTPATIENT"}
STAYS = ("INPATIENT", "OBSERVATION_WARD")


@dataclass(frozen=True, slots=True)
class Timing:
    """When the request had to come. `late` of an emergency: after the 48 hours (PA-06), else after the
    last of the working days (PA-03, PA-22). `by` None: the series prints no such term (PR-07)."""

    rule: str
    late: bool
    day: date | None = None
    by: datetime | None = None
    provisional: bool = False


@dataclass(frozen=True)
class Trial:
    """One look at a plan with all that was read for it; each part is computed when first asked for,
    without queries (the calendar's token aside)."""

    plan: Plan
    facts: Facts
    at: datetime
    entries: Sequence[NetworkEntry] = ()  # of the series at the place
    accounts: Sequence[LimitAccount] = ()
    lines: Sequence[PlannedLine] = ()  # as stored, in order; none of a plan nobody has filed
    papers: Sequence[Paper] = ()

    @cached_property
    def triggers(self) -> tuple[Finding, ...]:
        """What of the plan is listed, with the lines behind it (PA-07…12, PA-23…34)."""
        return authorization_required(self.facts)

    @property
    def required(self) -> bool:
        return any(finding.level is not Level.WARN for finding in self.triggers)

    @cached_property
    def decision(self) -> Decision:
        """What would be paid of the plan, as estimated, on the limits of now."""
        return adjudicate(self.facts)

    @cached_property
    def outside(self) -> tuple[Finding, ...]:
        """Why the plan is not covered at all: no policy on the day, waiting period, exclusion (PA-02)."""
        forbidding = [
            finding
            for finding in assess_intake(self.facts, working_calendar())
            if finding.level is Level.BLOCK and finding.code in FORBIDDING
        ]
        denying = [
            finding for finding in self.decision.findings if finding.level in (Level.BLOCK, Level.DENY)
        ]
        found = tuple({finding.ref: finding for finding in (*forbidding, *denying)}.values())
        uncovered = bool(forbidding) or self.decision.insurer == 0
        return found if uncovered else ()

    @property
    def suggested_fen(self) -> int:
        return to_fen(self.decision.insurer)

    @cached_property
    def timing(self) -> Timing | None:
        """Whether it is asked, or an emergency notified, in time; None where the series prints no term."""
        if self.plan.emergency_at is None:
            return timing(self.plan, self.at)
        return emergency_timing(self.plan.handbook.handbook, self.plan.emergency_at, self.at)

    @cached_property
    def billing(self) -> Billing:
        """Whether the place bills the plan directly on its first day (PA-21)."""
        return direct_billing(self.plan, self.entries)


# Of what intake says of claims, what speaks of the cover itself; where a child is treated is no such thing.
FORBIDDING = frozenset({"SERIES_MISMATCH", "VERSION_UNKNOWN", "NOT_IN_FORCE", "NO_RIDER"})


def trial(plan: Plan, now: datetime) -> Trial:
    """Look at a plan nobody has filed. Two queries: networks, limits."""
    return _trial(plan, now)


def _trial(
    plan: Plan, now: datetime, lines: Sequence[PlannedLine] = (), papers: Sequence[Paper] = ()
) -> Trial:
    entries, accounts = (
        entries_at(plan.campus or plan.hospital, plan.policy.series),
        limits_of(plan.policy.pk),
    )
    networks = listed_at(plan.hospital, entries, _asked(plan))
    facts = facts_of(plan, now, papers=paper_facts(papers), accounts=accounts, networks=networks)
    return Trial(plan, facts, now, entries, accounts, lines, papers)


def trial_of(case: CaseFile, now: datetime, touched: Sequence[Paper] = ()) -> Trial:
    """The same for a case: its lines, papers and what others left of the limits; four queries.

    `touched` are papers as an action that is under way leaves them.
    """
    lines = list(case.authorization.lines.order_by("supplement", "position"))
    known = {paper.pk: paper for paper in papers_of(case)} | {
        paper.pk: paper for paper in touched if paper.pk
    }
    papers = [*known.values(), *(paper for paper in touched if paper.pk is None)]
    return _trial(plan_of(case, lines), now, lines, papers)


def trial_in(ctx: Any) -> Trial:
    """The trial of the case of an action; made once an action."""
    return _kept(ctx.loaded, ctx.case, ctx.now)


def trial_on(case: CaseFile) -> Trial:
    """The trial a page shows; made once a page, guards and panels share it."""
    return _kept(case.looked, case, timezone.now())


def _kept(kept: dict[str, Any], case: CaseFile, now: datetime) -> Trial:
    if "trial" not in kept:
        kept["trial"] = trial_of(case, now, kept.get("papers", ()))
    found: Trial = kept["trial"]
    return found


# --- Time -----------------------------------------------------------------------------------------


def timing(plan: Plan, at: datetime) -> Timing | None:
    """PA-03, PA-22: N working days strictly before the start, the start day not counted."""
    spec = clock(plan.handbook.handbook, "authorization.submission")
    if spec is None:
        return None
    due = due_at(spec, plan.planned_on, working_calendar())
    late = observe(spec.rules[0], not in_time(spec, at, due))
    observe(spec.id, late)
    if len(spec.rules) > 1 and plan.visit_type in STAYS:
        observe(spec.rules[1], late)
    return Timing(spec.rules[0], late, due.day, due.at, due.provisional)


def emergency_timing(handbook: Handbook, emergency_at: datetime, at: datetime) -> Timing | None:
    """PA-06: 48 running hours from the registration, the last instant included."""
    spec = clock(handbook, "authorization.emergency_notice")
    if spec is None:
        return None
    due = due_at(spec, timezone.localtime(emergency_at), working_calendar())
    late = observe(spec.rules[0], not in_time(spec, at, due))
    observe(spec.id, late)
    return Timing(spec.rules[0], late, timezone.localtime(due.at).date(), due.at)


def clock(handbook: Handbook, key: str) -> ClockSpec | None:
    return next((spec for spec in handbook.clocks if spec.key == key), None)


# --- Papers ---------------------------------------------------------------------------------------


def requirements(found: Trial) -> tuple[Requirement, ...]:
    """The list of the series for authorizations, and the child's photo identity where the amount
    reaches the series' threshold (KYC-01): asked now, not at discharge."""
    listed = tuple(_as_filed(entry) for entry in checklist(found.facts, "", LIST))
    if not identity_needed(found.facts):
        return listed
    return (*listed, _identity(found.facts))


def _as_filed(entry: Requirement) -> Requirement:
    """What was asked for by phone, app or interface stands in this system: no form on top (PR-03)."""
    if entry.key != "AUTHORIZATION_REQUEST" or entry.satisfied:
        return entry
    words = Title("已按渠道登记", "taken down as it came")
    return replace(entry, status="SATISFIED", automatic=True, why=words, remedy=Title("", ""), fault="")


def missing(found: Trial) -> tuple[Requirement, ...]:
    return lacking(requirements(found))


def _identity(facts: Facts) -> Requirement:
    rule = facts.handbook.rule("papers.photo_id")
    assert rule is not None  # `identity_needed` asked for it
    gaps = tuple(gap for gap in identity_gaps(replace(facts, payee_relation="INSURED")) if _own(gap))
    observe(rule.id, bool(gaps))
    words = Title(
        "；".join(gap_name(gap.subject, gap.why) for gap in gaps) or "已收到",
        "; ".join(gap_name_en(gap.subject, gap.why) for gap in gaps) or "received",
    )
    return Requirement(
        "PHOTO_ID", PHOTO_ID, rule.id, rule.source, "MISSING" if gaps else "SATISFIED", "COPY", words,
        PHOTO_REMEDY if gaps else Title("", ""),
    )  # fmt: skip


def _own(gap: Gap) -> bool:
    return gap.subject == "INSURED"


PHOTO_ID = Title("被保险人带照片的有效证件", "Photo identity of the child")
PHOTO_REMEDY = Title(
    "请提供在有效期内、带照片的证件复印件；儿童可用户口本本人页。",
    "Send an unexpired identity paper with photo; for a child the own page of the household register.",
)


# --- Network --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Billing:
    """Whether the place bills this plan directly on its first day (PA-21), or why not."""

    direct: bool
    rule: str
    answer: Answer
    scope: str

    @property
    def why(self) -> Any:
        if self.answer.listed:
            return _("It is in the network, but does not bill %(scope)s directly.") % {"scope": self.scope}
        return " ".join(reason.words for reason in self.answer.reasons)


def direct_billing(plan: Plan, entries: Sequence[NetworkEntry]) -> Billing:
    """From the entries of the series at the place."""
    scope = SCOPE_OF.get(plan.visit_type, plan.visit_type)
    answer = answer_of(plan.hospital, list(entries), _asked(plan))
    rule = first_rule(plan.handbook.handbook, "PA-21", "PA-01")
    outside = observe(rule, not (answer.listed and scope in answer.scopes))
    return Billing(not outside, rule, answer, scope)


def _asked(plan: Plan) -> Asked:
    group = network_group(plan.policy.plan, plan.handbook.handbook)
    return Asked((plan.benefit,), plan.department_group, group, plan.planned_on)


def first_rule(handbook: Handbook, *ids: str) -> str:
    """The first of these ids the series carries; the last one otherwise."""
    return next((rule for rule in ids if rule in handbook.rules), ids[-1])
