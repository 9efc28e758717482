"""Workbooks for tests of imports: made in memory, good ones and bad ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook


def book(*sheets: tuple[str, Sequence[Sequence[Any]]]) -> io.BytesIO:
    """A workbook of (title, rows)."""
    made = Workbook(write_only=True)
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    made.save(file)
    file.seek(0)
    return file


def zipped(**parts: bytes) -> io.BytesIO:
    """A zip file with these parts; `xl__workbook.xml` stands for xl/workbook.xml."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/"), data)
    file.seek(0)
    return file


def replaced(file: io.BytesIO, part: str, data: bytes) -> io.BytesIO:
    """The same workbook with one part's content exchanged."""
    target = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, data if name == part else source.read(name))
    target.seek(0)
    return target
