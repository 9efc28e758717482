"""Fonts of the letters: Noto Sans SC and Noto Serif SC, and a net for rare characters of names.

The two fonts come as a Python package and hold 30,000 characters. For anything beyond, a small font
with just these characters is cut from the full Noto Sans CJK. What no font holds is written as its
code point, 〔U+20BB7〕, and reported: a name must never lose a character silently.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

log = logging.getLogger(__name__)
PACKAGE = "pylopdf_fonts_zh_cn"
FULL_PACKAGE, FULL_FILE, FULL_FACE = "manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc", "SC"


def font_path(name: str) -> Path:
    """'NotoSansSC-Regular.otf' of the font package."""
    return Path(str(files(PACKAGE) / name))


@cache
def covered() -> frozenset[int]:
    """Code points that both text fonts hold; read once a process."""
    maps = [TTFont(font_path(name), lazy=True).getBestCmap() for name in
            ("NotoSansSC-Regular.otf", "NotoSerifSC-Regular.otf")]  # fmt: skip
    return frozenset(maps[0]) & frozenset(maps[1])


def rare_characters(text: str) -> str:
    """Characters of a text that the text fonts lack, sorted."""
    return "".join(sorted({char for char in text if char.isprintable() and ord(char) not in covered()}))


def rare_font(characters: str) -> tuple[Path | None, str]:
    """(a font with these characters, those that no font holds). The font is kept for the next letter."""
    full = _full_font()
    if full is None:
        return None, characters
    cmap = full.getBestCmap()
    present = [char for char in characters if ord(char) in cmap]
    missing = "".join(char for char in characters if ord(char) not in cmap)
    return (_cut(full, present) if present else None), missing


def without(text: str, missing: str) -> str:
    """The text with characters that no font holds written as code points."""
    return text.translate({ord(char): f"〔U+{ord(char):X}〕" for char in missing})


@cache
def _full_font() -> TTFont | None:
    """Noto Sans CJK in its Simplified Chinese face, when the package is installed."""
    spec = find_spec(FULL_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    faces = TTCollection(Path(spec.origin).with_name(FULL_FILE), lazy=True).fonts
    return next((face for face in faces if face["name"].getDebugName(1).endswith(FULL_FACE)), None)


def _cut(full: TTFont, characters: list[str]) -> Path:
    name = hashlib.sha256("".join(characters).encode()).hexdigest()[:24]
    path = Path(settings.VAR_DIR) / "fonts" / f"{name}.ttf"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{secrets.token_hex(4)}")
        _build(full, characters).save(part)
        os.replace(part, path)
    return path


def _build(full: TTFont, characters: list[str]) -> FontBuilder:
    """A plain TrueType font of a few glyphs, drawn at regular weight."""
    cmap, drawn = full.getBestCmap(), full.getGlyphSet(location={"wght": 400})
    glyphs, widths = {".notdef": TTGlyphPen(None).glyph()}, {".notdef": 1000}
    for char in characters:
        name, pen = cmap[ord(char)], TTGlyphPen(None)
        drawn[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        glyphs[name], widths[name] = pen.glyph(), drawn[name].width
    builder = FontBuilder(full["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({ord(char): cmap[ord(char)] for char in characters})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(
        {name: (widths[name], getattr(glyphs[name], "xMin", 0)) for name in glyphs}
    )
    builder.setupHorizontalHeader(ascent=full["hhea"].ascent, descent=full["hhea"].descent)
    builder.setupNameTable({"familyName": "Letter Rare", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=1160, usWinDescent=320)
    builder.setupPost()
    return builder
