"""Names of codes inside messages, Chinese with their English; an unknown code shows itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.adjudication.codes import BENEFIT_NAMES, CAUSE_NAMES, KIND_NAMES

CHANNELS = {
    "ONLINE": "在线理赔", "MINIPROGRAM": "小程序", "HOTLINE": "服务热线", "EMAIL": "电子邮件",
    "MAIL": "邮寄", "PHONE": "电话", "SMS": "短信", "WECOM": "企业微信", "TEXT_IMAGE": "图文", "HOSPITAL": "医院",
    "HOSPITAL_DIRECT": "直接向医院预约", "HOSPITAL_COUNTER": "医院柜台",
}  # fmt: skip
DEPARTMENTS = {"GENERAL": "普通部", "SPECIAL": "特需部", "INTERNATIONAL": "国际部"}
OWNERSHIPS = {"PUBLIC": "公立", "PRIVATE": "私立"}
POLICY_STATES = {"IN_FORCE": "有效", "PENDING": "未生效", "LAPSED": "失效", "TERMINATED": "终止"}
BILL_STATES = {"VOID": "已作废", "RED_LETTER": "已红冲", "EXCHANGED": "已换开", "VALID": "有效"}
GRADES = {1: "一级", 2: "二级", 3: "三级"}


class Name(str):
    """A Chinese name that knows its English."""

    en: str

    def __new__(cls, chinese: str, english: str) -> Name:
        name = super().__new__(cls, chinese)
        name.en = english
        return name


def english(code: str) -> str:
    """BED, HEALTH_CHECK: the codes are English already."""
    return code.replace("_", " ").lower()


def named(names: Mapping[str, str], code: str) -> str:
    """The name of a code; a code without one is shown as it is, in both languages."""
    return Name(names[code], english(code)) if code in names else code


def benefit_name(code: str) -> str:
    return named(BENEFIT_NAMES, code)


def kind_name(code: str) -> str:
    return named(KIND_NAMES, code)


def cause_name(code: str) -> str:
    return named(CAUSE_NAMES, code)


def department_name(code: str) -> str:
    return named(DEPARTMENTS, code)


def ownership_name(code: str) -> str:
    return named(OWNERSHIPS, code)


def policy_state_name(code: str) -> str:
    return named(POLICY_STATES, code)


def bill_state_name(code: str) -> str:
    return named(BILL_STATES, code)


def grade_name(grade: int | None) -> str:
    """Of a hospital; 1 to 3, None: it has none."""
    if grade is None:
        return Name("未定级", "without a grade")
    return Name(GRADES.get(grade, str(grade)), f"grade {grade}")


def channel_names(codes: Iterable[str]) -> str:
    known = list(codes)
    return Name("、".join(CHANNELS.get(code, code) for code in known), ", ".join(map(english, known)))


def gap_name(subject: str, why: str) -> str:
    """What is wrong with whose identity paper."""
    return f"{SUBJECTS.get(subject, subject)}：{GAPS.get(why, why)}"


def gap_name_en(subject: str, why: str) -> str:
    return f"{subject.lower()}: {GAPS_EN.get(why, why)}"


SUBJECTS = {"INSURED": "被保险人", "PAYEE": "领款人（监护人）"}
GAPS = {"ABSENT": "未提供", "EXPIRED": "证件已过期", "NO_PHOTO": "证件无照片", "ILLEGIBLE": "影像不清晰"}
GAPS_EN = {
    "ABSENT": "not supplied", "EXPIRED": "expired", "NO_PHOTO": "has no photo", "ILLEGIBLE": "not legible",
}  # fmt: skip
