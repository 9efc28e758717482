"""Writing a final decision: rows, limits, money owed, letter, message, events. For many claims at once.

`prepare` runs before the handlers of a batch: rows of all claims, then the limits of all policies
locked with one statement. Handlers decide on the locked balances, one claim after the other, and
queue what they write; the batch writes it with one statement a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.accumulators import COUNT, kind_of
from apps.adjudication.decision import ENGINE_VERSION, Decision, Movement
from apps.adjudication.engine import adjudicate
from apps.adjudication.errors import FactsError
from apps.adjudication.facts import Facts
from apps.adjudication.serialize import decision_to_json, facts_to_json
from apps.cases.context import Batch, Ctx
from apps.claims import letters
from apps.claims.assess import Assessment, give_back, own_entries, set_free
from apps.claims.assignment import can_be_ordered
from apps.claims.facts import facts_of
from apps.claims.models import Decision as DecisionRow
from apps.claims.models import DecisionLine, Outcome
from apps.claims.rows import load
from apps.claims.variants import Variant, add_variant, variant_of
from apps.core.errors import Blocked
from apps.core.money import format_yuan, to_fen
from apps.core.numbers import next_numbers_of
from apps.documents.letters import PREFIX as LETTER_PREFIX
from apps.documents.letters import queue_letter
from apps.ledger.accounts import account_key, spec_of, with_balances, year_specs
from apps.ledger.actions import LimitSpec, Use, lock_limits_many, reckon_reversal, reckon_uses
from apps.ledger.models import LimitAccount, LimitEntry
from apps.messaging.outbox import notify_member
from apps.payments.actions import owe
from apps.payments.queries import under_way_fen, unordered_fen

PAYING = (Outcome.APPROVE, Outcome.PARTIAL, Outcome.EX_GRATIA, Outcome.COMPROMISE, Outcome.UNDISPUTED)


# --- Before the handlers --------------------------------------------------------------------------


def prepare(batch: Batch) -> None:
    """Rows, former bookings and locked limits of every claim of the batch."""
    cases = [ctx.case for ctx in batch.contexts]
    variant_of(cases[0]).prepare(batch)
    rows = load(cases, day_totals=False)
    facts = {pk: facts_of(found, batch.now) for pk, found in rows.items()}
    batch.shared |= {"rows": rows, "facts": facts, "moved": set()}
    former = [case.number for case in cases if case.claim.decided_fen is not None]
    batch.shared["former"] = own_entries(former) if former else []
    batch.shared["versions"] = _versions([case.pk for case in cases if case.number in former])
    keys = {case.pk: _keys(facts[case.pk]) for case in cases}
    batch.shared["keys"] = keys
    # Limits before numbers, as at intake: two batches never wait for each other in a circle.
    _lock(batch, facts, keys)
    _draw_numbers(batch, first=not former)
    for ctx in batch.contexts:
        look(ctx)


def _draw_numbers(batch: Batch, *, first: bool) -> None:
    """Numbers for letters and payment orders with one statement. A claim decided for the first time
    has no decision letter that a new one could supersede."""
    letter, payment = f"{LETTER_PREFIX}{batch.now:%y}", f"P{timezone.localtime(batch.now):%y}"
    count = len(batch.contexts)
    orders = variant_of(batch.contexts[0].case).orders
    drawn = next_numbers_of({letter: count, payment: count} if orders else {letter: count})
    batch.shared["letter_numbers"], batch.shared["payment_numbers"] = drawn[letter], drawn.get(payment, [])
    if first:
        batch.shared["letters"] = {}


def _versions(claims: Sequence[int]) -> dict[int, int]:
    if not claims:
        return {}
    found = DecisionRow.objects.filter(claim__in=claims).values("claim").annotate(last=Max("version"))
    return {row["claim"]: row["last"] for row in found}


def _keys(facts: Facts) -> list[Movement]:
    """The accounts a decision may move, learnt by deciding once as if nothing had been used yet."""
    try:
        return list(adjudicate(facts).movements)
    except FactsError as error:
        raise Blocked(
            _("The bills of %(case)s contradict themselves: %(what)s")
            % {"case": facts.claim_ref, "what": error},
            code="contradiction",
        ) from error


def _lock(batch: Batch, facts: dict[int, Facts], keys: dict[int, list[Movement]]) -> None:
    wanted: dict[int, dict[str, LimitSpec]] = {}
    yearly: dict[str, list[LimitSpec]] = {}  # by plan definition
    for ctx in batch.contexts:
        specs = wanted.setdefault(ctx.case.policy_id, {})
        own = [spec_of(movement.key, movement.limit) for movement in keys[ctx.case.pk]]
        plan = f"{ctx.case.handbook.sha256}{ctx.case.policy.plan.sha256}"
        if plan not in yearly:
            yearly[plan] = year_specs(facts[ctx.case.pk])
        for spec in (*own, *yearly[plan]):
            specs[spec.key] = spec
        for entry in batch.shared["former"]:  # a former decision may have moved other accounts
            if entry.reference.startswith(f"{ctx.case.number}/"):
                account = entry.account
                specs.setdefault(account.key, LimitSpec(account.key, account.unit, account.ceiling))
    batch.shared["limits"] = lock_limits_many(
        {policy: list(specs.values()) for policy, specs in wanted.items()}
    )


def limits_in(ctx: Ctx[Any]) -> dict[str, LimitAccount]:
    """The locked accounts of the claim's policy, shared by all its claims in this batch."""
    accounts: dict[str, LimitAccount] = ctx.batch.shared["limits"][ctx.case.policy_id]
    return accounts


