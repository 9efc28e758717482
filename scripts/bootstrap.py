#!/usr/bin/env python3
"""Make or refresh the virtual environment. Does nothing when the requirements have not changed.

Standard library only: this is what `make setup` starts with.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import doctor

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".requirements"
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-lock.txt")


def fingerprint() -> str:
    """Changes with any requirement and with the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    for name in REQUIREMENTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_current() -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


def run(*command: str | Path) -> bool:
    return subprocess.run([str(part) for part in command], cwd=ROOT).returncode == 0


def install_packages() -> bool:
    """With uv (seconds) where it can be had, else with pip (a minute)."""
    wanted = ("-r", "requirements-dev.txt", "-c", "requirements-lock.txt")
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check")
    has_uv = run(*pip, "install", "--quiet", "uv")
    if has_uv and run(PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, *wanted):
        return True
    print("uv did not do it; installing with pip …", flush=True)
    return run(*pip, "install", "--quiet", *wanted)


def main() -> int:
    if not doctor.install(["python", "venv", "weasyprint"]):
        return 1
    if is_current():
        return 0
    if not PYTHON.exists():
        print("Making .venv …", flush=True)
        if not run(sys.executable, "-m", "venv", VENV):
            return 1
    print("Installing the Python packages …", flush=True)
    if not install_packages():
        print(
            "The packages could not be installed. Changed a pin? Then `make lock` first.",
            file=sys.stderr,
        )
        return 1
    # uv leaves it to the first import of every process, which never writes it under PYTHONDONTWRITEBYTECODE.
    run(PYTHON, "-m", "compileall", "-q", "-j", "0", VENV / "lib")
    STAMP.write_text(fingerprint())
    return 0


if __name__ == "__main__":
    os.environ.pop("VIRTUAL_ENV", None)  # another environment's, when called from inside it
    sys.exit(main())
