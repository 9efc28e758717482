"""The card as a picture: the size of a bank card at 300 dots an inch; a greyed card has no color left."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from typing import Any

import segno
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFont

from apps.cards.models import CardState
from apps.cards.queries import Face

SIZE = (1012, 638)
INK, PAPER, GOLD, SOFT = "#ffffff", "#1c2b45", "#e4c77c", "#aebbd0"
LIGHT = "#2a4170"
GREY_PAPER, GREY_LIGHT, GREY_INK, GREY_SOFT = "#8d9298", "#9ba0a6", "#eef0f2", "#d3d6da"


@cache
def _font(size: int, serif: bool = False) -> ImageFont.FreeTypeFont:
    name = "NotoSerifSC-Regular.otf" if serif else "NotoSansSC-Regular.otf"
    return ImageFont.truetype(str(files("pylopdf_fonts_zh_cn") / name), size)


def png_of(face: Face) -> bytes:
    """About 60 ms and 40 KiB."""
    serves = face.state == CardState.ACTIVE
    paper, light = (PAPER, LIGHT) if serves else (GREY_PAPER, GREY_LIGHT)
    ink, soft = (INK, SOFT) if serves else (GREY_INK, GREY_SOFT)
    picture = Image.new("RGB", SIZE, paper)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((560, -420, 1320, 340), fill=light)
    draw.text((56, 44), _("Growth Premium"), font=_font(46, serif=True), fill=GOLD if serves else ink)
    draw.text((56, 112), f"{face.title} · {face.series}", font=_font(30), fill=soft)
    draw.text((56, 212), _fitting(draw, face.name, 56, 560), font=_font(56), fill=ink)
    draw.text((56, 300), _fitting(draw, face.plan, 32, 560), font=_font(32), fill=soft)
    draw.text((56, 384), face.spaced, font=_font(40), fill=ink)
    draw.text((56, 456), _("valid %(start)s – %(end)s") % {"start": face.valid_from, "end": face.valid_until},
              font=_font(28), fill=soft)  # fmt: skip
    draw.text((56, 566), _("hotline %(number)s") % {"number": face.hotline}, font=_font(28), fill=soft)
    if face.shown_on:
        draw.text((56, 504), _("today %(day)s") % {"day": face.shown_on}, font=_font(38),
                  fill=GOLD if serves else ink)  # fmt: skip
    if face.qr:
        code = _qr(face.qr, 280)
        draw.rounded_rectangle((668, 236, 964, 532), 18, fill="#ffffff")
        picture.paste(code, (816 - code.width // 2, 384 - code.height // 2))
        draw.text((816, 566), _("show at the desk"), font=_font(26), fill=soft, anchor="ma")
    else:
        draw.rounded_rectangle((640, 300, 964, 420), 18, outline=ink, width=4)
        draw.text((802, 360), str(face.state.label), font=_font(50), fill=ink, anchor="mm")
        if not serves:
            draw.text((802, 452), _("no direct billing"), font=_font(28), fill=soft, anchor="ma")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _fitting(draw: Any, text: str, size: int, width: int) -> str:
    """The beginning that fits; a long name in Latin letters ends with an ellipsis."""
    while draw.textlength(text, font=_font(size)) > width:
        text = text.rstrip("…")[:-1] + "…"
    return text


def _qr(text: str, side: int) -> Image.Image:
    """As large as fits into `side` dots with every module equally wide, so that scanners read it."""
    code = segno.make(text, error="m", boost_error=False)
    buffer = io.BytesIO()
    code.save(buffer, kind="png", scale=side // code.symbol_size(border=0)[0], border=0)
    return Image.open(buffer).convert("RGB")
