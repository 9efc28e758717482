"""What the pages of quality ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.inputs import ask
from apps.core.errors import InvalidInput
from apps.products.models import HandbookVersion, Plan
from apps.products.queries import series_codes
from apps.quality.actions.replays import LONGEST_TEXT, Question
from apps.quality.actions.straight import one_series
from apps.quality.models import Draw


def all_series(ctx: Any) -> list[tuple[Any, Any]]:
    return [("", _("all series")), *((code, code) for code in series_codes())]


def handbooks(ctx: Any) -> list[tuple[Any, Any]]:
    rows = HandbookVersion.objects.filter(published=True).order_by("-series", "-number")
    return [(str(row.pk), f"{row.series} v{row.number}") for row in rows]


def plans(ctx: Any) -> list[tuple[Any, Any]]:
    return [(str(row.pk), f"{row.series} {row.name} {row.sha256[:8]}") for row in Plan.every.order_by("-pk")]


@dataclass(frozen=True)
class ReplayInput:
    series: str = ask(_("Series"), choices=all_series, widget="select", default="")
    since: date | None = ask(_("Decided from"), default=None)
    until: date | None = ask(_("until"), default=None)
    handbook: str = ask(_("Under another handbook"), choices=handbooks, widget="select", default="")
    handbook_file: tuple[Any, ...] = ask(_("or a handbook file (TOML)"), widget="file", default=())
    plan: str = ask(
        _("Under another plan"),
        choices=plans,
        widget="select",
        default="",
        help=_("compares the claims decided under this plan"),
    )
    plan_file: tuple[Any, ...] = ask(_("or a plan file (TOML)"), widget="file", default=())


@dataclass(frozen=True, kw_only=True)
class DrawInput:
    series: str = ask(_("Series"), choices=one_series, widget="select")
    stratum: str = ask(_("Decisions"), choices=Draw.Stratum.choices, widget="select", default="MANUAL")
    since: date = ask(_("Decided from"))
    until: date = ask(_("until"))
    percent: int = ask(_("Percent"), minimum=1, maximum=100, default=5)


def question_of(given: ReplayInput) -> Question:
    """Texts out of loaded rows or uploaded files. Raises InvalidInput naming the field."""
    book = _loaded(HandbookVersion.objects, given.handbook, "handbook")
    plan = _loaded(Plan.every, given.plan, "plan")
    book_text, book_name = _text(given.handbook_file, "handbook_file")
    plan_text, plan_name = _text(given.plan_file, "plan_file")
    if book is not None and not book_text:
        book_text, book_name = book.text, f"{book.series} v{book.number}"
    if plan is not None and not plan_text:
        plan_text, plan_name = plan.text, f"{plan.series} {plan.name}"
    return Question(given.series, given.since, given.until, book_text, book_name, plan_text, plan_name)


def _loaded(rows: Any, key: str, field: str) -> Any:
    if not key:
        return None
    row = rows.filter(pk=key).first() if key.isdigit() else None
    if row is None:
        raise InvalidInput(_("It is no longer there; choose again."), code="unknown", field=field)
    return row


def _text(files: tuple[Any, ...], field: str) -> tuple[str, str]:
    if not files:
        return "", ""
    file = files[0]
    if file.size > LONGEST_TEXT:
        raise InvalidInput(_("The text is too long."), code="too_large", field=field)
    try:
        return file.read().decode(), file.name[-120:]
    except UnicodeDecodeError as error:
        raise InvalidInput(
            _("This is no UTF-8 text; a TOML file is expected."), code="not_text", field=field
        ) from error
