"""In which city an address lies, as far as its own words say (TST-09)."""

from __future__ import annotations

import re
from collections.abc import Iterable

STREET = "(?!大?[路街道巷])"  # 北京路 lies anywhere


def city_in(address: str, cities: Iterable[str]) -> str:
    """The city of the list that an address begins with or calls 市; "" when none is named that way.

    "辽宁省沈阳市…" and "北京朝阳区…" are understood, "长沙市北京路" is no address in Beijing.
    """
    words = re.sub(r"\s", "", address)
    found = [
        (match.start(), city)
        for city in cities
        if (match := re.search(rf"^{re.escape(city)}{STREET}|{re.escape(city)}市", words))
    ]
    return min(found)[1] if found else ""
