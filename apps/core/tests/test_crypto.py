"""LAW-09: what is stored is unreadable, bound to its column, and survives a change of keys."""

import base64
from io import StringIO

import pytest
from cryptography.exceptions import InvalidTag
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.core import crypto
from apps.core.models import IdempotencyRecord

COLUMN = "members.member.id_number"
OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 8).decode()}" for name in ("2024", "2026"))


@pytest.fixture
def keys(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    return settings


@given(st.text())
def test_what_is_encrypted_comes_back_and_is_not_to_be_seen(plain):
    stored = crypto.encrypt(plain, COLUMN)
    assert crypto.decrypt(stored, COLUMN) == plain
    assert len(plain) < 4 or plain not in stored


def test_the_same_value_looks_different_each_time():
    assert crypto.encrypt("310101", COLUMN) != crypto.encrypt("310101", COLUMN)


def test_a_value_moved_to_another_column_is_refused():
    stored = crypto.encrypt("310101", COLUMN)
    with pytest.raises(InvalidTag):
        crypto.decrypt(stored, "members.guardian.id_number")


@given(st.integers(min_value=0, max_value=200), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_refused(position, change):
    key_id, payload = crypto.encrypt("310101202001011234", COLUMN).split(":")
    raw = bytearray(base64.b64decode(payload))
    raw[position % len(raw)] ^= change
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(f"{key_id}:{base64.b64encode(raw).decode()}", COLUMN)


@pytest.mark.parametrize("stored", ["plain text", "dev", "dev:", "dev:%%%", "dev:AAAA", ":", "gone:AAAA"])
def test_what_was_never_encrypted_is_refused_and_not_quoted(stored):
    with pytest.raises(crypto.Unreadable) as refusal:
        crypto.decrypt(stored, COLUMN)
    assert "plain text" not in str(refusal.value).replace("no key 'plain text'", "")


def test_a_new_key_in_front_encrypts_and_the_old_one_still_reads(keys):
    before = crypto.encrypt("310101", COLUMN)
    keys.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert crypto.encrypt("310101", COLUMN).startswith("2026:")
    assert crypto.decrypt(before, COLUMN) == "310101"
    keys.FIELD_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(crypto.Unreadable, match="2024"):
        crypto.decrypt(before, COLUMN)


@pytest.mark.django_db
def test_reencrypt_brings_every_row_to_the_newest_key(keys):
    for number in range(3):
        IdempotencyRecord.objects.create(actor="client:1", key=str(number), digest="", body=f"答复{number}")
    IdempotencyRecord.objects.create(actor="client:1", key="empty", digest="")
    keys.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    for expected in (3, 0):
        out = StringIO()
        call_command("reencrypt", stdout=out)
        assert f"core.IdempotencyRecord.body: {expected} values renewed" in out.getvalue()
    keys.FIELD_ENCRYPTION_KEYS = [NEW]
    assert {record.body for record in IdempotencyRecord.objects.all()} == {"答复0", "答复1", "答复2", ""}


@pytest.mark.django_db
def test_the_database_holds_no_plain_text_and_bulk_writes_encrypt_too():
    records = [IdempotencyRecord(actor="a", key=str(n), digest="", body="王小明") for n in range(2)]
    IdempotencyRecord.objects.bulk_create(records)
    for record in (found := list(IdempotencyRecord.objects.order_by("key"))):
        record.body = "李小红"
    IdempotencyRecord.objects.bulk_update(found, ["body"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM core_idempotencyrecord")
        stored = [body for (body,) in cursor.fetchall()]
    assert all(":" in body and "小" not in body for body in stored)
    assert [record.body for record in IdempotencyRecord.objects.all()] == ["李小红"] * 2


def test_an_encrypted_column_cannot_be_searched_by_mistake():
    with pytest.raises(FieldError):
        IdempotencyRecord.objects.filter(body="王小明")
    assert "IS NULL" in str(IdempotencyRecord.objects.filter(body__isnull=True).query)


def test_the_blind_index_forgives_spelling_and_separates_purposes():
    index = crypto.blind_index("11010119900307123x", "id_number")
    assert index == crypto.blind_index(" 1101 0119 9003 0712 3X ", "id_number")
    assert index == crypto.blind_index("１１０１０１１９９００３０７１２３Ｘ", "id_number")
    assert index != crypto.blind_index("11010119900307123x", "mobile")
    assert len(index) == 40


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("310101202001011234", "310***********1234"),
        ("13800138000", "138****8000"),
        ("E12345678", "*********"),  # would leave two characters hidden
        ("", ""),
    ],
)
def test_masks_hide_at_least_four_characters(value, shown):
    assert crypto.mask(value) == shown
