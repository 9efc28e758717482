"""A small IMAP4rev1 server for tests: real sockets, real literals, one folder, a user with a password.

Speaks what a client of ours may say (LOGIN, SELECT, UID SEARCH/FETCH/STORE, LOGOUT) and can misbehave.
"""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

USER, PASSWORD = "clerk", "p@ss word"


@dataclass
class Stored:
    raw: bytes
    at: str = "16-Sep-2026 08:15:00 +0800"
    seen: bool = False
    said_size: int | None = None  # what RFC822.SIZE claims, when it lies


@dataclass
class Folder:
    messages: dict[int, Stored] = field(default_factory=dict)
    validity: int = 7
    next_uid: int = 1
    fail_on: str = ""  # a command at which the connection breaks
    fetched: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, raw: bytes, **fields: object) -> int:
        with self.lock:
            uid, self.next_uid = self.next_uid, self.next_uid + 1
            self.messages[uid] = Stored(raw, **fields)  # type: ignore[arg-type]
            return uid


class Conversation(socketserver.StreamRequestHandler):
    folder: Folder

    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline().decode("utf-8", "replace").strip():
            tag, _blank, rest = line.partition(" ")
            command = rest.upper()
            if self.folder.fail_on and command.startswith(self.folder.fail_on):
                return
            if command.startswith("CAPABILITY"):
                self.say("* CAPABILITY IMAP4rev1", f"{tag} OK done")
            elif command.startswith("LOGIN"):
                good = rest == f'LOGIN {USER} "{PASSWORD}"'
                self.say(f"{tag} OK done" if good else f"{tag} NO [AUTHENTICATIONFAILED] wrong password")
            elif command.startswith("SELECT"):
                known = rest == 'SELECT "INBOX"'
                self.say(
                    f"* {len(self.folder.messages)} EXISTS",
                    f"* OK [UIDVALIDITY {self.folder.validity}] valid",
                )
                self.say(f"{tag} OK [READ-WRITE]" if known else f"{tag} NO no such folder")
            elif command.startswith("UID SEARCH"):
                self.say(f"* SEARCH {' '.join(map(str, self.search(rest)))}".rstrip(), f"{tag} OK done")
            elif command.startswith("UID FETCH"):
                self.fetch(rest)
                self.say(f"{tag} OK done")
            elif command.startswith("UID STORE"):
                self.folder.messages[int(rest.split()[2])].seen = True
                self.say(f"{tag} OK done")
            elif command.startswith("LOGOUT"):
                self.say("* BYE now", f"{tag} OK done")
                return
            else:
                self.say(f"{tag} BAD unknown")

    def search(self, rest: str) -> list[int]:
        uids = sorted(self.folder.messages)
        if "UNSEEN" in rest:
            return [uid for uid in uids if not self.folder.messages[uid].seen]
        first = int(re.search(r"UID (\d+):\*", rest)[1])
        return [uid for uid in uids if uid >= first] or uids[-1:]  # "n:*" always names the last one

    def fetch(self, rest: str) -> None:
        _uid, _fetch, names, what = rest.split(" ", 3)
        for uid in map(int, names.split(",")):
            stored = self.folder.messages.get(uid)
            if stored is None:
                continue
            if "RFC822.SIZE" in what:
                size = stored.said_size or len(stored.raw)
                self.say(f'* 1 FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE "{stored.at}")')
                continue
            self.folder.fetched.append(what)
            part = re.search(r"<0\.(\d+)>", what)
            data = stored.raw[: int(part[1])] if part else stored.raw
            self.wfile.write(f"* 1 FETCH (UID {uid} BODY[] {{{len(data)}}}\r\n".encode() + data + b")\r\n")

    def say(self, *lines: str) -> None:
        for line in lines:
            self.wfile.write(line.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away in the middle are what these tests are about."""


class Imap:
    """The running server: its folder, and its address as a setting names it."""

    def __init__(self) -> None:
        self.folder = Folder()
        handler = type("Talk", (Conversation,), {"folder": self.folder})
        self.server = Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def account(self, address: str, *, password: str = "p%40ss%20word", folder: str = "INBOX") -> str:
        return f"{address}=imap://{USER}:{password}@127.0.0.1:{self.port}/{folder}"

    def wrap_tls(self, certificate: str, key: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)


@pytest.fixture
def imap() -> Iterator[Imap]:
    running = Imap()
    yield running
    running.server.shutdown()
    running.server.server_close()
