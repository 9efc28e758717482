"""Which visits need prior authorization (PA-07…12, PA-23…34, PR-07, PR-08)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from apps.adjudication.conditions import Subject, all_hold, lines_behind, subject_of
from apps.adjudication.decision import Finding
from apps.adjudication.facts import ZERO, Facts, LineFacts, VisitFacts
from apps.adjudication.findings import check, cited, write
from apps.adjudication.handbook import Handbook, Level, Trigger
from apps.adjudication.trace import observe

LAST_RESORT = "cumulative_above"  # "not in items 1 to 5, but …" (PA-12, PA-26)


@dataclass(frozen=True, slots=True)
class Hit:
    """A trigger that holds for a visit, and the lines behind it (none: the visit as a whole)."""

    trigger: Trigger
    visit: VisitFacts
    lines: tuple[LineFacts, ...]

    @property
    def required(self) -> bool:
        return self.trigger.level is not Level.WARN


def authorization_required(facts: Facts) -> tuple[Finding, ...]:
    """One finding per trigger and visit: PA_REQUIRED (REFER) or PA_ADVISED (WARN, PR-08), rule =
    the trigger's; `figures["lines"]` names the lines behind it. Empty for post-claims (APP-02).
    Says what is listed, whether authorized or not; `adjudicate` judges what is missing."""
    return tuple(_finding(hit, facts.handbook) for hit in hits(facts))


def hits(facts: Facts) -> tuple[Hit, ...]:
    """All triggers that hold, by visit in the handbook's order."""
    if check(facts.handbook.rule("intake.no_prior_authorization"), not facts.direct) or not facts.direct:
        return ()
    found = tuple(hit for visit in facts.visits for hit in _of_visit(facts, visit))
    check(facts.handbook.rule("authorization.required"), any(hit.required for hit in found))
    return found


def authorized(hit: Hit, facts: Facts) -> bool:
    """Whether an approved authorization, or a notice in time (PA-06), covers the hit."""
    given = facts.authorizations
    names = ("*", f"visit:{hit.visit.ref}", hit.trigger.key, hit.trigger.rule)
    return any(name in given for name in names)


def _of_visit(facts: Facts, visit: VisitFacts) -> Iterator[Hit]:
    """The cumulative trigger speaks only where no other item does."""
    subject = subject_of(facts, "DIRECT", visit)
    listed = False
    for trigger in sorted(facts.handbook.triggers, key=_is_last_resort):
        holding = all_hold(trigger.when, subject)
        if _is_last_resort(trigger) and listed:
            holding = False
        if observe(trigger.rule, holding):
            listed = listed or trigger.level is not Level.WARN
            yield Hit(trigger, visit, _lines(trigger, subject))


def _is_last_resort(trigger: Trigger) -> bool:
    return any(condition.test == LAST_RESORT for condition in trigger.when)


def _lines(trigger: Trigger, subject: Subject) -> tuple[LineFacts, ...]:
    """The lines of all conditions on lines, in bill order, each once."""
    behind = [line for condition in trigger.when for line in lines_behind(condition, subject)]
    return tuple({line.ref: line for line in behind}.values())


def _finding(hit: Hit, handbook: Handbook) -> Finding:
    trigger, advised = hit.trigger, not hit.required
    detail = "、".join(f"{line.name} {line.amount:,.2f} 元" for line in hit.lines)
    detail_en = ", ".join(f"{line.name} {line.amount:,.2f}" for line in hit.lines)
    return write(
        "PA_ADVISED" if advised else "PA_REQUIRED",
        cited(handbook, trigger.rule, trigger.source),
        Level.WARN if advised else Level.REFER,
        place=f"visit:{hit.visit.ref}",
        amount=affected(hit),
        trigger=trigger.key, title=trigger.title.zh, title_en=trigger.title.en,
        detail=f"（{detail}）" if detail else "", detail_en=f" ({detail_en})" if detail_en else "",
        lines=[line.ref for line in hit.lines],
    )  # fmt: skip


def affected(hit: Hit) -> Decimal:
    """Cost behind a hit: of its lines, or of the whole visit."""
    if hit.lines:
        return sum((line.amount for line in hit.lines), ZERO)
    return sum((bill.amount for bill in hit.visit.bills if bill.live), ZERO)
