"""Identity, account and mobile numbers in lines that stand in lists (LAW-09)."""

from __future__ import annotations

import re

from apps.core.crypto import mask

LONG = re.compile(r"(?<![A-Za-z0-9-])(\d{17}[\dXx]|\d{15,19}|1[3-9]\d{9})(?![A-Za-z0-9])")


def mask_numbers(text: str) -> str:
    """'身份证310101202105041234' → '身份证310***********1234'; case numbers stay."""
    return LONG.sub(lambda found: mask(found[1]), text)
