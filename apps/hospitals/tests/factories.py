"""Hospitals and network entries for tests; `load("2024", "2026")` of products first where series matter."""

from __future__ import annotations

import io
from datetime import date
from itertools import count
from typing import Any

from apps.core.tests.workbooks import book
from apps.hospitals.models import Campus, Hospital, NetworkEntry

_counter = count(1)
HOSPITAL = ("医院编码", "医院名称", "城市", "性质", "医院类型", "医院等级", "连锁品牌", "热门医院")
CAMPUS = ("医院编码", "院区编码", "院区名称", "地址", "电话")
NETWORK = (
    "医院编码",
    "院区编码",
    "科室类别",
    "系列",
    "网络组",
    "责任",
    "直付服务范围",
    "生效日期",
    "终止日期",
)


def make_hospital(**fields: Any) -> Hospital:
    values = {
        "code": f"H{next(_counter):04d}",
        "name": "北京示例儿童医院",
        "city": "北京",
        "ownership": "PRIVATE",
    }
    return Hospital.objects.create(**values | fields)


def make_campus(hospital: Hospital | None = None, **fields: Any) -> Campus:
    return Campus.objects.create(
        hospital=hospital or make_hospital(), **{"code": "01", "name": "本部"} | fields
    )


def make_entry(campus: Campus | None = None, **fields: Any) -> NetworkEntry:
    values: dict[str, Any] = {
        "department_group": "GENERAL", "series": "2026", "network_group": "NATIONAL", "benefit": "OUTPATIENT",
        "starts_on": date(2026, 1, 1),
    }  # fmt: skip
    values |= fields
    values.setdefault("direct_billing", [values["benefit"]])
    return NetworkEntry.objects.create(campus=campus or make_campus(), **values)


def workbook(
    hospitals: list[tuple[Any, ...]], campuses: list[tuple[Any, ...]], network: list[tuple[Any, ...]]
) -> io.BytesIO:
    return book(
        ("医院", [["目录"], HOSPITAL, *hospitals]),
        ("院区", [CAMPUS, *campuses]),
        ("直付网络", [NETWORK, *network]),
    )