def look(ctx: Ctx[Any]) -> Assessment:
    """The claim as it stands on the locked limits; what it used itself before is free again."""
    shared, pk = ctx.batch.shared, ctx.case.pk
    rows, variant = shared["rows"][pk], variant_of(ctx.case)
    accounts = list(limits_in(ctx).values())
    own, held = former_entries(ctx), variant.held(rows)
    if own or held:
        accounts = [_copy(account) for account in accounts]
        give_back(accounts, own)
        set_free(accounts, held)
    keys = [movement.key for movement in shared["keys"][pk]]
    found = variant.assessment(rows, with_balances(shared["facts"][pk], accounts, keys))
    ctx.loaded |= {"assessment": found, "facts": found.facts}
    return found


def _copy(account: LimitAccount) -> LimitAccount:
    copied = copy(account)
    copied._state = copy(account._state)
    return copied


def former_entries(ctx: Ctx[Any]) -> list[LimitEntry]:
    prefix = f"{ctx.case.number}/"
    entries: list[LimitEntry] = ctx.batch.shared["former"]
    return [entry for entry in entries if entry.reference.startswith(prefix)]


# --- The decision itself --------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What a person decided: the outcome, what is paid, and why."""

    outcome: str
    decision: Decision
    insurer_fen: int
    reason: str
    member_text: str = ""
    proposed_by: int | None = None
    signed_by: int | None = None
    uses_limits: bool = True

    @property
    def computed_fen(self) -> int:
        return to_fen(self.decision.insurer)


def book(ctx: Ctx[Any], verdict: Verdict) -> DecisionRow:
    """Queue everything a final decision writes and say how the claim goes on."""
    case, claim, variant = ctx.case, ctx.case.claim, variant_of(ctx.case)
    variant.before_booking(ctx, verdict)
    version = ctx.batch.shared["versions"].get(case.pk, 0) + 1
    reference = f"{case.number}/{version}"
    row = _decision_row(ctx, verdict, version)
    ctx.add(row)
    for line in _line_rows(ctx, verdict, row):
        ctx.add(line)
    _book_limits(ctx, verdict, reference)
    before, claim.decided_fen = claim.decided_fen or 0, verdict.insurer_fen
    ctx.update(claim, "decided_fen")
    owe(ctx, verdict.insurer_fen - before, reference=reference, party=variant.party)
    ctx.loaded["decision_version"], ctx.loaded["former_fen"] = version, before
    change = verdict.insurer_fen - before
    ctx.loaded["payable_fen"] = change if version == 1 else variant.payable(ctx, change=change)
    ctx.data |= {"outcome": verdict.outcome, "insurer_fen": verdict.insurer_fen, "version": version}
    ctx.data["rules"] = sorted({finding.rule for finding in verdict.decision.findings})
    ctx.reason = verdict.reason
    variant.tell(ctx, verdict)
    variant.go_on(ctx, verdict)
    return row


def _payable(ctx: Ctx[Any], change: int) -> int:
    """What is still to be ordered once the change is posted; negative when too much was paid before."""
    return unordered_fen(ctx.case) + change


def _decision_row(ctx: Ctx[Any], verdict: Verdict, version: int) -> DecisionRow:
    found: Assessment = ctx.loaded["assessment"]
    result = decision_to_json(verdict.decision)
    result.pop("lines", None)
    return DecisionRow(
        claim=ctx.case.claim,
        version=version,
        outcome=verdict.outcome,
        insurer_fen=verdict.insurer_fen,
        computed_fen=verdict.computed_fen,
        result=result,
        facts=facts_to_json(found.facts),
        engine=ENGINE_VERSION,
        handbook_sha=ctx.case.handbook.sha256,
        plan_sha=ctx.case.policy.plan.sha256,
        proposed_by_id=verdict.proposed_by,
        signed_by_id=verdict.signed_by,
        reason=verdict.reason,
        member_text=verdict.member_text,
        decided_at=ctx.now,
    )


def _line_rows(ctx: Ctx[Any], verdict: Verdict, row: DecisionRow) -> list[DecisionLine]:
    named = ctx.loaded["assessment"].rows.lines()
    return [
        DecisionLine(
            decision=row,
            line=named[line.ref],
            billed_fen=to_fen(line.billed),
            third_party_fen=to_fen(line.third_party),
            disallowed_fen=to_fen(line.disallowed),
            deductible_fen=to_fen(line.deductible),
            member_fen=to_fen(line.member),
            insurer_fen=to_fen(line.insurer),
            reasons=list(line.reasons),
        )
        for line in verdict.decision.lines
    ]


