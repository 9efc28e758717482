"""A web server of a hospital in a thread: keeps what it was sent and answers as the test says."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """`script` maps a message id (or "*") to the answers to come, the last one stays."""

    port: int = 0
    scheme: str = "http"
    got: list[Request] = field(default_factory=list)
    script: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.got]

    def answer_to(self, message_id: str) -> Any:
        answers = self.script.get(message_id) or self.script.get("*") or [200]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(scheme="https" if tls else "http")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request({name.lower(): value for name, value in self.headers.items()}, body, self.path)
            receiver.got.append(request)
            answer = receiver.answer_to(request.headers.get("webhook-id", ""))
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"done")

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


# --- Answers ----------------------------------------------------------------------------------


def redirect(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Never stops sending."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """A byte of the head now and then: each is in time, the whole never is."""
    try:
        for letter in b"HTTP/1.1 200 OK" + b"x" * 200:
            handler.wfile.write(bytes([letter]))
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


def hanging_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()
