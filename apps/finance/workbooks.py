"""Months, returns and statements as Excel; amounts in yuan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.cases.forms import CODE_WORDS
from apps.core.excel import workbook_bytes
from apps.core.money import to_yuan
from apps.finance.months import DIMENSIONS, GROUPS, Cell, Month
from apps.finance.words import COUNTS, GROUP_TITLES, HEADINGS, group_words, month_words
from apps.products.queries import plan_names

UNITS = {"series": "claims", "product": "claims", "age": "claims", "benefit": "parts", "visit_year": "parts"}


def month_workbook(report: Month) -> bytes:
    """A sheet for each grouping with its total, and the lines themselves."""
    plans = plan_names()
    sheets: dict[str, tuple[Sequence[Any], list[list[Any]]]] = {}
    for name in GROUPS:
        groups = report.grouped(name)
        named = plans if name == "product" else {}
        rows = [
            [named.get(value) or group_words(name, value), *figures(cell, UNITS[name])]
            for value, cell in groups
        ]
        rows.append([_("Total"), *figures(report.total, "claims")])
        sheets[str(GROUP_TITLES[name])] = ([str(GROUP_TITLES[name]), *headings(UNITS[name])], rows)
    columns = [
        _("Month"), _("Series"), _("TPA"), _("Product"), _("Benefit"), _("Visit type"), _("Year of visit"),
        _("Month of report"), *headings("parts"),
    ]  # fmt: skip
    lines = [
        [month_words(report.month), *_words(key, plans), *figures(cell, "parts")]
        for key, cell in report.cells.items()
    ]
    sheets[_("Lines")] = (columns, lines)
    return workbook_bytes(sheets)


def headings(unit: str) -> list[str]:
    what = pgettext("month of finance", "claims") if unit == "claims" else _("claim parts")
    return [
        *(f"{title}（{_('yuan')}）" for _name, title in HEADINGS),
        *(f"{title}（{what}）" for _name, title in COUNTS),
    ]


def figures(cell: Cell, unit: str) -> list[Any]:
    money = [to_yuan(getattr(cell, f"{name}_fen")) for name, _title in HEADINGS]
    return [*money, *(getattr(cell, f"{name}_{unit}") for name, _title in COUNTS)]


def _words(key: tuple[Any, ...], plans: Mapping[str, str]) -> list[Any]:
    values = dict(zip(DIMENSIONS, key, strict=True))
    for name in ("benefit", "visit_type"):
        values[name] = str(CODE_WORDS.get(values[name], values[name]))
    values["product"] = plans.get(values["product"], values["product"])
    values["reported_month"] = month_words(values["reported_month"])
    return list(values.values())
