"""The kinds of error that inspections count: filled after migrations, never overwritten."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.apps import apps as current_apps
from django.apps.registry import Apps


class Code(NamedTuple):
    code: str
    name: str
    name_en: str
    severity: str


CATALOGUE = (
    Code("A1", "赔付金额错误", "Wrong amount", "CRITICAL"),
    Code("A2", "错付收款人或账户", "Wrong payee or account", "CRITICAL"),
    Code("A3", "重复赔付", "Paid twice", "CRITICAL"),
    Code("A4", "泄露个人信息", "Personal data disclosed", "CRITICAL"),
    Code("B1", "责任或除外认定错误", "Cover or exclusion judged wrongly", "MAJOR"),
    Code("B2", "项目或诊断录入错误", "Item or diagnosis entered wrongly", "MAJOR"),
    Code("B3", "第三方给付漏扣", "Third-party payment not deducted", "MAJOR"),
    Code("B4", "材料不齐即核定", "Decided without all papers", "MAJOR"),
    Code("B5", "应调查或医审而未做", "Investigation or medical review left out", "MAJOR"),
    Code("B6", "超时限", "A promise was missed", "MAJOR"),
    Code("C1", "理由或通知书表述不清", "Reason or letter unclear", "MINOR"),
    Code("C2", "影像或标注不规范", "Scan or annotation careless", "MINOR"),
    Code("C3", "记录不完整", "Record incomplete", "MINOR"),
)


def sync_error_codes(using: str = "default", apps: Apps = current_apps, **kwargs: Any) -> None:
    """Create the codes that are missing; connected to `post_migrate`."""
    try:
        codes = apps.get_model("quality", "ErrorCode").objects.using(using)
    except LookupError:
        return  # the table was migrated away
    known = set(codes.values_list("code", flat=True))
    missing = [code for code in CATALOGUE if code.code not in known]
    codes.bulk_create([codes.model(**code._asdict()) for code in missing], ignore_conflicts=True)
