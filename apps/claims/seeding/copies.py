"""Many histories out of one, by set-based SQL: a child with everything that hangs on it, copied N times.

    copies = Copies(member)          finds the rows: policies, guardian, cases, lines, clocks, letters …
    copies.make(1000)                one INSERT … SELECT a table; the copies are as complete as the original

New ids are computed (id + shift + copy × width), so foreign keys among the copied rows are, too. Numbers
come in blocks from the same sequences as real ones. Nothing is switched off: keys, CHECKs, indexes and
triggers see every row.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Field, ForeignKey, Model
from django.utils import timezone

from apps.cards.models import Card
from apps.cases.models import CaseFile
from apps.claims.models import Bill, Claim
from apps.claims.seeding.people import COLUMNS, PLACES, people
from apps.core.crypto import EncryptedTextField
from apps.core.numbers import next_block
from apps.documents.models import Letter
from apps.ledger.models import MoneyAccount
from apps.members.models import Member, Policy
from apps.payments.models import PaymentFile, PaymentOrder

POOL = "seeded_people"
CHUNK = 500  # children a transaction
WEEK = 7  # everything is moved by whole weeks, so that working days stay what they are
BILLS = "BILL"
FIRST_BILL = 5_000_000_000  # far from the numbers that demo data and tests count up from 1

# Running numbers, and the moment whose year (or day) stands in them.
NUMBERED: dict[type[Model], str] = {
    CaseFile: "opened_at",
    Letter: "created_at",
    PaymentOrder: "ordered_at",
    PaymentFile: "made_at",
}
# Texts that must be unique or are looked up, besides numbers: each copy has its own.
SUFFIXED = (
    (Policy, "number"),
    (Policy, "certificate"),
    (Card, "number"),
    (Letter, "token"),
    (Claim, "tracking_number"),
    (PaymentOrder, "bank_reference"),
)
# For the transaction: compiling these long statements to machine code takes longer than running them, and
# lz4, where the server has it, packs letters and decisions in a tenth of the time.
FAST = (
    "SELECT set_config('jit', 'off', true)",
    "SELECT set_config(name, 'lz4', true) FROM pg_settings "
    "WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)",
)
SHORT_JSON = 6000  # longer ones (the facts of a decision) keep the numbers of the original


class Copies:
    """The copies are spread evenly over the `weeks` before the original, the first `least` left out;
    0 leaves all dates as they are."""

    def __init__(self, member: Member, *, weeks: int = 0, least: int = 0):
        self.member, self.weeks, self.least = member, weeks, least
        self.rows: dict[type[Model], list[int]] = {Member: [member.pk]}
        self._children(Member)
        self.numbers = list(
            CaseFile.objects.filter(member=member).order_by("pk").values_list("number", flat=True)
        )
        orders = PaymentOrder.objects.filter(pk__in=self.rows.get(PaymentOrder, []), file__isnull=False)
        self._add(PaymentFile, orders.values_list("file", flat=True))
        self._add(
            MoneyAccount, MoneyAccount.objects.filter(reference__in=self.numbers).values_list("pk", flat=True)
        )

    @property
    def cases(self) -> int:
        """How many cases a copy has."""
        return len(self.numbers)

    def make(self, count: int) -> list[int]:
        """`count` copies, a transaction for each CHUNK of them; returns the ids of the children."""
        made: list[int] = []
        for first in range(0, count, CHUNK):
            with transaction.atomic(), connection.cursor() as cursor:
                made += self._chunk(cursor, min(CHUNK, count - first))
        return made

    # --- Which rows ---------------------------------------------------------------------------------

    def _children(self, parent: type[Model]) -> None:
        for model in apps.get_models():
            for column in model._meta.local_concrete_fields:
                if (
                    isinstance(column, ForeignKey)
                    and column.remote_field.model is parent
                    and not model._meta.proxy
                ):
                    found = model._base_manager.filter(**{f"{column.name}__in": self.rows[parent]})
                    self._add(model, found.values_list("pk", flat=True))

    def _add(self, model: type[Model], ids: Iterable[int]) -> None:
        new = set(ids) - set(self.rows.get(model, []))
        if new:
            self.rows[model] = sorted({*self.rows.get(model, []), *new})
            self._children(model)

    @cached_property
    def _original(self) -> dict[type[Model], dict[int, dict[str, Any]]]:
        """The rows themselves; few, since they are those of one child."""
        return {
            model: {
                row[model._meta.pk.attname]: row for row in model._base_manager.filter(pk__in=ids).values()
            }
            for model, ids in self.rows.items()
        }

    # --- One chunk ----------------------------------------------------------------------------------

    def _chunk(self, cursor: Any, count: int) -> range:
        for setting in FAST if _pg() else ():
            cursor.execute(setting)
        self._fill_pool(cursor, count)
        shifts = {model: self._room(cursor, model, count) for model in self.rows if not _own_key(model)}
        names = self._names(count)
        pattern = re.compile("|".join(re.escape(old) for old in sorted(names, key=len, reverse=True)))
        for model in self.rows:
            columns: dict[Any, str] = {
                column.column: self._value(model, column, shifts, names, pattern)
                for column in model._meta.local_concrete_fields
            }
            ids = ", ".join(map(str, self.rows[model]))
            table, key = model._meta.db_table, model._meta.pk.column
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(map(quoted, columns))}) SELECT {', '.join(columns.values())} "
                f"FROM {POOL} n CROSS JOIN {table} t WHERE t.{key} IN ({ids}) ORDER BY n.i, t.{key}"
            )
        first = self.member.pk + shifts[Member][0]
        return range(first, first + count)

    def _fill_pool(self, cursor: Any, count: int) -> None:
        first = next_block(["M"], count)
        days = spread(first, self.weeks, self.least)
        self._shifts = list(itertools.islice(days, count))
        declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {POOL} ({declared})")
        cursor.execute(f"DELETE FROM {POOL}")
        rows = json.dumps([asdict(one) for one in people(self.member, first, count, iter(self._shifts))])
        given = f"* FROM json_to_recordset(%s::json) AS given({declared})"
        if not _pg():
            given = ", ".join(f"value ->> '{name}'" for name in COLUMNS) + " FROM json_each(%s)"
        cursor.execute(f"INSERT INTO {POOL} SELECT {given}", [rows])

    def _room(self, cursor: Any, model: type[Model], count: int) -> tuple[int, int]:
        """New id = id + shift + copy × width. The ids are taken from the sequence at once, so that
        nobody who inserts meanwhile gets one of them."""
        key, table = model._meta.pk.column, model._meta.db_table
        low, high = min(self.rows[model]), max(self.rows[model])
        width = high - low + 1
        if connection.vendor == "postgresql":
            sequence = f"pg_get_serial_sequence('{table}', '{key}')"
            cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + {count * width})")
            first = cursor.fetchone()[0] - count * width
        else:  # the transaction is the only writer
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            first = (cursor.fetchone() or [0])[0] + 1
        return first - low, width

    # --- Numbers and other texts that differ ------------------------------------------------------------

    def _names(self, count: int) -> dict[str, str]:
        """For each text of the original that a copy has differently: the SQL that makes it."""
        names: dict[str, str] = {}
        for model, moment in NUMBERED.items():
            dated = {
                row["number"]: timezone.localtime(row[moment]).date()
                for row in self._original.get(model, {}).values()
            }
            names |= self._numbered(dated, count)
        bills = sorted({row["number"] for row in self._original.get(Bill, {}).values()})
        first = next_block([BILLS], count * len(bills), least=FIRST_BILL) if bills else 0
        for index, old in enumerate(bills):
            names[old] = padded(f"{first + index} + n.i * {len(bills)}", len(old))
        for owner, column in SUFFIXED:
            for row in self._original.get(owner, {}).values():
                if row[column]:
                    names[row[column]] = f"{literal(row[column][:24])} || '-' || n.serial"
        guardians = {
            row["name"] for row in self._original.get(apps.get_model("members", "Guardian"), {}).values()
        }
        return names | dict.fromkeys(guardians, "n.guardian") | {self.member.name: "n.name"}

    def _numbered(self, dated: dict[str, date], count: int) -> dict[str, str]:
        """'C26-000412' → the letter, year (or day) of the copy, and the next number that is free in all years."""
        if not dated:
            return {}
        letter, digits = min(dated)[0], min(dated).index("-") - 1
        days = {on - timedelta(days=shift) for on in dated.values() for shift in set(self._shifts)}
        first = next_block({letter + f"{day:%y%m%d}"[:digits] for day in days}, count * len(dated))
        return {
            old: f"'{letter}' || {stamp(on, digits)} || '-' || {padded(f'{first + k} + n.i * {len(dated)}', 6)}"
            for k, (old, on) in enumerate(sorted(dated.items()))
        }

    # --- Columns ------------------------------------------------------------------------------------

    def _value(
        self,
        model: type[Model],
        column: Field[Any, Any],
        shifts: dict[type[Model], tuple[int, int]],
        names: dict[str, str],
        pattern: re.Pattern[str],
    ) -> str:
        name: str = column.column  # type: ignore[assignment]  # concrete columns have one
        own = f"t.{quoted(name)}"
        target: Any = model if column.primary_key else None
        if isinstance(column, ForeignKey):
            target = column.remote_field.model
        while target in self.rows and _own_key(target):
            target = target._meta.pk.remote_field.model
        if target in shifts:
            shift, width = shifts[target]
            return f"{own} + {shift} + n.i * {width}"
        place = PLACES.get(model._meta.db_table, {}).get(name)
        if place:
            return (
                "CAST(n.birth_date AS date)"
                if place == "birth_date" and _pg()
                else self._unless_empty(own, f"n.{place}")
            )
        if isinstance(column, models.DateField):
            return earlier(own, moment=isinstance(column, models.DateTimeField))
        if isinstance(column, (models.CharField, models.TextField, models.JSONField)):
            return self._renamed(model, column, own, names, pattern)
        return own

    def _unless_empty(self, own: str, value: str) -> str:
        return f"CASE WHEN {own} = '' THEN '' ELSE {value} END"

    def _renamed(
        self,
        model: type[Model],
        column: Field[Any, Any],
        own: str,
        names: dict[str, str],
        pattern: re.Pattern[str],
    ) -> str:
        """Row by row: the text with everything in it that the copy names differently."""
        if isinstance(column, EncryptedTextField):
            return own
        cases = []
        for key, row in self._original[model].items():
            value = row[column.attname]
            text = json.dumps(value, ensure_ascii=False) if isinstance(column, models.JSONField) else value
            if text and len(text) <= SHORT_JSON and pattern.search(text):
                made = " || ".join(_pieces(text, names, pattern))
                made = f"CAST({made} AS jsonb)" if isinstance(column, models.JSONField) and _pg() else made
                cases.append(f"WHEN {key} THEN {made}")
            elif text and column.unique:
                cases.append(f"WHEN {key} THEN {own} || '-' || n.serial")
        return f"CASE t.{model._meta.pk.column} {' '.join(cases)} ELSE {own} END" if cases else own


def spread(start: int, weeks: int, least: int) -> Iterator[int]:
    """Days back, in whole weeks, evenly over the range and without an order that shows."""
    return (WEEK * (least + index * 7919 % (weeks - least + 1)) for index in itertools.count(start))


def _own_key(model: type[Model]) -> bool:
    """Its primary key is that of another row (a claim's is its case's)."""
    return isinstance(model._meta.pk, ForeignKey)


def _pieces(text: str, names: dict[str, str], pattern: re.Pattern[str]) -> Iterator[str]:
    position = 0
    for found in pattern.finditer(text):
        if found.start() > position:
            yield literal(text[position : found.start()])
        yield names[found.group()]
        position = found.end()
    if position < len(text):
        yield literal(text[position:])


# --- What the databases call differently --------------------------------------------------------------


def _pg() -> bool:
    return connection.vendor == "postgresql"


def quoted(name: str) -> str:
    return f'"{name}"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def padded(number: str, width: int) -> str:
    """The number as text with zeros in front; longer ones stay whole."""
    if _pg():
        return f"lpad(({number})::text, greatest({width}, length(({number})::text)), '0')"
    return f"printf('%0{width}d', {number})"


def stamp(day: date, digits: int) -> str:
    """Year ('26') or day ('260922') of a date that is `n.days` before `day`."""
    if _pg():
        return f"to_char(DATE '{day}' - n.days, '{'YYMMDD'[:digits]}')"
    return f"substr(replace(date('{day}', '-' || n.days || ' days'), '-', ''), 3, {digits})"


def earlier(column: str, *, moment: bool) -> str:
    """A date or a moment, `n.days` before."""
    if _pg():
        return f"{column} - n.days * INTERVAL '1 day'" if moment else f"{column} - n.days"
    back = "'-' || n.days || ' days'"
    return (
        f"date(substr({column}, 1, 10), {back}) || substr({column}, 11)"
        if moment
        else f"date({column}, {back})"
    )
