"""Rows written with one statement a table: what stands in the database is what `save` would have written."""

from __future__ import annotations

from copy import copy
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.forms import model_to_dict
from django.test.utils import CaptureQueriesContext

from apps.core.bulk import exchange_rows, insert_new, insert_rows, update_rows
from apps.core.models import IdempotencyRecord, ImportJob, Sequence

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
NOW = datetime(2026, 9, 16, 10, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
AWKWARD = "张'\"\\ 䶮𠮷 {rows} %s \n<tab>\t"


def job(n: int = 0, **fields: Any) -> ImportJob:
    values = {"kind": "roster", "file_name": f"{n}.xlsx", "sha256": "0" * 64, "who": "王"}
    return ImportJob(**values | fields)


def record(key: str, **fields: Any) -> IdempotencyRecord:
    return IdempotencyRecord(actor="client:7", key=key, digest="0" * 64, **fields)


def test_keys_come_back_in_the_order_of_the_rows() -> None:
    rows = [job(n) for n in range(600)]
    with CaptureQueriesContext(connection) as captured:
        insert_rows(rows)
    assert len(captured) == 1
    stored = dict(ImportJob.objects.values_list("pk", "file_name"))
    assert [stored[row.pk] for row in rows] == [row.file_name for row in rows]
    assert not any(row._state.adding for row in rows)


@pytest.mark.parametrize(
    "changes",
    [{}, {"a": [1, None, True, {"b": AWKWARD}], "c": {}}, [], "a text", 12, 1.5, True],
)
def test_every_kind_of_value_is_what_save_writes(changes: Any) -> None:
    values = {"changes": changes, "message": AWKWARD, "user_id": 2**40, "finished_at": NOW, "dry_run": False}
    saved, written = job(**values), job(**values, state=ImportJob.State.APPLIED)
    saved.state = ImportJob.State.APPLIED
    saved.save()
    insert_rows([written, job()])
    found = [model_to_dict(ImportJob.objects.get(pk=row.pk), exclude=["id"]) for row in (saved, written)]
    assert found[0] == found[1]
    assert ImportJob.objects.get(pk=written.pk).finished_at == NOW


def test_secrets_are_encrypted_each_on_its_own() -> None:
    rows = [record("a", body=AWKWARD), record("b", body=AWKWARD), record("c")]
    insert_rows(rows)
    assert [row.body for row in IdempotencyRecord.objects.order_by("key")] == [AWKWARD, AWKWARD, ""]
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM core_idempotencyrecord ORDER BY key")
        stored = [body for (body,) in cursor.fetchall()]
    assert len(set(stored)) == 3
    assert not any("张" in body for body in stored)


def test_rows_that_bring_their_key_keep_it() -> None:
    insert_rows([Sequence(prefix="A", last=3), Sequence(prefix="B")])
    assert dict(Sequence.objects.filter(prefix__in="AB").values_list("prefix", "last")) == {"A": 3, "B": 0}


def test_updates_touch_the_named_fields_of_the_named_rows_only() -> None:
    rows = [job(n) for n in range(3)]
    insert_rows(rows)
    rows[0].message, rows[0].finished_at, rows[0].changes, rows[0].who = AWKWARD, NOW, {"x": [1]}, "unsaved"
    rows[1].message = "two"
    with CaptureQueriesContext(connection) as captured:
        update_rows(rows[:2], ["message", "finished_at", "changes"])
    assert len(captured) == 1
    first, second, third = ImportJob.objects.order_by("pk")
    assert (first.message, first.finished_at, first.changes, first.who) == (AWKWARD, NOW, {"x": [1]}, "王")
    assert (second.message, second.finished_at) == ("two", None)
    assert third.message == ""


def test_constraints_stand_and_nothing_is_left_of_a_refused_statement() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([record("a"), record("b"), record("a")])
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite does not look at the length of a text"
)
def test_a_text_that_is_too_long_is_refused_not_cut() -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert_rows([job(who="王" * 81), job()])


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError):
        insert_rows([job(changes={"a": object()})])


def test_no_rows_no_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        insert_rows([])
        update_rows([], ["message"])
    assert not captured.captured_queries


def test_of_what_is_there_already_nothing_is_inserted_and_the_rest_has_its_keys() -> None:
    record("b", body="first").save()
    rows = [record(key, body="second") for key in "abc"]
    with CaptureQueriesContext(connection) as captured:
        fresh = insert_new(rows, by="key")
    assert (len(captured), [row.key for row in fresh]) == (1, ["a", "c"])
    stored = {row.key: (row.pk, row.body) for row in IdempotencyRecord.objects.all()}
    assert (stored["a"], stored["c"]) == ((rows[0].pk, "second"), (rows[2].pk, "second"))
    assert stored["b"][1] == "first"
    assert insert_new([], by="key") == []


def test_rows_are_exchanged_only_where_they_are_what_they_were() -> None:
    rows = [job(n, finished_at=NOW, changes={"n": n}) for n in range(4)]
    insert_rows(rows)
    was = [copy(row) for row in rows]
    ImportJob.objects.filter(pk=rows[1].pk).update(finished_at=NOW + timedelta(microseconds=1))
    ImportJob.objects.filter(pk=rows[2].pk).update(file_name="other")
    ImportJob.objects.filter(pk=rows[3].pk).update(message="of no interest")
    for row in rows:
        row.file_name, row.finished_at, row.changes = "new", None, {"new": AWKWARD}
    with CaptureQueriesContext(connection) as captured:
        written = exchange_rows(
            rows, was, ["file_name", "finished_at", "changes"], alike=["file_name", "finished_at"]
        )
    assert (len(captured), written) == (1, [rows[0], rows[3]])
    stored = ImportJob.objects.order_by("pk").values_list("file_name", "finished_at", "changes", "message")
    assert list(stored) == [
        ("new", None, {"new": AWKWARD}, ""),
        ("1.xlsx", NOW + timedelta(microseconds=1), {"n": 1}, ""),
        ("other", NOW, {"n": 2}, ""),
        ("new", None, {"new": AWKWARD}, "of no interest"),
    ]
    assert exchange_rows([], [], ["file_name"], alike=["file_name"]) == []
