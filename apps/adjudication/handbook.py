"""What a published handbook says, parsed once into frozen dataclasses.

A series is data: code asks for rule *keys*, parameter keys, services, documents, triggers and
clocks, and never knows a year. A rule key that a series does not carry is a rule that series
does not have, and its check does not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from apps.adjudication.errors import HandbookError


class Level(StrEnum):
    """What a rule does when it fires (convention C10)."""

    BLOCK = "BLOCK"  # the text forbids: nobody here may go on
    SOFT_BLOCK = "SOFT_BLOCK"  # goes on only with permission and a reason
    DENY = "DENY"  # a line or visit is not payable
    REDUCE = "REDUCE"  # part of an amount is not payable
    PEND = "PEND"  # something is missing
    REFER = "REFER"  # a person must decide
    WARN = "WARN"
    RECORD = "RECORD"  # kept and shown, never fires


class RuleClass(StrEnum):
    """How the rulebook proves that a rule is alive."""

    BLOCK = "block"
    COMPUTE = "compute"
    RECORD = "record"
    MASTER = "master"


class Basis(StrEnum):
    """Where a figure comes from. Only PRINTED may be shown as a promise of the handbook."""

    PRINTED = "printed"
    CONFIG = "config"
    ASSUMED = "assumed"
    PRACTICE = "practice"
    LAW = "law"


@dataclass(frozen=True, slots=True)
class Title:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the rulebook as this series has it.

    `keys` are the names by which code asks for it; `source` is a handbook line ("26:251") or a
    law; `says` is the clause in our own words.
    """

    id: str
    area: str
    title: Title
    says: Title
    source: str
    level: Level
    rule_class: RuleClass
    keys: tuple[str, ...] = ()
    basis: Basis = Basis.PRINTED


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure, text or list. `value` is Decimal, int, bool, str, time or a tuple of str."""

    key: str
    value: Any
    unit: str  # "yuan" | "days" | "workdays" | "hours" | "count" | "time" | "text" | "list" | "bool"
    rule: str
    source: str
    basis: Basis
    title: Title


@dataclass(frozen=True, slots=True)
class Contact:
    key: str  # "hotline", "claims_mailbox", "originals_address", …
    kind: str  # PHONE | EMAIL | ADDRESS | APP
    value: str
    rule: str
    source: str
    title: Title
    recipient: str = ""
    postcode: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the series. `offered=False` closes it; `rule` is then the reason shown."""

    key: str  # "reimbursement", "internet_claim", "vaccine_claim", "advance", "appeal", …
    offered: bool
    rule: str
    source: str
    title: Title
    channels: tuple[str, ...] = ()
    channel_rule: str = ""
    redirect: Title | None = None  # what to do instead when closed


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of the closed vocabulary in `conditions.py`: a name and its arguments."""

    test: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One entry of a check list: asked when all `when` hold, for the named claim categories."""

    key: str  # "CLAIM_FORM", "INVOICE", …
    title: Title
    rule: str
    source: str
    form: str  # ORIGINAL | COPY | IMAGE | FORM | DATA
    lists: tuple[str, ...]  # "REIMBURSEMENT", "VACCINE", "INTERNET", "ADVANCE", "DISCHARGE", …
    when: tuple[Condition, ...] = ()
    pages: int = 1  # images asked for (front and back = 2)
    satisfied_by: tuple[str, ...] = ()  # other paper kinds that count
    automatic_when: tuple[Condition, ...] = ()  # PR-03: no paper needed
    original_when_mailed: bool = False


@dataclass(frozen=True, slots=True)
class Trigger:
    """An authorization trigger: required (or only a warning) when all conditions hold."""

    key: str
    rule: str
    source: str
    level: Level
    title: Title
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A reminder or an escalation. `at` is a share of the duration (0.75) or an offset.

    `offset_unit` is "workdays" | "days" | "hours" relative to due (negative = before).
    """

    key: str
    kind: str  # REMIND | TARGET | ESCALATE | BREACH
    to: str  # a role, or MEMBER, ASSIGNEE
    at: Decimal | None = None
    offset: int | None = None
    offset_unit: str = ""


@dataclass(frozen=True, slots=True)
class ClockSpec:
    """A promise with a start, a duration and a ladder (DL-*, LAW-*, PR-*)."""

    key: str  # unique within the series: "claim.decision", "claim.payment", "law.decision", …
    id: str  # "DL-34"
    rules: tuple[str, ...]
    title: Title
    start: str  # name of the event that starts it: "materials_complete", "decided", "reported", …
    stop: tuple[str, ...]  # events that end it
    duration: int
    unit: str  # workdays | days | hours | until_next_day | months
    basis: Basis
    direction: str = "after"  # "after" the start event, or "before" a date (lead times)
    cutoff: time | None = None
    target: int | None = None  # the early end of a printed range (2–10 days)
    warn: int | None = None
    when: tuple[Condition, ...] = ()  # picks among clocks of one key by facts of the case
    pauses: tuple[str, ...] = ()  # reasons that stop the counting
    steps: tuple[Step, ...] = ()
    statutory: bool = False
    rolls: bool = False  # C7: a calendar deadline on a day off moves to the next working day
    act_by: bool = True  # PR-22: show the last working day before a calendar deadline on a day off


@dataclass(frozen=True, slots=True)
class Version:
    """A scheme, version or plan of the series and the network group it uses."""

    code: str
    title: Title
    network_group: str
    rule: str


@dataclass(frozen=True, slots=True)
class NetworkBenefit:
    """Which networks the series has: group × benefit, and whether a rider is needed."""

    group: str
    benefit: str
    optional: bool
    rule: str
    source: str


@dataclass(frozen=True)
class Handbook:
    series: str
    title: Title
    operator: str  # INSURER | TPA
    tpa: str
    rules: Mapping[str, Rule]  # by id
    parameters: Mapping[str, Parameter]
    contacts: Mapping[str, Contact]
    services: Mapping[str, Service]
    documents: tuple[Document, ...]
    triggers: tuple[Trigger, ...]
    clocks: tuple[ClockSpec, ...]
    versions: Mapping[str, Version]
    networks: tuple[NetworkBenefit, ...]

    @cached_property
    def _by_key(self) -> Mapping[str, Rule]:
        return {key: rule for rule in self.rules.values() for key in rule.keys}

    def rule(self, key: str) -> Rule | None:
        """The rule that this series has under a key; None when the series has no such rule."""
        return self._by_key.get(key)

    def cite(self, rule_id: str) -> Rule:
        """The rule with this id; raises HandbookError when the series does not carry it."""
        try:
            return self.rules[rule_id]
        except KeyError as error:
            raise HandbookError("rules", rule_id, "a rule id of this series") from error

    def value(self, key: str, default: Any = None) -> Any:
        """The value of a parameter; `default` when the series does not print or set it."""
        parameter = self.parameters.get(key)
        return default if parameter is None else parameter.value

    def service(self, key: str) -> Service | None:
        return self.services.get(key)
