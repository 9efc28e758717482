"""Letters become PDF/A files. Runs in workers only, never inside a transaction.

WeasyPrint's font configuration and the parsed style sheet are made once and reused: new ones each
time leak memory, and one shared between threads prints wrong glyphs. So each thread keeps its own
(a Celery worker process has one).
"""

from __future__ import annotations

import atexit
import threading
from itertools import product
from typing import Any
from urllib.parse import urljoin

import segno
from django.conf import settings
from django.template.loader import get_template, render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from apps.documents import signing
from apps.documents.fonts import covered, font_path, rare_characters, rare_font, without
from apps.documents.models import Letter

RARE_STYLES_KEPT = 4
# The Chinese fonts draw curly quotes as wide as a character, which tears English words apart.
STRAIGHT_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": "&quot;", "”": "&quot;"})
_mine = threading.local()
# At the end of a process the libraries go before the font configuration, whose clean-up then complains.
atexit.register(_mine.__dict__.clear)


def render_pdf(letter: Letter) -> tuple[bytes, str]:
    """(the PDF/A-3b bytes, characters that no font holds). No database access."""
    html = render_html(letter)
    rare = rare_characters(html)
    font, missing = rare_font(rare) if rare else (None, "")
    pdf = write_pdf(without(html, missing), str(font or ""))
    return signing.sign(pdf) if letter.kind == Letter.Kind.GUARANTEE else pdf, missing


def warm_up() -> None:
    """Load what the first letter of a process would wait for, without touching native font state: so it
    may be done once before worker processes are forked, which then share the memory."""
    import weasyprint  # noqa: F401

    covered()
    for language, kind in product(("zh", "en"), Letter.Kind.values):
        get_template(f"letters/{language}/{kind.lower()}.html")


def warm_up_fonts() -> None:
    """This thread's fonts and what signs, once in each worker process."""
    _styles("")
    signing.warm_up()


def render_html(letter: Letter) -> str:
    language = "en" if letter.language.startswith("en") else "zh"
    with translation.override("en" if language == "en" else "zh-hans"):
        html = render_to_string(f"letters/{language}/{letter.kind.lower()}.html", template_context(letter))
    return html.translate(STRAIGHT_QUOTES) if language == "en" else html


def template_context(letter: Letter) -> dict[str, Any]:
    url = verification_url(letter.token)
    language = "en" if letter.language.startswith("en") else "zh"
    return letter.context | {
        "letter": letter,
        "lang": language,
        "dated": timezone.localtime(letter.created_at).date(),
        "verification_url": url,
        "signed": letter.kind == Letter.Kind.GUARANTEE and bool(signing.certificate()[0]),
        "qr": qr_picture(url),
    }


def qr_picture(url: str) -> str:
    """A QR code as a data URI."""
    return segno.make(url, error="m", boost_error=False).svg_data_uri(scale=4, border=0, dark="#1c2b45")


def verification_url(token: str) -> str:
    """Where whoever holds the letter may ask whether it is valid."""
    return urljoin(f"{settings.PUBLIC_BASE_URL}/", reverse("verify-letter", args=[token]).lstrip("/"))


def write_pdf(html: str, rare_font_path: str = "") -> bytes:
    """Bare WeasyPrint with the letters' fonts and style."""
    from weasyprint import HTML  # a quarter of a second and native libraries: workers only
    from weasyprint.urls import URLFetcher

    fonts, style = _styles(rare_font_path)
    # Letters are complete in themselves: pictures are data, nothing is fetched from anywhere.
    fetcher = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    pdf: bytes = HTML(string=html, url_fetcher=fetcher).write_pdf(
        stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3b"
    )
    return pdf


def _styles(rare_font_path: str) -> tuple[Any, Any]:
    """This thread's font configuration and style sheet; with a rare font, one of the last few."""
    kept: dict[str, tuple[Any, Any]] = _mine.__dict__.setdefault("styles", {})
    if rare_font_path not in kept:
        extra = [path for path in kept if path]
        if rare_font_path and len(extra) >= RARE_STYLES_KEPT:
            del kept[extra[0]]
        kept[rare_font_path] = _make_styles(rare_font_path)
    return kept[rare_font_path]


def _make_styles(rare_font_path: str) -> tuple[Any, Any]:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    faces = {
        "Letter Sans": str(font_path("NotoSansSC-Regular.otf")),
        "Letter Serif": str(font_path("NotoSerifSC-Regular.otf")),
    }
    if rare_font_path:
        faces["Letter Rare"] = rare_font_path
    css = "".join(
        f'@font-face{{font-family:"{name}";src:url("file://{path}")}}\n' for name, path in faces.items()
    )
    sheet = render_to_string("letters/letter.css")
    return fonts, CSS(string=css + sheet, font_config=fonts)
