"""What `manage.py check` and `check --deploy` refuse beyond Django's own checks."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from claimsadmin.keys import is_development_key

SECRETS = ("SECRET_KEY", "FIELD_INDEX_KEY", "API_KEY_PEPPER")


def _bytes_of(encoded: str) -> int:
    try:
        return len(base64.b64decode(encoded, validate=True))
    except binascii.Error:
        return 0


@register(Tags.security)
def keys_are_well_formed(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A key of the wrong shape must stop the start, not the first claim that is saved."""
    found: list[CheckMessage] = []
    ids = [key.partition(":")[0] for key in settings.FIELD_ENCRYPTION_KEYS]
    if not ids or "" in ids or len(ids) != len(set(ids)):
        found.append(
            Error(
                "FIELD_ENCRYPTION_KEYS needs at least one id:base64, each with its own id.", id="claims.E001"
            )
        )
    for key in settings.FIELD_ENCRYPTION_KEYS:
        key_id, _, encoded = key.partition(":")
        if _bytes_of(encoded) != 32:
            found.append(
                Error(f"FIELD_ENCRYPTION_KEYS: key {key_id!r} is not 32 bytes in base64.", id="claims.E002")
            )
    if _bytes_of(settings.FIELD_INDEX_KEY) < 32:
        found.append(Error("FIELD_INDEX_KEY is not at least 32 bytes in base64.", id="claims.E003"))
    return found


@register(Tags.security, deploy=True)
def no_development_secrets(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    used = [name for name in SECRETS if is_development_key(getattr(settings, name))]
    used += ["FIELD_ENCRYPTION_KEYS" for key in settings.FIELD_ENCRYPTION_KEYS if is_development_key(key)]
    return [
        Error(
            f"{name} is the development default, which everybody knows.",
            hint="Run with CLAIMS_ENV=production and give every secret of .env.example a value of its own.",
            id="claims.E004",
        )
        for name in used
    ]


@register(Tags.database, deploy=True)
def servers_are_real(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(Warning("DATABASE_URL is SQLite; production is PostgreSQL.", id="claims.W001"))
    if settings.REDIS_IS_EMBEDDED:
        found.append(Warning("REDIS_URL is not set; nobody else sees the embedded server.", id="claims.W002"))
    if settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        found.append(
            Warning("EMAIL_URL is not set; letters to members would end in files.", id="claims.W003")
        )
    return found
