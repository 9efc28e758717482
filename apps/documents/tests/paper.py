"""What a reader of a PDF sees: its words and its pages as pictures."""

from __future__ import annotations

from typing import Any

from PIL import Image

from apps.documents import pdf


def pages_of(content: bytes) -> list[str]:
    """The text of each page as a reader selects it, without spaces and line breaks."""
    with pdf.opened(content) as document:
        return ["".join(page.get_textpage().get_text_range().split()) for page in document]


def text_of(content: bytes) -> str:
    return "".join(pages_of(content))


def picture_of(content: bytes, page: int = 0, scale: float = 3) -> Image.Image:
    with pdf.opened(content) as document:
        picture: Any = document[page].render(scale=scale).to_pil()
        return picture.convert("RGB")
