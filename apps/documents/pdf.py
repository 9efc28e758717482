"""The one way to pdfium, which reads PDF files and is not made for threads.

Two threads in it at once read wrong pages or end the process without a word; and what is left open is
closed whenever the garbage collector comes by, in whichever thread. So nobody imports it but this module
(ruff holds that), and a document is open for one thread at a time and wholly closed at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

Unreadable = pdfium.PdfiumError
PASSWORD_ERROR = 4
IMAGE = 3

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def opened(source: Path | bytes) -> Iterator[Any]:
    """The PDF as a `pypdfium2.PdfDocument`, for this thread alone until the block ends.

    Nothing of it may be kept longer: take texts, sizes and copies of pictures. `Unreadable` when it is
    damaged or asks for a password (`needs_password`)."""
    with _ONE_AT_A_TIME, closing(pdfium.PdfDocument(source)) as document:
        yield document


def needs_password(error: Exception) -> bool:
    return getattr(error, "err_code", None) == PASSWORD_ERROR or "assword" in str(error)
