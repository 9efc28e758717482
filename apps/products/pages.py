"""What the pages of the handbook show: sections for reading, rows of differences, a year of days."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.adjudication import keys
from apps.adjudication.handbook import Basis, Condition, Handbook, Level, Rule, Step, Title
from apps.adjudication.handbook_diff import SECTIONS, Difference, diff_handbooks, show
from apps.products.labels import (
    code_words,
    condition_words,
    in_words,
    joined,
    label,
    labels,
    step_words,
    words,
)
from apps.products.models import CalendarDay, CalendarYear

BASIS_NAMES = {
    Basis.PRINTED: gettext_lazy("printed"),
    Basis.CONFIG: gettext_lazy("setting"),
    Basis.ASSUMED: gettext_lazy("assumed"),
    Basis.PRACTICE: gettext_lazy("practice"),
    Basis.LAW: gettext_lazy("law"),
}
LEVEL_NAMES = {
    Level.BLOCK: gettext_lazy("forbids"),
    Level.SOFT_BLOCK: gettext_lazy("only with permission"),
    Level.DENY: gettext_lazy("not payable"),
    Level.REDUCE: gettext_lazy("reduces"),
    Level.PEND: gettext_lazy("asks for papers"),
    Level.REFER: gettext_lazy("a person decides"),
    Level.WARN: gettext_lazy("warns"),
    Level.RECORD: gettext_lazy("recorded"),
}
UNITS = frozenset({"yuan", "days", "workdays", "hours", "minutes"})  # shown behind a figure
SECTION_NAMES = {
    "handbook": gettext_lazy("Handbook"),
    "keys": gettext_lazy("Which rule answers"),
    "rules": gettext_lazy("Rules"),
    "versions": gettext_lazy("Versions"),
    "networks": gettext_lazy("Networks"),
    "contacts": gettext_lazy("Contacts"),
    "services": gettext_lazy("Services"),
    "parameters": gettext_lazy("Figures"),
    "documents": gettext_lazy("Check lists"),
    "triggers": gettext_lazy("Authorization triggers"),
    "clocks": gettext_lazy("Clocks"),
}
KIND_NAMES = {
    "CHANGED": gettext_lazy("differs"),
    "ADDED": gettext_lazy("only right"),
    "REMOVED": gettext_lazy("only left"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the reading page. `more` = label and value below it."""

    anchor: str
    title: str
    other: str
    rule: str
    source: str
    basis: Basis | None
    basis_name: str
    value: str = ""
    text: str = ""
    other_text: str = ""
    badge: str = ""
    closed: bool = False
    more: tuple[tuple[str, str], ...] = ()

    @property
    def rules(self) -> list[str]:
        """Ids of the rules behind it, each a place on the page."""
        return self.rule.split(", ")


@dataclass(frozen=True, slots=True)
class Section:
    anchor: str
    title: str
    rows: tuple[Row, ...]


def read_handbook(handbook: Handbook, search: str = "") -> list[Section]:
    """The whole handbook for reading: rules by area in its order, then its lists.

    `search` keeps rows in which all of its words occur; sections without rows are left out.
    """
    needles = search.casefold().split()
    sections = [*_rules(handbook), *_lists(handbook)]
    kept = [
        Section(section.anchor, section.title, tuple(row for row in section.rows if _found(row, needles)))
        for section in sections
    ]
    return [section for section in kept if section.rows]


def _found(row: Row, needles: list[str]) -> bool:
    parts = (row.anchor, row.title, row.other, row.rule, row.source, row.value, row.text, row.other_text)
    hay = " ".join((*parts, *(f"{label} {value}" for label, value in row.more))).casefold()
    return all(needle in hay for needle in needles)


def _rules(handbook: Handbook) -> Iterator[Section]:
    for area, names in keys.AREAS.items():
        rules = [rule for rule in handbook.rules.values() if rule.area == area]
        title, _other = words(Title(*names))
        yield Section(area, title, tuple(_rule(rule) for rule in rules))


def _rule(rule: Rule) -> Row:
    title, other = words(rule.title)
    says, other_says = words(rule.says)
    return Row(
        anchor=rule.id,
        title=title,
        other=other,
        rule=rule.id,
        source=rule.source,
        basis=rule.basis,
        basis_name=str(BASIS_NAMES[rule.basis]),
        text=says,
        other_text=other_says,
        badge=str(LEVEL_NAMES[rule.level]),
        more=((_("name in the program"), ", ".join(rule.keys)),) if rule.keys else (),
    )


