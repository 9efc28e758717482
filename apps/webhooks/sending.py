"""One POST to a stranger: no redirects, verified TLS, checked and pinned address, bounded time and size.

The name is looked up here, every address it has is judged, and the connection goes to the addresses that
were judged, so a second look-up cannot lead elsewhere. TLS is verified for the name in the URL.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from socket import AddressFamily
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput

ANSWER_BYTES = 1000
LONGEST_URL = 500
AGENT = "growth-claims-webhooks/1"
_TRANSLATING = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("2001::/32"),
)


class Forbidden(OSError):
    """The address is not one that may be called."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` None: nothing answered, `error` says why. `text`: the first bytes that came back."""

    took_ms: int
    status: int | None = None
    error: str = ""
    text: str = ""

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


# --- Addresses --------------------------------------------------------------------------------


def check_url(url: str) -> str:
    """The URL as it is stored. InvalidInput (field url): not https, with a password, an address of ours."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(_("This is no address of a web server."), "invalid_url") from None
    if (
        parts.scheme not in _schemes()
        or not host
        or " " in url.strip()
        or len(url) > LONGEST_URL
        or port == 0
    ):
        raise _refused(_("Give a whole https address of at most 500 characters."), "https_needed")
    if parts.username or parts.password or parts.fragment:
        raise _refused(_("The address may hold no user, no password and no fragment."), "invalid_url")
    try:
        judge(host.strip("[]"))
    except Forbidden:
        raise _refused(
            _("This address lies in a network that may not be called."), "address_forbidden"
        ) from None
    return parts.geturl()


def judge(address: str) -> None:
    """Forbidden for an IP address that is private, loopback, link-local or otherwise not public.

    WEBHOOK_NETWORKS lists networks that may be called nevertheless. Names pass; they are judged when
    looked up.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        if address.rstrip(".").lower() == "localhost":
            judge("127.0.0.1")
        return
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if any(ip in network for network in _networks(tuple(settings.WEBHOOK_NETWORKS))):
        return
    translated = any(ip in network for network in _TRANSLATING)
    if not ip.is_global or ip.is_multicast or translated:
        raise Forbidden(f"{address} may not be called")


def _refused(words: object, code: str) -> InvalidInput:
    return InvalidInput(words, field="url", code=code)


def _schemes() -> set[str]:
    return {"https", "http"} if settings.WEBHOOK_ALLOW_HTTP else {"https"}


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


class _Judging(AbstractResolver):
    """Looks names up and hands on only what was judged; one bad address refuses the name."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            judge(one["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


# --- The request ------------------------------------------------------------------------------


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send and say what happened; never raises for what the other side does."""
    started = time.monotonic()
    try:
        judge((urlsplit(url).hostname or "").strip("[]"))  # addresses written as numbers are not looked up
        status, text = _run(_post(url, body, headers))
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(_since(started), error=_words(error))
    return Answer(_since(started), status=status, text=text)


def _run(answer: Coroutine[Any, Any, tuple[int, str]]) -> tuple[int, str]:
    """In a thread of its own when this one has an event loop already, as workers of some pools do."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(answer)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, answer).result()


async def _post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    connector = aiohttp.TCPConnector(
        resolver=_Judging(), force_close=True, use_dns_cache=False, ssl=_tls(settings.WEBHOOK_CA_FILE)
    )
    own = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
    }
    async with (
        aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(
                total=settings.WEBHOOK_TIMEOUT, sock_connect=settings.WEBHOOK_TIMEOUT / 2
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        ) as session,
        session.post(url, data=body, headers={**own, **headers}, allow_redirects=False) as response,
    ):
        return response.status, await _beginning(response)


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first bytes as text; the status has been said, so an answer that stops there does no harm."""
    data = b""
    try:
        while len(data) < ANSWER_BYTES and (part := await response.content.read(ANSWER_BYTES - len(data))):
            data += part
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    return data.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _words(error: BaseException) -> str:
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, Forbidden):
        return f"forbidden: {cause}"[:300]
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return f"TLS: {error}"[:300]
    return f"{type(error).__name__}: {error}"[:300]
