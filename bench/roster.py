#!/usr/bin/env python
"""Import the sample roster into a fresh SQLite database; print time and memory as JSON.

    .venv/bin/python bench/roster.py [fixtures/samples/roster.xlsx]

Three imports in one run: a trial, the real one, and the same file again; then searches.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SEARCHES = ("王", "zhang", "zxm", "13800138000", "P202600000001", "310105202001011234", "M-000123")


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def forget_peak() -> None:
    """Let the kernel measure the peak of this process anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def timed(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """What the work took: seconds, and memory above the start, after it and at its peak."""
    before, started = resident(), time.perf_counter()
    forget_peak()
    result = work()
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "growth_mb": round(resident() - before, 1),
        "peak_growth_mb": round(peak() - before, 1),
    }, result


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "fixtures/samples/roster.xlsx"
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "CLAIMS_ENV": "development",
            "VAR_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        }
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")
        print(json.dumps(measure(file), ensure_ascii=False, indent=2))


def measure(file: Path) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from pypinyin import lazy_pinyin

    call_command("migrate", verbosity=0)
    for series in ("2024", "2026"):
        call_command("load_handbook", str(ROOT / f"fixtures/handbooks/{series}.toml"), stdout=sys.stderr)
    call_command("load_plans", str(ROOT / "fixtures/plans"), stdout=sys.stderr)
    lazy_pinyin("预热")  # its tables are loaded once a process

    from apps.accounts.actors import SYSTEM
    from apps.core.imports import run
    from apps.members.models import Member, Policy
    from apps.members.queries import find_members
    from apps.members.roster import RosterImporter

    found: dict[str, Any] = {}
    for name, dry_run in (("trial", True), ("import", False), ("same_file_again", False)):
        found[name], report = timed(lambda dry_run=dry_run: run(RosterImporter(), file, dry_run=dry_run))
        found[name] |= {"rows": report.rows, "errors": len(report.errors), **report.outcomes}
    found["children"], found["policies"] = Member.objects.count(), Policy.objects.count()
    found["search_ms"] = {}
    for text in SEARCHES:
        seconds = min(timed_search(lambda text=text: find_members(SYSTEM, text)) for _ in range(5))
        found["search_ms"][text] = round(seconds * 1000, 2)
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def timed_search(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
