"""The sheet of a batch of direct-billing claims: one row a line of a bill, claims told apart by their number."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.codes import KIND_NAMES
from apps.core.imports import Column, Sheet, cells
from apps.hospitals.columns import GROUPS, own_code
from apps.members.models import IdType

DATE = _("a date such as 2026-03-05, 2026/3/5, 2026年3月5日 or 20260305")
VISIT_TYPES = {"门诊": "OUTPATIENT", "急诊": "EMERGENCY", "住院": "INPATIENT", "留观": "OBSERVATION_WARD"}
BENEFITS = {
    "门诊": "OUTPATIENT", "急诊": "EMERGENCY", "住院": "INPATIENT", "疫苗": "VACCINE", "齿科": "DENTAL", "眼科": "EYE",
    "儿童体检": "HEALTH_CHECK", "体检": "HEALTH_CHECK",
}  # fmt: skip
BILL_TYPES = {
    "电子医疗票据": "FISCAL_E", "纸质医疗票据": "FISCAL_PAPER", "增值税发票": "VAT", "数电票": "DIGITAL", "其他": "OTHER",
}  # fmt: skip
KINDS = {name: code for code, name in KIND_NAMES.items()}
PAPERS = {
    "居民身份证": IdType.RESIDENT_ID, "身份证": IdType.RESIDENT_ID, "护照": IdType.PASSPORT,
}  # fmt: skip


def yuan(value: Any) -> Decimal:
    """Amounts with at most two decimals; thousands may be set apart."""
    text = cells.fold(value).replace(",", "").removeprefix("¥").strip()
    try:
        found = Decimal(text)
        if not found.is_finite() or found < 0 or found != found.quantize(Decimal("0.01")):
            raise InvalidOperation
    except InvalidOperation as error:
        raise cells.CellError(_("an amount such as 1234.56")) from error
    return found


def number(value: Any) -> Decimal:
    try:
        found = Decimal(cells.fold(value))
        if not found.is_finite() or found <= 0:
            raise InvalidOperation
    except InvalidOperation as error:
        raise cells.CellError(_("a number above 0")) from error
    return found


CLAIMS = Sheet(
    "claims",
    ("直付账单", "直付批次", "Direct billing"),
    (
        Column("reference", ("医院流水号", "案件序号", "Reference"), cells.text(60), required=True),
        Column("hospital", ("医院编码", "机构编码", "Hospital code"), own_code, required=True),
        Column("member", ("会员号", "保单号", "Member number"), cells.code, required=True),
        Column("name", ("姓名", "被保险人", "Name"), cells.person_name, required=True),
        Column("birth_date", ("出生日期", "Date of birth"), cells.day, required=True, expected=DATE),
        Column("card", ("电子卡号", "卡号", "Card"), cells.code),
        Column("id_type", ("证件类型", "Identity paper"), cells.one_of(PAPERS)),
        Column("id_photo", ("证件有照片", "Photo"), cells.yes_no, default=False),
        Column("visit_type", ("就诊类型", "Visit type"), cells.one_of(VISIT_TYPES), required=True),
        Column("benefit", ("责任", "Benefit"), cells.one_of(BENEFITS)),
        Column("department", ("科室", "Department"), cells.text(80), required=True),
        Column("department_group", ("科室类别", "Department group"), cells.one_of(GROUPS), default="GENERAL"),
        Column("started_on", ("就诊日期", "入院日期", "Visit date"), cells.day, required=True, expected=DATE),
        Column("ended_on", ("出院日期", "Discharge date"), cells.day, expected=DATE, default=None),
        Column("admission_number", ("住院号", "Admission number"), cells.code),
        Column("diagnosis", ("诊断编码", "ICD-10"), cells.code, required=True),
        Column("diagnosis_name", ("诊断名称", "Diagnosis"), cells.text(120)),
        Column("authorization", ("担保函案件号", "授权号", "Authorization"), cells.code),
        Column("bill_type", ("票据类型", "Bill type"), cells.one_of(BILL_TYPES), required=True),
        Column("bill_code", ("票据代码", "Bill code"), cells.code),
        Column("bill_number", ("票据号码", "Bill number"), cells.code, required=True),
        Column("check_code", ("校验码", "Check code"), cells.code),
        Column("issued_on", ("开票日期", "Issued on"), cells.day, required=True, expected=DATE),
        Column("item", ("项目名称", "Item"), cells.text(120), required=True),
        Column("kind", ("项目类别", "Kind"), cells.one_of(KINDS), required=True),
        Column("amount", ("金额", "Amount"), yuan, required=True),
        Column("quantity", ("数量", "Quantity"), number, default=Decimal(1)),
        Column("third_party", ("第三方支付", "Third parties"), yuan, default=Decimal("0.00")),
        Column("collected", ("现场已收", "Collected"), yuan, default=Decimal("0.00")),
        Column("contact_email", ("医院邮箱", "Email"), cells.text(200)),
    ),
)  # fmt: skip
