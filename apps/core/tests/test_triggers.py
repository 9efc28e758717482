"""Append-only tables refuse changes in the database itself, after every migration and every test."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import AccessLog
from apps.core import triggers
from apps.core.checks import append_only_tables_are_guarded
from apps.core.errors import Conflict
from apps.core.testing import allow_truncate

pytestmark = pytest.mark.both_databases
TABLE = AccessLog._meta.db_table


@pytest.fixture
def entry(db):
    return AccessLog.objects.create(subject="member:M1", what="id_number", reason="parent asked")


def changes():
    return [
        pytest.param(lambda: AccessLog.objects.update(reason="another"), id="update"),
        pytest.param(lambda: AccessLog.objects.all()._raw_delete("default"), id="delete"),
    ]


@pytest.mark.django_db
def test_all_registered_tables_exist_and_are_guarded():
    assert set(connection.introspection.table_names()) >= triggers.APPEND_ONLY
    assert triggers.missing("default") == []


@pytest.mark.parametrize("change", changes())
def test_the_database_refuses(entry, change):
    with pytest.raises(DatabaseError, match=f"{TABLE} is append-only"), transaction.atomic():
        change()
    assert AccessLog.objects.get().reason == "parent asked"


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
def test_postgresql_refuses_to_truncate():
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {TABLE} CASCADE")


def test_the_row_refuses_before_the_database_is_asked(entry):
    for change in (entry.save, entry.delete):
        with pytest.raises(Conflict) as refusal:
            change()
        assert refusal.value.code == "immutable"


@pytest.mark.parametrize("change", changes())
def test_a_test_may_tamper_on_purpose_and_the_guard_stands_again(entry, change):
    with allow_truncate():
        change()
    assert triggers.missing("default") == []


def test_a_failing_tamperer_leaves_the_guard_standing(entry):
    with pytest.raises(ZeroDivisionError), allow_truncate():
        raise ZeroDivisionError
    assert triggers.missing("default") == []
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessLog.objects.update(reason="another")


@pytest.mark.django_db
def test_a_missing_guard_is_reported_and_the_next_migrate_puts_it_back():
    triggers.remove("default")
    found = append_only_tables_are_guarded(None, databases=["default"])
    assert {one.id for one in found} == {"core.W001"}
    assert any(TABLE in one.msg for one in found)
    call_command("migrate", verbosity=0)
    assert triggers.missing("default") == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_transactional_tests_end_with_empty_tables_that_are_guarded(turn):
    assert not AccessLog.objects.exists()
    assert triggers.missing("default") == []
    AccessLog.objects.create(subject="member:M1", what="id_number")
