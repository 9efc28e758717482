"""Writing findings: rule, figures and words come together here, and overrides are heard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from apps.adjudication.decision import Finding
from apps.adjudication.facts import ZERO, Facts, Override
from apps.adjudication.handbook import Handbook, Level, Rule, RuleClass, Service, Title
from apps.adjudication.messages import MESSAGES
from apps.adjudication.money import pretty
from apps.adjudication.trace import observe
from apps.adjudication.words import Name

CONTRACT = Rule(
    id="PLAN",
    area="Contract",
    title=Title("保险合同约定", "Insurance contract"),
    says=Title("以保险合同及保障计划约定为准", "As agreed in the contract and the plan"),
    source="contract",
    level=Level.REDUCE,
    rule_class=RuleClass.COMPUTE,
)
"""Cited where the plan speaks and the series prints no rule of its own."""


def contract_rule(handbook: Handbook, key: str) -> Rule:
    """The series' rule under a key, else the contract itself."""
    return handbook.rule(key) or CONTRACT


def write(
    code: str,
    rule: Rule,
    level: Level,
    *,
    place: str = "",
    amount: Decimal = ZERO,
    also: Iterable[Rule | None] = (),
    discretion: bool = False,
    **figures: Any,
) -> Finding:
    """One finding with the words of `MESSAGES[code]`, filled with its figures."""
    words = MESSAGES[code]
    shown = {"amount": pretty(amount)} | {name: _shown(value) for name, value in figures.items()}
    told = shown | {name: value.en for name, value in figures.items() if isinstance(value, Name)}
    return Finding(
        code=code,
        level=level,
        rule=rule.id,
        source=rule.source,
        message_zh=words.zh.format_map(shown),
        message_en=words.en.format_map(told),
        place=place,
        figures={name: _plain(value) for name, value in figures.items()},
        remedy_zh=words.remedy_zh.format_map(shown),
        remedy_en=words.remedy_en.format_map(told),
        amount=amount,
        discretion=discretion,
        also=tuple(dict.fromkeys(other.id for other in also if other and other.id != rule.id)),
    )


def cited(handbook: Handbook, rule_id: str, source: str) -> Rule:
    """The rule with this id; citable with its source even when the series does not list it."""
    return handbook.rules.get(rule_id) or replace(CONTRACT, id=rule_id, source=source)


def service_rule(handbook: Handbook, service: Service) -> Rule:
    """The rule that closes (or describes) a service."""
    return cited(handbook, service.rule, service.source)


def check(rule: Rule | None, fired: bool) -> bool:
    """Report one evaluation; a rule that the series does not have never fires."""
    return rule is not None and observe(rule.id, fired)


def answer(finding: Finding, override: Override | None) -> Override | None:
    """A person's answer counts only where the text leaves room for one (`discretion`)."""
    return override if override is not None and finding.discretion else None


def settled_by(finding: Finding, override: Override) -> Finding:
    """The finding with the reason of the person who answered it."""
    return replace(finding, overridden=override.reason or override.actor or "—")


def overrides_of(facts: Facts) -> dict[str, Override]:
    """By finding; the last answer counts."""
    return {override.finding: override for override in facts.overrides}


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return ", ".join(str(part) for part in value)
    return str(value)


def _shown(value: Any) -> str:
    return pretty(value) if isinstance(value, Decimal) else _plain(value)
