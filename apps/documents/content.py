"""What a file really is: told from its bytes, never from its name.

Every check works on a file on disk and decodes no more than it must. What cannot be read safely
(broken, encrypted, far too large when unpacked) is refused in words that say what would be taken.
"""

from __future__ import annotations

import mmap
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

from django.utils.translation import gettext as _
from PIL import Image, ImageFile

from apps.core.errors import InvalidInput
from apps.documents import pdf

ALLOWED = "PDF, JPEG, PNG, TIFF, WebP, OFD, XML"
MAX_PAGES = 300
MAX_PIXELS = 80_000_000  # an A3 page at 600 dpi is 70 million
MAX_TOTAL_PIXELS = 2_000_000_000
MAX_PAGE_POINTS = 5_000  # A0 is 3,370
MAX_UNPACKED = 400 * 1024 * 1024
MAX_XML = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Content:
    content_type: str
    extension: str
    pages: int = 1


def recognize(path: Path) -> Content:
    """The kind and number of pages of a file; InvalidInput (without field) when it is none of ours."""
    with path.open("rb") as file:
        head = file.read(1024)
    for matches, inspect in _KINDS:
        if matches(head):
            return inspect(path)
    raise refusal("file_type", _("its content is none of the kinds that can be read"))


def refusal(code: str, why: str) -> InvalidInput:
    return InvalidInput(
        _("The file is not accepted: %(why)s. Allowed are %(allowed)s.") % {"why": why, "allowed": ALLOWED},
        code=code,
        data={"allowed": ALLOWED.split(", ")},
    )


# --- PDF ------------------------------------------------------------------------------------------------


def _pdf(path: Path) -> Content:
    _refuse_inflated_streams(path)
    try:
        with pdf.opened(path) as document:
            pages = len(document)
            if not 1 <= pages <= MAX_PAGES:
                raise refusal("too_many_pages", _("it has %(pages)d pages, at most %(limit)d are possible")
                              % {"pages": pages, "limit": MAX_PAGES})  # fmt: skip
            for index in range(pages):
                _check_pdf_page(document, index)
    except pdf.Unreadable as error:
        if pdf.needs_password(error):
            raise refusal("file_encrypted", _("the PDF asks for a password; save it without one")) from error
        raise refusal("file_broken", _("the PDF is damaged and cannot be opened")) from error
    return Content("application/pdf", ".pdf", pages)


