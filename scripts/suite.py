#!/usr/bin/env python3
"""All checks: `make lint`, and inside with_services.py `make test` and `make test-all`.

The checks without a database use one processor each and run two at a time; then come the tests, which use all there
are. Every step runs even when an earlier one failed; the end says which. The whole suite comes last, so that pytest's
own closing lines close the output.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST_FOUND_NO_TESTS = 5
WORKERS = ("-n", "2", "--dist", "worksteal")  # whoever is done takes over what the other has not begun
LONG = "slow or chaos or schemathesis or volume"


@dataclass(frozen=True)
class Step:
    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    may_be_empty: bool = False


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(BIN / name), *arguments)


def python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def pytest(name: str, *arguments: str, **environment: str) -> Step:
    return Step(name, python("-m", "pytest", *arguments), environment, may_be_empty=True)


def production() -> dict[str, str]:
    """An environment as production has it, with secrets made up on the spot."""

    def key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return {
        "CLAIMS_ENV": "production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_ENCRYPTION_KEYS": f"k1:{key()}",
        "FIELD_INDEX_KEY": key(),
        "API_KEY_PEPPER": key(),
        "ALLOWED_HOSTS": "claims.example.com",
        "PUBLIC_BASE_URL": "https://claims.example.com",
        "EMAIL_URL": "smtp+tls://user:password@smtp.example.com:587",
        "MAIL_ACCOUNTS": "claims@example.com=imaps://user:password@imap.example.com/INBOX",
        "LOG_JSON": "true",
    }


def on_sqlite() -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{os.environ['TEST_SQLITE_PATH']}"}


def files_with(marker: str) -> list[str]:
    """Test files that name it: to collect the others, too, takes longer than to run many a test."""
    files = [
        path for folder in ("tests", "claimsadmin", "apps") for path in (ROOT / folder).rglob("test_*.py")
    ]
    return sorted(str(path.relative_to(ROOT)) for path in files if marker in path.read_text(encoding="utf-8"))


def static_checks() -> Iterator[Step]:
    test = {"CLAIMS_ENV": "test"}
    yield Step("mypy", tool("mypy"), test)  # the longest first
    yield Step("ruff", tool("ruff", "check", "."))
    yield Step("format", tool("ruff", "format", "--check", "."))
    yield Step("layers", tool("lint-imports", "--no-cache"))
    yield Step("relations", python("scripts/check_relations.py"), test)


def project_checks() -> Iterator[Step]:
    test = {"CLAIMS_ENV": "test"}
    yield Step("migrations", python("manage.py", "makemigrations", "--check", "--dry-run"), test)
    deploy = ("check", "--deploy", "--fail-level", "WARNING")
    yield Step("deploy check", python("manage.py", *deploy), production())
    yield Step("texts", python("scripts/check_i18n.py"), test)


def templates() -> Iterator[Step]:
    """The migrated databases that all tests start from, one on each processor, before two of them wait for one."""
    one = ("-q", "apps/core/tests/test_numbers.py::test_numbers_run_on_by_prefix")
    yield pytest("database for tests on PostgreSQL", *one)
    yield pytest("database for tests on SQLite", *one, **on_sqlite())


def tests(*, everything: bool) -> Iterator[Step]:
    yield Step("compile texts", python("manage.py", "compilemessages", "-i", ".venv", "-i", "var", "-v", "0"))
    if everything:
        yield pytest("pytest, whole suite on SQLite", *WORKERS, HYPOTHESIS_PROFILE="long", **on_sqlite())
        yield pytest("pytest, the long ones on PostgreSQL", "-m", LONG)
    else:
        yield pytest(
            "pytest, both_databases on SQLite",
            *WORKERS,
            "-m",
            f"both_databases and not ({LONG})",
            *files_with("both_databases"),
            **on_sqlite(),
        )
    evidence = ("--rulebook", "docs/rulebook-evidence.json")
    yield pytest("pytest, whole suite on PostgreSQL", *WORKERS, "--durations", "10", *evidence)


def run(step: Step, *, quietly: bool = False) -> bool:
    """Returns whether it passed. `quietly`: what it says is shown at its end, in one piece."""
    # Dozens of processes import the same modules: compiled once, not by each of them.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if not quietly:
        print(f"\n=== {step.name}", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        step.command, cwd=ROOT, env=environment | step.environment, text=True,
        stdout=subprocess.PIPE if quietly else None, stderr=subprocess.STDOUT if quietly else None,
    )  # fmt: skip
    passed = done.returncode == 0 or (step.may_be_empty and done.returncode == PYTEST_FOUND_NO_TESTS)
    said = f"\n=== {step.name}\n{done.stdout}" if quietly else ""
    end = f"--- {step.name}: {'ok' if passed else 'FAILED'} in {time.monotonic() - started:.0f} s"
    print(f"{said}{end}", flush=True)
    return passed


def run_all(checks: list[Step], then: list[Step]) -> list[str]:
    """The checks two at a time, then the others one after the other; returns the names of those that failed."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        passed = list(pool.map(lambda step: run(step, quietly=True), checks))
    passed += [run(step) for step in then]
    return [step.name for step, well in zip([*checks, *then], passed, strict=True) if not well]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["lint", "test", "test-all"])
    what = parser.parse_args().what
    checks, then = list(static_checks()), list[Step]()
    if what != "lint":
        checks += (*templates(), *project_checks())
        then += tests(everything=what == "test-all")
    failed = run_all(checks, then)
    if failed:
        print(f"\nFAILED: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
