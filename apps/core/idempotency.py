"""`Idempotency-Key`: a POST that is repeated is done once and answered the same.

The claim on the key, all that the request writes and the stored answer are **one transaction**: a
crash leaves neither half, and a duplicate that comes in meanwhile waits at the unique index and then
gets the stored answer. A refusal (status 400 and above) changes nothing: everything is rolled back,
nothing is kept, and the same key may be tried again.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput
from apps.core.models import IdempotencyRecord

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LIFETIME = timedelta(hours=48)
KEY = re.compile(r"[!-~]{1,200}")


class KeyReused(DomainError):
    """The key belongs to another request of the same actor."""

    code = "idempotency_mismatch"
    status = 422


class Replay(Exception):
    """Carries the stored answer out of the view."""

    def __init__(self, record: IdempotencyRecord):
        self.record = record
        super().__init__(str(record))

    def response(self) -> HttpResponse:
        body = self.record.body.encode("latin-1")
        answer = HttpResponse(body, status=self.record.status, content_type=self.record.content_type)
        answer.headers[REPLAYED] = "true"
        return answer


class Attempt:
    """One try to do a keyed request. `error` is what the view raised, if anything."""

    def __init__(self, request: HttpRequest):
        self.request = request
        self.record: IdempotencyRecord | None = None
        self.error: Exception | None = None

    @property
    def lost_a_race(self) -> bool:
        """A deadlock or a busy database: everything was rolled back and may be tried once more."""
        return isinstance(self.error, OperationalError)

    def claim(self, actor: str) -> None:
        """Take the key for this request; raises Replay or KeyReused when it was taken before."""
        key = self.request.headers[HEADER]
        if not KEY.fullmatch(key):
            raise InvalidInput(
                _("The key is 1 to 200 printable ASCII characters without spaces."),
                field=HEADER,
                code="idempotency_key",
            )
        digest = digest_of(self.request)
        for _turn in range(3):
            try:
                with transaction.atomic():
                    self.record = IdempotencyRecord.objects.create(actor=actor, key=key, digest=digest)
                return
            except IntegrityError:
                known = IdempotencyRecord.objects.filter(actor=actor, key=key).first()
            if known is None:
                continue  # forgotten in this very moment
            if known.at < timezone.now() - LIFETIME:
                known.delete()
                continue
            if known.digest != digest:
                raise KeyReused(_("This key was used for another request."), field=HEADER)
            raise Replay(known)
        raise Conflict(_("The same request is being worked on. Please repeat it."), code="idempotency_busy")

    def settle(self, response: HttpResponseBase) -> None:
        """Keep the answer with what it changed, or let go of both."""
        if isinstance(self.error, DatabaseError) or (self.record and response.status_code >= 400):
            transaction.set_rollback(True)
            return
        if self.record is None:
            return
        if response.streaming:
            raise TypeError("the answer to a POST with an Idempotency-Key must not be a stream")
        if hasattr(response, "render"):
            response.render()
        self.record.status = response.status_code
        self.record.content_type = response.headers.get("Content-Type", "")
        self.record.body = response.content.decode("latin-1")  # type: ignore[attr-defined]
        self.record.save(update_fields=["status", "content_type", "body"])


def digest_of(request: HttpRequest) -> str:
    """Of method, address and body; a multipart body by its parts, since its boundary changes."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    for name, values in sorted(request.POST.lists()):
        digest.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest.update(repr((name, file.name, file.content_type, file.size)).encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.hexdigest()


def forget_old() -> int:
    """Delete the answers whose time is over; returns how many."""
    old = IdempotencyRecord.objects.filter(at__lt=timezone.now() - LIFETIME)
    return old.delete()[0]
