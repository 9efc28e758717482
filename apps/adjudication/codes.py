"""Code lists of facts: what a field may say. JSON, schemas and forms validate against these."""

from __future__ import annotations

from typing import Final

SEXES: Final = ("M", "F")
ID_TYPES: Final = (
    "RESIDENT_ID", "PASSPORT", "HK_MACAO_PERMIT", "TAIWAN_PERMIT", "RESIDENCE_PERMIT",
    "BIRTH_CERTIFICATE", "HOUSEHOLD_REGISTER", "OTHER",
)  # fmt: skip
POLICY_STATES: Final = ("IN_FORCE", "PENDING", "LAPSED", "TERMINATED")
OWNERSHIPS: Final = ("PUBLIC", "PRIVATE")
DEPARTMENT_GROUPS: Final = ("GENERAL", "SPECIAL", "INTERNATIONAL")
VISIT_TYPES: Final = ("OUTPATIENT", "EMERGENCY", "INPATIENT", "OBSERVATION_WARD", "INTERNET")
CAUSES: Final = ("ILLNESS", "ACCIDENT")
BILL_TYPES: Final = ("FISCAL_E", "FISCAL_PAPER", "VAT", "DIGITAL", "OTHER")
BILL_STATES: Final = ("VALID", "VOID", "RED_LETTER", "EXCHANGED")
BENEFITS: Final = (
    "OUTPATIENT", "EMERGENCY", "INPATIENT", "VACCINE", "DENTAL", "EYE", "HEALTH_CHECK", "MENTAL_HEALTH",
)  # fmt: skip
LINE_KINDS: Final = (
    "CONSULT", "EXAM", "TREATMENT", "DRUG", "INJECTION", "SURGERY", "BED", "NURSING", "MATERIAL", "DME",
    "VACCINE", "VACCINATION", "HEALTH_CHECK", "COUNSELING", "HOME_TEST", "NO_SHOW", "POSTAGE",
    "REGISTRATION", "FREE_CONSULT", "OTHER",
)  # fmt: skip
ITEM_CATEGORIES: Final = ("A", "B", "C", "")
PROCEDURES: Final = (
    "GENERAL_ANESTHESIA", "CHEMOTHERAPY", "RADIOTHERAPY", "IMMUNOTHERAPY",
    "ENDOCRINE_THERAPY", "PROTON_THERAPY", "HEMODIALYSIS", "PERITONEAL_DIALYSIS", "MAJOR_EXAM",
)  # fmt: skip
PAPER_FORMS: Final = ("ORIGINAL", "COPY", "IMAGE", "E_SIGNED", "SOURCE_FILE", "DATA")
CATEGORIES: Final = ("REIMBURSEMENT", "VACCINE", "INTERNET", "HEALTH_CHECK", "DIRECT")
OUTCOMES: Final = ("APPROVE", "PARTIAL", "DENY", "PEND", "REFER", "BLOCKED")
LIMIT_PERIODS: Final = ("YEAR", "VISIT", "DAY", "COUNT_YEAR")
PAYEE_RELATIONS: Final = ("INSURED", "GUARDIAN", "OTHER", "")

BENEFIT_NAMES: Final[dict[str, str]] = {
    "OUTPATIENT": "门诊", "EMERGENCY": "急诊", "INPATIENT": "住院", "VACCINE": "疫苗", "DENTAL": "齿科",
    "EYE": "眼科", "HEALTH_CHECK": "儿童体检", "MENTAL_HEALTH": "心理咨询",
}  # fmt: skip
CAUSE_NAMES: Final[dict[str, str]] = {"ILLNESS": "疾病", "ACCIDENT": "意外"}
KIND_NAMES: Final[dict[str, str]] = {
    "CONSULT": "诊察费", "EXAM": "检查", "TREATMENT": "治疗", "DRUG": "药品", "INJECTION": "注射",
    "SURGERY": "手术", "BED": "床位", "NURSING": "护理", "MATERIAL": "材料", "DME": "医疗设备",
    "VACCINE": "疫苗", "VACCINATION": "接种", "HEALTH_CHECK": "体检", "COUNSELING": "心理咨询",
    "HOME_TEST": "居家检测", "NO_SHOW": "爽约费", "POSTAGE": "邮寄费", "REGISTRATION": "挂号",
    "FREE_CONSULT": "免费问诊", "OTHER": "其他",
}  # fmt: skip

# Kinds that always belong to one benefit, whatever the visit is called.
KIND_BENEFIT: Final[dict[str, str]] = {
    "VACCINE": "VACCINE",
    "VACCINATION": "VACCINE",
    "HEALTH_CHECK": "HEALTH_CHECK",
    "COUNSELING": "MENTAL_HEALTH",
}

# Networks whose listing also serves a benefit that has none of its own.
NETWORK_OF: Final[dict[str, tuple[str, ...]]] = {
    "HEALTH_CHECK": ("HEALTH_CHECK", "VACCINE"),  # printed with the vaccine benefit (PR-17)
    "MENTAL_HEALTH": ("MENTAL_HEALTH", "OUTPATIENT"),
    "EMERGENCY": ("EMERGENCY", "OUTPATIENT"),  # one outpatient/emergency network (NET-01)
}

# Services that a post-claim or a direct-billing visit of a benefit needs.
CLAIM_SERVICE: Final[dict[str, str]] = {
    "REIMBURSEMENT": "reimbursement",
    "VACCINE": "vaccine_claim",
    "INTERNET": "internet_claim",
    "HEALTH_CHECK": "health_check_claim",
    "DIRECT": "direct_billing",
}
BENEFIT_CLAIM_SERVICE: Final[dict[str, str]] = {
    "VACCINE": "vaccine_claim",
    "DENTAL": "dental_claim",
    "EYE": "eye_claim",
    "HEALTH_CHECK": "health_check_claim",
    "MENTAL_HEALTH": "mental_health_claim",
}
BENEFIT_DIRECT_SERVICE: Final[dict[str, str]] = {
    "VACCINE": "vaccine_direct",
    "DENTAL": "dental_direct",
    "EYE": "eye_direct",
}
