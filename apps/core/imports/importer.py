"""What an import is: sheets and columns declared once, one run for the trial and for the real thing.

A run streams the workbook in chunks through `Importer.apply` inside one transaction. When a row is
wrong, or when it is a trial, the transaction is undone: an import is all or nothing, and the trial
shows exactly what the real run would do, since it has just been done.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _
from openpyxl.utils.datetime import WINDOWS_EPOCH
from openpyxl.workbook.workbook import Workbook

from apps.core.errors import Conflict, DomainError, InvalidInput
from apps.core.imports import cells
from apps.core.imports.workbook import Source, bad_file, open_workbook, rows

CHUNK = 500
HEADER_WITHIN = 30  # rows in which the header is looked for, below titles and notes
MAX_ERRORS = 5_000
SAMPLES = 200  # changes shown by name; all are counted
MAC_EPOCH_SHIFT = 1462  # days between Excel's two calendars
FOOTERS = ("合计", "总计", "小计", "备注", "说明", "制表", "注:", "TOTAL", "NOTE")

CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `headers` are the names people give it; `sensitive` values are shown masked."""

    key: str
    headers: tuple[str, ...]
    parse: cells.Parser = cells.short_text
    required: bool = False
    expected: cells.Text = ""
    sensitive: bool = False
    default: Any = ""

    @property
    def name(self) -> str:
        return self.headers[0]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of rows. `titles` are names of the worksheet; otherwise its header tells it apart."""

    key: str
    titles: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)


@dataclass(slots=True)
class Row:
    """One row of the file: parsed values by column key, and the raw ones for error messages."""

    number: int
    values: dict[str, Any]
    raw: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


@dataclass(frozen=True, slots=True)
class RowError:
    sheet: str
    row: int
    column: str
    value: str
    expected: str


@dataclass(slots=True)
class Report:
    """What a run found. `outcomes` counts rows of the file, `entities` records by kind and outcome."""

    errors: list[RowError] = field(default_factory=list)
    rows: int = 0
    total: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: {CREATED: 0, CHANGED: 0, UNCHANGED: 0})
    entities: dict[str, dict[str, int]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def error(self, sheet: Sheet, row: Row, key: str, expected: Any) -> None:
        column = sheet.column(key)
        shown = cells.prose(row.raw.get(key)).removesuffix(" 00:00:00")
        shown = _mask(shown) if column.sensitive else shown[:100]
        self.errors.append(RowError(sheet.titles[0], row.number, column.name, shown, str(expected)))

    def refuse(self, sheet: Sheet, row: Row, error: DomainError, key: str) -> None:
        """A domain rule's own words become the row's error; `field` of the error wins as column."""
        known = any(column.key == error.field for column in sheet.columns)
        rule = f" [{error.rule}]" if error.rule else ""
        self.error(sheet, row, error.field if known else key, f"{error.message}{rule}")

    def count(self, entity: str, outcome: str) -> None:
        found = self.entities.setdefault(entity, {CREATED: 0, CHANGED: 0, UNCHANGED: 0})
        found[outcome] += 1

    def sample(self, row: Row, label: str, what: str, old: Any, new: Any) -> None:
        """Show one difference (old → new); callers mask what is sensitive."""
        if len(self.changes) < SAMPLES:
            self.changes.append(
                {"row": row.number, "label": label, "field": what, "old": str(old), "new": str(new)}
            )

    def sort_errors(self, sheets: Sequence[Sheet]) -> None:
        """In the order of the file: rows are refused at different moments."""
        order = {sheet.titles[0]: position for position, sheet in enumerate(sheets)}
        self.errors.sort(key=lambda error: (order.get(error.sheet, 0), error.row))

    @property
    def wrong_rows(self) -> int:
        return len({(error.sheet, error.row) for error in self.errors})


def _mask(shown: str) -> str:
    return shown[:3] + "*" * max(len(shown) - 7, 1) + shown[-4:] if len(shown) > 7 else "*" * len(shown)


class Importer:
    """One kind of import. Subclasses declare `sheets` and write a chunk of good rows in `apply`."""

    kind: ClassVar[str]
    title: ClassVar[cells.Text]
    sheets: ClassVar[tuple[Sheet, ...]]
    uploads: ClassVar[bool] = True  # from the page of imports; else its own page starts it

    def prepare(self, report: Report) -> None:
        """Load what every chunk needs (plans, handbooks)."""

    def apply(self, sheet: Sheet, chunk: list[Row], report: Report) -> None:
        """Check and write one chunk with a constant number of queries; report each row's outcome."""
        raise NotImplementedError

    def finish(self, report: Report) -> None:
        """Checks that need the whole file."""


