"""People for copied histories: names, identity cards, mobiles and accounts that pass every check.

What is encrypted or indexed blindly cannot be computed by the database, so it is prepared here, one row
a child, and joined by the statements that copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta

from stdnum import luhn
from stdnum.cn import ric

from apps.core.crypto import blind_index, encrypt, mask
from apps.members.identity import PROVINCES
from apps.members.models import Member, id_index, mobile_index
from apps.members.names import mask_email, reading

SURNAMES = "赵钱孙李周吴郑冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎"
GIVEN = "安宝晨丹恩芳光海佳凯兰明宁鹏琪然思涛文欣雅泽博春东飞歌浩嘉康乐梅楠平清瑞舒婷伟萱"
BORN_BEFORE = timedelta(days=29 * 365)  # a parent before the child
_PROVINCES = sorted(PROVINCES)


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the pool. `i` counts the copies of a statement, `serial` all children ever numbered."""

    i: int
    serial: int
    days: int  # how much earlier everything happened than in the original
    number: str
    name: str
    pinyin: str
    initials: str
    birth_date: str
    id_number: str
    id_index: str
    id_masked: str
    guardian: str
    guardian_id: str
    guardian_id_index: str
    guardian_id_masked: str
    guardian_mobile: str
    reporter_mobile: str
    mobile_index: str
    mobile_masked: str
    email: str
    email_masked: str
    recipient: str
    payee_id: str
    account: str
    account_index: str
    account_masked: str


COLUMNS = {
    item.name: "integer" if item.name in ("i", "serial", "days") else "text" for item in fields(Person)
}

# Which columns of which tables hold what of the person. A column that is empty in the original stays so.
PLACES = {
    "members_member": {
        "number": "number", "name": "name", "pinyin": "pinyin", "initials": "initials", "birth_date": "birth_date",
        "id_number": "id_number", "id_index": "id_index", "id_masked": "id_masked",
    },
    "members_guardian": {
        "name": "guardian", "id_number": "guardian_id", "id_index": "guardian_id_index", "id_masked": "guardian_id_masked",
        "mobile": "guardian_mobile", "mobile_index": "mobile_index", "mobile_masked": "mobile_masked", "email": "email",
    },
    "payments_payee": {
        "name": "guardian", "id_number": "payee_id", "id_index": "guardian_id_index", "id_masked": "guardian_id_masked",
        "account": "account", "account_index": "account_index", "account_masked": "account_masked",
    },
    "claims_claim": {
        "reporter_name": "guardian", "reporter_phone": "reporter_mobile", "reporter_phone_masked": "mobile_masked",
    },
    "messaging_message": {"recipient": "recipient", "recipient_masked": "email_masked"},
}  # fmt: skip


def people(original: Member, first_serial: int, count: int, days: Iterator[int]) -> Iterator[Person]:
    """`count` children of the original's sex and kind of identity paper, with one parent each."""
    for i in range(count):
        serial, shift = first_serial + i, next(days)
        born = original.birth_date - timedelta(days=shift)
        yield person(i, serial, shift, original, born)


def person(i: int, serial: int, shift: int, original: Member, born: date) -> Person:
    surname = SURNAMES[serial % len(SURNAMES)]
    name = surname + GIVEN[serial // len(SURNAMES) % len(GIVEN)] + GIVEN[serial // 7 % len(GIVEN)]
    pinyin, initials = reading(name)
    own = identity(original.id_type, serial, born, original.sex)
    guardian = surname + ("建" if serial % 2 else "秀") + GIVEN[serial // 3 % len(GIVEN)]
    parents = identity("RESIDENT_ID", serial + 1, born - BORN_BEFORE, "M" if serial % 2 else "F")
    mobile = f"199{serial % 10**8:08d}"
    email = f"parent{serial}@example.com"
    account = f"622299{serial:012d}"
    account += luhn.calc_check_digit(account)
    return Person(
        i, serial, shift, f"M-{serial:06d}", name, pinyin, initials, born.isoformat(),
        encrypt(own, "members.member.id_number"), id_index(own), mask(own)[:40],
        guardian,
        encrypt(parents, "members.guardian.id_number"), id_index(parents), mask(parents)[:40],
        encrypt(mobile, "members.guardian.mobile"), encrypt(mobile, "claims.claim.reporter_phone"),
        mobile_index(mobile), mask(mobile)[:20],
        email, mask_email(email), encrypt(email, "messaging.message.recipient"),
        encrypt(parents, "payments.payee.id_number"),
        encrypt(account, "payments.payee.account"), blind_index(account, "account"), mask(account)[:40],
    )  # fmt: skip


def identity(id_type: str, serial: int, born: date, sex: str) -> str:
    """A number that `members.identity` accepts, another one for each serial up to 1.5 million a birthday.

    Its district ends in 99xx, which no place in China has: it is nobody's.
    """
    if id_type != "RESIDENT_ID":
        return f"E{serial:08d}"
    province = _PROVINCES[serial % len(_PROVINCES)]
    serial //= len(_PROVINCES)
    order = serial // 100 % 500 * 2 + (sex == "M")
    number = f"{province}99{serial % 100:02d}{born:%Y%m%d}{order:03d}"
    return number + ric.calc_check_digit(number + "0")
