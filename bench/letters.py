#!/usr/bin/env python
"""Render settlement and guarantee letters; print times and memory as JSON.

    .venv/bin/python bench/letters.py [letters] [--only guarantee]

In one run, in turns, so that all meet the same noise: a letter through our door (template, QR, characters,
PDF/A), its HTML with our kept fonts, and the same HTML with bare WeasyPrint that makes its font
configuration each time; of guarantee letters also the one that is signed. Before that the first letter of a
cold process and of a warmed one; after it many letters and the memory they take.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
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


def settlement(number: int) -> Any:
    """Ten lines; every one has another number, child and amounts."""
    from apps.documents.letter_contexts import About, EobContext, EobLine, Reason

    about = About("张女士", "王**", f"P{number:08d}", f"C26-{number:06d}", date(2026, 9, 28), "全国版")
    lines = tuple(
        EobLine(f"检查项目 {n}", n * 10_000 + number, 2_000, 0, 0, 1_000, n * 10_000 + number - 3_000, (1,))
        for n in range(1, 11)
    )
    reason = Reason("自付部分由被保险人承担", "按约定比例赔付。", "GEN-07", "26:180")
    return EobContext(
        about, "PARTIAL", date(2026, 10, 9), lines, sum(line.paid_fen for line in lines), (reason,)
    )


def guarantee(number: int) -> Any:
    """Eight items in two languages, what the plan cuts, and conditions; the QR code differs with each."""
    from apps.adjudication.handbook import Title
    from apps.documents.letter_contexts import GuaranteeContext

    return GuaranteeContext(
        case=f"A26-{number:06d}", hospital=Title("上海和睦家医院", "Shanghai United Family Hospital"),
        place="国际部 儿科", child="王**", identity="310***********0012", identity_kind=Title("居民身份证", "ID card"),
        born_in=2021, sex=Title("男", "male"), policy=f"P{number:08d}", plan="全国版", diagnosis="急性阑尾炎",
        diagnosis_code="K35.800", treatment="腹腔镜阑尾切除术，术后抗感染治疗与观察。",
        visit=Title("住院", "inpatient stay"), benefit=Title("住院医疗", "inpatient"), planned_on=date(2026, 10, 12),
        planned_days=5, valid_from=date(2026, 10, 12), valid_until=date(2026, 11, 16), cap_fen=4_800_000 + number,
        items=tuple(f"治疗项目 {n}" for n in range(1, 9)), more_items=4,
        cuts=(Title("床位费按单人间标准赔付。", "Room and board up to a single room."),),
        conditions="须使用进口耗材时请先联系我们。",
    )  # fmt: skip


LETTERS: dict[str, Callable[[int], Any]] = {"settlement": settlement, "guarantee": guarantee}


def letter(number: int, sort: str) -> Any:
    """An unsaved letter of series 2026."""
    from django.utils import timezone

    from apps.adjudication.parse import parse_handbook
    from apps.documents.letter_contexts import KINDS
    from apps.documents.letters import to_json
    from apps.documents.models import Letter
    from apps.documents.series import series_block

    handbook = letter.__dict__.setdefault(
        "handbook", parse_handbook((ROOT / "fixtures/handbooks/2026.toml").read_text())
    )
    context = LETTERS[sort](number)
    return Letter(
        number=f"L26-{number:06d}",
        kind=KINDS[type(context)],
        context=to_json(context) | {"series": series_block(handbook)},
        valid_until=getattr(context, "valid_until", None),
        created_at=timezone.now(),
        token=f"{number:032d}",
    )


@contextmanager
def certificate() -> Iterator[Path]:
    """One that signs, made for this run."""
    from django.utils import timezone

    from apps.documents.certificates import self_signed

    with TemporaryDirectory() as folder:
        path = Path(folder) / "letters.p12"
        self_signed(path, "bench", now=timezone.now())
        yield path


def sign_with(path: Path | str) -> None:
    """What signs from here on; "" leaves letters unsigned."""
    from django.conf import settings

    settings.LETTER_CERTIFICATE, settings.LETTER_DEMO_CERTIFICATE = str(path), ""


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


def first_letter(sort: str, signer: Path, *, warmed: bool) -> dict[str, float]:
    """Of a process that has loaded the application, as a worker has; `warmed` as workers are. What is
    signed in the house is signed here."""
    code = (
        "import django; django.setup()\n"
        "from bench.letters import letter, sign_with, take\n"
        "from apps.documents import rendering\n"
        f"sign_with({str(signer)!r})\n"
        f"first = letter(1, {sort!r})\n"
        f"{'rendering.warm_up(); rendering.warm_up_fonts()' if warmed else ''}\n"
        "print(*take(lambda: rendering.render_pdf(first)))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "claimsadmin.settings"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    wall, cpu = map(float, run.stdout.split()[-2:])
    return {"ms": round(wall, 1), "cpu_ms": round(cpu, 1)}


def one_by_one(sort: str, signer: Path) -> dict[str, Any]:
    """The same letter through our door and by bare WeasyPrint, in turns."""
    from apps.documents.models import Letter
    from apps.documents.rendering import render_html, render_pdf, write_pdf

    first = letter(1, sort)
    html = render_html(first)
    bare(html)

    def unsigned() -> bytes:
        sign_with("")
        return render_pdf(first)[0]

    def signed() -> bytes:
        sign_with(signer)
        return render_pdf(first)[0]

    works: dict[str, Callable[[], bytes]] = {
        "letter": unsigned,
        "same_html_our_fonts": lambda: write_pdf(html),
        "same_html_bare_weasyprint": lambda: bare(html),
    }
    if first.kind == Letter.Kind.GUARANTEE:
        works["signed"] = signed
    sizes = {f"{name}_kilobytes": round(len(work()) / 1024) for name, work in works.items()}
    found = in_turns(works)
    ours, least = found["letter"], found["same_html_bare_weasyprint"]
    times = {name: round(ours[name] / least[name], 2) for name in ("ms", "cpu_ms")}
    return found | {"times_bare_weasyprint": times, **sizes}


def many(sort: str, count: int, signer: Path) -> dict[str, Any]:
    """Each another, as the house sends them: what is signed is signed."""
    from apps.documents.rendering import render_pdf

    sign_with(signer)
    memory = [before := resident()]
    wall = cpu = 0.0
    for number in range(2, count + 2):
        taken = take(lambda number=number: render_pdf(letter(number, sort)))
        wall, cpu = wall + taken[0], cpu + taken[1]
        if number % max(count // 5, 1) == 1:
            memory.append(resident())
    return {
        "letters": count,
        "ms_each": round(wall / count, 1),
        "cpu_ms_each": round(cpu / count, 1),
        "resident_mb": [round(megabytes) for megabytes in memory],
        "growth_mb": round(resident() - before, 1),
    }


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")
    import django

    django.setup()

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("letters", nargs="?", type=int, default=100)
    parser.add_argument("--only", choices=sorted(LETTERS))
    asked = parser.parse_args()
    result: dict[str, Any] = {}
    with certificate() as signer:
        for sort in [asked.only] if asked.only else LETTERS:
            result[sort] = {
                "first_letter": {
                    "cold": first_letter(sort, signer, warmed=False),
                    "warmed": first_letter(sort, signer, warmed=True),
                },
                **one_by_one(sort, signer),
                "many": many(sort, asked.letters, signer),
            }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