def _book_limits(ctx: Ctx[Any], verdict: Verdict, reference: str) -> None:
    """The former version is reversed, this one used; both against the locked accounts."""
    accounts = limits_in(ctx)
    entries: list[LimitEntry] = []
    former = former_entries(ctx)
    if former:
        by_id = {account.pk: account for account in accounts.values()}
        entries += reckon_reversal(former, by_id, new_reference=reference)
    if verdict.uses_limits:
        uses = [Use(account_key(movement.key), _units(movement)) for movement in verdict.decision.movements]
        entries += reckon_uses(accounts, uses, reference=reference, service_date=_service_date(ctx))
    for entry in entries:
        ctx.add(entry)
        ctx.update(entry.account, "used", "reserved")
    ctx.batch.shared["moved"].add(ctx.case.policy_id)


def _units(movement: Movement) -> int:
    return int(movement.amount) if kind_of(movement.key) == COUNT else to_fen(movement.amount)


def _service_date(ctx: Ctx[Any]) -> date:
    facts: Facts = ctx.loaded["facts"]
    return min(visit.started_on for visit in facts.visits)


def fresh_decision(ctx: Ctx[Any]) -> Decision:
    """On the limits as they stand now: claims of the policy decided earlier in the same batch count."""
    moved = ctx.case.policy_id in ctx.batch.shared["moved"]
    found: Assessment = look(ctx) if moved else ctx.loaded["assessment"]
    return found.decision


# --- What follows ---------------------------------------------------------------------------------


def letter_of(found: Assessment, verdict: Verdict, on: date, former_fen: int = 0) -> Any:
    """The explanation of benefits, or the refusal with its reasons (LAW-04)."""
    handbook = found.facts.handbook
    if verdict.outcome in PAYING:
        return letters.explanation(
            found.rows, verdict.decision, handbook, outcome=verdict.outcome if verdict.insurer_fen else "ZERO",
            paid_fen=verdict.insurer_fen, former_fen=former_fen, on=on, text=verdict.member_text,
        )  # fmt: skip
    reasons = letters.reasons_of(verdict.decision.findings, handbook) or letters.own_reason(
        verdict.reason, handbook
    )
    return letters.refusal(found.rows, reasons, at_intake=False, on=on, text=verdict.member_text)


def _tell(ctx: Ctx[Any], verdict: Verdict) -> None:
    """The letter with its reasons, and the message that carries it."""
    former, found = ctx.loaded["former_fen"], ctx.loaded["assessment"]
    letter = queue_letter(ctx, letter_of(found, verdict, letters.local_day(ctx.now), former))
    template = "decision" if verdict.outcome in PAYING else "refusal"
    words = letters.message_context(
        ctx.case, outcome=verdict.outcome, amount=format_yuan(verdict.insurer_fen),
        former=format_yuan(former) if former else "",
        change=format_yuan(abs(verdict.insurer_fen - former)) if verdict.insurer_fen != former else "",
        more=verdict.insurer_fen > former,
    )  # fmt: skip
    key = f"{ctx.case.number}:decision:{ctx.loaded['decision_version']}"
    notify_member(ctx, template=template, context=words, key=key, letter=letter)


def _go_on(ctx: Ctx[Any], verdict: Verdict) -> None:
    """Pay, close, or leave it declined. Money needs an account: without one finance asks for it."""
    if verdict.outcome not in PAYING:
        ctx.case.open, ctx.case.closed_at = False, ctx.now
        ctx.loaded["way"] = "deny"
        ctx.emit("refused")
        return
    if verdict.outcome == Outcome.UNDISPUTED:  # the rest is still to be decided (LAW-05)
        if can_be_ordered(ctx.case, ctx.loaded["payable_fen"]):
            ctx.then("order_undisputed")
        return
    ctx.loaded["way"] = "approve" if verdict.outcome == Outcome.APPROVE else "approve_part"
    ctx.emit("decided")
    if ctx.loaded["payable_fen"] < 0:  # more was paid on a former version than this one gives
        ctx.data["overpaid_fen"] = -ctx.loaded["payable_fen"]
        ctx.emit("overpaid")
    if ctx.loaded["payable_fen"] <= 0 and ctx.loaded["decision_version"] > 1 and under_way_fen(ctx.case):
        ctx.then("await_payment")
    elif ctx.loaded["payable_fen"] <= 0:
        ctx.then("close")
    elif can_be_ordered(ctx.case, ctx.loaded["payable_fen"]):
        ctx.then("order_payment")


class Reported(Variant):
    """Claims that families report: paid to their account, by a payment order."""

    def payable(self, ctx: Ctx[Any], *, change: int) -> int:
        return _payable(ctx, change)

    def letter(self, found: Assessment, verdict: Verdict, on: date) -> Any:
        return letter_of(found, verdict, on, found.rows.claim.decided_fen or 0)

    def beside(self, found: Assessment) -> tuple[str, dict[str, Any]]:
        return "claims/parts/verdict_payee.html", {"payee": found.rows.claim.payee, "claim": found.rows.claim}

    def tell(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        _tell(ctx, verdict)

    def go_on(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        _go_on(ctx, verdict)


add_variant("claim", Reported())
