"""Reconciliation (PR-25): a hospital's list is read, matched with a statement, and every difference is a work item
until somebody resolves it with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.actors import Actor
from apps.adjudication.trace import observe
from apps.cases.models import CaseFile
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.imports import CREATED, Column, Importer, Report, Row, Sheet, cells, run
from apps.core.money import to_fen
from apps.settlements.access import RESOLVERS, need
from apps.settlements.claims import KIND
from apps.settlements.history import note
from apps.settlements.matching import ListRow, Ours, match
from apps.settlements.models import SENT_STATES, Difference, HospitalList, Statement, StatementLine
from apps.settlements.queries import differences_visible_to, statements_visible_to

RULE = "PR-25"
RECONCILED = (*SENT_STATES, Statement.State.DRAFT)
SHORTEST_REASON = 4


def amount(value: Any) -> int:
    """Yuan as hospitals write them ('¥1,234.50'), in fen."""
    text = cells.fold(value).replace(",", "").replace(" ", "").strip("¥￥元")
    try:
        yuan = Decimal(text)
        if not yuan.is_finite() or yuan < 0:
            raise InvalidOperation
        return to_fen(yuan.quantize(Decimal("0.01")) if isinstance(value, float) else yuan)
    except (InvalidOperation, InvalidInput) as error:
        raise cells.CellError(gettext_lazy("an amount in yuan with at most two decimals")) from error


LIST = Sheet(
    "list",
    ("结算清单", "清单", "list"),
    (
        Column("case", ("案件号", "我方案件号", "理赔号", "赔案号", "直付案件号", "case number", "claim"), cells.code),
        Column(
            "hospital_number",
            ("医院编号", "医院流水号", "就诊流水号", "业务流水号", "门诊号", "住院号", "病历号", "hospital number"),
            cells.code,
        ),
        Column("bill", ("票据号码", "发票号码", "票据号", "发票号", "bill number", "invoice"), cells.code),
        Column(
            "child", ("患儿姓名", "患者姓名", "被保险人", "姓名", "patient", "child"), cells.short_text, sensitive=True
        ),
        Column(
            "visited_on", ("就诊日期", "就诊时间", "入院日期", "日期", "visit date", "date"), cells.day,
            expected=gettext_lazy("a day like 2026-10-09"), default=None,
        ),
        Column(
            "amount", ("应付金额", "结算金额", "申请金额", "理赔金额", "直付金额", "金额", "金额元", "amount"), amount,
            required=True, expected=gettext_lazy("an amount in yuan with at most two decimals"),
        ),
    ),
)  # fmt: skip


class ListImporter(Importer):
    """Reads a list; one transaction with what it is matched to."""

    kind = "hospital-list"
    title = gettext_lazy("List of a hospital")
    sheets = (LIST,)

    def __init__(self) -> None:
        self.rows: list[ListRow] = []
        self._seen: dict[tuple[str, ...], int] = {}

    def apply(self, sheet: Sheet, chunk: list[Row], report: Report) -> None:
        for row in chunk:
            key = (row["case"], row["hospital_number"], row["bill"])
            if not any(key):
                report.error(sheet, row, "case", _("our case number, the hospital's number or a bill number"))
                continue
            earlier = self._seen.setdefault(key, row.number)
            if earlier != row.number:
                report.error(
                    sheet,
                    row,
                    "bill" if key[2] else "case",
                    _("each once; row %(row)s has the same") % {"row": earlier},
                )
                continue
            self.rows.append(ListRow(row.number, *key, row["child"], row["visited_on"], row["amount"]))
            report.outcomes[CREATED] += 1


def reconcile(
    actor: Actor, number: str, source: IO[bytes], name: str, *, now: datetime | None = None
) -> tuple[HospitalList | None, Report]:
    """Read a list and compare it with a statement; a newer list takes the place of the former one.

    All or nothing: with a wrong row the report names row, column, value and what was expected, and nothing
    is stored (None). Differences that were resolved with the former list keep their resolution where the
    new one says the same.
    """
    need(actor, RESOLVERS)
    now = now or timezone.now()
    found = statements_visible_to(actor).filter(number=number).first()
    if found is None:
        raise NotFound(_("No such statement: %(number)s") % {"number": number[:40]}, field="statement")
    if found.state not in RECONCILED:
        raise Conflict(
            _("Statement %(number)s is “%(state)s”.") % {"number": found, "state": found.get_state_display()},
            code="state",
        )
    importer, sha256 = ListImporter(), _digest(source)
    kept: list[HospitalList] = []

    def write(_report: Report) -> None:
        statement = Statement.objects.select_for_update().select_related("hospital").get(pk=found.pk)
        kept.append(_write(actor, statement, importer.rows, sha256, name, now))

    report = run(importer, source, dry_run=False, on_success=write)
    return (kept[0] if kept else None), report


def _digest(source: IO[bytes]) -> str:
    source.seek(0)
    digest = hashlib.sha256(source.read()).hexdigest()
    source.seek(0)
    return digest


def _write(
    actor: Actor, statement: Statement, rows: Sequence[ListRow], sha256: str, name: str, now: datetime
) -> HospitalList:
    result = match(rows, claims_for(statement, rows))
    observe(RULE, bool(result.differences))
    former = HospitalList.objects.filter(statement=statement, superseded=False).first()
    settled = {}
    if former is not None:
        former.superseded = True
        former.save(update_fields=["superseded"])
        done = former.differences.exclude(outcome=Difference.Outcome.OPEN)
        settled = {_same(row): row for row in done}
    own = HospitalList.objects.create(
        statement=statement,
        name=name[-200:],
        sha256=sha256,
        rows=len(rows),
        matched=result.agreed,
        total_fen=sum(row.amount_fen for row in rows),
        read_by_id=actor.person_id,
        read_at=now,
    )
    differences = []
    for one in result.differences:
        row = Difference(
            hospital_list=own, kind=one.kind, case_id=one.case_id, rows=list(one.rows), about=one.about[:120],
            ours_fen=one.ours_fen, theirs_fen=one.theirs_fen, ours=one.ours[:200], theirs=one.theirs[:200],
        )  # fmt: skip
        if before := settled.get(_same(row)):
            row.outcome, row.reason = before.outcome, before.reason
            row.resolved_by_id, row.resolved_at = before.resolved_by_id, before.resolved_at
        differences.append(row)
    Difference.objects.bulk_create(differences)
    statement.version += 1
    statement.save(update_fields=["version"])
    note(
        statement,
        "reconciled",
        actor,
        now,
        rows=len(rows),
        agreed=result.agreed,
        differences=len(differences),
    )
    return own


def _same(row: Difference) -> tuple[Any, ...]:
    return row.kind, row.about, row.ours_fen, row.theirs_fen, row.theirs


# --- What we know of the claims a list names ---------------------------------------------------------


def claims_for(statement: Statement, rows: Iterable[ListRow]) -> list[Ours]:
    """The statement's claims, and others of the hospital and series that the list names. Five queries."""
    lines = StatementLine.objects.filter(statement=statement, living=True).select_related("case__member")
    here = [
        Ours(
            line.case_id, line.case.number, line.hospital_number, tuple(line.bills), line.case.member.name, line.child,
            line.visited_on, line.visited_until, line.amount_fen,
        )
        for line in lines
    ]  # fmt: skip
    return here + _elsewhere(statement, list(rows), {one.case_id for one in here})


