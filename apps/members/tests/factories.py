"""Children, guardians, policies and rosters for tests.

make_member(name="曾小明"), make_policy(member, series="2026"), roster([row(), row(name="李雷")]).
`load("2024", "2026", plans=True)` of products must have run before.
"""

from __future__ import annotations

import io
from datetime import date
from itertools import count
from typing import Any

from stdnum.cn import ric

from apps.core.tests.workbooks import book
from apps.members.models import Guardian, Member, Policy
from apps.products.models import Plan

_counter = count(1)
HEADERS = {
    "number": "保单号", "series": "产品系列", "plan": "保障计划", "scheme": "投保方案", "status": "保单状态",
    "name": "被保险人姓名", "sex": "性别", "birth": "出生日期", "id_type": "证件类型", "id_number": "证件号码",
    "nation": "国籍", "social": "是否有社保", "mobile": "预留手机号", "holder": "投保人姓名", "relation": "与被保险人关系",
    "holder_id_type": "投保人证件类型", "holder_id": "投保人证件号码", "holder_mobile": "投保人手机号",
    "channel": "投保渠道", "concluded": "合同成立日", "effective": "生效日期", "expires": "满期日期",
    "ended": "提前终止日期", "renewed": "新保/续保", "since": "连续投保起始日", "riders": "可选责任",
    "agreement": "特别约定", "exclusions": "除外疾病编码", "edition": "版别",
}  # fmt: skip


def resident_id(born: date, sex: str = "M", region: str = "310105", order: int | None = None) -> str:
    """A resident number with the right check digit."""
    serial = (order if order is not None else next(_counter)) % 499 * 2 + (1 if sex == "M" else 0)
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    return body + ric.calc_check_digit(body + "0")


def make_member(**fields: Any) -> Member:
    born = fields.pop("birth_date", date(2020, 1, 1))
    sex = fields.pop("sex", "M")
    number = next(_counter)
    values = {
        "number": f"M-{number:06d}", "name": "王小明", "sex": sex, "birth_date": born, "id_type": "RESIDENT_ID",
        "id_number": fields.get("id_number") or resident_id(born, sex), "mobile": f"138{number:08d}",
    }  # fmt: skip
    return Member.objects.create(**values | fields)


def make_guardian(member: Member, **fields: Any) -> Guardian:
    values = {"name": "王大明", "relation": "FATHER", "id_type": "RESIDENT_ID", "mobile": f"139{next(_counter):08d}",
              "id_number": resident_id(date(1988, 1, 1)), "is_policyholder": True}  # fmt: skip
    return Guardian.objects.create(member=member, **values | fields)


def make_policy(member: Member, *, series: str = "2026", **fields: Any) -> Policy:
    plan = fields.pop("plan", None) or Plan.objects.filter(series=series).order_by("code").first()
    start = fields.get("effective_on", date(2026, 1, 1))
    values = {
        "number": f"P{series}{next(_counter):06d}", "plan": plan, "series": series,
        "tpa": "" if series == "2026" else "WINDSTONE", "status": "IN_FORCE", "effective_on": start,
        "expires_on": date(start.year, 12, 31), "continuous_since": start,
    }  # fmt: skip
    return Policy.objects.create(member=member, **values | fields)


def row(**fields: Any) -> dict[str, Any]:
    """One good row of a roster; every call is another child."""
    number = next(_counter)
    born, sex = fields.get("birth", date(2020, 1, 1)), fields.get("sex", "男")
    code = "M" if sex == "男" else "F"
    values = {
        "number": f"P{number:08d}", "series": "2026系列", "plan": "全国版", "status": "有效", "name": "王小明", "sex": sex,
        "birth": born, "id_type": "身份证", "id_number": resident_id(born, code), "social": "是",
        "mobile": f"138{number:08d}", "holder": "李丽", "relation": "母亲", "holder_id_type": "身份证",
        "holder_id": resident_id(date(1988, 1, 1), "F"), "holder_mobile": f"139{number:08d}",
        "effective": date(2026, 1, 1), "expires": date(2026, 12, 31),
    }  # fmt: skip
    return values | fields


def roster(rows: list[dict[str, Any]]) -> io.BytesIO:
    lines = [[line.get(key) for key in HEADERS] for line in rows]
    return book(("承保清单", [["清单"], list(HEADERS.values()), *lines]))
