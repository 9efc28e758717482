"""Identity numbers: what each kind must look like, and what it says about its holder.

python-stdnum knows the resident number only, raises KeyError on some inputs, accepts births in the
future and refuses districts younger than its table; hence this module. A birth date or a sex that
disagrees with the number is a mistake in one of the two and is refused (CRD-05, CRD-06).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric

from apps.core.errors import InvalidInput
from apps.core.imports.cells import Text

RESIDENT, RESIDENCE = "RESIDENT_ID", "RESIDENCE_PERMIT"

# First two digits: the province that issued the number (GB/T 2260).
_PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71"
PROVINCES: Final = frozenset(_PROVINCES.split(" "))
COMPATRIOTS: Final = {"810000": "HK", "820000": "MO", "830000": "TW"}  # residence permits of three regions
OLDEST: Final = 1900

_SHAPES: Final[dict[str, tuple[str, Text]]] = {
    "PASSPORT": (r"(?=.*\d)[A-Z0-9]{5,20}", _("a passport number: 5 to 20 letters and digits")),
    "HK_MACAO_PERMIT": (
        r"[HM]\d{8}(\d{2})?",
        _("a permit for Hong Kong/Macao residents: H or M and 8 digits (old ones 10)"),
    ),
    "TAIWAN_PERMIT": (
        r"\d{8}|\d{10}(\([A-Z]\)|[A-Z])?",
        _("a permit for Taiwan residents: 8 digits (old ones 10 and a letter)"),
    ),
    "BIRTH_CERTIFICATE": (r"[A-Z]\d{9}", _("a birth certificate number: a letter and 9 digits")),
    "HOUSEHOLD_REGISTER": (
        r"[A-Z0-9]{6,20}",
        _("the number in the household register: 6 to 20 digits or letters"),
    ),
    "OTHER": (r"[A-Z0-9()/\-]{3,40}", _("3 to 40 letters and digits")),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A checked number; birth date and sex where the number tells them."""

    id_type: str
    number: str
    birth_date: date | None = None
    sex: str = ""
    nationality: str = ""


def check_identity(
    *, id_type: str, number: str, today: date, birth_date: date | None = None, sex: str = ""
) -> Identity:
    """The identity in standard form. Raises InvalidInput; `field` is id_number, birth_date, sex or id_type."""
    compact = re.sub(r"[\s‐-―]", "", number).upper()
    if id_type in {RESIDENT, RESIDENCE}:
        identity = _numbered(id_type, compact, today)
    elif id_type == "HOUSEHOLD_REGISTER" and re.fullmatch(r"\d{17}[\dX]", compact):
        identity = _resident(id_type, compact, today)  # the register carries the child's resident number
    else:
        identity = _shaped(id_type, compact)
    _agree(identity, birth_date, sex)
    if birth_date and birth_date > today:
        raise InvalidInput(
            _("The date of birth lies in the future."), code="birth_future", field="birth_date"
        )
    return identity


def _refuse(message: Text, code: str, field: str = "id_number", **data: str) -> InvalidInput:
    return InvalidInput(message, code=code, field=field, data=dict(data))


def _shaped(id_type: str, number: str) -> Identity:
    if id_type not in _SHAPES:
        raise _refuse(_("This kind of identity paper is unknown."), "id_type_unknown", "id_type")
    shape, expected = _SHAPES[id_type]
    if not re.fullmatch(shape, number):
        raise _refuse(expected, "id_format")
    return Identity(id_type, number)


def _numbered(id_type: str, number: str, today: date) -> Identity:
    """Numbers of 18 places: residents, residents from Hong Kong/Macao/Taiwan, foreigners with residence."""
    region = number[:6]
    if id_type == RESIDENCE and re.fullmatch(r"[A-Z]{3}\d{12}", number):
        return Identity(id_type, number)  # foreigner's card before 2023
    if re.fullmatch(r"\d{15}", number) and id_type == RESIDENT:
        raise _old_number(number)
    if region in COMPATRIOTS or number.startswith("9"):
        if id_type == RESIDENT:
            raise _refuse(
                _("This is the number of a residence permit; choose that kind of paper."),
                "id_is_residence",
                "id_type",
            )
        return _resident(id_type, number, today, COMPATRIOTS.get(region, ""))
    if id_type == RESIDENCE:
        raise _refuse(
            _(
                "A residence permit starts with 810000, 820000, 830000 or 9; this looks like a resident identity card."
            ),
            "id_is_resident",
            "id_type",
        )
    return _resident(id_type, number, today, "CN")


def _old_number(number: str) -> InvalidInput:
    check = ric.calc_check_digit(f"{number[:6]}19{number[6:]}0")
    return _refuse(
        _("18 digits; numbers of 15 expired in 2013 (19 after the sixth digit and %(check)s at the end)")
        % {"check": check},
        "id_15_digits",
        check=check,
    )


def _resident(id_type: str, number: str, today: date, nationality: str = "") -> Identity:
    if len(number) != 18:
        raise _refuse(_("18 characters; this has %(count)s") % {"count": len(number)}, "id_length")
    if not re.fullmatch(r"\d{17}[\dX]", number):
        raise _refuse(_("17 digits and a check digit (0–9 or X)"), "id_format")
    right = ric.calc_check_digit(number)
    if number[17] != right:
        raise _refuse(
            _("the check digit %(right)s at the end, or another digit is mistyped") % {"right": right},
            "id_check_digit",
            right=right,
        )
    if number[:2] not in PROVINCES and number[:6] not in COMPATRIOTS and not number.startswith("9"):
        raise _refuse(_("a number that starts with a province's code"), "id_region")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise _refuse(_("a birth date that exists in digits 7 to 14"), "id_birth_date") from error
    if born > today:
        raise _refuse(_("a birth date that is not in the future in digits 7 to 14"), "id_birth_future")
    if born.year < OLDEST:
        raise _refuse(_("a birth year after 1900 in digits 7 to 10"), "id_birth_date")
    return Identity(id_type, number, born, "M" if int(number[16]) % 2 else "F", nationality)


def _agree(identity: Identity, birth_date: date | None, sex: str) -> None:
    if identity.birth_date and birth_date and identity.birth_date != birth_date:
        raise _refuse(
            _("The identity number says %(number)s.") % {"number": identity.birth_date.isoformat()},
            "birth_mismatch",
            "birth_date",
            number=identity.birth_date.isoformat(),
        )
    if identity.sex and sex and identity.sex != sex:
        raise _refuse(
            _("The identity number says male.")
            if identity.sex == "M"
            else _("The identity number says female."),
            "sex_mismatch",
            "sex",
            number=identity.sex,
        )
