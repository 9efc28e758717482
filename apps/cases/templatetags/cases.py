"""Small words for templates: money, time left, bilingual texts of findings, icons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from apps.adjudication.handbook import Title
from apps.cases.counted import reason_words
from apps.cases.forms import CODE_WORDS
from apps.cases.timeleft import clock_titles
from apps.core.money import format_yuan
from apps.products import labels

register = template.Library()


register.filter("pause_reason", reason_words)


@register.filter
def yuan(fen: Any) -> str:
    """Fen as '8,420.00'; '' for nothing."""
    return format_yuan(fen) if isinstance(fen, int) else ""


@register.filter
def yuan_or_dash(fen: Any) -> str:
    """A zero in a table of amounts is a quiet dot, so that the figures stand out."""
    return "·" if fen == 0 else yuan(fen)


@register.filter
def money(value: Any) -> str:
    """A Decimal or text in yuan as '8,420.00'."""
    try:
        return "" if value in (None, "") else f"{Decimal(str(value)):,.2f}"
    except InvalidOperation:
        return str(value)


@register.filter
def money_or_dash(value: Any) -> str:
    text = money(value)
    return "·" if text == "0.00" else text


@register.filter
def said(thing: Any, name: str = "") -> str:
    """The words of a Title, or of an object with `<name>_zh` and `<name>_en`, in the screen's language."""
    ending = "zh" if (get_language() or "zh").startswith("zh") else "en"
    if isinstance(thing, Title) or not name:
        return str(getattr(thing, ending, thing) or "")
    key = f"{name}_{ending}"
    value = thing.get(key) if isinstance(thing, Mapping) else getattr(thing, key, "")
    return str(value or "")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A symbol of the icon font; with a label for those who do not see it."""
    if label:
        return format_html(
            '<span class="material-symbols-outlined c-icon" role="img" aria-label="{}" title="{}">{}</span>',
            label,
            label,
            name,
        )
    return format_html('<span class="material-symbols-outlined c-icon" aria-hidden="true">{}</span>', name)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    return mapping.get(key) if isinstance(mapping, Mapping) else None


@register.simple_tag
def filter_url(filters: Any, **changes: Any) -> str:
    """'?…' of *My work* with some filters changed."""
    return f"?{filters.query(**changes)}"


@register.simple_tag
def share(part: Any, whole: Any) -> str:
    """A percentage for the width of a bar, 0…100."""
    try:
        part, whole = (Decimal(str(value).replace(",", "")) for value in (part, whole))
        return f"{min(max(part / whole * 100, Decimal(0)), Decimal(100)):.2f}" if whole else "0"
    except InvalidOperation:
        return "0"


@register.simple_tag
def clock_title(key: str) -> str:
    """What the handbooks call a clock."""
    return clock_titles().get(key, key)


@register.filter
def code_words(code: Any) -> Any:
    """Words for a bare code ("EXAM"), as the apps registered them."""
    return CODE_WORDS.get(code, code)


@register.filter
def figure_rows(figures: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """The figures of a finding with words; of a figure given in both languages, the screen's."""
    english = not (get_language() or "zh").startswith("zh")
    rows = []
    for name, value in figures.items():
        base = name.removesuffix("_en")
        if (name != base) != english and f"{base}_en" in figures:
            continue
        rows.append((CODE_WORDS.get(base, base.replace("_", " ")), CODE_WORDS.get(value, value)))
    return rows


@register.simple_tag
def unique_papers(rows: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The papers of a check list, each once, in its order, then those nothing asks for."""
    found = {paper.pk: paper for row in rows for paper in row.papers}
    found.update({paper.pk: paper for paper in others})
    return list(found.values())


@register.simple_tag
def paper_title(case: Any, kind: str) -> str:
    """What the series of the case calls a kind of paper."""
    return labels.paper_title(case.handbook.handbook, kind)


@register.simple_tag
def paper_kinds(case: Any) -> list[tuple[str, str]]:
    """All kinds of paper the series asks for somewhere."""
    titles = {document.key: said(document.title) for document in case.handbook.handbook.documents}
    return sorted(titles.items(), key=lambda pair: pair[1])
