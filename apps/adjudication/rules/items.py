"""What the money was spent on: benefits, riders, items outside cover."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from apps.adjudication.cover import missing_rider
from apps.adjudication.findings import service_rule
from apps.adjudication.handbook import Rule
from apps.adjudication.words import benefit_name, kind_name
from apps.adjudication.work import Claim, Line

FREE_CONSULT = "FREE_CONSULT"


def never_payable(claim: Claim) -> None:
    """No-show fees (APT-13, APT-25), postage (RMB-23), free consults (VAS-12): by kind, in every
    series; where a series prints no rule of its own, they are simply not covered (REC-02/05)."""
    _by_kind(claim, "decide.no_show", "NO_SHOW", lambda line: line.fact.kind == "NO_SHOW")
    _by_kind(claim, "decide.postage", "POSTAGE", lambda line: line.fact.kind == "POSTAGE")
    _by_kind(
        claim, "decide.free_consult", "FREE_CONSULT",
        lambda line: FREE_CONSULT in (line.fact.kind, line.fact.code),
    )  # fmt: skip


def _by_kind(claim: Claim, key: str, code: str, test: Callable[[Line], bool]) -> None:
    hit = [line for line in claim.alive() if test(line)]
    rule = claim.check(key, bool(hit)) or claim.contract("decide.not_covered")
    for line in hit:
        claim.deny(code, rule, [line], item=line.fact.name)


def home_test(claim: Claim) -> None:
    """TST-03, TST-11: only tests ordered through the benefit; a series without the service has
    none to pay."""
    provider = claim.handbook.value("home_test.provider", "")
    ordered = claim.facts.direct
    hit = [
        line
        for line in claim.alive()
        if line.fact.kind == "HOME_TEST" and not (ordered and provider and line.fact.provider == provider)
    ]
    rule = claim.check("decide.home_test", bool(hit)) or _closed(claim, "home_test")
    for line in hit:
        claim.deny(
            "TST_SELF_PURCHASE", rule or claim.contract("decide.not_covered"), [line],
            provider=line.fact.provider or line.fact.name,
        )  # fmt: skip


def _closed(claim: Claim, key: str) -> Rule | None:
    service = claim.handbook.service(key)
    return service_rule(claim.handbook, service) if service and not service.offered else None


def benefit_and_rider(claim: Claim) -> None:
    """REC-02, REC-05: the plan has the benefit; NET-03: and the policy its rider."""
    for visit_benefit, lines in _by_benefit(claim):
        code, planned = lines[0].benefit, lines[0].planned
        uninsured = missing_rider(claim.facts, code)
        optional = claim.check("intake.rider", uninsured)
        rule = claim.check("decide.not_covered", planned is None or uninsured)
        if planned is not None and not uninsured:
            continue
        rule, name = rule or claim.contract("decide.not_covered"), benefit_name(code)
        if uninsured:
            claim.deny("NO_RIDER", optional or rule, lines, place=visit_benefit, also=[rule], benefit=name)
        else:
            claim.deny("NOT_COVERED", rule, lines, place=visit_benefit, benefit=name, plan=claim.plan.code)


def _by_benefit(claim: Claim) -> Iterator[tuple[str, list[Line]]]:
    """Lines of one visit and benefit. The place is the visit when all its lines agree, else the
    first line."""
    for visit in claim.facts.visits:
        lines = claim.of_visit(visit)
        codes = list(dict.fromkeys(line.benefit for line in lines))
        for code in codes:
            chosen = [line for line in lines if line.benefit == code]
            yield (f"visit:{visit.ref}" if len(codes) == 1 else chosen[0].place), chosen


def excluded_items(claim: Claim) -> None:
    """Item kinds, codes or categories (CATEGORY_C) outside plan or benefit (REC-02, REC-05)."""
    for line in claim.alive():
        fact = line.fact
        out = claim.plan.excluded_items + (line.planned.excluded_items if line.planned else ())
        names = {fact.kind, fact.code, f"CATEGORY_{fact.category}"} if out else set[str]()
        excluded = not names.isdisjoint(out)
        rule = claim.check("decide.not_covered", excluded)
        if excluded:
            claim.deny(
                "ITEM_EXCLUDED", rule or claim.contract("decide.not_covered"), [line],
                item=fact.name, kind=kind_name(fact.kind), benefit=benefit_name(line.benefit),
            )  # fmt: skip