class _Undo(Exception):
    """Leaves the transaction without a trace."""


def run(importer: Importer, source: Source, *, dry_run: bool, progress: Progress | None = None,
        on_success: Callable[[Report], None] | None = None) -> Report:  # fmt: skip
    """Import the workbook, or try it. Raises InvalidInput when the file as a whole cannot be read.

    `on_success` runs inside the same transaction, so that a job is marked as applied exactly when it was.
    """
    report = Report()
    with open_workbook(source) as book:
        tables = find_tables(book, importer.sheets)
        report.total = sum(table.guess for table in tables)
        report.notices += [notice for table in tables for notice in table.notices]
        try:
            with transaction.atomic():
                _work(importer, tables, report, progress)
                if report.errors or dry_run:
                    raise _Undo
                if on_success:
                    on_success(report)
        except _Undo:
            pass
        except DatabaseError as error:
            raise Conflict(
                _(
                    "The database refused the import; nothing was changed. Was something else written at the same time?"
                ),
                code="import_conflict",
            ) from error
    report.total = report.rows
    report.sort_errors(importer.sheets)
    return report


def _work(importer: Importer, tables: list[Table], report: Report, progress: Progress | None) -> None:
    importer.prepare(report)
    for table in tables:
        for chunk in table.chunks(report):
            importer.apply(table.sheet, chunk, report)
            if progress:
                progress(report.rows, max(report.total, report.rows))
            if len(report.errors) >= MAX_ERRORS:
                report.notices.append(_("Stopped after %(count)s errors.") % {"count": MAX_ERRORS})
                return
    if not report.rows:
        raise bad_file(_("The file holds no rows below its header."), "file_empty")
    importer.finish(report)


# --- Finding the tables -------------------------------------------------------------------------------


@dataclass(slots=True)
class Table:
    """A worksheet whose header was found: reads its rows as `Row`s."""

    sheet: Sheet
    worksheet: Any
    header_row: int
    positions: dict[str, int]
    guess: int
    mac_epoch: bool
    notices: list[str]

    def chunks(self, report: Report) -> Iterator[list[Row]]:
        good = self._rows(report)
        while chunk := list(islice(good, CHUNK)):
            yield chunk

    def _rows(self, report: Report) -> Iterator[Row]:
        width = max(self.positions.values()) + 1
        for number, values in rows(self.worksheet, first=self.header_row + 1, columns=width):
            if all(cells.is_blank(value) for value in values) or _is_footer(values):
                continue
            report.rows += 1
            row = self._parse(number, values, report)
            if row is not None:
                yield row

    def _parse(self, number: int, values: Sequence[Any], report: Report) -> Row | None:
        raw = {
            key: values[position] if position < len(values) else None
            for key, position in self.positions.items()
        }
        row, before = Row(number, {}, raw), len(report.errors)
        for column in self.sheet.columns:
            value = raw.get(column.key)
            if cells.is_blank(value):
                row.values[column.key] = column.default
                if column.required:
                    report.error(self.sheet, row, column.key, column.expected or _("a value; it is required"))
                continue
            try:
                row.values[column.key] = column.parse(self._shift(column, value))
            except cells.CellError as error:
                report.error(self.sheet, row, column.key, error.expected or column.expected)
        return row if len(report.errors) == before else None

    def _shift(self, column: Column, value: Any) -> Any:
        """Serial numbers of the Mac calendar (1904) count from another day."""
        if self.mac_epoch and column.parse is cells.day and re.fullmatch(r"\d{5}", cells.fold(value)):
            return int(cells.fold(value)) + MAC_EPOCH_SHIFT
        return value


