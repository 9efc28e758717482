"""Vouchers: prepared by one, released by another, each entry once (maker and checker).

Preparing takes the entries of a series and month that nobody has taken (a unique row each is the
compare-and-set). Releasing numbers the vouchers without gaps, writes them for ever and makes the files;
a later download gives the same bytes. A mistake is corrected by a batch in red, after which the entries
can be taken again.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.accounts.actors import Actor
from apps.adjudication.codes import BENEFIT_NAMES
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed, NotFound
from apps.core.excel import workbook_bytes
from apps.core.money import to_yuan
from apps.core.numbers import next_number, next_numbers
from apps.documents.storage import store_bytes
from apps.finance.access import READERS, VOUCHER_MAKERS, VOUCHER_RELEASERS, need, need_series
from apps.finance.booking import (
    DraftLine,
    DraftVoucher,
    Entry,
    digest,
    draft,
    entries_of,
    key_of,
    posting_of,
    reversal,
)
from apps.finance.config import chart_of
from apps.finance.models import Aspect, Movement, Voucher, VoucherBatch, VoucherLine, VoucherSource
from apps.finance.months import EXCEL
from apps.products.queries import plan_names

State = VoucherBatch.State
CHUNK = 500


def batches_visible_to(actor: Actor) -> QuerySet[VoucherBatch]:
    need(actor, READERS | VOUCHER_MAKERS | VOUCHER_RELEASERS)
    rows = VoucherBatch.objects.select_related("made_by", "released_by", "reverses")
    return rows.filter(series__in=sorted(actor.series)) if actor.series else rows


# --- Preparing ---------------------------------------------------------------------------------------


def waiting(series: str, month: date) -> QuerySet[Movement]:
    """Movements up to a month that have an entry nobody has taken."""
    return _free(Movement.objects.filter(series=series, month__lte=month))


def _free(movements: QuerySet[Movement]) -> QuerySet[Movement]:
    taken = VoucherSource.objects.filter(movement=OuterRef("pk"), live=True)

    def free(aspect: Aspect) -> Any:
        return ~Exists(taken.filter(aspect=aspect))

    return movements.filter(
        (~Q(provision_fen=0) & free(Aspect.PROVISION))
        | (~Q(due_fen=0) & free(Aspect.DUE))
        | (Q(paid_fen__gt=0) & free(Aspect.PAID))
        | (Q(paid_fen__lt=0) & free(Aspect.RETURNED))
        | (~Q(receivable_fen=0) & free(Aspect.RECEIVABLE))
        | (~Q(refunded_fen=0) & free(Aspect.REFUND))
        | (~Q(written_off_fen=0) & free(Aspect.WRITE_OFF))
    )


def waiting_counts() -> list[dict[str, Any]]:
    """Movements that wait for their voucher, by series and month. One query."""
    rows = _free(Movement.objects.all()).order_by("series", "month").values("series", "month")
    sums = {name: Sum(f"{name}_fen") for name in ("provision", "due", "paid")}
    counted: Any = rows.annotate(movements=Count("pk"), **sums)
    return list(counted)


def prepare(actor: Actor, series: str, month: date, *, now: datetime | None = None) -> VoucherBatch:
    """Take every free entry up to a month into a batch for somebody else to release. All or nothing."""
    need(actor, VOUCHER_MAKERS)
    need_series(actor, series)
    now = now or timezone.now()
    with transaction.atomic():
        entries = _free_entries(series, month)
        if not entries:
            raise Blocked(
                _("Nothing of series %(series)s waits for a voucher up to %(month)s.")
                % {"series": series, "month": f"{month:%Y-%m}"},
                code="nothing",
            )
        chart = chart_of(series)
        vouchers = draft(entries, chart, month)
        batch = _batch(actor, series, month, vouchers, now)
        sources = [
            VoucherSource(
                movement_id=entry.movement,
                aspect=entry.aspect,
                batch=batch,
                key=key_of(entry, posting_of(entry, chart), month),
            )
            for entry in entries
        ]
        try:
            with transaction.atomic():
                VoucherSource.objects.bulk_create(sources, batch_size=CHUNK)
        except IntegrityError as error:
            raise Conflict(
                _("Somebody else took these entries into a batch meanwhile."), code="taken"
            ) from error
    return batch


def _free_entries(series: str, month: date) -> list[Entry]:
    rows = waiting(series, month).select_related("case__recovery__origin").order_by("at", "pk")
    movements = list(rows)
    taken = set(
        VoucherSource.objects.filter(live=True, movement__series=series, movement__month__lte=month)
        .filter(movement__in=waiting(series, month).values("pk"))
        .values_list("movement_id", "aspect")
    )
    return [
        entry
        for row in movements
        for entry in entries_of(row, row.case.number)
        if (entry.movement, entry.aspect) not in taken
    ]


def _batch(
    actor: Actor, series: str, month: date, vouchers: Sequence[DraftVoucher], now: datetime, **more: Any
) -> VoucherBatch:
    return VoucherBatch.objects.create(
        number=next_number(f"V{timezone.localtime(now):%y%m}"),
        series=series,
        month=month,
        made_by_id=actor.person_id,
        made_at=now,
        vouchers=len(vouchers),
        total_fen=sum(voucher.debit_fen for voucher in vouchers),
        digest=digest(vouchers),
        **more,
    )


def prepare_reversal(
    actor: Actor, number: str, month: date, *, reason: str, now: datetime | None = None
) -> VoucherBatch:
    """Prepare the whole of a released batch in red, dated in an accounting month that is not before it."""
    need(actor, VOUCHER_MAKERS)
    now = now or timezone.now()
    if len(reason.strip()) < 4:
        raise InvalidInput(_("A reason is required."), field="reason", code="required")
    with transaction.atomic():
        former = _locked(actor, number, State.RELEASED)
        if former.reverses_id:
            raise Blocked(_("This batch is a reversal itself."), code="is_reversal")
        if month < former.month:
            raise InvalidInput(
                _("A reversal cannot be dated before its batch (%(month)s).")
                % {"month": f"{former.month:%Y-%m}"},
                field="month",
                code="too_early",
            )
        vouchers = _reversals(former, month)
        try:
            with transaction.atomic():
                return _batch(
                    actor, former.series, month, vouchers, now, reverses=former, reason=reason.strip()[:400]
                )
        except IntegrityError as error:
            raise Conflict(_("This batch is reversed already."), code="reversed") from error


def _reversals(former: VoucherBatch, month: date) -> list[DraftVoucher]:
    return [
        reversal(as_draft(voucher), max(voucher.date, month), str(voucher))
        for voucher in former.items.prefetch_related("lines").order_by("number")
    ]


def as_draft(voucher: Voucher) -> DraftVoucher:
    return DraftVoucher(
        voucher.key, voucher.aspect, voucher.word, voucher.date, voucher.summary,
        tuple(
            DraftLine(line.account, line.account_name, tuple(line.items.items()), line.debit_fen, line.credit_fen)
            for line in voucher.lines.all()
        ),
    )  # fmt: skip


def preview(batch: VoucherBatch) -> list[DraftVoucher]:
    """The vouchers of a batch that is not released yet, as they would be written now."""
    if batch.reverses is not None:
        return _reversals(batch.reverses, batch.month)
    sources = batch.sources.select_related("movement__case__recovery__origin").order_by(
        "movement__at", "movement_id"
    )
    wanted: dict[int, set[str]] = defaultdict(set)
    movements: dict[int, Movement] = {}
    for source in sources:
        wanted[source.movement_id].add(source.aspect)
        movements[source.movement_id] = source.movement
    entries = [
        entry
        for pk, row in movements.items()
        for entry in entries_of(row, row.case.number)
        if entry.aspect in wanted[pk]
    ]
    return draft(entries, chart_of(batch.series), batch.month)


# --- Releasing ---------------------------------------------------------------------------------------


def release(actor: Actor, number: str, *, now: datetime | None = None) -> VoucherBatch:
    """A second person releases: vouchers get their numbers, files are made, nothing changes any more."""
    need(actor, VOUCHER_RELEASERS)
    now = now or timezone.now()
    with transaction.atomic():
        batch = _locked(actor, number, State.DRAFT)
        if batch.made_by_id == actor.user_id:
            raise NotAllowed(
                _("Four eyes: you prepared this batch; somebody else must release it."), code="four_eyes"
            )
        vouchers = preview(batch)
        if digest(vouchers) != batch.digest:
            raise Conflict(
                _("The accounts changed since this batch was prepared. Cancel it and prepare it again."),
                code="accounts_changed",
            )
        rows = _write(batch, vouchers)
        _store_files(batch, rows, actor)
        batch.state, batch.released_by_id, batch.released_at = State.RELEASED, actor.person_id, now
        batch.save()
        if batch.reverses_id:
            VoucherSource.objects.filter(batch=batch.reverses_id, live=True).update(live=False)
    return batch


def _write(batch: VoucherBatch, vouchers: Sequence[DraftVoucher]) -> list[Voucher]:
    # The row of the numbers stays locked until the commit, and a roll-back gives them again: no gaps.
    drawn = next_numbers(f"VN{batch.series}{batch.month:%y%m}", len(vouchers))
    first = int(drawn[0].rpartition("-")[2]) if drawn else 1
    originals = {row.key: row for row in batch.reverses.items.all()} if batch.reverses else {}
    rows = [
        Voucher(
            batch=batch, series=batch.series, month=batch.month, number=number, word=one.word, date=one.date,
            aspect=one.aspect, key=one.key, summary=one.summary, debit_fen=one.debit_fen, credit_fen=one.credit_fen,
            reverses=originals.get(one.key),
        )
        for number, one in enumerate(vouchers, start=first)
    ]  # fmt: skip
    Voucher.objects.bulk_create(rows, batch_size=CHUNK)
    lines = [
        VoucherLine(
            voucher=row, position=position, summary=one.summary, account=line.account, account_name=line.account_name,
            items=dict(line.items), debit_fen=line.debit_fen, credit_fen=line.credit_fen,
        )
        for row, one in zip(rows, vouchers, strict=True)
        for position, line in enumerate(one.lines, start=1)
    ]  # fmt: skip
    VoucherLine.objects.bulk_create(lines, batch_size=CHUNK)
    return rows


def _store_files(batch: VoucherBatch, rows: Sequence[Voucher], actor: Actor) -> None:
    table = list(export_rows(rows, maker=str(batch.made_by), checker=actor.label))
    batch.excel = store_bytes(workbook_bytes({"凭证": (COLUMNS, table)}), f"{batch.number}.xlsx", EXCEL)
    batch.csv = store_bytes(_csv(table), f"{batch.number}.csv", "text/csv")


# As accounting packages import vouchers; the words of the file are Chinese in every language.
COLUMNS = (
    "日期", "会计期间", "凭证字", "凭证号", "分录号", "摘要", "科目代码", "科目名称", "借方金额", "贷方金额",
    "辅助核算-产品", "辅助核算-责任", "辅助核算-赔案", "辅助核算-支付单", "系列", "制单人", "审核人",
)  # fmt: skip


def export_rows(rows: Iterable[Voucher], *, maker: str, checker: str) -> Iterable[list[Any]]:
    """One row a line, amounts in yuan; a side that is empty is left empty."""
    with override("zh-hans"):
        plans = plan_names()
    numbers = [row.pk for row in rows]
    for start in range(0, len(numbers), CHUNK):
        lines = VoucherLine.objects.filter(voucher__in=numbers[start : start + CHUNK]).select_related(
            "voucher"
        )
        for line in lines.order_by("voucher__number", "position"):
            head, items = line.voucher, line.items
            product, benefit = items.get("product", ""), items.get("benefit", "")
            yield [
                head.date, f"{head.month:%Y%m}", head.word, head.number, line.position, line.summary, line.account,
                line.account_name, to_yuan(line.debit_fen) if line.debit_fen else None,
                to_yuan(line.credit_fen) if line.credit_fen else None, plans.get(product, product),
                BENEFIT_NAMES.get(benefit, benefit), items.get("case", ""), items.get("payment", ""), head.series, maker,
                checker,
            ]  # fmt: skip


def _csv(table: Sequence[Sequence[Any]]) -> bytes:
    """With the mark of UTF-8 that Excel wants; no cell can become a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([[_safe(value) for value in row] for row in table])
    return text.getvalue().encode("utf-8-sig")


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def cancel(actor: Actor, number: str) -> VoucherBatch:
    """Give the entries of a batch back that was not released."""
    need(actor, VOUCHER_MAKERS | VOUCHER_RELEASERS)
    with transaction.atomic():
        batch = _locked(actor, number, State.DRAFT)
        batch.sources.all().delete()
        batch.state = State.CANCELLED
        batch.save(update_fields=["state"])
    return batch


def _locked(actor: Actor, number: str, state: str) -> VoucherBatch:
    row = VoucherBatch.objects.select_for_update().filter(number=number).first()
    if row is None or (actor.series and row.series not in actor.series):
        raise NotFound(_("No such voucher batch: %(number)s") % {"number": number}, field="batch")
    if row.state != state:
        raise Conflict(
            _("Batch %(number)s is “%(state)s”.") % {"number": number, "state": row.get_state_display()},
            code="batch_state",
        )
    return row


# --- Where a voucher comes from ----------------------------------------------------------------------


def sources_of(voucher: Voucher) -> QuerySet[VoucherSource]:
    """The entries behind a voucher, with their movements and cases; of a reversal, those of its original."""
    origin = voucher.reverses or voucher
    rows = VoucherSource.objects.filter(batch=origin.batch_id, key=origin.key)
    return rows.select_related("movement__case").order_by("movement__at", "movement_id")
