"""What the core says about facts: findings, lines and movements of limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from apps.adjudication.handbook import Level

ZERO = Decimal("0.00")
ENGINE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found.

    `code` is stable and machine-readable (PRIVATE_NO_REIMB); `figures` are the numbers that made
    it fire; `remedy` says what would change it; `ref` identifies it within the decision so that
    an override can answer it (code + place).
    """

    code: str
    level: Level
    rule: str  # rule id
    source: str
    message_zh: str
    message_en: str
    place: str = ""  # "", "visit:<ref>", "bill:<ref>", "line:<ref>"
    figures: dict[str, str] = field(default_factory=dict)
    remedy_zh: str = ""
    remedy_en: str = ""
    amount: Decimal = ZERO  # what it takes away
    discretion: bool = False  # the text leaves room: a person may decide otherwise
    overridden: str = ""  # reason of the override that answered it
    also: tuple[str, ...] = ()  # further rule ids that say the same

    @property
    def ref(self) -> str:
        return f"{self.code}@{self.place}" if self.place else self.code


@dataclass(frozen=True, slots=True)
class LineDecision:
    """insurer + member + third_party + disallowed + deductible = billed, nothing negative.

    `member` is the coinsurance share; `disallowed` is outside cover or above a limit.
    """

    ref: str
    bill: str
    visit: str
    benefit: str
    billed: Decimal
    third_party: Decimal
    disallowed: Decimal
    deductible: Decimal
    member: Decimal
    insurer: Decimal
    reasons: tuple[str, ...] = ()  # Finding.ref

    @property
    def balanced(self) -> bool:
        parts = self.third_party + self.disallowed + self.deductible + self.member + self.insurer
        return parts == self.billed


@dataclass(frozen=True, slots=True)
class Movement:
    """Use of one limit: `amount` yuan, or a count for COUNT limits. `before`/`after` = left."""

    key: str
    amount: Decimal
    limit: Decimal
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: str  # APPROVE | PARTIAL | DENY | PEND | REFER | BLOCKED
    findings: tuple[Finding, ...]
    lines: tuple[LineDecision, ...]
    movements: tuple[Movement, ...]
    billed: Decimal
    third_party: Decimal
    disallowed: Decimal
    deductible: Decimal
    member: Decimal
    insurer: Decimal
    engine: str = ENGINE_VERSION
    trace: tuple[dict[str, Any], ...] = ()

    def open_referrals(self) -> tuple[Finding, ...]:
        """REFER and PEND findings nobody has answered: they stop a final decision."""
        return tuple(
            finding
            for finding in self.findings
            if finding.level in (Level.REFER, Level.PEND) and not finding.overridden
        )
