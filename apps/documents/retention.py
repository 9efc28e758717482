"""How long papers are kept (LAW-08), and that nothing goes before."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils.translation import gettext as _

from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.core.errors import Blocked
from apps.documents.models import Paper
from apps.members.models import Policy

RULE_KEY, RULE = "papers.retention", "LAW-08"
IDENTITY_PAPERS = frozenset(
    {
        "INSURED_ID", "PASSPORT", "HOUSEHOLD_REGISTER", "BIRTH_CERTIFICATE", "RELATIONSHIP_PROOF",
        "BIRTH_CERTIFICATE_NAMING_PARENTS", "GUARDIAN_ID", "PHOTO_ID", "IDENTITY_CHECK",
    }
)  # fmt: skip


def retain_until(kind: str, policy: Policy, handbook: Handbook) -> date:
    """Last day on which a paper must be kept.

    Vouchers: 5 years after the contract ends, 10 if it ran over a year. Identity papers: 10 years.
    The figures are parameters of the series.
    """
    ends = policy.ended_on or policy.expires_on
    over_a_year = ends > add_years(policy.effective_on, 1)
    years = int(
        handbook.value("retention.vouchers_long", 10)
        if over_a_year
        else handbook.value("retention.vouchers", 5)
    )
    if kind in IDENTITY_PAPERS:
        years = max(years, int(handbook.value("retention.identity", 10)))
    return add_years(ends, years)


def add_years(day: date, years: int) -> date:
    """29 February becomes 1 March: a period is never a day short."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28) + timedelta(days=1)


def refuse_early_deletion(paper: Paper, today: date) -> None:
    """Blocked (LAW-08) before the retention date; the policy may have been extended meanwhile."""
    case = paper.case
    handbook = case.handbook.handbook
    keep_until = max(paper.retain_until or date.min, retain_until(paper.kind, case.policy, handbook))
    rule = handbook.rule(RULE_KEY)
    rule_id = rule.id if rule else RULE
    if observe(rule_id, today <= keep_until):
        raise Blocked(
            _("This paper must be kept until %(date)s.") % {"date": keep_until.isoformat()},
            code="RETAINED",
            rule=rule_id,
            data={"keep_until": keep_until.isoformat()},
        )


def delete_paper(paper: Paper, *, today: date) -> None:
    """Delete a paper whose time is over. The file goes with the sweep when nothing else uses it."""
    refuse_early_deletion(paper, today)
    paper.delete()
