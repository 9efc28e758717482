#!/usr/bin/env python
"""Write fixtures/samples: a roster and a hospital list as insurers send them, and broken twins of both.

Deterministic: the same seed and the same year give the same workbooks. Children, numbers and policies
are invented; hospital names are real where well known, but their networks are made up and marked as
samples (NET-01: the printed lists are lost).

    .venv/bin/python scripts/make_samples.py [--children 5200] [--year 2026] [--to fixtures/samples]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.samples.hospitals import write_broken_hospitals, write_hospitals  # noqa: E402
from scripts.samples.roster import write_broken_roster, write_roster  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--children", type=int, default=5200)
    parser.add_argument("--year", type=int, default=2026)
    parser.add_argument("--to", type=Path, default=ROOT / "fixtures" / "samples")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    write_roster(options.to / "roster.xlsx", children=options.children, year=options.year)
    write_broken_roster(options.to / "roster-broken.xlsx", year=options.year)
    write_hospitals(options.to / "hospitals.xlsx", year=options.year)
    write_broken_hospitals(options.to / "hospitals-broken.xlsx", year=options.year)
    for file in sorted(options.to.glob("*.xlsx")):
        print(
            f"{file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}: {file.stat().st_size // 1024} KiB"
        )


if __name__ == "__main__":
    main()
