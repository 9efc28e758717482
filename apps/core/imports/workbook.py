"""Opening an uploaded workbook safely and reading it as a stream.

What arrives may be a renamed CSV, an old .xls, a damaged file or a bomb: each is refused in words
that say what is right, before anything of it is unpacked.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from apps.core.errors import InvalidInput

MEBIBYTE = 1024 * 1024
MAX_FILE = 20 * MEBIBYTE
MAX_UNPACKED = 300 * MEBIBYTE
MAX_STRINGS = 60 * MEBIBYTE  # the only part that is held in memory as a whole
MAX_RATIO = 250  # a roster is packed about 10:1; only a bomb beyond this, once it is large
MAX_COLUMNS = 256
MAX_ROWS = 200_000
OLE = b"\xd0\xcf\x11\xe0"
READ_ERRORS = (
    zipfile.BadZipFile, zlib.error, ParseError, SyntaxError, KeyError, ValueError, TypeError, IndexError, AttributeError,
    EOFError, OSError, InvalidFileException, NotImplementedError,
)  # fmt: skip

Source = str | Path | IO[bytes]


def bad_file(message: str, code: str) -> InvalidInput:
    return InvalidInput(message, code=code, field="file")


def _damaged(error: Exception) -> InvalidInput:
    refusal = bad_file(_("The file is damaged; open it in Excel and save it again as .xlsx."), "file_damaged")
    refusal.__cause__ = error
    return refusal


@contextmanager
def open_workbook(source: Source) -> Iterator[Workbook]:
    """The workbook, read-only and streamed. Raises InvalidInput for anything that is no honest .xlsx."""
    with _binary(source) as file:
        check_file(file)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except READ_ERRORS as error:
            raise _damaged(error) from error
        try:
            yield book
        finally:
            book.close()


@contextmanager
def _binary(source: Source) -> Iterator[IO[bytes]]:
    if not isinstance(source, (str, Path)):
        yield source
        return
    try:
        opened = Path(source).open("rb")  # noqa: SIM115  (closed below; only opening is guarded)
    except OSError as error:
        message = _("The file cannot be read: %(name)s") % {"name": source}
        raise bad_file(message, "file_missing") from error
    with opened as file:
        yield file


def check_file(file: IO[bytes]) -> None:
    """Size, kind and unpacked size, from the first bytes and the zip directory alone."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    if size == 0:
        raise bad_file(_("The file is empty (0 bytes)."), "file_empty")
    if size > MAX_FILE:
        raise bad_file(
            _("The file is larger than %(limit)s MB.") % {"limit": MAX_FILE // MEBIBYTE}, "file_too_large"
        )
    if head.startswith(OLE):
        raise bad_file(
            _("This is an old .xls workbook or one with a password. Save it as .xlsx without a password."),
            "file_type",
        )
    if not head.startswith(b"PK"):
        raise bad_file(
            _("This is no Excel workbook (perhaps a renamed CSV or web page). Save it as .xlsx in Excel."),
            "file_type",
        )
    try:
        with zipfile.ZipFile(file) as archive:
            _check_archive(archive)
    except zipfile.BadZipFile as error:
        raise _damaged(error) from error
    file.seek(0)


def _check_archive(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise bad_file(_("This is no .xlsx workbook. Save it as .xlsx in Excel."), "file_type")
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts) or 1
    strings = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    if (
        unpacked > MAX_UNPACKED
        or strings > MAX_STRINGS
        or (unpacked > 20 * MEBIBYTE and unpacked / packed > MAX_RATIO)
    ):
        raise bad_file(_("The file would unpack to an unreasonable size and is refused."), "file_bomb")
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            try:
                with archive.open(part) as stream:
                    start = stream.read(4096)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                raise _damaged(error) from error
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                raise bad_file(_("The file holds definitions that no Excel workbook has."), "file_type")


def rows(
    sheet: ReadOnlyWorksheet, *, first: int = 1, columns: int = MAX_COLUMNS
) -> Iterator[tuple[int, Sequence[Any]]]:
    """(row number, values) from row `first` on; the sheet's own claim of its size is not believed."""
    sheet.reset_dimensions()
    iterator = sheet.iter_rows(min_row=first, max_col=columns, values_only=True)
    number = first - 1
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = next(iterator)
        except StopIteration:
            return
        except READ_ERRORS as error:
            raise _damaged(error) from error
        number += 1
        if number > MAX_ROWS:
            raise bad_file(
                _("More than %(limit)s rows; split the file.") % {"limit": MAX_ROWS}, "file_too_large"
            )
        yield number, values
