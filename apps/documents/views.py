"""Papers and letters for people who are logged in: visible, logged (LAW-09), never cached by others."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
)
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from apps.accounts.actions import log_read
from apps.accounts.actors import Actor, actor_of
from apps.accounts.visibility import visible_to
from apps.core.errors import DomainError
from apps.documents.models import Letter, Paper, StoredFile
from apps.documents.previews import render_page
from apps.documents.storage import open_stored

LOGGED_AGAIN_AFTER = 15 * 60  # turning the pages of one paper is one reading
SANDBOX = (
    "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
)


@login_required
@require_safe
def paper_file(request: HttpRequest, paper_id: int) -> HttpResponseBase:
    """The file as it came. Pictures open in the page, everything else is downloaded."""
    paper = _paper(request, paper_id)
    assert paper.file is not None
    _note_reading(actor_of(request), paper)
    return _file(request, paper.file, download="download" in request.GET)


@login_required
@require_safe
def paper_page(request: HttpRequest, paper_id: int, page: int) -> HttpResponseBase:
    """One page as PNG (`?width=`); the browser zooms and turns it."""
    paper = _paper(request, paper_id)
    assert paper.file is not None
    width = request.GET.get("width", "")
    _note_reading(actor_of(request), paper)
    return _page(request, paper.file, page, int(width) if width.isdigit() else 1400)


@login_required
@require_safe
def letter_file(request: HttpRequest, letter_id: int) -> HttpResponseBase:
    """The PDF of a letter, once it is rendered."""
    return _file(request, _printed(request, letter_id), download=True)


@login_required
@require_safe
def letter_page(request: HttpRequest, letter_id: int, page: int) -> HttpResponseBase:
    """A page of a rendered letter as PNG, for the case page."""
    return _page(request, _printed(request, letter_id), page, 1400)


def _printed(request: HttpRequest, letter_id: int) -> StoredFile:
    """The file of a letter the person may see; the reading is logged (LAW-09). Raises Http404."""
    letters = Letter.objects.select_related("file", "case__member").exclude(file=None)
    letter = visible_to(letters, actor_of(request)).filter(pk=letter_id).first()
    if letter is None or letter.file is None:
        raise Http404
    _log_once(actor_of(request), f"letter:{letter.pk}", letter.case.member.number, f"letter:{letter.kind}")
    return letter.file


def _paper(request: HttpRequest, paper_id: int) -> Paper:
    papers = Paper.objects.select_related("file", "case__member").exclude(file=None)
    paper = visible_to(papers, actor_of(request)).filter(pk=paper_id).first()
    if paper is None:
        raise Http404
    return paper


def _note_reading(actor: Actor, paper: Paper) -> None:
    _log_once(actor, f"paper:{paper.pk}", paper.case.member.number, f"paper:{paper.kind}:{paper.pk}")


def _log_once(actor: Actor, key: str, member: str, what: str) -> None:
    """One line a reader, paper and quarter of an hour."""
    if cache.add(f"read:{actor.key}:{key}", 1, LOGGED_AGAIN_AFTER):
        log_read(actor, subject=f"member:{member}", what=what[:80])


def _page(request: HttpRequest, stored: StoredFile, page: int, width: int) -> HttpResponseBase:
    etag = quote_etag(f"{stored.sha256[:32]}-{page}-{width}")
    if request.headers.get("If-None-Match") == etag:
        return _private(HttpResponseNotModified(), etag)
    try:
        png = render_page(stored, page, width)
    except DomainError as error:
        return HttpResponse(str(error.message), status=404, content_type="text/plain; charset=utf-8")
    return _private(HttpResponse(png, content_type="image/png"), etag)


def _file(request: HttpRequest, stored: StoredFile, *, download: bool) -> HttpResponseBase:
    etag = quote_etag(stored.sha256)
    if request.headers.get("If-None-Match") == etag:
        return _private(HttpResponseNotModified(), etag)
    shown = stored.content_type in ("image/jpeg", "image/png", "image/webp") and not download
    response = FileResponse(
        open_stored(stored), as_attachment=not shown, filename=stored.name, content_type=stored.content_type
    )
    return _private(response, etag)


def _private(response: Any, etag: str) -> HttpResponseBase:
    """Asked again every time, so that a right that was taken away and the log of reading hold."""
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    answered: HttpResponseBase = response
    return answered
