from types import SimpleNamespace

import pytest

from apps.core import checks


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"transaction_mode": "IMMEDIATE"}, []),
        ({"transaction_mode": "immediate"}, []),
        ({"transaction_mode": None}, ["core.E001"]),
        ({}, ["core.E001"]),
    ],
)
def test_sqlite_must_take_its_lock_at_once(monkeypatch, options, found):
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))
    assert [one.id for one in checks.sqlite_takes_its_lock_at_once(None)] == found


def test_postgresql_needs_no_such_mode(monkeypatch):
    databases = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=databases))
    assert checks.sqlite_takes_its_lock_at_once(None) == []