def _lists(handbook: Handbook) -> Iterator[Section]:
    builders = {
        "versions": lambda: (_version(version) for version in handbook.versions.values()),
        "networks": lambda: (_network(network) for network in handbook.networks),
        "contacts": lambda: (_contact(contact) for contact in handbook.contacts.values()),
        "services": lambda: (_service(service) for service in handbook.services.values()),
        "parameters": lambda: (_parameter(parameter) for parameter in handbook.parameters.values()),
        "documents": lambda: (_document(document) for document in handbook.documents),
        "triggers": lambda: (_trigger(trigger) for trigger in handbook.triggers),
        "clocks": lambda: (_clock(clock) for clock in handbook.clocks),
    }
    for name, build in builders.items():
        yield Section(name, str(SECTION_NAMES[name]), tuple(build()))


def _row(entry: Any, anchor: str, rule: str, **values: Any) -> Row:
    """A row of an entry that has a title; the basis follows from the source where it has none."""
    title, other = words(entry.title)
    basis = getattr(entry, "basis", None)
    more = tuple((label, value) for label, value in values.pop("more", ()) if value)
    return Row(
        anchor=anchor,
        title=title,
        other=other,
        rule=rule,
        source=values.pop("source", getattr(entry, "source", "")),
        basis=basis,
        basis_name=str(BASIS_NAMES[basis]) if basis else "",
        more=more,
        **values,
    )


def _version(version: Any) -> Row:
    return _row(
        version,
        version.code,
        version.rule,
        value=version.code,
        more=((_("network group"), version.network_group),),
    )


def _network(network: Any) -> Row:
    return Row(
        anchor=f"network-{network.group}-{network.benefit}",
        title=f"{network.group} · {label(network.benefit)}",
        other="",
        rule=network.rule,
        source=network.source,
        basis=None,
        basis_name="",
        value=_("optional, needs its rider") if network.optional else _("always"),
    )


def _contact(contact: Any) -> Row:
    more = (
        (_("recipient"), contact.recipient),
        (_("postcode"), contact.postcode),
        (_("phone"), contact.phone),
    )
    return _row(contact, f"contact-{contact.key}", contact.rule, value=contact.value, more=more)


def _service(service: Any) -> Row:
    more = (
        (_("channels"), labels(service.channels)),
        (_("rule of the channels"), service.channel_rule),
        (_("instead"), words(service.redirect)[0] if service.redirect else ""),
    )
    return _row(
        service,
        f"service-{service.key}",
        service.rule,
        value=_("offered") if service.offered else _("closed"),
        closed=not service.offered,
        more=more,
    )


def _parameter(parameter: Any) -> Row:
    unit = label(parameter.unit) if parameter.unit in UNITS else ""
    value = f"{value_words(parameter.value)} {unit}".strip()
    return _row(
        parameter,
        f"figure-{parameter.key}",
        parameter.rule,
        value=value,
        more=((_("name in the program"), parameter.key),),
    )


def _document(document: Any) -> Row:
    more = (
        (_("on the lists"), labels(document.lists)),
        (_("asked when"), condition_words(document.when)),
        (_("images"), str(document.pages) if document.pages > 1 else ""),
        (_("also counts"), labels(document.satisfied_by)),
        (_("no paper needed when"), condition_words(document.automatic_when)),
        (_("when mailed"), _("original") if document.original_when_mailed else ""),
    )
    anchor = f"paper-{document.key}-{document.lists[0] if document.lists else ''}"
    return _row(document, anchor, document.rule, value=label(document.form), more=more)


def _trigger(trigger: Any) -> Row:
    return _row(
        trigger,
        f"trigger-{trigger.key}",
        trigger.rule,
        badge=str(LEVEL_NAMES[trigger.level]),
        more=((_("when"), condition_words(trigger.when)),),
    )