def _check_pdf_page(document: Any, index: int) -> None:
    try:
        width, height = document.get_page_size(index)
        page = document[index]
        sizes = [image.get_px_size() for image in page.get_objects(filter=(pdf.IMAGE,), max_depth=3)]
        page.close()
    except pdf.Unreadable as error:
        raise refusal(
            "file_broken", _("page %(page)d of the PDF is damaged") % {"page": index + 1}
        ) from error
    if not (0 < width <= MAX_PAGE_POINTS and 0 < height <= MAX_PAGE_POINTS):
        raise refusal("page_too_large", _("page %(page)d is larger than an A0 sheet") % {"page": index + 1})
    if any(across * down > MAX_PIXELS for across, down in sizes):
        raise refusal("page_too_large", _("a picture on page %(page)d has more than %(limit)d million pixels")
                      % {"page": index + 1, "limit": MAX_PIXELS // 1_000_000})  # fmt: skip


def _refuse_inflated_streams(path: Path) -> None:
    """A few kilobytes that unpack to gigabytes must not reach the renderer."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for start in re.finditer(rb"stream\r?\n(?=[\x08-\x78][\x01\x5e\x9c\xda])", data):
            if _inflates_beyond(data, start.end(), MAX_UNPACKED):
                raise refusal("file_bomb", _("it unpacks to more than %(limit)d MB")
                              % {"limit": MAX_UNPACKED // 1024 // 1024})  # fmt: skip


def _inflates_beyond(data: mmap.mmap, position: int, limit: int) -> bool:
    inflate, total = zlib.decompressobj(), 0
    try:
        while position < len(data) and not inflate.eof:
            chunk = data[position : position + 65_536]
            position += len(chunk)
            while chunk:
                total += len(inflate.decompress(chunk, 1 << 20))
                if total > limit:
                    return True
                chunk = inflate.unconsumed_tail
    except zlib.error:
        pass  # no zlib stream after all; the renderer will say what is wrong
    return False


# --- Pictures -------------------------------------------------------------------------------------------


def _picture(content_type: str, extension: str, *formats: str) -> Callable[[Path], Content]:
    def inspect(path: Path) -> Content:
        # Other libraries switch this on for the whole process; half a scan is no scan.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            with Image.open(path, formats=formats) as image:
                frames = getattr(image, "n_frames", 1) if extension == ".tif" else 1
                _check_frames(image, frames)
        except Image.DecompressionBombError as error:
            raise _too_many_pixels() from error
        except (OSError, SyntaxError, ValueError, EOFError, zlib.error) as error:
            raise refusal("file_broken", _("the picture is damaged and cannot be shown")) from error
        return Content(content_type, extension, frames)

    return inspect


def _check_frames(image: Image.Image, frames: int) -> None:
    if frames > MAX_PAGES:
        raise refusal("too_many_pages", _("it has %(pages)d pages, at most %(limit)d are possible")
                      % {"pages": frames, "limit": MAX_PAGES})  # fmt: skip
    total = 0
    for frame in range(frames):
        if frames > 1:
            image.seek(frame)
        pixels = image.width * image.height
        total += pixels
        if pixels > MAX_PIXELS or total > MAX_TOTAL_PIXELS:
            raise _too_many_pixels()
        image.load()


def _too_many_pixels() -> InvalidInput:
    return refusal("file_bomb", _("the picture has more than %(limit)d million pixels; scan it at 300 dpi")
                   % {"limit": MAX_PIXELS // 1_000_000})  # fmt: skip


# --- Electronic bills -----------------------------------------------------------------------------------


def _ofd(path: Path) -> Content:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > 5_000 or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise refusal("file_bomb", _("it unpacks to more than %(limit)d MB")
                              % {"limit": MAX_UNPACKED // 1024 // 1024})  # fmt: skip
            root = next((entry for entry in entries if entry.filename.lower() == "ofd.xml"), None)
            if root is None:
                raise refusal("file_type", _("a ZIP archive is only accepted as an OFD bill"))
            with archive.open(root) as stream:
                _parse_xml(stream.read(MAX_XML + 1))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        raise refusal("file_broken", _("the OFD file is damaged or encrypted")) from error
    return Content("application/ofd", ".ofd")


def _xml(path: Path) -> Content:
    if path.stat().st_size > MAX_XML:
        raise refusal(
            "file_too_large", _("an XML bill has at most %(limit)d MB") % {"limit": MAX_XML // 1024 // 1024}
        )
    root = _parse_xml(path.read_bytes())
    if root.rpartition(":")[2].lower() in {"html", "svg"}:
        raise refusal("file_type", _("a web page or drawing is no bill"))
    return Content("application/xml", ".xml")


def _parse_xml(data: bytes) -> str:
    """The name of the root element. A document type (and with it every entity bomb) is refused."""
    names: list[str] = []

    def doctype(*args: Any) -> None:
        raise refusal("file_bomb", _("XML with a document type declaration is not safe to read"))

    if len(data) > MAX_XML:
        raise refusal(
            "file_bomb", _("it unpacks to more than %(limit)d MB") % {"limit": MAX_XML // 1024 // 1024}
        )
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda name, attributes: names.append(name) if not names else None
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise refusal("file_broken", _("the XML is damaged")) from error
    return names[0]


# --- Magic bytes ----------------------------------------------------------------------------------------


def _starts(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(prefixes)


_KINDS: list[tuple[Callable[[bytes], bool], Callable[[Path], Content]]] = [
    (lambda head: head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-"), _pdf),
    (_starts(b"\xff\xd8\xff"), _picture("image/jpeg", ".jpg", "JPEG", "MPO")),
    (_starts(b"\x89PNG\r\n\x1a\n"), _picture("image/png", ".png", "PNG")),
    (_starts(b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), _picture("image/tiff", ".tif", "TIFF")),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _picture("image/webp", ".webp", "WEBP")),
    (_starts(b"PK\x03\x04"), _ofd),
    (lambda head: head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<?xml"), _xml),
]
