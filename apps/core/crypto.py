"""Encrypted columns: AES-256-GCM with key rotation, and a keyed blind index for look-ups.

Stored form: `key id` + ":" + base64(nonce + ciphertext). The associated data is "model.field", so
a value cannot be moved to another column. Source: LAW-09 (least privilege for a child's data).

Rotation: put a new key in front of `FIELD_ENCRYPTION_KEYS` and run `manage.py reencrypt`; when it
finds nothing more, the old key may go. A renamed model or column must be re-encrypted by its migration.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import unicodedata
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

LEAST_HIDDEN = 4


class Unreadable(InvalidTag):
    """A stored value was tampered with, was moved, or its key is gone. Never names the value."""


def keys() -> dict[str, AESGCM]:
    """The ciphers by key id, newest first (settings.FIELD_ENCRYPTION_KEYS: list of "id:base64")."""
    return _ciphers(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _ciphers(entries: tuple[str, ...]) -> dict[str, AESGCM]:
    pairs = (entry.split(":", 1) for entry in entries)
    return {key_id: AESGCM(base64.b64decode(key)) for key_id, key in pairs}


def encrypt(plain: str, context: str) -> str:
    """Encrypt with the newest key; `context` ("members.member.id_number") binds it to its column."""
    key_id, cipher = next(iter(keys().items()))
    nonce = os.urandom(12)
    sealed = cipher.encrypt(nonce, plain.encode(), context.encode())
    return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, context: str) -> str:
    """The plain text; raises Unreadable (an InvalidTag) when the value was tampered with or moved."""
    key_id, _, payload = stored.partition(":")
    cipher = keys().get(key_id)
    if cipher is None:
        raise Unreadable(f"{context}: no key {key_id[:20]!r}")
    try:
        raw = base64.b64decode(payload, validate=True)
        return cipher.decrypt(raw[:12], raw[12:], context.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise Unreadable(f"{context}: tampered with or moved") from error


def blind_index(value: str, purpose: str) -> str:
    """Keyed digest for equality look-ups. `purpose` separates number spaces ("id_number").

    Letter case, blanks and full-width forms do not count: people type them as they like.
    """
    plain = "".join(unicodedata.normalize("NFKC", value).split()).upper()
    text = f"{purpose}:{plain}"
    return hmac.new(settings.FIELD_INDEX_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:40]


def mask(value: str, head: int = 3, tail: int = 4) -> str:
    """'310***********1234'; a value that would keep fewer than four characters hidden is masked whole."""
    if len(value) < head + tail + LEAST_HIDDEN:
        return "*" * len(value)
    return value[:head] + "*" * (len(value) - head - tail) + value[len(value) - tail :]


class EncryptedTextField(models.TextField[str, str]):
    """Text that is encrypted at rest. Not searchable; keep a blind index beside it."""

    @property
    def context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.attname}"

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(value, self.context) if value else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value, self.context) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull`: every encryption differs, so a comparison would silently find nothing."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
