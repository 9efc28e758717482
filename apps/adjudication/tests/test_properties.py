"""What always holds, for any plan, bills, balances and order."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.adjudication.accumulators import Accounts, policy_period
from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.facts import Balance, BillFacts, Facts, LineFacts, VisitFacts
from apps.adjudication.plan import BenefitPlan, Coinsurance, Limit, Plan
from apps.adjudication.routing import group_visits
from apps.adjudication.serialize import facts_from_json, facts_to_json
from apps.adjudication.tests.builders import (
    HANDBOOK,
    SERIES,
    hospital,
    make_facts,
    member,
    photo_id,
    policy,
)

FEN = st.integers(0, 300_000).map(lambda fen: Decimal(fen) / 100)
SHARES = st.sampled_from([Decimal(1), Decimal("0.9"), Decimal("0.333"), Decimal("0.5"), Decimal(0)])
KINDS = st.sampled_from(["EXAM", "DRUG", "BED", "TREATMENT", "NO_SHOW", "POSTAGE", "CONSULT"])
BENEFITS = ("OUTPATIENT", "EMERGENCY", "INPATIENT")
DAYS = st.integers(0, 5).map(lambda n: date(2026, 3, 1) + timedelta(days=n))


@st.composite
def benefit_plans(draw: st.DrawFn, code: str) -> BenefitPlan:
    periods = draw(st.lists(st.sampled_from(["YEAR", "VISIT", "DAY", "COUNT_YEAR"]), unique=True, max_size=3))
    limits = tuple(Limit(per, draw(st.integers(0, 3) if per == "COUNT_YEAR" else FEN)) for per in periods)
    items = draw(st.lists(st.sampled_from(["YEAR", "VISIT", "DAY", "COUNT_YEAR"]), unique=True, max_size=2))
    return BenefitPlan(
        code,
        limits=tuple(Limit(limit.per, Decimal(limit.value)) for limit in limits),
        deductible_visit=draw(st.sampled_from([Decimal(0), Decimal("30.00")])),
        deductible_year=draw(st.sampled_from([Decimal(0), Decimal("100.00")])),
        coinsurance=Coinsurance(
            draw(SHARES), draw(st.none() | SHARES), draw(st.none() | SHARES)
        ),
        full_pay_visits=draw(st.none() | st.integers(0, 2)),
        item_limits=tuple((("BED", "DRUG")[n], Limit(per, Decimal(draw(st.integers(0, 500))))) for n, per in enumerate(items)),
        shares_deductible_with=draw(st.sampled_from(["", "OUTPATIENT"])),
    )  # fmt: skip


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    benefits = tuple(draw(benefit_plans(code)) for code in BENEFITS)
    return Plan("P", SERIES, "NATIONAL", draw(FEN), benefits)


@st.composite
def visits(draw: st.DrawFn, name: str) -> VisitFacts:
    bills = tuple(draw(bills_of(f"{name}B{n}")) for n in range(draw(st.integers(0, 2))))
    start = draw(DAYS)
    code = draw(st.sampled_from(BENEFITS))
    return VisitFacts(
        name, code, code, start, start + timedelta(days=draw(st.integers(0, 3))),
        hospital(draw(st.sampled_from(["H1", "H2"]))), bills, used_social_insurance=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def bills_of(draw: st.DrawFn, name: str) -> BillFacts:
    lines = tuple(draw(lines_of(f"{name}L{n}")) for n in range(draw(st.integers(0, 4))))
    total = sum((line.amount for line in lines), Decimal(0))
    percent = draw(st.sampled_from([0, 10, 33, 100]))
    settled = (total * percent / 100).quantize(Decimal("0.01"), "ROUND_DOWN")
    state = draw(st.sampled_from(["VALID", "VALID", "VALID", "VOID"]))
    return BillFacts(name, "FISCAL_PAPER", name, date(2026, 3, 9), total, lines, settled, state=state)


@st.composite
def lines_of(draw: st.DrawFn, name: str) -> LineFacts:
    amount = draw(FEN)
    named = draw(st.sampled_from([0, 0, 20]))
    third = (amount * named / 100).quantize(Decimal("0.01"), "ROUND_DOWN")
    quantity = Decimal(draw(st.integers(1, 4)))
    return LineFacts(name, name, draw(KINDS), amount, quantity=quantity, third_party=third)


@st.composite
def claims(draw: st.DrawFn, name: str = "V", plan: Plan | None = None) -> Facts:
    chosen = tuple(draw(visits(f"{name}{n}")) for n in range(draw(st.integers(1, 3))))
    return make_facts(
        *chosen, plan=plan or draw(plans()), decided_on=date(2026, 3, 20),
        member=member(social_insurance=draw(st.booleans())), papers=(photo_id(),),
    )  # fmt: skip


@st.composite
def several(draw: st.DrawFn) -> list[Facts]:
    plan = draw(plans())
    return [draw(claims(f"C{n}V", plan)) for n in range(draw(st.integers(2, 4)))]


def after(balances: dict[str, Balance], decision: Decision) -> dict[str, Balance]:
    """The ledger in one line: used grows by what the decision moved."""
    grown = dict(balances)
    for movement in decision.movements:
        known = grown.get(movement.key, Balance(movement.key, movement.limit))
        grown[movement.key] = replace(known, used=known.used + movement.amount)
    return grown


def run(chain: list[Facts]) -> tuple[list[Decision], dict[str, Balance]]:
    balances: dict[str, Balance] = {}
    decisions = []
    for facts in chain:
        decision = adjudicate(replace(facts, balances=tuple(balances.values())))
        balances = after(balances, decision)
        decisions.append(decision)
    return decisions, balances


@given(claims())
def test_every_line_is_split_without_rest_and_nothing_is_negative(facts: Facts) -> None:
    decision = adjudicate(facts)
    for line in decision.lines:
        assert line.balanced
        parts = (line.third_party, line.disallowed, line.deductible, line.member, line.insurer)
        assert min(parts) >= 0
        assert all(part == part.quantize(Decimal("0.01")) for part in parts)
    assert decision.billed == sum((bill.amount for visit in facts.visits for bill in visit.bills), Decimal(0))
    assert decision.insurer == sum((line.insurer for line in decision.lines), Decimal(0))
    reasons = {finding.ref for finding in decision.findings}
    assert all(set(line.reasons) <= reasons for line in decision.lines)


@given(claims())
def test_whoever_pays_less_than_claimed_says_why(facts: Facts) -> None:
    for line in adjudicate(facts).lines:
        if line.insurer != line.billed:
            assert line.reasons


@given(several())
def test_no_limit_is_exceeded_over_any_chain_of_claims(chain: list[Facts]) -> None:
    decisions, balances = run(chain)
    assert all(balance.used <= balance.limit for balance in balances.values())
    assert all(movement.after >= 0 for decision in decisions for movement in decision.movements)
    plan = chain[0].plan
    assert sum((decision.insurer for decision in decisions), Decimal(0)) <= plan.annual_maximum


@given(several(), st.randoms(use_true_random=False))
def test_no_order_exceeds_a_limit(chain: list[Facts], random: object) -> None:
    mixed = list(chain)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    _, balances = run(mixed)
    assert all(balance.used <= balance.limit for balance in balances.values())


@given(several())
def test_without_fully_paid_visits_and_counts_the_yearly_total_does_not_depend_on_the_order(
    chain: list[Facts],
) -> None:
    """Only the annual maximum and yearly deductibles: first come, first served, same sum."""
    plain = replace(chain[0].plan, benefits=tuple(
        BenefitPlan(code, deductible_year=Decimal("100.00")) for code in BENEFITS
    ))  # fmt: skip
    forth = [replace(facts, plan=plain) for facts in chain]
    totals = {sum((one.insurer for one in run(order)[0]), Decimal(0)) for order in (forth, forth[::-1])}
    assert len(totals) == 1


@given(claims(), FEN)
def test_a_higher_annual_maximum_never_pays_less(facts: Facts, more: Decimal) -> None:
    wider = replace(facts, plan=replace(facts.plan, annual_maximum=facts.plan.annual_maximum + more))
    assert adjudicate(wider).insurer >= adjudicate(facts).insurer


@given(claims(), st.data())
def test_more_cost_never_pays_less(facts: Facts, data: st.DataObject) -> None:
    """One more line at the end of the last bill, everything else the same."""
    last = facts.visits[-1]
    if not last.bills:
        return
    extra = LineFacts("EXTRA", "EXTRA", "EXAM", data.draw(FEN))
    bill = last.bills[-1]
    # Third-party payments stay on the lines that had them, so that only the new cost is new.
    grown = replace(bill, lines=(*bill.lines, extra), amount=bill.amount + extra.amount)
    if grown.settled > sum((line.third_party for line in grown.lines), Decimal(0)):
        return
    after_facts = replace(facts, visits=(*facts.visits[:-1], replace(last, bills=(*last.bills[:-1], grown))))
    assert adjudicate(after_facts).insurer >= adjudicate(facts).insurer


@given(claims())
def test_a_lower_deductible_and_a_higher_share_never_pay_less(facts: Facts) -> None:
    kinder = replace(facts.plan, benefits=tuple(
        replace(benefit, deductible_visit=Decimal(0), deductible_year=Decimal(0)) for benefit in facts.plan.benefits
    ))  # fmt: skip
    if any(benefit.full_pay_visits is not None for benefit in kinder.benefits) or any(
        limit.per == "COUNT_YEAR" for benefit in kinder.benefits for limit in benefit.limits
    ):
        return
    assert adjudicate(replace(facts, plan=kinder)).insurer >= adjudicate(facts).insurer


@given(claims())
def test_payments_of_a_visit_stay_below_its_ceiling(facts: Facts) -> None:
    decision = adjudicate(facts)
    by_ref = {line.ref: line for line in decision.lines}
    for group in group_visits(facts.visits):
        for benefit in facts.plan.benefits:
            paid = sum(
                (by_ref[line.ref].insurer for visit in group if visit.benefit == benefit.code
                 for bill in visit.bills for line in bill.lines),
                Decimal(0),
            )  # fmt: skip
            for limit in benefit.limits:
                if limit.per == "VISIT":
                    assert paid <= limit.value


@settings(max_examples=50)
@given(claims())
def test_facts_survive_json(facts: Facts) -> None:
    data = facts_to_json(facts)
    again = facts_from_json(data, HANDBOOK, facts.plan)
    assert facts_to_json(again) == data
    assert adjudicate(again) == adjudicate(facts)


@given(claims())
def test_movements_tell_before_and_after(facts: Facts) -> None:
    accounts = Accounts(facts)
    period = policy_period(facts.policy, policy_member := facts.member)
    assert policy_member.ref in period
    assert facts.policy == policy()
    for movement in adjudicate(facts).movements:
        assert movement.key.startswith(period)
        assert movement.before - movement.amount == movement.after
        assert accounts.left(movement.key.partition("|")[2], movement.limit) == movement.before
