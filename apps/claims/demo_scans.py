"""Pictures for the demo data: an invoice, an identity page, a record. Drawn, not photographed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from apps.documents.fonts import font_path

WIDTH, HEIGHT = 620, 877  # an A4 page at 75 dpi
INK, PALE, RED, BLUE = (30, 30, 40), (205, 210, 220), (190, 40, 40), (40, 80, 160)
Line = tuple[str, str]


@cache
def font(size: int, name: str = "NotoSansSC-Regular.otf") -> Any:
    return ImageFont.truetype(str(font_path(name)), size)


def _page(title: str, color: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH, HEIGHT), (252, 250, 244))
    draw = ImageDraw.Draw(image)
    draw.rectangle((24, 24, WIDTH - 24, HEIGHT - 24), outline=PALE, width=2)
    draw.text((WIDTH // 2, 60), title, font=font(26, "NotoSerifSC-Regular.otf"), fill=color, anchor="mm")
    draw.line((60, 88, WIDTH - 60, 88), fill=color, width=2)
    return image, draw


def _rows(draw: ImageDraw.ImageDraw, rows: Sequence[Line], top: int, step: int = 30) -> int:
    for label, value in rows:
        draw.text((60, top), label, font=font(15), fill=(110, 110, 120))
        draw.text((220, top), value, font=font(16), fill=INK)
        top += step
    return top


def invoice(bill: Mapping[str, Any], hospital: str, child: str, *, annotated: bool) -> bytes:
    """A medical charge receipt with its lines, and the claimant's note by hand (RMB-21)."""
    image, draw = _page("医疗收费票据", RED)
    head = [("票据代码", str(bill["code"])), ("票据号码", str(bill["number"])), ("开票日期", str(bill["issued_on"])),
            ("收款单位", hospital), ("交款人", child)]  # fmt: skip
    top = _rows(draw, head, 110) + 12
    draw.line((60, top, WIDTH - 60, top), fill=PALE, width=2)
    for line in bill["lines"][:14]:
        top += 30
        draw.text((60, top), str(line["name"]), font=font(15), fill=INK)
        draw.text((WIDTH - 60, top), f"{line['amount']}", font=font(15), fill=INK, anchor="ra")
    top += 44
    draw.line((60, top, WIDTH - 60, top), fill=PALE, width=2)
    draw.text((60, top + 10), "合计（元）", font=font(17), fill=INK)
    draw.text((WIDTH - 60, top + 10), f"{bill['amount']}", font=font(19), fill=RED, anchor="ra")
    draw.ellipse((430, 690, 570, 830), outline=RED, width=4)
    draw.text((500, 760), "收费专用章", font=font(17), fill=RED, anchor="mm")
    if annotated:
        draw.text(
            (60, 800), "已在“京东安联”索赔", font=font(20, "NotoSerifSC-Regular.otf"), fill=(20, 20, 20)
        )
    return _jpeg(image)


def identity(name: str, born: str, masked: str) -> bytes:
    image, draw = _page("居民身份证（样例）", BLUE)
    _rows(draw, [("姓名", name), ("出生", born), ("公民身份号码", masked)], 130, 48)
    draw.rectangle((400, 120, 550, 310), fill=(222, 228, 236), outline=PALE)
    draw.ellipse((440, 150, 510, 220), fill=(170, 180, 195))
    draw.pieslice((415, 225, 535, 360), 180, 360, fill=(170, 180, 195))
    return _jpeg(image)


def record(hospital: str, department: str, day: str, diagnosis: str) -> bytes:
    image, draw = _page("门诊病历", BLUE)
    top = _rows(
        draw, [("医院", hospital), ("科室", department), ("就诊日期", day), ("诊断", diagnosis)], 120, 36
    )
    for number in range(9):
        draw.line(
            (60, top + 40 + number * 42, WIDTH - 60 - (number % 3) * 70, top + 40 + number * 42),
            fill=PALE,
            width=3,
        )
    return _jpeg(image)


def form(title: str, child: str) -> bytes:
    """A PDF, so that both kinds of file are there to look at."""
    image, draw = _page(title, INK)
    top = _rows(draw, [("被保险人", child), ("声明", "以上所填内容真实完整")], 140, 44)
    draw.text((360, top + 120), "签名：", font=font(18), fill=INK)
    draw.line((420, top + 145, 560, top + 120), fill=INK, width=3)
    target = io.BytesIO()
    image.save(target, "PDF", resolution=75)
    return target.getvalue()


def _jpeg(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=70)
    return target.getvalue()
