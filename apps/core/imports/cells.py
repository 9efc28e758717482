"""From what stands in a cell to a value, or a clear "expected …".

People type rosters by hand and systems export them in every shape: full-width digits, stray and
invisible spaces, dates as text, numbers that Excel has rounded. A parser gives the value or raises
`CellError`; it never guesses between two readings ("03/04/2021" is refused).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from openpyxl.utils.datetime import WINDOWS_EPOCH

Text = str | Promise
Parser = Callable[[Any], Any]

_BLANK = frozenset({"", "-", "--", "—", "——", "/", "\\", "N/A", "NULL", "NONE"})
_NOTHING = frozenset({"无", "没有", "不适用", "NIL", "NO"})
_FORMULA_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
_WORDS = {code: narrow for code, narrow in _FULL_WIDTH.items() if chr(narrow).isalnum() or narrow == 0x20}
_MIDDLE_DOTS = str.maketrans(dict.fromkeys("•‧∙・･●⋅．.", "·"))
_HAN_GAP = re.compile(
    r"(?<=[\u2E80-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF·])\s+"
    r"|\s+(?=[\u2E80-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF·])"
)
_SEPARATORS = re.compile(r"[、,，;；|\s]+")
_SCIENTIFIC = re.compile(r"^\d(\.\d+)?E\+?\d+$", re.IGNORECASE)
_DATE = re.compile(
    r"^(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})(?:日|号)?(?:[ T]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$"
)
_EXACT_DIGITS = 10**15  # Excel keeps fifteen digits of a number
FIRST_SERIAL, LAST_SERIAL = 14611, 73050  # 1940-01-01 … 2099-12-31


class CellError(ValueError):
    """The cell cannot be read; `expected` says what would be right (the column's own words if empty)."""

    def __init__(self, expected: Text = ""):
        self.expected = expected
        super().__init__(str(expected))


def fold(value: Any) -> str:
    """Half-width, no invisible characters, single spaces: the text as its author meant it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        value = int(value) if value.is_integer() else repr(value)
    text = str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(_visible(text).split())


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character
        if unicodedata.category(character) not in {"Cf", "Cc"}
        else " "
        if character in "\t\n\r"
        else ""
        for character in text
    )


def prose(value: Any) -> str:
    """Like `fold` for words to be read: Chinese punctuation keeps its width."""
    if not isinstance(value, str):
        return fold(value)
    return " ".join(_visible(value.translate(_WORDS)).split())


def is_blank(value: Any) -> bool:
    if value is None or not isinstance(value, str):
        return value is None
    short = value.strip()
    return not short or (len(short) <= 8 and fold(short).upper() in _BLANK)


def text(maximum: int = 200) -> Parser:
    """Free text of one line."""

    def parse(value: Any) -> str:
        found = prose(value)
        if found in _FORMULA_ERRORS:
            raise CellError(_("a value; the cell shows an error of a formula"))
        if len(found) > maximum:
            raise CellError(_("at most %(maximum)s characters") % {"maximum": maximum})
        return found

    return parse


short_text = text()


def long_text(value: Any) -> str:
    """Free text that may keep its lines; '无' means nothing."""
    lines = (prose(line) for line in str(value).splitlines())
    found = "\n".join(line for line in lines if line)
    return "" if found.upper() in _NOTHING else found


def code(value: Any) -> str:
    """A number that identifies something: no spaces, upper case, never rounded by Excel."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= _EXACT_DIGITS:
        raise CellError(_("a cell formatted as text: Excel keeps only fifteen digits of a number"))
    found = fold(value).replace(" ", "").upper()
    if _SCIENTIFIC.match(found):
        raise CellError(_("the full number: the file holds a rounded one such as 3.1E+17"))
    if found in _FORMULA_ERRORS:
        raise CellError(_("a value; the cell shows an error of a formula"))
    return found


def person_name(value: Any) -> str:
    """A name, glyph for glyph: only widths, spaces and dots are tidied, rare characters stay."""
    found = " ".join(_visible(str(value).translate(_FULL_WIDTH)).split())
    found = _HAN_GAP.sub("", found)
    if any(character >= "\u2e80" for character in found):
        found = found.translate(_MIDDLE_DOTS)
    if any(unicodedata.category(character) == "Co" for character in found):
        raise CellError(_("a character of Unicode; this one exists on one computer only (private-use area)"))
    if "?" in found or "\ufffd" in found:
        raise CellError(_("the name in full; a rare character was lost and shows as a question mark"))
    if not 1 <= len(found) <= 80 or any(character.isdigit() for character in found):
        raise CellError(_("a person's name of at most 80 characters, without digits"))
    return found


def day(value: Any) -> date:
    """A date: a real one, Excel's serial number, or text with the year first."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, (bool, time, timedelta)):
        raise CellError
    found = fold(value).replace(" ", "") if not isinstance(value, str) else fold(value)
    if re.fullmatch(r"\d{5}(\.\d+)?", found):
        return _from_serial(float(found))
    if re.fullmatch(r"\d{8}", found):
        found = f"{found[:4]}-{found[4:6]}-{found[6:]}"
    match = _DATE.match(re.sub(r"\s*([-/.年月日号])\s*", r"\1", found))
    if not match:
        raise CellError
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError as error:
        raise CellError(_("a day that exists")) from error


def _from_serial(serial: float) -> date:
    if not FIRST_SERIAL <= serial <= LAST_SERIAL:
        raise CellError
    found: datetime = WINDOWS_EPOCH + timedelta(days=int(serial))
    return found.date()


def yes_no(value: Any) -> bool:
    """是/否 and its relatives."""
    found = fold(value).upper()
    if found in {"是", "有", "Y", "YES", "TRUE", "1", "√", "✓", "已", "参加", "已参保"}:
        return True
    if found in {"否", "无", "没有", "N", "NO", "FALSE", "0", "×", "X", "未", "未参加", "未参保"}:
        return False
    raise CellError(_("yes or no (是/否)"))


def one_of(words: Mapping[str, str]) -> Parser:
    """One of the given words; `words` maps a word to its code. A code itself is always understood."""
    codes = {fold(word).replace(" ", "").upper(): meaning for word, meaning in words.items()}
    codes |= {meaning.upper(): meaning for meaning in words.values()}
    first: dict[str, str] = {}  # one word for each meaning is enough to show what is expected
    for word, meaning in words.items():
        first.setdefault(meaning, word)
    wanted = " / ".join(first.values())

    def parse(value: Any) -> str:
        found = codes.get(fold(value).replace(" ", "").upper())
        if found is None:
            raise CellError(_("one of: %(words)s") % {"words": wanted})
        return found

    return parse


def several_of(words: Mapping[str, str]) -> Parser:
    """Several of the given words, separated as people do: 、 , ; or spaces. '无' is none."""
    parse_one = one_of(words)

    def parse(value: Any) -> list[str]:
        parts = [part for part in _SEPARATORS.split(fold(value)) if part and part.upper() not in _NOTHING]
        return sorted({parse_one(part) for part in parts})

    return parse


def codes_like(pattern: str) -> Parser:
    """Several codes of one shape, e.g. diagnoses ('J45、L20')."""
    shape = re.compile(pattern)

    def parse(value: Any) -> list[str]:
        parts = [part.upper() for part in _SEPARATORS.split(fold(value)) if part]
        found = sorted({part for part in parts if part not in _NOTHING})
        if any(not shape.fullmatch(part) for part in found):
            raise CellError
        return found

    return parse


def whole_number(minimum: int, maximum: int) -> Parser:
    def parse(value: Any) -> int:
        found = fold(value)
        if not re.fullmatch(r"\d+", found) or not minimum <= int(found) <= maximum:
            raise CellError(_("a whole number from %(low)s to %(high)s") % {"low": minimum, "high": maximum})
        return int(found)

    return parse


def phone(value: Any) -> str:
    """A mobile number of the mainland, or an international one with its + in front."""
    found = re.sub(r"[\s()-]", "", code(value))
    found = re.sub(r"^(\+86|0086|86(?=1\d{10}$))", "", found)
    if re.fullmatch(r"1[3-9]\d{9}", found):
        return found
    found = re.sub(r"^00", "+", found)
    if re.fullmatch(r"\+[1-9]\d{6,14}", found):
        return found
    raise CellError(_("a mobile number of 11 digits, or + and country code"))
