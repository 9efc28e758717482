"""Rendering of letters after commit, and sweeping of files."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.documents import previews, storage
from apps.documents.models import Letter
from apps.documents.rendering import render_pdf
from apps.messaging.models import Message

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # a renderer that died gives its letter back after this
GIVE_UP_AFTER = 10
LETTERS_A_TASK = 20  # so that several workers share what a large batch decided
PREVIEWS_KEPT = timedelta(days=30)


@shared_task
def render_letters(*letter_ids: int) -> int:
    """Render letters one after the other; how many were rendered now."""
    return sum(render_letter(letter_id) for letter_id in letter_ids)


def render_letter(letter_id: int) -> bool:
    """Render one letter if nobody else does; True when it was rendered now. Repeating does no harm."""
    letter = _claim(letter_id)
    if letter is None:
        return False
    try:
        pdf, missing = render_pdf(letter)
    except Exception as error:
        log.exception("letter could not be rendered", extra={"letter": letter.number})
        _put_off(letter, error)
        return False
    _finish(letter, pdf, missing)
    return True


@shared_task
def render_due_letters(limit: int = 500) -> int:
    """What no worker took yet, oldest first. A letter that fails waits longer each time, so it never
    stands in the way of the others."""
    due = Letter.objects.filter(state=Letter.State.QUEUED, next_attempt_at__lte=timezone.now())
    letters = list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:limit])
    return render_letters(*letters)


@shared_task
def sweep_files() -> int:
    """Nightly: finish interrupted moves, drop forgotten uploads and old previews."""
    old = (timezone.now() - PREVIEWS_KEPT).timestamp()
    return storage.sweep_incoming() + storage.sweep_unused() + previews.sweep_previews(old)


def _claim(letter_id: int) -> Letter | None:
    """Compare-and-set: the letter is ours for the lease, or None."""
    now = timezone.now()
    claimed = Letter.objects.filter(pk=letter_id, state=Letter.State.QUEUED, next_attempt_at__lte=now).update(
        attempts=F("attempts") + 1, next_attempt_at=now + LEASE
    )
    return Letter.objects.select_related("case").get(pk=letter_id) if claimed else None


def _put_off(letter: Letter, error: Exception) -> None:
    """Back off 1, 2, 4, … minutes, at most an hour; after GIVE_UP_AFTER tries a person must look."""
    pause = min(timedelta(minutes=2 ** (letter.attempts - 1)), timedelta(hours=1))
    state = Letter.State.FAILED if letter.attempts >= GIVE_UP_AFTER else Letter.State.QUEUED
    Letter.objects.filter(pk=letter.pk, state=Letter.State.QUEUED).update(
        state=state, next_attempt_at=timezone.now() + pause, error=f"{type(error).__name__}: {error}"[:2000]
    )


def _finish(letter: Letter, pdf: bytes, missing: str) -> None:
    """Keep the PDF; wake the messages that wait for it."""
    note = f"no font has {' '.join(f'U+{ord(char):X}' for char in missing)}" if missing else ""
    with transaction.atomic():
        stored = storage.store_bytes(pdf, f"{letter.number}-{letter.version}.pdf", "application/pdf")
        done = {"file": stored, "sha256": stored.sha256, "rendered_at": timezone.now(), "error": note}
        Letter.objects.filter(pk=letter.pk, file=None).update(**done)
        # Superseded or voided meanwhile: the state stays as it is.
        Letter.objects.filter(pk=letter.pk, state=Letter.State.QUEUED).update(state=Letter.State.RENDERED)
        Message.objects.filter(letter_token=letter.token, state=Message.State.QUEUED).update(
            next_attempt_at=timezone.now()
        )
