"""Deciding stored facts again: as they were booked, or as another handbook or plan would have it.

A replay must come out as it was booked. A what-if carries on what it changes: a claim that would
have been paid less leaves more of its policy's limits to the claims after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.adjudication.accumulators import limit_accounts
from apps.adjudication.decision import Decision
from apps.adjudication.errors import AdjudicationError, FactsError
from apps.adjudication.facts import ZERO, Balance, Facts
from apps.adjudication.handbook import Handbook
from apps.adjudication.intake import assess_intake
from apps.adjudication.plan import Plan as Terms
from apps.adjudication.serialize import facts_from_json
from apps.claims.actions.special import verdict_of
from apps.claims.assess import decide
from apps.claims.models import Decision as DecisionRow
from apps.claims.models import DecisionLine, Outcome
from apps.core.errors import NotFound
from apps.core.money import to_fen
from apps.ledger.accounts import period_of
from apps.products.models import HandbookVersion, Plan
from apps.products.queries import working_calendar

SHARES = ("billed", "third_party", "disallowed", "deductible", "member", "insurer")
CHUNK = 200  # decisions in memory at a time
Shares = dict[str, int]  # fen by share


# --- Facts of a text ------------------------------------------------------------------------------


def facts_of_json(data: Any) -> Facts:
    """Facts with the handbook and plan they name: by hash, else the current ones of the series."""
    if not isinstance(data, Mapping):
        raise FactsError("", data, "an object")
    series, code = str(data.get("series", "")), str(data.get("plan", ""))
    handbook = _pick(
        HandbookVersion.objects.filter(series=series).order_by("-number"), data.get("handbook_sha")
    )
    if handbook is None:
        raise NotFound(
            _("No handbook of series %(series)s is loaded.") % {"series": series},
            code="no_handbook",
            field="series",
        )
    plan = _pick(Plan.every.filter(series=series, code=code).order_by("-pk"), data.get("plan_sha"))
    if plan is None:
        raise NotFound(_("No plan %(code)s is loaded.") % {"code": code}, code="no_plan", field="plan")
    return facts_from_json(dict(data), handbook.handbook, plan.terms)


def _pick(rows: Any, sha: Any) -> Any:
    return (rows.filter(sha256=sha).first() if sha else None) or rows.first()


# --- One decision ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Swap:
    """What to decide under instead: a handbook, and plans by their code. Empty = what was in force."""

    handbook: Handbook | None = None
    plans: Mapping[str, Terms] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.handbook is not None or bool(self.plans)


@dataclass(frozen=True)
class Reason:
    """A finding that a line names, as people read it."""

    ref: str
    rule: str = ""
    message_zh: str = ""
    message_en: str = ""


@dataclass(frozen=True)
class LineChange:
    """A line that comes out otherwise; shares in fen, reasons with the words of their findings."""

    ref: str
    name: str
    benefit: str
    before: Shares
    after: Shares
    reasons_before: tuple[Reason, ...]
    reasons_after: tuple[Reason, ...]


@dataclass(frozen=True)
class Comparison:
    """A stored decision beside the same one made again; amounts in fen, as computed by the rules.

    `problem` says why it could not be decided again; the figures are equal then.
    """

    row: DecisionRow
    before_fen: int
    after_fen: int
    outcome: str = ""
    lines: tuple[LineChange, ...] = ()
    appeared: tuple[str, ...] = ()  # rule ids of findings that are new
    vanished: tuple[str, ...] = ()
    problem: str = ""

    @property
    def same(self) -> bool:
        return not (self.problem or self.lines) and self.before_fen == self.after_fen


def replay(row: DecisionRow) -> Decision:
    """What the rules make of the stored facts now, under the very handbook and plan they name."""
    return _again(_Texts().facts(row), row.outcome)


def _again(facts: Facts, outcome: str) -> Decision:
    """As `booking` would store it: a rescission pays nothing whatever the rules give."""
    decision = decide(facts, assess_intake(facts, working_calendar()))
    return verdict_of(outcome, decision, 0).decision if outcome == Outcome.RESCISSION else decision


def compare_one(row: DecisionRow, decision: Decision, stored: Sequence[DecisionLine]) -> Comparison:
    """`stored` are the lines of the decision in their order, which is the order of the facts."""
    names, findings = _names(row.facts), row.result.get("findings", ())
    booked_reasons = {_ref(finding): _reason(finding) for finding in findings}
    new_reasons = {
        finding.ref: Reason(finding.ref, finding.rule, finding.message_zh, finding.message_en)
        for finding in decision.findings
    }
    changes = []
    for line, booked in zip(decision.lines, stored, strict=True):
        before = {name: getattr(booked, f"{name}_fen") for name in SHARES}
        after = {name: to_fen(getattr(line, name)) for name in SHARES}
        if before != after:
            reasons = (
                tuple(booked_reasons.get(ref, Reason(ref)) for ref in booked.reasons),
                tuple(new_reasons.get(ref, Reason(ref)) for ref in line.reasons),
            )
            changes.append(
                LineChange(line.ref, names.get(line.ref, ""), line.benefit, before, after, *reasons)
            )
    was = {finding["rule"] for finding in findings}
    now = {finding.rule for finding in decision.findings}
    return Comparison(
        row, row.computed_fen, to_fen(decision.insurer), decision.outcome, tuple(changes),
        tuple(sorted(now - was)), tuple(sorted(was - now)),
    )  # fmt: skip


def _ref(finding: Mapping[str, Any]) -> str:
    return f"{finding['code']}@{finding['place']}" if finding["place"] else str(finding["code"])


def _reason(finding: Mapping[str, Any]) -> Reason:
    return Reason(_ref(finding), finding["rule"], finding["message_zh"], finding["message_en"])


def _names(facts: Mapping[str, Any]) -> dict[str, str]:
    lines = (
        line for visit in facts.get("visits", ()) for bill in visit.get("bills", ()) for line in bill["lines"]
    )
    return {line["ref"]: line.get("name", "") for line in lines}


class _Texts:
    """Handbooks and plans by hash, each read once; a replay takes no other than the one named."""

    def __init__(self) -> None:
        self._handbooks: dict[str, Handbook] = {}
        self._plans: dict[str, Terms] = {}

    def facts(self, row: DecisionRow) -> Facts:
        handbook, plan = row.handbook_sha, row.plan_sha
        if handbook not in self._handbooks:
            self._handbooks[handbook] = _one(HandbookVersion.objects.filter(sha256=handbook)).handbook
        if plan not in self._plans:
            self._plans[plan] = _one(Plan.every.filter(sha256=plan)).terms
        return facts_from_json(row.facts, self._handbooks[handbook], self._plans[plan])


def _one(rows: QuerySet[Any]) -> Any:
    found = rows.first()
    if found is None:
        raise NotFound(_("The handbook or plan of this decision is no longer in the database."))
    return found


# --- Many decisions -------------------------------------------------------------------------------


def compare(decisions: QuerySet[DecisionRow], swap: Swap | None = None) -> Iterator[Comparison]:
    """Decide again, policy by policy in the order of booking.

    Without a swap every version is compared as it stands, which must show no difference. With one,
    a decision is made on the balances of its day, corrected by what the swap would have changed in
    earlier decisions of the same policy that are among `decisions`; versions that a later one
    replaced count on the way and are not reported. Two queries a chunk; memory does not grow.
    """
    texts, policy, carried = _Texts(), None, None
    for chunk in _chunks(decisions):
        rows = DecisionRow.objects.select_related("claim__case").in_bulk([pk for _p, _c, pk in chunk])
        lines = defaultdict(list)
        for line in DecisionLine.objects.filter(decision__in=rows).order_by("pk"):
            lines[line.decision_id].append(line)
        in_force = {claim: pk for _policy, claim, pk in chunk}
        for of_policy, claim, pk in chunk:
            if swap and of_policy != policy:
                policy, carried = of_policy, _Carried(swap)
            found = _compared(rows[pk], lines[pk], texts, carried)
            if not swap or in_force[claim] == pk:
                yield found


Key = tuple[int, int, int]  # policy, claim, decision


def _chunks(decisions: QuerySet[DecisionRow]) -> Iterator[list[Key]]:
    """Keys in the order of work, a few policies at a time, never part of one."""
    ordered = decisions.order_by("claim__case__policy", "decided_at", "pk")
    keys: Iterator[Key] = ordered.values_list("claim__case__policy", "claim", "pk").iterator(chunk_size=5000)
    chunk: list[Key] = []
    for _policy, group in groupby(keys, key=itemgetter(0)):
        chunk += group
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _compared(
    row: DecisionRow, lines: Sequence[DecisionLine], texts: _Texts, carried: _Carried | None
) -> Comparison:
    try:
        facts = texts.facts(row)
        if carried is not None:
            facts = carried.swapped(facts)
        decision = _again(facts, row.outcome)
        found = compare_one(row, decision, lines)
    except (AdjudicationError, NotFound, ValueError) as error:
        return Comparison(row, row.computed_fen, row.computed_fen, problem=str(error))
    if carried is not None:
        carried.remember(row, decision)
    return found


class _Carried:
    """Limits of one policy under a swap: what earlier decisions would have used more or less."""

    def __init__(self, swap: Swap) -> None:
        self._swap = swap
        self._by_claim: dict[int, dict[str, Decimal]] = {}

    def swapped(self, facts: Facts) -> Facts:
        """The same facts under the other handbook or plan, with its ceilings."""
        handbook = self._swap.handbook
        if handbook is not None:
            facts = replace(facts, handbook=handbook, handbook_sha="")
        plan = self._swap.plans.get(facts.plan.code)
        if plan is not None:
            facts = replace(facts, plan=plan, plan_sha="")
        return replace(facts, balances=tuple(self._balances(facts)))

    def _balances(self, facts: Facts) -> Iterator[Balance]:
        ceilings = {
            account.key: account.limit
            for account in limit_accounts(facts.plan, period_of(facts), facts.handbook)
        }
        trial = decide(replace(facts, balances=()), ())  # names the accounts of visits and days, too
        ceilings |= {movement.key: movement.limit for movement in trial.movements}
        before = {balance.key: balance for balance in facts.balances}
        for key, ceiling in ceilings.items():
            was = before.get(key, Balance(key, ceiling))
            used = was.used + sum((change.get(key, ZERO) for change in self._by_claim.values()), ZERO)
            yield Balance(key, ceiling, used, was.reserved)

    def remember(self, row: DecisionRow, decision: Decision) -> None:
        """What this decision moves more than was booked; a later version of the claim replaces it."""
        change: dict[str, Decimal] = defaultdict(lambda: ZERO)
        if row.outcome != Outcome.COMPROMISE:  # uses no limits
            for movement in decision.movements:
                change[movement.key] += movement.amount
            for booked in row.result.get("movements", ()):
                change[booked["key"]] -= Decimal(booked["amount"])
        self._by_claim[row.claim_id] = change
