"""The columns of an insurer's roster, by the names that insurers give them."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from apps.core.imports import Column, Sheet, cells
from apps.members.models import Guardian, IdType, Policy

DATE = _("a date such as 2026-03-05, 2026/3/5, 2026年3月5日 or 20260305")
PARENT = "PARENT"  # "the insured is my child": which parent is told by the policyholder's identity

ID_TYPES = {
    "身份证": IdType.RESIDENT_ID, "居民身份证": IdType.RESIDENT_ID, "二代身份证": IdType.RESIDENT_ID,
    "护照": IdType.PASSPORT, "外国护照": IdType.PASSPORT, "中国护照": IdType.PASSPORT,
    "港澳居民来往内地通行证": IdType.HK_MACAO_PERMIT, "港澳通行证": IdType.HK_MACAO_PERMIT,
    "回乡证": IdType.HK_MACAO_PERMIT,
    "台湾居民来往大陆通行证": IdType.TAIWAN_PERMIT, "台胞证": IdType.TAIWAN_PERMIT,
    "港澳台居民居住证": IdType.RESIDENCE_PERMIT, "居住证": IdType.RESIDENCE_PERMIT,
    "外国人永久居留身份证": IdType.RESIDENCE_PERMIT,
    "出生证": IdType.BIRTH_CERTIFICATE, "出生医学证明": IdType.BIRTH_CERTIFICATE, "出生证明": IdType.BIRTH_CERTIFICATE,
    "户口本": IdType.HOUSEHOLD_REGISTER, "户口簿": IdType.HOUSEHOLD_REGISTER, "其他": IdType.OTHER,
}  # fmt: skip
STATUSES = {
    "有效": Policy.Status.IN_FORCE, "在保": Policy.Status.IN_FORCE, "承保": Policy.Status.IN_FORCE,
    # Issued for a later day: the dates tell when it begins, so the next roster need not arrive first.
    "待生效": Policy.Status.IN_FORCE, "未生效": Policy.Status.IN_FORCE,
    "待承保": Policy.Status.PENDING, "待缴费": Policy.Status.PENDING, "核保中": Policy.Status.PENDING,
    "失效": Policy.Status.LAPSED, "中止": Policy.Status.LAPSED, "满期": Policy.Status.LAPSED,
    "满期终止": Policy.Status.LAPSED,
    "终止": Policy.Status.TERMINATED, "退保": Policy.Status.TERMINATED, "解除": Policy.Status.TERMINATED,
}  # fmt: skip
RELATIONS = {
    "母亲": Guardian.Relation.MOTHER, "母": Guardian.Relation.MOTHER, "母子": Guardian.Relation.MOTHER,
    "母女": Guardian.Relation.MOTHER, "妈妈": Guardian.Relation.MOTHER,
    "父亲": Guardian.Relation.FATHER, "父": Guardian.Relation.FATHER, "父子": Guardian.Relation.FATHER,
    "父女": Guardian.Relation.FATHER, "爸爸": Guardian.Relation.FATHER,
    "父母": PARENT, "子女": PARENT, "儿子": PARENT, "女儿": PARENT,
    "监护人": Guardian.Relation.GUARDIAN, "其他监护人": Guardian.Relation.GUARDIAN,
    "祖父母": Guardian.Relation.GUARDIAN, "外祖父母": Guardian.Relation.GUARDIAN, "其他": Guardian.Relation.GUARDIAN,
}  # fmt: skip
RIDERS = {
    "疫苗": "VACCINE", "疫苗责任": "VACCINE", "附加疫苗": "VACCINE",
    "眼科": "EYE", "眼科责任": "EYE", "附加眼科": "EYE",
    "齿科": "DENTAL", "齿科责任": "DENTAL", "附加齿科": "DENTAL", "牙科": "DENTAL",
}  # fmt: skip
NATIONS = {
    "中国": "CN", "中国大陆": "CN", "中国香港": "HK", "中国澳门": "MO", "中国台湾": "TW", "美国": "US", "英国": "GB",
    "加拿大": "CA", "澳大利亚": "AU", "新西兰": "NZ", "日本": "JP", "韩国": "KR", "新加坡": "SG", "法国": "FR",
    "德国": "DE", "俄罗斯": "RU", "印度": "IN", "马来西亚": "MY",
}  # fmt: skip


def email(value: Any) -> str:
    found = cells.fold(value).replace(" ", "")
    try:
        validate_email(found)
    except ValidationError as error:
        raise cells.CellError(_("an email address")) from error
    return found


def nation(value: Any) -> str:
    """'中国' → CN; otherwise a code of two or three letters."""
    found = cells.fold(value).replace(" ", "").upper()
    if found in NATIONS:
        return NATIONS[found]
    if re.fullmatch(r"[A-Z]{2,3}", found):
        return found
    raise cells.CellError(_("a country's name or its code of two letters"))


def policy_number(value: Any) -> str:
    found = cells.code(value)
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9\-/]{3,39}", found):
        raise cells.CellError(_("a number of 4 to 40 letters, digits and hyphens"))
    return found


_KINDS = cells.one_of(ID_TYPES)
_COLUMNS = (
    Column("number", ("保单号", "保单号码", "保险单号", "Policy number"), policy_number, required=True),
    Column("certificate", ("个人凭证号", "分单号", "凭证号", "电子凭证号", "Certificate number"), policy_number),
    Column("series", ("产品系列", "系列", "Series"), cells.text(40), required=True),
    Column("scheme", ("投保方案", "方案", "Scheme"), cells.text(40)),
    Column("plan", ("保障计划", "计划", "版本", "Plan"), cells.text(40), required=True),
    Column("edition", ("版别", "产品版别", "Edition"), cells.text(40)),
    Column("status", ("保单状态", "状态", "Status"), cells.one_of(STATUSES), required=True),
    Column("name", ("被保险人姓名", "被保人姓名", "姓名", "Insured name"), cells.person_name, required=True),
    Column("sex", ("性别", "被保险人性别", "Sex"), cells.one_of({"男": "M", "女": "F"}), required=True),
    Column("birth_date", ("出生日期", "被保险人出生日期", "Date of birth"), cells.day, required=True, expected=DATE),
    Column("id_type", ("证件类型", "被保险人证件类型", "Identity type"), _KINDS, required=True),
    Column("id_number", ("证件号码", "证件号", "被保险人证件号码", "Identity number"), cells.code, required=True,
           sensitive=True),
    Column("nationality", ("国籍", "Nationality"), nation, default="CN"),
    Column("social_insurance", ("是否有社保", "有无社保", "社保", "Social insurance"), cells.yes_no, required=True),
    Column("enrolled_with_social", ("以有社保身份投保", "投保社保身份", "Enrolled with social insurance"), cells.yes_no,
           default=None),
    Column("mobile", ("预留手机号", "投保预留手机号", "被保险人手机号", "Enrollment mobile"), cells.phone, required=True,
           sensitive=True),
    Column("email", ("电子邮箱", "邮箱", "E-mail"), email),
    Column("holder_name", ("投保人姓名", "投保人", "监护人姓名", "Policyholder name"), cells.person_name, required=True),
    Column("holder_relation", ("与被保险人关系", "投保人与被保险人关系", "关系", "Relation"), cells.one_of(RELATIONS),
           required=True),
    Column("holder_id_type", ("投保人证件类型", "Policyholder identity type"), _KINDS),
    Column("holder_id_number", ("投保人证件号码", "投保人证件号", "Policyholder identity number"), cells.code,
           sensitive=True),
    Column("holder_mobile", ("投保人手机号", "投保人手机", "Policyholder mobile"), cells.phone, sensitive=True),
    Column("holder_email", ("投保人邮箱", "投保人电子邮箱", "Policyholder e-mail"), email),
    Column("enroll_channel", ("投保渠道", "承保渠道", "Enrollment channel"),
           cells.one_of({"线上": "ONLINE", "网上": "ONLINE", "线下": "PAPER", "纸质": "PAPER", "线下纸质": "PAPER"}),
           default="ONLINE"),
    Column("concluded_on", ("合同成立日", "承保日期", "签单日期", "Concluded on"), cells.day, expected=DATE,
           default=None),
    Column("effective_on", ("生效日期", "保险起期", "生效日", "Effective on"), cells.day, required=True, expected=DATE),
    Column("expires_on", ("满期日期", "保险止期", "终止日期", "到期日", "Expires on"), cells.day, required=True,
           expected=DATE),
    Column("ended_on", ("提前终止日期", "退保日期", "失效日期", "Ended on"), cells.day, expected=DATE, default=None),
    Column("renewed", ("新保续保", "新保/续保", "是否续保", "Renewed"),
           cells.one_of({"新保": "N", "续保": "Y", "是": "Y", "否": "N"}), default="N"),
    Column("continuous_since", ("连续投保起始日", "首次投保日期", "首保日期", "Continuously insured since"), cells.day,
           expected=DATE, default=None),
    Column("riders", ("可选责任", "附加险", "附加责任", "Riders"), cells.several_of(RIDERS), default=()),
    Column("special_agreement", ("特别约定", "Special agreement"), cells.long_text),
    Column("exclusions", ("除外疾病编码", "除外诊断", "除外责任", "Excluded diagnoses"),
           cells.codes_like(r"[A-Z]\d{2}(\.[0-9X]{1,4})?"), expected=_("ICD-10 codes such as J45、L20.9"), default=()),
)  # fmt: skip

ROSTER = Sheet("roster", ("被保险人清单", "承保清单", "保单清单", "Roster"), _COLUMNS)
