"""Bars and lines as plain figures for SVG templates: no script, prints in black and white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from apps.dashboards.queries import Load, Stage, Week

LABEL, WIDTH, ROW = 172, 520, 26
CHART_HEIGHT, CHART_WIDTH = 200, 520


@dataclass(frozen=True)
class Bar:
    y: int
    label: Any
    parts: tuple[tuple[str, float, float], ...]  # class, x, width
    number: Any
    end: float
    query: str = ""

    @property
    def label_end(self) -> int:
        """Where the words of a bar end, to its left."""
        return LABEL - 8


def _width(number: float, most: float) -> float:
    return round((WIDTH - LABEL - 70) * number / most, 1) if most else 0


@dataclass(frozen=True)
class KindStages:
    """The states of one kind that hold open cases. Parts of a bar are percent of the longest on the page."""

    kind: str
    label: Any
    rows: list[tuple[Stage, float, float]]  # in work, waiting

    @property
    def total(self) -> int:
        return sum(stage.total for stage, _running, _paused in self.rows)


def stages_by_kind(stages: Sequence[Stage]) -> list[KindStages]:
    """The same states as `stages`, in their order, a group for each kind; all bars on one scale."""
    most = max((stage.total for stage in stages), default=0)
    return [
        KindStages(
            kind,
            label,
            [(stage, 100 * stage.running / most, 100 * stage.paused / most) for stage in found],
        )
        for (kind, label), found in groupby(stages, key=lambda stage: (stage.kind, stage.kind_label))
    ]


def load_bars(loads: Sequence[Load]) -> list[Bar]:
    most = max((load.open for load in loads), default=0)
    bars = []
    for n, load in enumerate(loads):
        late, rest = _width(load.late, most), _width(load.open - load.late, most)
        parts = (("bar-late", LABEL, late), ("bar", LABEL + late, rest))
        bars.append(
            Bar(
                n * ROW,
                str(load.user),
                parts,
                load.open,
                LABEL + late + rest,
                f"scope=all&assignee={load.user.pk}",
            )
        )
    return bars


def height(bars: Sequence[Bar]) -> int:
    return max(len(bars), 1) * ROW + 4


def trend_lines(weeks: Sequence[Week]) -> dict[str, Any]:
    """Points of four lines; opened and closed, this year thick and last year thin."""
    series = {
        name: [getattr(week, name) for week in weeks]
        for name in ("opened", "closed", "opened_before", "closed_before")
    }
    most = max((max(values) for values in series.values()), default=0) or 1
    step = (CHART_WIDTH - 60) / max(len(weeks) - 1, 1)

    def y(value: int) -> float:
        return round(CHART_HEIGHT - 28 - (CHART_HEIGHT - 48) * value / most, 1)

    return {
        "lines": {
            name: " ".join(f"{40 + n * step:.1f},{y(value)}" for n, value in enumerate(values))
            for name, values in series.items()
        },
        "ticks": [(round(40 + n * step, 1), week.start) for n, week in enumerate(weeks)],
        "most": most,
        "half": round(most / 2),
        "half_y": y(round(most / 2)),
        "top_y": y(most),
        "base_y": y(0),
    }
