"""Figures for SVG templates: the roll-forward as a waterfall, returns by age as bars. No script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.finance.months import Cell
from apps.finance.returns import Band
from apps.finance.words import HEADINGS

WIDTH, HEIGHT, TOP, BASE = 640, 220, 26, 186
STEPS = ("opening", "reported", "changed", "reopened", "released", "paid", "closing")


@dataclass(frozen=True)
class Column:
    """One step of the waterfall, or one bar. `y` grows downwards."""

    x: float
    y: float
    width: float
    height: float
    style: str  # bar | bar-late | bar-soft
    title: Any
    number: int  # fen or a count
    query: str
    label_y: float


def waterfall(total: Cell) -> dict[str, Any]:
    """Opening and closing stand on the ground; what raised and what lowered the sum hangs between."""
    titles = dict(HEADINGS)
    level, spans = 0, []
    for name in STEPS:
        fen = getattr(total, f"{name}_fen")
        if name in ("opening", "closing"):
            low, high, level = min(fen, 0), max(fen, 0), fen
        else:
            change = -fen if name == "paid" else fen
            low, high, level = min(level, level + change), max(level, level + change), level + change
        spans.append((name, fen, low, high))
    top = max((high for _name, _fen, _low, high in spans), default=0) or 1
    bottom = min(low for _name, _fen, low, _high in spans)
    step = WIDTH / len(spans)

    def y(fen: int) -> float:
        return round(BASE - (BASE - TOP) * (fen - bottom) / (top - bottom), 1)

    columns = []
    for n, (name, fen, low, high) in enumerate(spans):
        grounded = name in ("opening", "closing")
        falls = name == "paid" or fen < 0
        style = "bar" if grounded else "bar-soft" if falls else "bar-rise"
        columns.append(
            Column(
                x=round(n * step + step * 0.16, 1), y=y(high), width=round(step * 0.68, 1),
                height=round(max(y(low) - y(high), 1.0 if fen else 0), 1), style=style, title=titles[name],
                number=-fen if name == "paid" else fen, query=f"measure={name}", label_y=round(y(high) - 6, 1),
            )
        )  # fmt: skip
    return {"columns": columns, "base": y(0), "width": WIDTH, "height": HEIGHT}


def age_bars(bands: Sequence[Band]) -> dict[str, Any]:
    """Open returns by days since the return; the older, the darker."""
    most = max((band.orders for band in bands), default=0) or 1
    step = WIDTH / max(len(bands), 1)
    columns = []
    for n, band in enumerate(bands):
        height = round((BASE - TOP) * band.orders / most, 1)
        columns.append(
            Column(
                x=round(n * step + step * 0.2, 1), y=BASE - height, width=round(step * 0.6, 1), height=height,
                style="bar-late" if n >= 3 else "bar", title=band, number=band.orders, query=f"band={n}",
                label_y=round(BASE - height - 6, 1),
            )
        )  # fmt: skip
    return {"columns": columns, "base": BASE, "width": WIDTH, "height": HEIGHT}
