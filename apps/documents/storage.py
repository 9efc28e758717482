"""Files: streamed in, recognized by content, kept once under their SHA-256.

A received file waits under `incoming/` with a name of its own. Its row is written in the caller's
transaction; after the commit the file moves to `files/ab/cd/<sha256>`. If nobody keeps it, or the
transaction fails, it vanishes with the object that owns it. Should the process die between commit
and move, `open_stored` and the sweep finish the move, so a committed row never lacks its bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import weakref
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import models, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput, NotFound
from apps.documents.content import ALLOWED, Content, recognize
from apps.documents.models import StoredFile

CHUNK = 1024 * 1024
FORGOTTEN_AFTER = timedelta(days=1)
CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Received:
    """A checked file waiting for its transaction. Unlinked when the last reference to it goes."""

    def __init__(self, path: Path, sha256: str, size: int):
        self.path, self.sha256, self.size = path, sha256, size
        self.name, self.content = "", Content("application/octet-stream", "")
        self._forget = weakref.finalize(self, path.unlink, missing_ok=True)

    def discard(self) -> None:
        """Remove the file now."""
        self._forget()

    def settle(self) -> None:
        """Move to the final place (after commit). The same bytes may already be there."""
        if self.path.exists():
            final = final_path(self.sha256)
            final.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.path, final)
        self._forget.detach()


def final_path(sha256: str) -> Path:
    return Path(settings.MEDIA_ROOT) / "files" / sha256[:2] / sha256[2:4] / sha256


def incoming() -> Path:
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# --- Receiving ------------------------------------------------------------------------------------------


def receive(file: IO[bytes], name: str = "", *, limit: int | None = None, field: str = "file") -> Received:
    """Stream and check an upload; no database. Call it *before* a transaction.

    Raises InvalidInput: file_too_large, file_empty, file_type, file_broken, file_encrypted,
    page_too_large, too_many_pages, file_bomb.
    """
    limit = int(limit or settings.MAX_SCAN_BYTES)
    name = _clean_name(name or getattr(file, "name", "") or "")
    received = None
    try:
        _check_size(getattr(file, "size", None), limit)
        received = _stream(file, limit)
        if received.size == 0:
            raise InvalidInput(_("The file is empty."), code="file_empty")
        received.content = recognize(received.path)
    except InvalidInput as error:
        if received is not None:
            received.discard()
        raise _about_file(error, name, field) from error
    received.name = _with_extension(name, received.content.extension)
    return received


def _about_file(error: InvalidInput, name: str, field: str) -> InvalidInput:
    words = f"{name}: {error.message}" if name else str(error.message)
    return InvalidInput(words, code=error.code, field=field, data={"file": name, **error.data})


def _check_size(size: Any, limit: int) -> None:
    if isinstance(size, int) and size > limit:
        raise InvalidInput(
            _("The file has %(size)s; at most %(limit)s are possible (%(allowed)s).")
            % {"size": filesizeformat(size), "limit": filesizeformat(limit), "allowed": ALLOWED},
            code="file_too_large",
            data={"limit": limit, "size": size},
        )


def _stream(file: IO[bytes], limit: int) -> Received:
    """Copy to disk while hashing; stops as soon as the limit is passed."""
    if getattr(file, "seekable", bool)():
        file.seek(0)
    digest, size = hashlib.sha256(), 0
    path = incoming() / f"{secrets.token_hex(16)}.part"
    try:
        with path.open("xb") as target:
            while chunk := file.read(CHUNK):
                size += len(chunk)
                _check_size(size, limit)
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    named = path.with_name(f"{digest.hexdigest()}.{path.stem}")
    os.replace(path, named)
    named.chmod(0o640)
    return Received(named, digest.hexdigest(), size)


def _clean_name(name: str) -> str:
    """The last part of the path without anything that could mislead a reader or a header."""
    return CONTROL.sub("", re.split(r"[\\/]", name)[-1]).strip()[-200:]


def _with_extension(name: str, extension: str) -> str:
    stem = re.sub(r"\.(pdf|jpe?g|png|tiff?|webp|ofd|xml|zip)$", "", name, flags=re.IGNORECASE) or "file"
    return stem[: 200 - len(extension)] + extension


# --- Keeping --------------------------------------------------------------------------------------------


def keep(received: Received) -> StoredFile:
    """The row of a received file, in the caller's transaction; the file is placed at commit."""
    row = StoredFile(
        sha256=received.sha256,
        name=received.name,
        content_type=received.content.content_type,
        size=received.size,
        pages=received.content.pages,
        path=str(final_path(received.sha256).relative_to(settings.MEDIA_ROOT)),
    )
    with transaction.atomic():
        StoredFile.objects.bulk_create([row], ignore_conflicts=True)
        stored = StoredFile.objects.get(sha256=received.sha256)
        if not final_path(received.sha256).exists():
            transaction.on_commit(received.settle)
    return stored


