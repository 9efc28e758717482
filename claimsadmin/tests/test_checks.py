"""Secrets of the wrong shape or of development are refused."""

import base64
from unittest.mock import patch

import pytest
from django.conf import settings
from django.test import override_settings

from claimsadmin.checks import keys_are_well_formed, no_development_secrets, servers_are_real

KEY = base64.b64encode(b"k" * 32).decode()
SHORT = base64.b64encode(b"k" * 16).decode()


def ids(messages: list) -> list[str]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([f"k1:{KEY}"], []),
        ([f"k2:{KEY}", f"k1:{KEY}"], []),
        ([], ["claims.E001"]),
        ([f"k1:{KEY}", f"k1:{KEY}"], ["claims.E001"]),
        ([f"k1:{SHORT}"], ["claims.E002"]),
        (["k1:not base64"], ["claims.E002"]),
        ([KEY], ["claims.E002"]),
    ],
)
def test_encryption_keys_have_ids_and_32_bytes(keys: list[str], expected: list[str]) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=keys, FIELD_INDEX_KEY=KEY):
        assert ids(keys_are_well_formed(None)) == expected


def test_a_short_index_key_is_refused() -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[f"k1:{KEY}"], FIELD_INDEX_KEY=SHORT):
        assert ids(keys_are_well_formed(None)) == ["claims.E003"]


def test_the_development_secrets_are_refused_on_deploy_and_accepted_while_debugging() -> None:
    assert ids(no_development_secrets(None)) == ["claims.E004"] * 4

    with override_settings(DEBUG=True):
        assert no_development_secrets(None) == []

    with override_settings(
        SECRET_KEY="x", FIELD_ENCRYPTION_KEYS=[f"k1:{KEY}"], FIELD_INDEX_KEY=KEY, API_KEY_PEPPER=KEY
    ):
        assert no_development_secrets(None) == []


def test_embedded_servers_are_named_on_deploy() -> None:
    with (
        patch.dict(settings.DATABASES["default"], ENGINE="django.db.backends.sqlite3"),
        override_settings(
            REDIS_IS_EMBEDDED=True, EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend"
        ),
    ):
        assert ids(servers_are_real(None)) == ["claims.W001", "claims.W002", "claims.W003"]
