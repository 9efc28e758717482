#!/usr/bin/env python
"""Render letters; print times and memory as JSON.

    .venv/bin/python bench/letters.py [letters]

In one run, in turns, so that all meet the same noise: a letter through our door (template, QR, characters,
PDF/A), its HTML with our kept fonts, and the same HTML with bare WeasyPrint that makes its font
configuration each time. Before that the first letter of a cold process and of a warmed one; after it many
letters and the memory they take.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
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


def take(work: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds by the clock and of CPU."""
    started = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - started[0]) * 1000, (time.process_time() - started[1]) * 1000


def in_turns(works: dict[str, Callable[[], Any]]) -> dict[str, dict[str, float]]:
    """Medians of each, every round in another order."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    names = list(works)
    for turn in range(REPEATS):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken[name].append(take(works[name]))
    return {
        name: {
            "ms": round(statistics.median(wall for wall, _cpu in found), 1),
            "cpu_ms": round(statistics.median(cpu for _wall, cpu in found), 1),
            "worst_ms": round(max(wall for wall, _cpu in found), 1),
        }
        for name, found in taken.items()
    }


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


def first_letter(*, warmed: bool) -> dict[str, float]:
    """Of a process that has loaded the application, as a worker has; `warmed` as workers are."""
    code = (
        "import django; django.setup()\n"
        "from bench.letters import letter, take\n"
        "from apps.documents import rendering\n"
        "first = letter(1)\n"
        f"{'rendering.warm_up(); rendering.warm_up_fonts()' if warmed else ''}\n"
        "print(*take(lambda: rendering.render_pdf(first)))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "claimsadmin.settings"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    wall, cpu = map(float, run.stdout.split()[-2:])
    return {"ms": round(wall, 1), "cpu_ms": round(cpu, 1)}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")
    import django

    django.setup()
    from apps.documents.rendering import render_html, render_pdf, write_pdf

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    result: dict[str, Any] = {
        "first_letter": {"cold": first_letter(warmed=False), "warmed": first_letter(warmed=True)}
    }
    first = letter(1)
    html = render_html(first)
    pdf, _missing = render_pdf(first)
    bare(html)
    found = in_turns(
        {
            "letter": lambda: render_pdf(first),
            "same_html_our_fonts": lambda: write_pdf(html),
            "same_html_bare_weasyprint": lambda: bare(html),
        }
    )
    ours, least = found["letter"], found["same_html_bare_weasyprint"]
    result |= found | {
        "times_bare_weasyprint": {name: round(ours[name] / least[name], 2) for name in ("ms", "cpu_ms")},
        "kilobytes": round(len(pdf) / 1024),
    }
    before = resident()
    memory = [before]
    wall = cpu = 0.0
    for number in range(2, count + 2):
        taken = take(lambda number=number: render_pdf(letter(number)))
        wall, cpu = wall + taken[0], cpu + taken[1]
        if number % max(count // 5, 1) == 1:
            memory.append(resident())
    result["many"] = {
        "letters": count,
        "ms_each": round(wall / count, 1),
        "cpu_ms_each": round(cpu / count, 1),
        "resident_mb": [round(megabytes) for megabytes in memory],
        "growth_mb": round(resident() - before, 1),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