def store_upload(
    file: IO[bytes], name: str = "", *, limit: int | None = None, field: str = "file"
) -> StoredFile:
    """receive + keep."""
    return keep(receive(file, name, limit=limit, field=field))


def store_bytes(data: bytes, name: str, content_type: str, *, pages: int = 1) -> StoredFile:
    """Keep what the house made itself (letters, payment files); not inspected."""
    received = _stream(io.BytesIO(data), max(len(data), 1))
    received.name, received.content = _clean_name(name), Content(content_type, "", pages)
    return keep(received)


# --- Reading --------------------------------------------------------------------------------------------


def path_of(stored: StoredFile) -> Path:
    """Where the bytes are now; finishes an interrupted move. NotFound when they are lost."""
    final = Path(settings.MEDIA_ROOT) / stored.path
    if final.exists():
        return final
    waiting = sorted(incoming().glob(f"{stored.sha256}.*"))
    if not waiting:
        raise NotFound(_("The file %(name)s is missing on disk.") % {"name": stored.name}, code="file_lost")
    return waiting[0]


def open_stored(stored: StoredFile) -> IO[bytes]:
    return path_of(stored).open("rb")


# --- Sweeping -------------------------------------------------------------------------------------------


def sweep_incoming() -> int:
    """Finish moves that a crash interrupted and drop what nobody kept; returns how many files."""
    before = (timezone.now() - FORGOTTEN_AFTER).timestamp()
    old = [path for path in incoming().iterdir() if path.stat().st_mtime < before]
    shas = {path.name.partition(".")[0] for path in old}
    kept = set(StoredFile.objects.filter(sha256__in=shas).values_list("sha256", flat=True))
    for path in old:
        sha256 = path.name.partition(".")[0]
        if sha256 in kept and not final_path(sha256).exists():
            final_path(sha256).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, final_path(sha256))
        else:
            path.unlink(missing_ok=True)
    return len(old)


def sweep_unused(limit: int = 1000) -> int:
    """Drop stored files that nothing refers to any more: refused actions, papers past retention."""
    before = timezone.now() - FORGOTTEN_AFTER
    unused = StoredFile.objects.filter(stored_at__lt=before)
    for relation in StoredFile._meta.related_objects:
        taken = relation.related_model._default_manager.exclude(**{relation.field.name: None})
        unused = unused.exclude(pk__in=taken.values(relation.field.name))
    dropped = 0
    for stored in unused.order_by("pk")[:limit]:
        try:
            with transaction.atomic():
                stored.delete()
                transaction.on_commit(partial(_put_back, stored.sha256))
        except models.ProtectedError:  # somebody uses it since
            continue
        dropped += 1
    return dropped


def _put_back(sha256: str) -> None:
    """A deleted file waits another day under `incoming/`, in case the same bytes just came again."""
    with suppress(FileNotFoundError):
        os.replace(final_path(sha256), incoming() / f"{sha256}.{secrets.token_hex(8)}")
