"""Open bills by age as bars for an SVG template. No script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.billing.queries import Band

WIDTH, TOP, BASE, HEIGHT = 640, 26, 176, 216


@dataclass(frozen=True)
class Bar:
    """`y` grows downwards; the dark part of a bar are bills whose card is grey."""

    band: Band
    x: float
    y: float
    width: float
    height: float
    grey_y: float
    grey_height: float
    middle: float
    label_y: float


def age_chart(bands: Sequence[Band]) -> dict[str, Any]:
    most = max((band.bills for band in bands), default=0) or 1
    step = WIDTH / max(len(bands), 1)
    bars = []
    for n, band in enumerate(bands):
        height = round((BASE - TOP) * band.bills / most, 1)
        grey = round((BASE - TOP) * band.exhausted / most, 1)
        x, width = round(n * step + step * 0.2, 1), round(step * 0.6, 1)
        bars.append(
            Bar(
                band=band, x=x, y=BASE - height, width=width, height=height, grey_y=BASE - grey, grey_height=grey,
                middle=round(x + width / 2, 1), label_y=round(BASE - height - 6, 1),
            )
        )  # fmt: skip
    return {"bars": bars, "width": WIDTH, "height": HEIGHT, "base": BASE}
