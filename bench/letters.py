#!/usr/bin/env python
"""Render letters; print times and memory as JSON.

    .venv/bin/python bench/letters.py [letters]

In one run: a letter through our door (template, fonts, QR, PDF/A), and the same HTML with bare
WeasyPrint that makes its font configuration each time; then many letters and the memory they take.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
REPEATS = 15


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def times(work: Callable[[], Any]) -> dict[str, float]:
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return {"median_ms": round(statistics.median(taken) * 1000, 1), "worst_ms": round(max(taken) * 1000, 1)}


def letter(number: int) -> Any:
    """An unsaved settlement of ten lines; every one has another number, child and amounts."""
    from django.utils import timezone

    from apps.adjudication.parse import parse_handbook
    from apps.documents.letters import About, EobContext, EobLine, Reason, to_json
    from apps.documents.models import Letter
    from apps.documents.series import series_block

    handbook = letter.__dict__.setdefault(
        "handbook", parse_handbook((ROOT / "fixtures/handbooks/2026.toml").read_text())
    )
    about = About("张女士", "王**", f"P{number:08d}", f"C26-{number:06d}", date(2026, 9, 28), "全国版")
    lines = tuple(
        EobLine(f"检查项目 {n}", n * 10_000 + number, 2_000, 0, 0, 1_000, n * 10_000 + number - 3_000, (1,))
        for n in range(1, 11)
    )
    reason = Reason("自付部分由被保险人承担", "按约定比例赔付。", "GEN-07", "26:180")
    context = EobContext(
        about, "PARTIAL", date(2026, 10, 9), lines, sum(line.paid_fen for line in lines), (reason,)
    )
    return Letter(
        number=f"L26-{number:06d}",
        kind="EOB",
        context=to_json(context) | {"series": series_block(handbook)},
        created_at=timezone.now(),
        token=f"{number:032d}",
    )


def bare(html: str) -> bytes:
    """What one writes first: everything made anew for each letter."""
    from django.template.loader import render_to_string
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    from apps.documents.fonts import font_path

    fonts = FontConfiguration()
    faces = {"Letter Sans": "NotoSansSC-Regular.otf", "Letter Serif": "NotoSerifSC-Regular.otf"}
    css = "".join(
        f'@font-face{{font-family:"{name}";src:url("file://{font_path(file)}")}}'
        for name, file in faces.items()
    )
    style = CSS(string=css + render_to_string("letters/letter.css"), font_config=fonts)
    pdf: bytes = HTML(string=html).write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3b")
    return pdf


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")
    import django

    django.setup()
    from apps.documents.rendering import render_html, render_pdf, write_pdf

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    first = letter(1)
    started = time.perf_counter()
    pdf, _missing = render_pdf(first)
    result: dict[str, Any] = {"first_letter_ms": round((time.perf_counter() - started) * 1000, 1)}
    html = render_html(first)
    result["letter"] = times(lambda: render_pdf(first)) | {"kilobytes": round(len(pdf) / 1024)}
    before, started = resident(), time.perf_counter()
    for number in range(2, count + 2):
        render_pdf(letter(number))
    result["many"] = {
        "letters": count,
        "ms_each": round((time.perf_counter() - started) * 1000 / count, 1),
        "resident_mb": round(resident()),
        "growth_mb": round(resident() - before, 1),
    }
    result["same_html_our_fonts"] = times(lambda: write_pdf(html))
    result["same_html_bare_weasyprint"] = times(lambda: bare(html))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
