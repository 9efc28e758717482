"""The digital signature of guarantee letters, where a certificate is configured (`LETTER_CERTIFICATE`).

A hospital's reader then shows who issued the letter and that nothing was changed since. Without a
certificate a letter is proven by its SHA-256 and its public page alone. A demonstration signs with the
certificate it made for itself (`demo.py`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings

FIELD = "GuaranteeLetter"


def sign(pdf: bytes) -> bytes:
    """The PDF with an invisible PAdES signature added at its end; as it is without a certificate.

    Raises ValueError when the file named cannot be read as PKCS#12: a letter then waits for a person
    instead of going out unsigned.
    """
    path, passphrase = certificate()
    if not path:
        return pdf
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, sign_pdf

    metadata = PdfSignatureMetadata(field_name=FIELD, subfilter=SigSeedSubFilter.PADES)
    signer = _signer(path, passphrase)
    # pyHanko signs in an event loop of its own, which no thread takes that has one already.
    with ThreadPoolExecutor(1) as thread:
        work = thread.submit(sign_pdf, IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer=signer)
        signed: BytesIO = work.result()
    return signed.getvalue()


def warm_up() -> None:
    """Load what signs ahead of the first letter; what is wrong with it is said when one is signed."""
    path, passphrase = certificate()
    if path:
        with suppress(Exception):
            _signer(path, passphrase)


def certificate() -> tuple[str, str]:
    """(path, passphrase) of the PKCS#12 file that signs; ('', '') where letters go out unsigned."""
    if settings.LETTER_CERTIFICATE:
        return settings.LETTER_CERTIFICATE, settings.LETTER_CERTIFICATE_PASSPHRASE
    demo = settings.LETTER_DEMO_CERTIFICATE
    return (demo, "") if demo and Path(demo).is_file() else ("", "")


@cache
def _signer(path: str, passphrase: str) -> Any:
    """Read once a process."""
    from apps.documents.signer import load

    signer = load(path, passphrase)
    if signer is None:
        raise ValueError("LETTER_CERTIFICATE is no PKCS#12 file that its passphrase opens")
    return signer