def _clock(clock: Any) -> Row:
    duration = f"{clock.duration} {label(clock.unit)}"
    if clock.direction == "before":
        duration = _("%(duration)s ahead") % {"duration": duration}
    if clock.cutoff:
        duration = f"{duration}, {show(clock.cutoff)}"
    more = (
        (_("from"), label(clock.start)),
        (_("until"), labels(clock.stop)),
        (_("target"), str(clock.target or "")),
        (_("for"), condition_words(clock.when)),
        (_("pauses for"), labels(clock.pauses)),
        (_("ladder"), step_words(clock.steps)),
    )
    return _row(
        clock,
        f"clock-{clock.key}-{clock.id}",
        ", ".join(clock.rules),
        source=clock.id,
        value=duration,
        badge=_("statutory") if clock.statutory else "",
        more=more,
    )


# --- Differences -----------------------------------------------------------------------------


def value_words(value: Any) -> str:
    """A value of a handbook in the reader's language only: codes, conditions and ladders in words."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Title):
        return words(value)[0]
    if isinstance(value, Level):
        return str(LEVEL_NAMES[value])
    if isinstance(value, Basis):
        return str(BASIS_NAMES[value])
    if isinstance(value, Enum):
        return code_words(str(value.value))
    if isinstance(value, Condition):
        return condition_words([value])
    if isinstance(value, Step):
        return step_words([value])
    if isinstance(value, tuple | list):
        if value and isinstance(value[0], Condition):
            return condition_words(value)
        return joined(value_words(item) for item in value)
    if isinstance(value, str):
        return code_words(value)
    return show(value)


def differences(left: Handbook, right: Handbook) -> tuple[Difference, ...]:
    """What differs, for people: values in their language, networks by group and benefit."""
    return tuple(_named(row) for row in diff_handbooks(left, right, value_words))


def _named(row: Difference) -> Difference:
    if row.section != "networks":
        return row
    group, _blank, benefit = row.key.partition(" ")
    name = f"{group} · {label(benefit)}"
    return replace(row, title=Title(name, name))


def key_words(row: Difference) -> str:
    """The name of an entry in the program, with the codes that tell it from its neighbours in words."""
    if row.section == "networks":
        return ""
    head, blank, rest = row.key.partition(" ")
    if row.section == "documents":
        return f"{label(head)} · {rest}"
    return f"{head}{blank}{in_words(rest)}"


def filter_differences(
    rows: Iterable[Difference], *, section: str = "", kind: str = "", search: str = ""
) -> list[Difference]:
    """Rows of a section and kind in which all words of `search` occur."""
    needles = search.casefold().split()
    kept = []
    for row in rows:
        if (section and row.section != section) or (kind and row.kind != kind):
            continue
        parts = (row.key, row.field, row.left or "", row.right or "", row.title.zh, row.title.en)
        hay = " ".join((*parts, row.rule_left, row.rule_right)).casefold()
        if all(needle in hay for needle in needles):
            kept.append(row)
    return kept


def group_differences(rows: Iterable[Difference]) -> list[tuple[str, list[Difference]]]:
    """Rows by section, in the order of the handbook, under names for people."""
    found: dict[str, list[Difference]] = {}
    for row in rows:
        found.setdefault(row.section, []).append(row)
    return [(str(SECTION_NAMES[name]), found[name]) for name in SECTIONS if name in found]


# --- Calendar --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayCell:
    date: date | None
    kind: str = ""  # "" | WORK | OFF | WEEKEND
    note: str = ""
    manual: bool = False
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Month:
    number: int
    weeks: tuple[tuple[DayCell, ...], ...]
    workdays: int


def year_view(year: int) -> tuple[list[Month], CalendarYear | None]:
    """Twelve months of days as they count. Two queries."""
    rows = {row.date: row for row in CalendarDay.objects.filter(date__year=year)}
    known = CalendarYear.objects.filter(year=year).first()
    months = []
    for number in range(1, 13):
        weeks = [
            tuple(_cell(day, number, rows) for day in week)
            for week in calendar.Calendar(firstweekday=0).monthdatescalendar(year, number)
        ]
        workdays = sum(1 for week in weeks for cell in week if cell.date and cell.kind in ("", "WORK"))
        months.append(Month(number, tuple(weeks), workdays))
    return months, known


def _cell(day: date, month: int, rows: dict[date, CalendarDay]) -> DayCell:
    if day.month != month:
        return DayCell(None)
    row = rows.get(day)
    if row is not None:
        return DayCell(day, row.kind, row.note, row.source == CalendarDay.Source.MANUAL, row.pk)
    return DayCell(day, "WEEKEND" if day.weekday() >= 5 else "")
