"""Pictures of pages: PNG, made once, kept on disk. Zoom and rotation are the browser's."""

from __future__ import annotations

import io
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from apps.core.errors import InvalidInput, NotFound
from apps.documents import pdf
from apps.documents.models import StoredFile
from apps.documents.storage import path_of

WIDTHS = (240, 800, 1400, 2000)
MAX_HEIGHT = 6_000


def can_render(stored: StoredFile) -> bool:
    """XML and OFD bills have no picture; they are downloaded."""
    return stored.content_type == "application/pdf" or stored.content_type.startswith("image/")


def render_page(stored: StoredFile, page: int = 1, width: int = 1400) -> bytes:
    """PNG of one page (from 1). The width is rounded up to one of WIDTHS, which bounds the cache.

    Raises NotFound for a page that is not there, InvalidInput for what has no picture.
    """
    if not can_render(stored):
        raise InvalidInput(
            _("This kind of file has no preview; download it."), code="no_preview", field="page"
        )
    if not 1 <= page <= stored.pages:
        raise NotFound(_("Page %(page)d of %(pages)d") % {"page": page, "pages": stored.pages}, field="page")
    width = next((step for step in WIDTHS if step >= width), WIDTHS[-1])
    cached = preview_folder() / stored.sha256[:2] / f"{stored.sha256}-{page}-{width}.png"
    if cached.exists():
        return cached.read_bytes()
    png = _draw(stored, page, width)
    cached.parent.mkdir(parents=True, exist_ok=True)
    part = cached.with_suffix(f".{secrets.token_hex(4)}")
    part.write_bytes(png)
    os.replace(part, cached)
    return png


def preview_folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "previews"


def page_image(stored: StoredFile, page: int, width: int) -> Image.Image:
    """The page as a picture of about `width` pixels, upright."""
    if stored.content_type == "application/pdf":
        return _pdf_page(path_of(stored), page, width)
    with Image.open(path_of(stored)) as image:
        if page > 1:
            image.seek(page - 1)
        upright = ImageOps.exif_transpose(image)
        assert upright is not None
        upright = upright.convert("L" if upright.mode in ("1", "L") else "RGB")
    upright.thumbnail((width, MAX_HEIGHT), Image.Resampling.LANCZOS)
    return upright


def _draw(stored: StoredFile, page: int, width: int) -> bytes:
    buffer = io.BytesIO()
    page_image(stored, page, width).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _pdf_page(path: Path, page: int, width: int) -> Image.Image:
    with pdf.opened(path) as document:
        sheet = document[page - 1]
        across, down = sheet.get_size()
        scale = min(width / across, MAX_HEIGHT / down)
        image: Image.Image = sheet.render(scale=scale).to_pil().convert("RGB")
        sheet.close()
    return image


def sweep_previews(older_than: float) -> int:
    """Drop previews not made since a moment (POSIX time); they are made again when asked for."""
    dropped = 0
    for path in preview_folder().glob("*/*"):
        if path.stat().st_mtime < older_than:
            path.unlink(missing_ok=True)
            dropped += 1
    return dropped
