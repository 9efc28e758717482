"""Many cases out of one, by set-based SQL: a child with everything that hangs on it, copied N times.

    copies = Copies(member)          finds the rows: policy, guardian, cases, lines, clocks, letters …
    copies.make(1000)                one INSERT … SELECT a table; returns the numbers of the new cases

New ids are computed (id + shift + copy × width), so foreign keys among the copied rows are, too.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Field, ForeignKey, Model

from apps.cases.models import CaseFile
from apps.members.models import Member

COPY = "CAST(n.i AS text)"
SURNAMES = "赵钱孙李周吴郑冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎"
GIVEN = "安宝晨丹恩芳光海佳凯兰明宁鹏琪然思涛文欣雅泽博春东飞歌浩嘉康乐梅楠平清瑞舒婷伟萱"


def pick(characters: str, index: str) -> str:
    return f"substr('{characters}', {index} % {len(characters)} + 1, 1)"


# What must differ from copy to copy. {column} is the copied value, {copy} the number of the copy over
# all calls, {old} and {new} the number of the case in references made of text.
NAME = "||".join([pick(SURNAMES, "n.i"), pick(GIVEN, f"(n.i / {len(SURNAMES)})"), pick(GIVEN, "(n.i / 7)")])
ANEW = {
    "members_member.number": "{column} || '-' || {copy}",
    "members_member.name": NAME,
    "members_member.pinyin": "'py' || {copy}",
    "members_member.initials": "'py'",
    "members_member.id_index": "'id' || {copy}",
    "members_guardian.id_index": "'id' || {copy}",
    "members_guardian.mobile_index": "'mobile' || {copy}",
    "members_policy.number": "{column} || '-' || {copy}",
    "payments_payee.account_index": "'account' || {copy}",
    "payments_paymentorder.number": "{column} || '-' || {copy}",
    "claims_bill.number": "CAST(5000000000 + n.i AS text)",
    "claims_bill.identity": "'FISCAL:01020304:' || CAST(5000000000 + n.i AS text)",
    "documents_billregister.number": "CAST(5000000000 + n.i AS text)",
    "documents_billregister.identity": "'FISCAL:01020304:' || CAST(5000000000 + n.i AS text)",
    "documents_letter.number": "{column} || '-' || {copy}",
    "documents_letter.token": "substr({column}, 1, 24) || '-' || {copy}",
    "messaging_message.letter_token": "substr({column}, 1, 24) || '-' || {copy}",
    "messaging_message.idempotency_key": "{column} || '-' || {copy}",
    "messaging_calltask.idempotency_key": "{column} || '-' || {copy}",
    "cases_casefile.number": "{new}",
    "ledger_limitentry.reference": "replace({column}, {old}, {new})",
    "ledger_moneyaccount.key": "replace({column}, {old}, {new})",
    "ledger_moneyaccount.reference": "replace({column}, {old}, {new})",
    "ledger_moneyentry.reference": "replace({column}, {old}, {new})",
}


class Copies:
    """`member` has one case, whose account of money owed is named after the case's number."""

    _made = 0  # over all instances: names and numbers never meet

    def __init__(self, member: Member):
        self.case = CaseFile.objects.get(member=member)
        self.rows: dict[type[Model], list[int]] = {Member: [member.pk]}
        self._children(Member)
        money = apps.get_model("ledger", "MoneyAccount")
        self._add(
            money, list(money._base_manager.filter(reference=self.case.number).values_list("pk", flat=True))
        )

    def make(self, count: int) -> list[str]:
        """`count` copies in one transaction; the numbers of their cases in order."""
        first, Copies._made = Copies._made + 1, Copies._made + count
        with transaction.atomic(), connection.cursor() as cursor:
            shifts = {model: self._shift(model, cursor) for model in self.rows}
            for model in self.rows:
                cursor.execute(self._statement(model, shifts, first, Copies._made))
            for statement in connection.ops.sequence_reset_sql(no_style(), list(self.rows)):
                cursor.execute(statement)
        return [f"{self.case.number[:4]}{500_000 + index}" for index in range(first, Copies._made + 1)]

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
                    self._add(model, list(found.values_list("pk", flat=True)))

    def _add(self, model: type[Model], ids: list[int]) -> None:
        new = set(ids) - set(self.rows.get(model, []))
        if new:
            self.rows[model] = sorted({*self.rows.get(model, []), *new})
            self._children(model)

    # --- SQL ----------------------------------------------------------------------------------------

    def _shift(self, model: type[Model], cursor: Any) -> tuple[int, int]:
        """New id = id + shift + copy × width."""
        key = model._meta.pk
        if isinstance(key, ForeignKey):  # the same id as its parent
            return self._shift(key.remote_field.model, cursor)
        cursor.execute(f"SELECT max({key.column}) FROM {model._meta.db_table}")
        low, high = min(self.rows[model]), max(self.rows[model])
        return cursor.fetchone()[0] + 1 - low, high - low + 1

    def _statement(
        self, model: type[Model], shifts: dict[type[Model], tuple[int, int]], first: int, last: int
    ) -> str:
        columns = model._meta.local_concrete_fields
        values = [self._value(model, column, shifts, first) for column in columns]
        names = ", ".join(f'"{column.column}"' for column in columns)
        ids = ", ".join(map(str, self.rows[model]))
        table, key = model._meta.db_table, model._meta.pk.column
        return (
            f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM n, {table} t WHERE t.{key} IN ({ids})"
        )

    def _value(
        self,
        model: type[Model],
        column: Field[Any, Any],
        shifts: dict[type[Model], tuple[int, int]],
        first: int,
    ) -> str:
        own = f't."{column.column}"'
        target = (
            column.remote_field.model
            if isinstance(column, ForeignKey)
            else model
            if column.primary_key
            else None
        )
        if target in shifts:
            shift, width = shifts[target]
            return f"{own} + {shift} + (n.i - {first}) * {width}"
        made = ANEW.get(f"{model._meta.db_table}.{column.column}")
        if not made:
            return own
        new = f"'{self.case.number[:4]}' || CAST(500000 + n.i AS text)"
        text = made.format(column=own, copy=COPY, old=f"'{self.case.number}'", new=new)
        return f"CASE WHEN {own} = '' THEN '' ELSE {text} END" if column.blank else text
