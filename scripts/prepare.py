#!/usr/bin/env python3
"""Part of `make setup`: the embedded database with handbooks, plans and calendar, so that manage.py works.

Does nothing when a database is configured elsewhere, or when nothing has changed since the last time.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR_DIR", ROOT / "var"))
DATABASE, STAMP = VAR / "db.sqlite3", VAR / "prepared"


def fingerprint() -> str:
    """Of everything the database is made from."""
    made_from = [
        *ROOT.glob("apps/*/migrations/*.py"),
        *ROOT.glob("fixtures/handbooks/*"),
        *ROOT.glob("fixtures/plans/*"),
    ]
    digest = hashlib.sha256()
    for path in sorted(made_from):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    if os.environ.get("DATABASE_URL") or os.environ.get("CLAIMS_ENV", "development") != "development":
        return 0
    if DATABASE.exists() and STAMP.exists() and STAMP.read_text() == fingerprint():
        return 0
    print("Preparing the embedded database …", flush=True)
    for arguments in (["migrate", "--noinput", "--verbosity", "0"], ["prepare"]):
        done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
        if done.returncode:
            return done.returncode
    STAMP.write_text(fingerprint())
    return 0


if __name__ == "__main__":
    sys.exit(main())
