"""Reasons why an appeal, or an action on one, is not possible now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.appeals.models import Appeal
from apps.appeals.roles import REVIEWERS
from apps.appeals.target import DECIDED_STATES, Target
from apps.cases.kinds import Blocker
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, Conflict

Found = Blocker | None
SERVICE = "appeal"
INTEREST = "LAW-10"


def rule_of(handbook: Handbook) -> str:
    """The rule by which the series takes appeals (APL-01, APP-27); PR-19 where it prints none."""
    service = handbook.service(SERVICE)
    return service.rule if service else "PR-19"


def refuse(found: Found, field: str = "") -> None:
    """For what is checked before a case is there."""
    if found:
        raise Blocked(found.message, code=found.code, rule=found.rule, field=field)


def open_already() -> Conflict:
    """Two people recorded an appeal on the same claim at once."""
    return Conflict(_("Somebody else has just recorded an appeal on this claim."), code="appeal_open", field="claim")  # fmt: skip


# --- Whether a claim can be appealed ------------------------------------------------------------------


def appealable(origin: CaseFile, target: Target | None) -> Found:
    """APL-01, APP-27, PR-06: a decided claim, no open appeal, and not the same decision twice."""
    handbook = origin.handbook.handbook
    service, rule = handbook.service(SERVICE), rule_of(handbook)
    if origin.kind not in DECIDED_STATES:
        return Blocker("not_a_claim", _elsewhere(origin), rule)
    if service is None or not service.offered:
        return Blocker("not_offered", _("This series knows no appeal."), rule)
    earlier = list(Appeal.objects.filter(origin=origin.pk).select_related("case").order_by("-case"))
    running = next((row for row in earlier if row.ended_at is None), None)
    if observe(rule, running is not None):
        assert running is not None
        words = _("Appeal %(number)s on this claim is not over yet.") % {"number": running.case.number}
        return Blocker("appeal_open", words, rule)
    if observe(rule, target is None):
        return Blocker("not_decided", _undecided(origin), rule)
    assert target is not None
    same = (target.version, target.decided_at)
    answered = next((row for row in earlier if (row.version, row.decided_at) == same and row.answered_at), None)  # fmt: skip
    if observe(rule, answered is not None):
        assert answered is not None
        words = _(
            "This decision was reviewed by appeal %(number)s already. A new decision can be appealed; otherwise record a complaint."
        ) % {"number": answered.case.number}
        return Blocker("answered", words, rule)
    return None


def _elsewhere(origin: CaseFile) -> Any:
    if origin.kind == "authorization":
        return _(
            "Only the result of a claim can be appealed. Of a prior authorization ask for reconsideration, or record a complaint."
        )
    return _("Only the result of a claim can be appealed; record a complaint instead.")


def _undecided(origin: CaseFile) -> Any:
    return _("%(number)s is “%(state)s”: there is no result yet, or it is being decided again.") % {
        "number": origin.number,
        "state": origin.get_state_display(),
    }


def channel(handbook: Handbook, given: str) -> Found:
    """Appeals come by the ways the series prints (APL-01: the hotline; APP-27: hotline, e-mail)."""
    service = handbook.service(SERVICE)
    if service is None or not observe(service.channel_rule or service.rule, given not in service.channels):
        return None
    words = _("Appeals of series %(series)s come by: %(channels)s. Otherwise record a complaint.") % {
        "series": handbook.series, "channels": ", ".join(service.channels),
    }  # fmt: skip
    return Blocker("channel", words, service.channel_rule or service.rule)


def converts(handbook: Handbook) -> bool:
    """Whether the series prints that a complaint becomes the appeal: both stand under one rule (APP-27)."""
    appeal, complaint = handbook.service(SERVICE), handbook.service("complaint")
    return appeal is not None and complaint is not None and appeal.rule == complaint.rule


# --- Who may review -----------------------------------------------------------------------------------


def concerned(row: Appeal) -> set[int]:
    """Who had a part in the decision, or is complained of; read once, the guards of a page share it."""
    if "_concerned" not in row.__dict__:
        row.__dict__["_concerned"] = set(row.deciders.values_list("user", flat=True))
    found: set[int] = row.__dict__["_concerned"]
    return found


def conflict_of(row: Appeal, user_id: int | None) -> Found:
    """Machine (h), LAW-10: the reviewer is never who made the decision."""
    if user_id is None or not observe(INTEREST, user_id in concerned(row)):
        return None
    words = _(
        "Whoever had a part in the decision does not review the appeal against it; give it to somebody else."
    )
    return Blocker("interested", words, INTEREST)


def disinterested(ctx: Any) -> Found:
    return conflict_of(ctx.subject, ctx.actor.user_id)


def reviewers(case: CaseFile, without: Iterable[int]) -> list[User]:
    """Who may review: active, with the role, of this administrator and series, without a part in it."""
    people = User.objects.filter(
        is_active=True, is_staff=True, roles__code__in=REVIEWERS, tpa__in=["", case.tpa]
    )
    found = people.exclude(pk__in=list(without)).select_related("team").distinct().order_by("team", "name")
    return [person for person in found if not person.series or case.series in person.series]


# --- What stands in the way of an answer --------------------------------------------------------------


def claim_decided_again(ctx: Any) -> Found:
    """An overturned decision is answered when the claim is decided again."""
    row: Appeal = ctx.subject
    if ctx.case.state != "OVERTURNED" or row.settled_at:
        return None
    words = (
        _("%(claim)s is being decided again; the answer follows the new decision.")
        if row.reopened_at
        else _("%(claim)s is still being paid; it is reopened by itself when the payment has ended.")
    )
    return Blocker("waits", words % {"claim": row.origin.number}, rule_of(ctx.handbook))