def _is_footer(values: Sequence[Any]) -> bool:
    filled = [value for value in values if not cells.is_blank(value)]
    return len(filled) <= 3 and cells.fold(filled[0]).upper().startswith(FOOTERS)


def find_tables(book: Workbook, sheets: tuple[Sheet, ...]) -> list[Table]:
    """The worksheet of each declared sheet. Raises InvalidInput naming what is missing."""
    if not book.worksheets:
        raise bad_file(_("The workbook has no worksheet."), "file_empty")
    return [_find_table(book, sheet) for sheet in sheets]


def _find_table(book: Workbook, sheet: Sheet) -> Table:
    named = [
        worksheet for worksheet in book.worksheets if _plain(worksheet.title) in map(_plain, sheet.titles)
    ]
    best: Table | None = None
    for worksheet in named or book.worksheets:
        table = _find_header(worksheet, sheet)
        if table and (best is None or len(table.positions) > len(best.positions)):
            best = table
    if best is None or len(best.positions) < 2:
        raise bad_file(
            _("No worksheet “%(title)s” with a header row was found. It needs the columns: %(columns)s")
            % {"title": sheet.titles[0], "columns": "、".join(_required(sheet))},
            "no_header",
        )
    missing = [
        column.name for column in sheet.columns if column.required and column.key not in best.positions
    ]
    if missing:
        raise InvalidInput(
            _("Worksheet “%(title)s” lacks columns: %(columns)s")
            % {"title": best.worksheet.title, "columns": "、".join(missing)},
            code="missing_columns",
            field="file",
            data={"missing": missing, "header_row": best.header_row},
        )
    best.mac_epoch = book.epoch != WINDOWS_EPOCH
    return best


def _required(sheet: Sheet) -> list[str]:
    return [column.name for column in sheet.columns if column.required]


def _plain(header: Any) -> str:
    """'* 证件号码（必填）' → '证件号码'."""
    folded = re.sub(r"[(\[【].*?[)\]】]", "", cells.fold(header))
    return re.sub(r"[\s*:_\-./\\]", "", folded).lower()


def _find_header(worksheet: Any, sheet: Sheet) -> Table | None:
    """The row with most known headers among the first rows; titles and group headers stand above it."""
    keys = {_plain(header): column.key for column in sheet.columns for header in column.headers}
    found: dict[str, int] = {}
    header_row, doubled, unknown = 0, [], []
    claimed = worksheet.max_row or 0
    for number, values in islice(rows(worksheet), HEADER_WITHIN):
        positions: dict[str, int] = {}
        twice, strange = [], []
        for position, value in enumerate(values):
            if cells.is_blank(value):
                continue
            key = keys.get(_plain(value))
            if key is None:
                strange.append(cells.fold(value)[:40])
            elif key in positions:
                twice.append(cells.fold(value))
            else:
                positions[key] = position
        if len(positions) > len(found):
            found, header_row, doubled, unknown = positions, number, twice, strange
    if not found:
        return None
    if doubled and len(found) > 1:
        raise bad_file(
            _("Worksheet “%(title)s” has a column twice: %(columns)s")
            % {"title": worksheet.title, "columns": "、".join(doubled)},
            "doubled_columns",
        )
    notices = []
    if unknown:
        notices.append(_("Columns that were not read: %(columns)s") % {"columns": "、".join(unknown[:20])})
    guess = max(claimed - header_row, 0) if claimed < 200_000 else 0
    return Table(sheet, worksheet, header_row, found, guess, False, notices)


class Stopwatch:
    """Calls a progress callback at most twice a second."""

    def __init__(self, report: Progress, interval: float = 0.5):
        self._report, self._interval, self._last = report, interval, 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= self._interval:
            self._last = now
            self._report(done, total)
