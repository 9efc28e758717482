"""TOML text → `Handbook`. Everything wrong is reported at once: path, value, what was expected.

The vocabulary is closed (`keys.py`); every rule id that an entry names must be a rule of the same
text. Order of entries is kept: where several clocks share a key, the first whose conditions hold
is meant, so the particular stands before the general.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from apps.adjudication import codes, keys
from apps.adjudication.errors import HandbookError
from apps.adjudication.handbook import (
    Basis,
    ClockSpec,
    Condition,
    Contact,
    Document,
    Handbook,
    Level,
    NetworkBenefit,
    Parameter,
    Rule,
    RuleClass,
    Service,
    Step,
    Title,
    Trigger,
    Version,
)
from apps.adjudication.reading import HandbookErrors, Table, read_toml

SOURCE_WORDS = ("convention", "practice", "config", "assumed")
SECTIONS = (
    "rules",
    "parameters",
    "contacts",
    "services",
    "documents",
    "triggers",
    "clocks",
    "versions",
    "networks",
)
# What the arguments of a condition may name. Complaints are told apart by category too (LAW-10).
ARGUMENTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("visit_type", "any_of"): codes.VISIT_TYPES,
    ("benefit", "any_of"): codes.BENEFITS,
    ("category", "any_of"): (*codes.CATEGORIES, "COMPLEX", "EXTENDED"),
    ("channel", "any_of"): keys.CHANNELS,
    ("route", "any_of"): ("ONLINE", "MAIL"),
    ("procedure", "any_of"): codes.PROCEDURES,
    ("unit_price_at_least", "kinds"): codes.LINE_KINDS,
    ("item_above", "kinds"): codes.LINE_KINDS,
    ("single_treatment_above", "kinds"): codes.LINE_KINDS,
    ("treatment_total_above", "kinds"): codes.LINE_KINDS,
}
T = TypeVar("T")


def parse_handbook(text: str) -> Handbook:
    """The handbook of a text; raises HandbookErrors listing everything that is wrong with it."""
    problems: list[HandbookError] = []
    root = Table(read_toml(text), "", problems)
    head = root.table("handbook")
    series = head.text("series")
    reader = _Reader(series)
    rules = [reader.rule(table) for table in root.tables("rules", "id", optional=False)]
    parameters = [reader.parameter(table) for table in root.tables("parameters", "key")]
    reader.rule_ids = {rule.id for rule in rules}
    reader.parameters = {parameter.key: parameter for parameter in parameters}
    handbook = Handbook(
        series=series,
        title=_title(head, "title"),
        operator=head.choice("operator", ("INSURER", "TPA")),
        tpa=head.text("tpa", ""),
        rules=_unique(rules, lambda rule: rule.id, "rules", problems),
        parameters=_unique(parameters, lambda parameter: parameter.key, "parameters", problems),
        contacts=_unique(
            [reader.contact(table) for table in root.tables("contacts", "key")],
            lambda contact: contact.key,
            "contacts",
            problems,
        ),
        services=_unique(
            [reader.service(table) for table in root.tables("services", "key")],
            lambda service: service.key,
            "services",
            problems,
        ),
        documents=tuple(reader.document(table) for table in root.tables("documents", "key")),
        triggers=tuple(reader.trigger(table) for table in root.tables("triggers", "key")),
        clocks=tuple(reader.clock(table) for table in root.tables("clocks", "key")),
        versions=_unique(
            [reader.version(table) for table in root.tables("versions", "code", optional=False)],
            lambda version: version.code,
            "versions",
            problems,
        ),
        networks=tuple(reader.network(table) for table in root.tables("networks", "group")),
    )
    effective = head.raw("effective_on", None)
    if effective is not None and type(effective) is not date:
        head.refuse("effective_on", effective, "a date such as 2026-07-01")
    head.done()
    root.done()
    _check_whole(handbook, reader.rule_ids, problems)
    if problems:
        raise HandbookErrors(problems)
    return handbook


def effective_date(text: str) -> date | None:
    """First day of service a text speaks for; None = from the beginning. For texts that parse."""
    found = read_toml(text)["handbook"].get("effective_on")
    return found if type(found) is date else None


class _Reader:
    """Reads one entry of each section. Knows the series, for the form of handbook lines."""

    def __init__(self, series: str):
        self.rule_ids: set[str] = set()
        self.parameters: Mapping[str, Parameter] = {}
        lines = r"\d+(-\d+)?"
        self._lines = re.compile(rf"{re.escape(series[-2:])}:{lines}(,{lines})*")
        self._example = f"{series[-2:]}:251 or {series[-2:]}:5,7-9"

    def rule(self, table: Table) -> Rule:
        basis = self._basis(table)
        rule = Rule(
            id=table.text("id"),
            area=table.choice("area", keys.AREAS),
            title=_title(table, "title"),
            says=_title(table, "says"),
            source=self._source(table, basis),
            level=_enum(table, "level", Level),
            rule_class=_enum(table, "class", RuleClass),
            keys=table.texts("keys", (), keys.RULES),
            basis=basis,
        )
        table.done()
        return rule

    def parameter(self, table: Table) -> Parameter:
        key = table.choice("key", keys.PARAMETERS)
        unit = table.choice("unit", keys.UNITS)
        expected = keys.PARAMETERS.get(key, unit)
        if unit != expected:
            table.refuse("unit", unit, f"{expected}, the unit of this parameter")
        basis = self._basis(table)
        parameter = Parameter(
            key=key,
            value=_value(table, expected),
            unit=unit,
            rule=table.text("rule"),
            source=self._source(table, basis),
            basis=basis,
            title=_title(table, "title"),
        )
        table.done()
        return parameter

    def contact(self, table: Table) -> Contact:
        contact = Contact(
            key=table.choice("key", keys.CONTACTS),
            kind=table.choice("kind", keys.CONTACT_KINDS),
            value=table.text("value"),
            rule=self._rule(table, "rule"),
            source=self._source(table),
            title=_title(table, "title"),
            recipient=table.text("recipient", ""),
            postcode=table.text("postcode", ""),
            phone=table.text("phone", ""),
        )
        table.done()
        return contact

    def service(self, table: Table) -> Service:
        offered = table.flag("offered")
        service = Service(
            key=table.choice("key", keys.SERVICES),
            offered=offered,
            rule=self._rule(table, "rule"),
            source=self._source(table),
            title=_title(table, "title"),
            channels=table.texts("channels", (), keys.CHANNELS),
            channel_rule=self._rule(table, "channel_rule") if table.has("channel_rule") else "",
            redirect=_title(table, "redirect") if table.has("redirect") else None,
        )
        if service.channels and not offered:
            table.refuse("channels", list(service.channels), "none, since the service is closed")
        table.done()
        return service

    def document(self, table: Table) -> Document:
        document = Document(
            key=table.choice("key", keys.PAPERS),
            title=_title(table, "title"),
            rule=self._rule(table, "rule"),
            source=self._source(table),
            form=table.choice("form", keys.PAPER_FORMS),
            lists=table.texts("lists", allowed=keys.LISTS),
            when=self._conditions(table, "when"),
            pages=table.integer("pages", 1, least=1),
            satisfied_by=table.texts("satisfied_by", (), keys.PAPERS),
            automatic_when=self._conditions(table, "automatic_when"),
            original_when_mailed=table.flag("original_when_mailed", False),
        )
        table.done()
        return document

    def trigger(self, table: Table) -> Trigger:
        trigger = Trigger(
            key=table.text("key"),
            rule=self._rule(table, "rule"),
            source=self._source(table),
            level=_enum(table, "level", Level),
            title=_title(table, "title"),
            when=self._conditions(table, "when"),
        )
        if not trigger.when:
            table.refuse("when", [], "at least one condition")
        table.done()
        return trigger

    def clock(self, table: Table) -> ClockSpec:
        clock = ClockSpec(
            key=table.text("key"),
            id=table.text("id"),
            rules=tuple(self._known_rule(table, "rules", rule) for rule in table.texts("rules")),
            title=_title(table, "title"),
            start=table.choice("start", keys.EVENTS),
            stop=table.texts("stop", (), keys.EVENTS),
            duration=table.integer("duration", least=0),
            unit=table.choice("unit", keys.CLOCK_UNITS),
            basis=self._basis(table),
            direction=table.choice("direction", ("after", "before"), "after"),
            cutoff=table.moment("cutoff", None),
            target=table.integer("target", None, least=1),
            warn=table.integer("warn", None, least=1),
            when=self._conditions(table, "when"),
            pauses=table.texts("pauses", (), keys.PAUSES),
            steps=tuple(_step(step) for step in table.tables("steps", "key")),
            statutory=table.flag("statutory", False),
            rolls=self._switch("roll_calendar_deadlines", False),
            act_by=self._switch("deadlines.act_by", True),
        )
        _check_clock(table, clock)
        table.done()
        return clock

    def _switch(self, key: str, default: bool) -> bool:
        """A convention that holds for every clock of the series."""
        parameter = self.parameters.get(key)
        return default if parameter is None else bool(parameter.value)

    def version(self, table: Table) -> Version:
        version = Version(
            code=table.text("code"),
            title=_title(table, "title"),
            network_group=table.text("network_group", ""),
            rule=self._rule(table, "rule"),
        )
        table.done()
        return version

    def network(self, table: Table) -> NetworkBenefit:
        network = NetworkBenefit(
            group=table.text("group"),
            benefit=table.text("benefit"),
            optional=table.flag("optional"),
            rule=self._rule(table, "rule"),
            source=self._source(table),
        )
        table.done()
        return network

    # --- parts ------------------------------------------------------------------------------

    def _basis(self, table: Table) -> Basis:
        basis: Basis = _enum(table, "basis", Basis, Basis.PRINTED)
        return basis

    def _source(self, table: Table, basis: Basis | None = None) -> str:
        """A handbook line where something is printed; a law, or one word, where it is not."""
        source = table.text("source")
        if not source or self._lines.fullmatch(source):
            if source and basis is Basis.LAW:
                table.refuse("source", source, "the law it rests on")
            return source
        word = source in SOURCE_WORDS
        looks_like_line = re.match(r"\d+:", source) is not None
        if basis is Basis.PRINTED or looks_like_line:
            table.refuse("source", source, f"lines of this handbook such as {self._example}")
        elif basis is Basis.LAW and word:
            table.refuse("source", source, "the law it rests on")
        elif basis is not None and basis is not Basis.LAW and not word and "art." not in source:
            table.refuse("source", source, f"{self._example}, or one of {', '.join(SOURCE_WORDS)}")
        return source

    def _rule(self, table: Table, key: str) -> str:
        return self._known_rule(table, key, table.text(key))

    def _known_rule(self, table: Table, key: str, rule: str) -> str:
        if rule and rule not in self.rule_ids:
            table.refuse(key, rule, "the id of a rule in this handbook")
        return rule

    def _conditions(self, table: Table, key: str) -> tuple[Condition, ...]:
        return tuple(self._condition(entry) for entry in table.tables(key, "test"))

    def _condition(self, table: Table) -> Condition:
        test = table.choice("test", keys.CONDITIONS)
        allowed = keys.CONDITIONS.get(test, ())
        args: dict[str, Any] = {}
        for name in allowed:
            optional = (test, name) == ("item_kind", "none_of")
            if name == "yuan":
                args[name] = table.yuan(name)
            elif name == "list":
                args[name] = self._list_parameter(table)
            elif not optional or table.has(name):
                args[name] = table.texts(name, allowed=ARGUMENTS.get((test, name)))
        table.done()
        return Condition(test=test, args=args)

    def _list_parameter(self, table: Table) -> str:
        name = table.text("list")
        parameter = self.parameters.get(name)
        if name and (parameter is None or parameter.unit != "list"):
            table.refuse("list", name, "the key of a list parameter of this handbook")
        return name


def _title(table: Table, key: str) -> Title:
    inner = table.table(key)
    title = Title(zh=inner.text("zh"), en=inner.text("en"))
    inner.done()
    return title


def _enum(table: Table, key: str, kind: type[Any], default: Any = None) -> Any:
    allowed = [member.value for member in kind]
    value = table.choice(key, allowed) if default is None else table.choice(key, allowed, default.value)
    return kind(value) if value in allowed else kind(allowed[0])


def _value(table: Table, unit: str) -> Any:
    """The unit decides the type: Decimal yuan, whole numbers, a time, a text, a list or a flag."""
    readers: dict[str, Callable[[str], Any]] = {
        "yuan": table.yuan,
        "time": table.moment,
        "text": table.text,
        "list": table.texts,
        "bool": table.flag,
    }
    if unit in readers:
        return readers[unit]("value")
    return table.integer("value", least=0)


def _step(table: Table) -> Step:
    step = Step(
        key=table.text("key"),
        kind=table.choice("kind", keys.STEP_KINDS),
        to=table.choice("to", keys.STEP_RECIPIENTS),
        at=table.decimal("at", None),
        offset=table.integer("offset", None),
        offset_unit=table.choice("offset_unit", ("workdays", "days", "hours"), ""),
    )
    if (step.at is None) == (step.offset is None):
        table.refuse("at", step.at, "either a share of the duration (at) or an offset from the due")
    if step.offset is not None and not step.offset_unit:
        table.refuse("offset_unit", "", "one of days, hours, workdays")
    table.done()
    return step


def _check_clock(table: Table, clock: ClockSpec) -> None:
    for name, early in (("target", clock.target), ("warn", clock.warn)):
        if early is not None and early > clock.duration:
            table.refuse(name, early, f"at most the duration, {clock.duration}")
    if clock.direction == "before" and any(step.at is not None for step in clock.steps):
        table.refuse("steps", "at", "offsets: a lead time has no share of a duration")
    if clock.unit == "until_next_day" and clock.cutoff is None:
        table.refuse("cutoff", None, "the hour of the next day")
    step_keys = [step.key for step in clock.steps]
    if len(set(step_keys)) < len(step_keys):
        table.refuse("steps", step_keys, "every step key once")
    if not clock.rules:
        table.refuse("rules", [], "at least one rule id")


def _check_whole(handbook: Handbook, rule_ids: set[str], problems: list[HandbookError]) -> None:
    """What no single entry can know: references forward, doubles, one rule per key."""
    for parameter in handbook.parameters.values():
        if parameter.rule and parameter.rule not in rule_ids:
            problems.append(
                HandbookError(
                    f"parameters[{parameter.key}].rule", parameter.rule, "the id of a rule in this handbook"
                )
            )
    owners: dict[str, str] = {}
    for rule in handbook.rules.values():
        for key in rule.keys:
            if key in owners:
                problems.append(
                    HandbookError(f"rules[{rule.id}].keys", key, f"a key not held by {owners[key]}")
                )
            owners.setdefault(key, rule.id)
    groups = {version.network_group for version in handbook.versions.values() if version.network_group}
    for network in handbook.networks:
        if network.group and network.group not in groups:
            problems.append(
                HandbookError(f"networks[{network.group}].group", network.group, f"one of {sorted(groups)}")
            )
    _once(handbook.triggers, lambda trigger: trigger.key, "triggers", problems)
    _once(handbook.networks, lambda network: f"{network.group} {network.benefit}", "networks", problems)
    _once(
        handbook.clocks, lambda clock: f"{clock.key} {clock.unit} {_as_text(clock.when)}", "clocks", problems
    )
    papers = [
        (entry, f"{entry.key} {name} {_as_text(entry.when)}")
        for entry in handbook.documents
        for name in entry.lists
    ]
    _once(papers, lambda pair: pair[1], "documents", problems)


def _as_text(conditions: Iterable[Condition]) -> str:
    return "; ".join(
        f"{condition.test} {sorted((key, str(value)) for key, value in condition.args.items())}"
        for condition in conditions
    )


def _once(items: Iterable[T], name: Callable[[T], str], section: str, problems: list[HandbookError]) -> None:
    seen: set[str] = set()
    for item in items:
        label = name(item).strip()
        if label in seen:
            problems.append(HandbookError(section, label, "every entry once"))
        seen.add(label)


def _unique(
    items: list[T], name: Callable[[T], str], section: str, problems: list[HandbookError]
) -> dict[str, T]:
    _once(items, name, section, problems)
    return {name(item): item for item in items}
