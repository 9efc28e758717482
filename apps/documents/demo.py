"""The demonstration signs its guarantee letters: with a certificate of its own, kept under `var/`."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.utils import timezone

from apps.documents.certificates import self_signed

NAME = "成长优享 理赔部（演示，自签名）"


def build() -> int:
    """Makes the certificate once; nothing where another one is configured, and never in production."""
    path = settings.LETTER_DEMO_CERTIFICATE
    if not path or settings.LETTER_CERTIFICATE or Path(path).exists():
        return 0
    self_signed(Path(path), NAME, now=timezone.now())
    return 1
