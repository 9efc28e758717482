"""Figures for SVG templates: open recoveries by age. No script, prints in black and white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.recoveries.queries import Band

WIDTH, TOP, BASE = 640, 24, 150
LATE_FROM = 2  # bands darker than the first thirty days


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    middle: float
    label_y: float
    style: str
    title: str
    cases: int
    open_fen: int
    query: str


def age_bars(bands: Sequence[Band]) -> list[Bar]:
    most = max((band.open_fen for band in bands), default=0) or 1
    step = WIDTH / max(len(bands), 1)
    return [_bar(number, band, step, most) for number, band in enumerate(bands)]


def _bar(number: int, band: Band, step: float, most: int) -> Bar:
    height = round((BASE - TOP) * band.open_fen / most, 1)
    x, width = number * step + step * 0.2, step * 0.6
    return Bar(
        x=round(x, 1), y=round(BASE - height, 1), width=round(width, 1), height=height, middle=round(x + width / 2, 1),
        label_y=round(BASE - height - 6, 1), style="bar-late" if number >= LATE_FROM else "bar",
        title=band_words(band), cases=band.cases, open_fen=band.open_fen, query=f"band={number}",
    )  # fmt: skip


def band_words(band: Band) -> str:
    if band.low is None:
        return _("not yet due")
    if band.high is None:
        return _("over %(days)d days") % {"days": band.low - 1}
    return _("%(low)d–%(high)d days") % {"low": band.low, "high": band.high}
