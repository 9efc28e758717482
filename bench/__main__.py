"""Run measurements and print one JSON object a line.

    make bench                                 all of them, on SQLite and PostgreSQL, 5 to 9 minutes
    make bench ARGS="claims pages"             some of them
    make bench ARGS="claims --database sqlite" on one database
    make bench ARGS="pages --history 10000 --history 1000000"
                                               with other amounts of closed claims behind the open ones

Each runs in a process and on a database of its own, which are gone afterwards; nothing else is touched.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.databases import VENDORS, prepared

ROOT = Path(__file__).resolve().parent.parent
ON_DATABASES = {
    "claims": "claims decided one by one and in batches, beside the same rows by bare SQL",
    "sweep": "the sweep of clocks: 50 due among 1,000 and 20,000 open ones; 1,000 due while history grows",
    "pages": "worklist, search, case page, lists, dashboard and API while history grows",
}
LETTERS = "40"
SCRIPTS = {
    "roster": "import of 5,000 children into a fresh SQLite file, and searches",
    "letters": "letters, beside bare WeasyPrint with the same HTML",
}


def main() -> int:
    chosen = arguments()
    if os.environ.get("CLAIMS_ENV") == "production":
        raise SystemExit("Measurements make databases of their own; not in production.")
    if "REDIS_URL" not in os.environ:
        raise SystemExit("Measurements need servers: start them with `make bench`.")
    os.environ["BENCH_HISTORY"] = ",".join(map(str, chosen.history))
    names, failed = chosen.names or [*ON_DATABASES, *SCRIPTS], 0
    say(
        {
            "bench": "machine",
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
            "commit": commit(),
        }
    )
    for vendor in chosen.database or VENDORS:
        failed += on_database(vendor, [name for name in names if name in ON_DATABASES])
    for name in names:
        if name in SCRIPTS:
            failed += script(name)
    return min(failed, 1)


def arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:9}{what}" for name, what in (ON_DATABASES | SCRIPTS).items())
    parser = argparse.ArgumentParser(
        "python -m bench",
        description=__doc__,
        epilog=f"measurements:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all when none is named")
    parser.add_argument("--database", choices=VENDORS, action="append", help="default: both")
    parser.add_argument(
        "--history",
        type=int,
        action="append",
        default=[],
        help="closed claims for sweep and pages (repeat it)",
    )
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in ON_DATABASES | SCRIPTS]
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)}")
    return chosen


def on_database(vendor: str, names: list[str]) -> int:
    """The migrated database is made once and copied for each measurement."""
    if not names:
        return 0
    failed = 0
    with prepared(vendor) as copy:
        if copy is None:
            say({"bench": "skipped", "database": vendor, "why": "DATABASE_URL names no PostgreSQL server"})
            return 0
        for name in names:
            started = time.perf_counter()
            with copy(name) as environment:
                code = subprocess.run(
                    [sys.executable, "-m", "bench.measure", name], cwd=ROOT, env=os.environ | environment
                ).returncode
            failed += bool(code)
            done(name, code, started, database=vendor)
    return failed


def script(name: str) -> int:
    started = time.perf_counter()
    run = subprocess.run(
        [sys.executable, str(ROOT / "bench" / f"{name}.py"), *([LETTERS] if name == "letters" else [])],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    if run.returncode:
        sys.stderr.write(run.stderr)
    else:
        say({"bench": name} | json.loads(run.stdout))
    done(name, run.returncode, started)
    return bool(run.returncode)


def done(name: str, code: int, started: float, **more: Any) -> None:
    seconds = round(time.perf_counter() - started, 1)
    say({"bench": "done", "name": name} | more | {"seconds": seconds, "ok": not code})


def commit() -> str:
    run = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return run.stdout.strip()


def say(found: dict[str, Any]) -> None:
    print(json.dumps(found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
