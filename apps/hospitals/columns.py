"""The sheets of a hospital workbook: hospitals, their campuses, the direct-billing network."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.imports import Column, Sheet, cells
from apps.hospitals.models import DepartmentGroup, Ownership, Scope

DATE = _("a date such as 2026-03-05, 2026/3/5, 2026年3月5日 or 20260305")
OWNERSHIPS = {
    "公立": Ownership.PUBLIC, "公办": Ownership.PUBLIC,
    "私立": Ownership.PRIVATE, "民营": Ownership.PRIVATE, "外资": Ownership.PRIVATE, "合资": Ownership.PRIVATE,
}  # fmt: skip
GROUPS = {
    "普通部": DepartmentGroup.GENERAL, "普通": DepartmentGroup.GENERAL, "普通门诊": DepartmentGroup.GENERAL,
    "特需部": DepartmentGroup.SPECIAL, "特需": DepartmentGroup.SPECIAL, "VIP": DepartmentGroup.SPECIAL,
    "国际部": DepartmentGroup.INTERNATIONAL, "国际医疗部": DepartmentGroup.INTERNATIONAL,
    "国际": DepartmentGroup.INTERNATIONAL,
}  # fmt: skip
SCOPES = {
    "门诊": Scope.OUTPATIENT, "急诊": Scope.EMERGENCY, "住院": Scope.INPATIENT, "疫苗": Scope.VACCINE,
    "眼科": Scope.EYE, "齿科": Scope.DENTAL, "牙科": Scope.DENTAL, "口腔": Scope.DENTAL,
}  # fmt: skip


def grade(value: Any) -> int | None:
    """'三级甲等', '三甲' or 3 → 3; '未定级' → none."""
    found = cells.fold(value)
    if found in {"未定级", "未评级", "无", "无等级"}:
        return None
    match = re.match(r"([一二三123])(级|甲|乙|丙|等|$)", found)
    if not match:
        raise cells.CellError(_("a grade: 一级, 二级, 三级 or 未定级"))
    return {"一": 1, "二": 2, "三": 3}.get(match[1]) or int(match[1])


def own_code(value: Any) -> str:
    found = cells.code(value)
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9\-_]{0,39}", found):
        raise cells.CellError(_("a code of letters, digits and hyphens"))
    return found


_CODE = Column("hospital", ("医院编码", "机构编码", "Hospital code"), own_code, required=True)

HOSPITALS = Sheet(
    "hospitals",
    ("医院", "医院目录", "医院清单", "Hospitals"),
    (
        _CODE,
        Column("name", ("医院名称", "机构名称", "Hospital name"), cells.text(120), required=True),
        Column("name_en", ("英文名称", "English name"), cells.text(160)),
        Column("province", ("省份", "省", "Province"), cells.text(40)),
        Column("city", ("城市", "City"), cells.text(40), required=True),
        Column("ownership", ("性质", "医院性质", "Ownership"), cells.one_of(OWNERSHIPS), required=True),
        Column("hospital_type", ("医院类型", "类型", "Hospital type"), cells.text(40)),
        Column("grade", ("医院等级", "等级", "Grade"), grade, default=None),
        Column("brand", ("连锁品牌", "品牌", "Clinic brand"), cells.text(80)),
        Column("internet_licensed", ("互联网医院牌照", "互联网医院", "Internet-hospital license"), cells.yes_no,
               default=False),
        Column("popular", ("热门医院", "热门", "Popular"), cells.yes_no, default=False),
        Column("profile", ("医院简介", "简介", "Profile"), cells.long_text),
        Column("service_hours", ("服务时间", "Service hours"), cells.text(200)),
        Column("visit_tips", ("就诊提示", "Visit tips"), cells.long_text),
        Column("special_departments", ("特色科室", "Special departments"), cells.text(300)),
        Column("active", ("启用", "是否启用", "Active"), cells.yes_no, default=True),
        Column("sample", ("示例数据", "样例", "Sample data"), cells.yes_no, default=False),
    ),
)  # fmt: skip

CAMPUSES = Sheet(
    "campuses",
    ("院区", "院区清单", "Campuses"),
    (
        _CODE,
        Column("code", ("院区编码", "Campus code"), own_code, required=True),
        Column("name", ("院区名称", "Campus name"), cells.text(120), required=True),
        Column("address", ("地址", "详细地址", "Address"), cells.text(240)),
        Column("phone", ("电话", "联系电话", "Phone"), cells.text(60)),
    ),
)

NETWORK = Sheet(
    "network",
    ("直付网络", "网络清单", "Network"),
    (
        _CODE,
        Column("campus", ("院区编码", "Campus code"), own_code, required=True),
        Column("department_group", ("科室类别", "就诊部门", "Department group"), cells.one_of(GROUPS), required=True),
        Column("series", ("系列", "产品系列", "Series"), cells.text(40), required=True),
        Column("network_group", ("网络组", "版本/计划组", "计划组", "Network group"), cells.text(40), required=True),
        Column("benefit", ("责任", "保险责任", "Benefit"), cells.one_of(SCOPES), required=True),
        Column("direct_billing", ("直付服务范围", "直付范围", "Direct-billing scope"), cells.several_of(SCOPES),
               default=()),
        Column("starts_on", ("生效日期", "起始日期", "From"), cells.day, required=True, expected=DATE),
        Column("ends_on", ("终止日期", "截止日期", "Until"), cells.day, expected=DATE, default=None),
    ),
)  # fmt: skip
