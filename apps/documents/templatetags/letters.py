"""Filters of the letters: contexts are JSON, so money is fen and dates are ISO text."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template

from apps.core.money import format_yuan, in_capitals

register = template.Library()
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@register.filter
def yuan(fen: int | None) -> str:
    """842000 → '8,420.00'."""
    return format_yuan(fen)


@register.filter
def capitals(fen: int) -> str:
    """1719000 → '人民币壹万柒仟壹佰玖拾元整'."""
    return in_capitals(fen)


@register.filter
def yuan_or_dash(fen: int | None) -> str:
    """Zero is a dash, so that a table shows where something happened."""
    return format_yuan(fen) if fen else "–"


@register.filter
def day(value: str | date | None, language: str = "zh") -> str:
    """'2026-10-09' → '2026年10月9日' or '9 October 2026'."""
    if not value:
        return ""
    when = date.fromisoformat(value) if isinstance(value, str) else value
    if language == "en":
        return f"{when.day} {MONTHS[when.month - 1]} {when.year}"
    return f"{when.year}年{when.month}月{when.day}日"


@register.filter
def total(lines: list[dict[str, Any]], column: str) -> int:
    """Sum of a column of the lines of a settlement."""
    return sum(line[column] for line in lines)


@register.filter
def words(texts: dict[str, str] | None, language: str) -> str:
    """The text of the letter's language out of {"zh": …, "en": …}."""
    return (texts or {}).get(language, "")
