"""API keys: `<prefix>.<secret>`. The prefix finds the client, a keyed digest proves the secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

from django.conf import settings

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that looks like something else


class Key(NamedTuple):
    prefix: str
    secret: str

    @property
    def plain(self) -> str:
        return f"{self.prefix}.{self.secret}"

    @property
    def digest(self) -> str:
        """With a pepper that the database does not hold: a stolen table is of no use."""
        pepper = settings.API_KEY_PEPPER.encode()
        return hmac.new(pepper, self.plain.encode(), hashlib.sha256).hexdigest()

    def proves(self, digest: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(self.digest, digest)


def new_key() -> Key:
    return Key(prefix=_letters(8), secret=_letters(48))


def parse_key(text: str) -> Key | None:
    prefix, _, secret = text.partition(".")
    return Key(prefix, secret) if 0 < len(prefix) <= 12 and 0 < len(secret) <= 200 else None


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