def _elsewhere(statement: Statement, rows: Sequence[ListRow], known: set[int]) -> list[Ours]:
    named = Q(number__in={row.case for row in rows if row.case})
    named |= Q(external_numbers__number__in={row.hospital_number for row in rows if row.hospital_number})
    named |= Q(claim__visits__bills__number__in={row.bill for row in rows if row.bill})
    cases = CaseFile.objects.filter(
        named, kind=KIND, hospital=statement.hospital, series=statement.series, tpa=statement.tpa
    )
    cases = cases.exclude(pk__in=known).select_related("member", "claim").distinct()
    found = {case.pk: case for case in cases.prefetch_related("claim__visits__bills", "external_numbers")}
    lines = (
        StatementLine.objects.filter(case__in=found, living=True).select_related("statement").order_by("pk")
    )
    standing = {line.case_id: line for line in lines}
    paid: dict[int, int] = dict(
        StatementLine.objects.filter(case__in=found, living=True, settled=True)
        .order_by()
        .values_list("case")
        .annotate(fen=Sum("amount_fen"))
    )
    return [_other(case, standing.get(case.pk), paid.get(case.pk)) for case in found.values()]


def _other(case: CaseFile, line: StatementLine | None, paid_fen: int | None) -> Ours:
    visits = list(case.claim.visits.all())
    bills = tuple(bill.number for visit in visits for bill in visit.bills.all())
    outer = next(iter(case.external_numbers.all()), None)
    if line is not None:
        where = f"{line.statement.number} · {line.statement.get_state_display()}"
    else:
        where = f"{case.get_state_display()}, {_('in no statement')}"
    begun = min((visit.started_on for visit in visits), default=timezone.localtime(case.opened_at).date())
    return Ours(
        case.pk, case.number, outer.number if outer else "", bills, case.member.name, case.member.masked_name, begun,
        max((visit.ended_on for visit in visits), default=None), paid_fen or case.claim.decided_fen or 0, False,
        paid_fen is not None, where,
    )  # fmt: skip


# --- Resolving ---------------------------------------------------------------------------------------


def resolve(actor: Actor, pk: int, outcome: str, *, reason: str, now: datetime | None = None) -> Difference:
    """Settle one difference with what was agreed and why; once."""
    need(actor, RESOLVERS)
    if outcome not in Difference.Outcome.values or outcome == Difference.Outcome.OPEN:
        expected = [value for value in Difference.Outcome.values if value != Difference.Outcome.OPEN]
        raise InvalidInput(
            _("“%(value)s” is not known. Expected: %(expected)s.")
            % {"value": outcome[:40], "expected": ", ".join(expected)},
            field="outcome",
            code="unknown_code",
            rule=RULE,
        )
    words = " ".join(reason.split())
    if len(words) < SHORTEST_REASON:
        raise InvalidInput(_("A reason is required."), field="reason", code="required", rule=RULE)
    now = now or timezone.now()
    with transaction.atomic():
        visible = differences_visible_to(actor).filter(pk=pk).values("pk")
        row = Difference.objects.select_for_update().filter(pk__in=visible).first()
        if row is None:
            raise NotFound(_("No such difference: %(number)s") % {"number": pk}, field="difference")
        if row.outcome != Difference.Outcome.OPEN:
            raise Conflict(
                _("Resolved already: %(outcome)s.") % {"outcome": row.get_outcome_display()}, code="resolved"
            )
        row.outcome, row.reason = outcome, words[:400]
        row.resolved_by_id, row.resolved_at = actor.person_id, now
        row.save(update_fields=["outcome", "reason", "resolved_by", "resolved_at"])
        statement = Statement.objects.select_for_update().get(lists=row.hospital_list_id)
        statement.version += 1
        statement.save(update_fields=["version"])
        note(
            statement, "resolved", actor, now, reason=words, difference=row.pk, kind=row.kind, outcome=outcome
        )
    return row
