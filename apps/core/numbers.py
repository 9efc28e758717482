"""Running numbers for cases, letters and files: 'C26-000412'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection

from apps.core.models import Sequence

_NEXT = f"""
INSERT INTO {Sequence._meta.db_table} (prefix, last) VALUES (%s, %s)
ON CONFLICT (prefix) DO UPDATE SET last = {Sequence._meta.db_table}.last + excluded.last
RETURNING last
"""


def next_numbers(prefix: str, count: int = 1) -> list[str]:
    """`count` fresh numbers in one statement; must run inside the caller's transaction.

    The row stays locked until that commits, so numbers are given in the order of commits and a
    rolled-back number is given again.
    """
    if count < 1:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [prefix, count])
        last: int = cursor.fetchone()[0]
    return [f"{prefix}-{number:06d}" for number in range(last - count + 1, last + 1)]


def next_numbers_of(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Fresh numbers under several prefixes in one statement, locked in the order of the prefixes."""
    wanted = sorted((prefix, count) for prefix, count in counts.items() if count > 0)
    if not wanted:
        return {}
    values = ", ".join(["(%s, %s)"] * len(wanted))
    statement = _NEXT.replace("(%s, %s)", values).replace("RETURNING last", "RETURNING prefix, last")
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for pair in wanted for value in pair])
        last = dict(cursor.fetchall())
    return {
        prefix: [f"{prefix}-{number:06d}" for number in range(last[prefix] - count + 1, last[prefix] + 1)]
        for prefix, count in wanted
    }


def next_number(prefix: str) -> str:
    return next_numbers(prefix)[0]


def next_block(prefixes: Iterable[str], count: int, *, least: int = 1) -> int:
    """The first of `count` numbers that are free under each of the prefixes; at least `least`.

    For rows made by the database itself. Inside the caller's transaction, which locks the prefixes.
    """
    wanted = sorted(set(prefixes))
    Sequence.objects.bulk_create([Sequence(prefix=prefix) for prefix in wanted], ignore_conflicts=True)
    rows = Sequence.objects.filter(prefix__in=wanted).order_by("prefix").select_for_update()
    first = max(least, max(row.last for row in rows) + 1)
    Sequence.objects.filter(prefix__in=wanted).update(last=first + count - 1)
    return first
