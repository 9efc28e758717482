"""Workbooks whose bytes depend on their content only."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook

EPOCH = datetime(2026, 1, 1)


def write(path: Path, sheets: Iterable[tuple[str, Sequence[Sequence[Any]]]]) -> None:
    """Write sheets (title, rows) with fixed time stamps, so that a new run makes no difference in git."""
    book = Workbook(write_only=True)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.properties.creator = "samples"
    book.properties.created = book.properties.modified = EPOCH
    raw = BytesIO()
    book.save(raw)
    with (
        zipfile.ZipFile(raw) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":  # saving stamps the hour of the day
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2026-01-01T00:00:00Z", data)
            target.writestr(zipfile.ZipInfo(name, EPOCH.timetuple()[:6]), data, zipfile.ZIP_DEFLATED)
