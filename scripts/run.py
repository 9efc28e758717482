#!/usr/bin/env python3
"""`make run`: everything on this machine, ready to click.

Migrates, loads the handbooks and the demo data (both change nothing the second time), starts the private
Redis-protocol server unless REDIS_URL names one, then web, worker and scheduler from Procfile.dev.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from with_services import answers, end_with_parent, redis_server

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
VAR = Path(os.environ.get("VAR_DIR", ROOT / "var")).resolve()
PORT = int(os.environ.get("PORT", "8000"))
ADDRESS = f"http://127.0.0.1:{PORT}"
HANDBOOKS = ("fixtures/handbooks/2024.toml", "fixtures/handbooks/2026.toml")
READY_SECONDS = 90
ENDED_BY_HAND = {128 + signal.SIGINT, 128 + signal.SIGTERM}


def manage(*arguments: str, capture: bool = False) -> str:
    """Run one manage.py command, its log without the routine; a failure ends the start with its own message."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"LOG_LEVEL": "WARNING", **os.environ},
        text=True,
        stdout=subprocess.PIPE if capture else None,
    )
    if done.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)} failed; nothing was started.")
    return done.stdout or ""


def static_fingerprint() -> str:
    """Changes with the installed packages and with every static file of our own."""
    digest = hashlib.sha256((ROOT / "requirements-lock.txt").read_bytes())
    for folder in (ROOT / "claimsadmin", ROOT / "apps"):
        for path in sorted(folder.glob("**/static/**/*")):
            digest.update(f"{path}:{path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def collect_static() -> None:
    stamp, wanted = VAR / "static.stamp", static_fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Collecting static files …", flush=True)
    manage("collectstatic", "--noinput", "--verbosity", "0")
    stamp.write_text(wanted)


def compile_messages() -> None:
    if not shutil.which("msgfmt"):
        print("!! gettext is missing: the screens stay English. See `make doctor`.", file=sys.stderr)
        return
    # From the top of the checkout it would also walk the virtual environment.
    manage("compilemessages", "--ignore", ".venv", "--ignore", "var", "--verbosity", "0")


def prepare() -> str:
    """Bring database, texts and static files up to date; returns what `demo` printed (the users)."""
    print("Preparing the database …", flush=True)
    manage("migrate", "--noinput", "--verbosity", "0")
    compile_messages()
    for handbook in HANDBOOKS:
        manage("load_handbook", handbook)
    collect_static()
    return manage("demo", capture=True)


def refuse_a_taken_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            raise SystemExit(f"Port {PORT} is in use. Choose another: PORT=8010 make run") from None


def is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"{ADDRESS}/health/?format=json", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def banner(users: str) -> str:
    line = "=" * 78
    return f"\n{line}\n{users.strip()}\n\nOpen {ADDRESS}   (Ctrl-C stops everything)\n{line}\n"


def serve(users: str) -> int:
    """Start the processes of Procfile.dev, say when they are ready, stay until they end."""
    metrics = VAR / "prometheus"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PORT": str(PORT),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "honcho", "-f", "Procfile.dev", "start", "-p", str(PORT)]
    processes = subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=end_with_parent)
    # Ctrl-C goes to the whole group: honcho stops its processes, we wait for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: processes.terminate())
    until = time.monotonic() + READY_SECONDS
    while processes.poll() is None and time.monotonic() < until:
        if is_ready():
            print(banner(users), flush=True)
            break
        time.sleep(0.5)
    code = processes.wait()
    return 0 if code in ENDED_BY_HAND else code


def main() -> int:
    from claimsadmin.embedded import redis_socket

    # Said here, because honcho gives every process a PORT of its own.
    os.environ.setdefault("PUBLIC_BASE_URL", ADDRESS)
    refuse_a_taken_port()
    VAR.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        if not os.environ.get("REDIS_URL"):
            path = redis_socket(VAR)
            if answers(path):
                raise SystemExit(f"This checkout is running already (its server answers at {path}).")
            stack.enter_context(redis_server(path, VAR / "redis", durable=True))
        return serve(prepare())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
