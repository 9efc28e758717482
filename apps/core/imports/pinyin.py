"""Readings of Chinese text, spelled as staff type them: no spaces, no tones, ü as v."""

from __future__ import annotations

import unicodedata
from typing import Any

_RARE = {"𠮷": "ji", "䶮": "yan", "𬱖": "di", "㛃": "jie"}  # outside the library's tables


def letters(text: str) -> str:
    """Only a–z of the text: 'lǜ' → 'lv', \"O'Neil\" → 'oneil'."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ü", "v"))
    return "".join(character for character in plain if "a" <= character <= "z")


def syllables(text: str) -> list[str]:
    """One reading a character; words decide between readings (重庆 → chong qing)."""
    from pypinyin import (
        lazy_pinyin,
    )  # its tables take a third of a second to load; not every process reads names

    each: Any = list  # what the library cannot read comes back character by character
    read = lazy_pinyin(text, errors=each)
    return [plain for part in read if (plain := letters(_RARE.get(part, part)))]


def typed(text: str) -> str:
    """A typed reading in the stored spelling: 'Lyu Xiao-Ming' → 'lvxiaoming'."""
    return letters(text).replace("lyu", "lv").replace("nyu", "nv")
