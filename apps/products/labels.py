"""The closed vocabulary of handbooks in words. English follows from the code; Chinese stands here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import get_language

from apps.adjudication.handbook import Condition, Handbook, Step, Title
from apps.adjudication.handbook_diff import show

ZH = {
    # events
    "reported": "报案",
    "first_received": "首次收到",
    "emergency_held": "急诊待定",
    "hold_decided": "待定已决定",
    "refusal_proposed": "拟拒绝",
    "materials_complete": "资料齐全",
    "originals_complete": "原件齐全",
    "supplement_sent": "补件通知已发",
    "papers_arrived": "单证到达",
    "decided": "作出决定",
    "refused": "拒赔",
    "refusal_sent": "拒赔通知已发",
    "undisputed_decided": "无争议部分已先付",
    "payment_ordered": "付款指令",
    "paid": "已付款",
    "part_paid": "部分已付",
    "closed": "结案",
    "withdrawn": "撤案",
    "request_received": "收到申请",
    "appointment_arranged": "预约已安排",
    "cancelled": "取消",
    "visit_date": "就诊日",
    "treatment_start": "治疗开始",
    "emergency_visit": "急诊就诊",
    "authorization_submitted": "授权已提交",
    "authorization_complete": "授权单证齐全",
    "authorization_decided": "授权已决定",
    "parcel_sent": "已寄出",
    "tracking_received": "收到单号",
    "bill_notified": "账单已通知",
    "bill_final_notice": "账单末次提醒",
    "bill_notice_failed": "账单提醒退回",
    "bill_exhausted": "账单提醒用尽",
    "bill_paid": "账单已付",
    "member_contacted": "已联系会员",
    "refund_received": "收到退款",
    "due_moved": "另定退款日期",
    "message_received": "收到留言",
    "message_answered": "已回复",
    "consult_received": "收到问诊",
    "consult_received_late": "晚间收到问诊",
    "consult_answered": "已响应",
    "service_requested": "收到服务申请",
    "service_answered": "服务已答复",
    "policy_effective": "保单生效",
    "policy_end": "保单期满",
    "entitlement_applied": "申请权益",
    "entitlement_verified": "权益验证通过",
    "first_called": "已首次联系",
    "advance_complete": "垫付单证齐全",
    "advance_decided": "垫付已决定",
    "advance_incomplete": "垫付单证不再齐全",
    "investigation_opened": "开启查勘",
    "documents_signed": "文件已签署",
    "advanced": "已垫付",
    "discharge_date": "出院日",
    "discharge_noticed": "已告知出院",
    "discharge_moved": "出院日变更",
    "settled": "已结算",
    "advance_adjudicated": "垫付案已核赔",
    "appeal_received": "收到申诉",
    "appeal_answered": "申诉已答复",
    "reconsideration_asked": "申请复议",
    "complaint_received": "收到投诉",
    "complaint_answered": "投诉已答复",
    "report_shared": "已分享报告",
    "advice_given": "已给建议",
    "test_ordered": "已下单检测",
    "knowledge_of_nondisclosure": "得知未如实告知",
    "contract_concluded": "合同成立",
    "vaccination_due": "应接种日",
    # reasons of pauses
    "dispute": "争议",
    "missing_papers": "待补件",
    "information": "待补信息",
    # steps and whom they tell
    "REMIND": "提醒",
    "TARGET": "目标",
    "ESCALATE": "升级",
    "BREACH": "超时",
    "ASSIGNEE": "处理人",
    "MEMBER": "会员",
    "adjuster_lead": "理赔组长",
    "senior_adjuster": "高级理赔员",
    "tpa_manager": "TPA 经理",
    "tpa_lead": "TPA 组长",
    "manager": "经理",
    "claims_manager": "理赔经理",
    "duty_lead": "值班负责人",
    "booking_lead": "预约组长",
    "authorization_lead": "授权组长",
    "reviewer": "审核员",
    "service_lead": "服务组长",
    "specialist": "服务专员",
    "review_lead": "审核组长",
    "investigation_lead": "查勘组长",
    "finance_lead": "财务负责人",
    "provider_lead": "服务商负责人",
    "collections": "催缴",
    "recovery_lead": "追偿组长",
    "mail_clerk": "收件员",
    "family_doctor_contact": "家庭医生联系人",
    "compliance": "合规",
    # units
    "yuan": "元",
    "days": "天",
    "workdays": "工作日",
    "hours": "小时",
    "minutes": "分钟",
    "months": "个月",
    "until_next_day": "日(次日)",
    # check lists, ways of submission, forms of papers
    "REIMBURSEMENT": "事后理赔",
    "VACCINE": "疫苗",
    "HEALTH_CHECK": "健康检查",
    "INTERNET": "互联网医院",
    "DIRECT": "直付",
    "EMERGENCY": "急诊",
    "ANNOTATION": "发票标注",
    "AUTHORIZATION": "事先授权",
    "LETTER": "签发担保函",
    "ADVANCE": "垫付申请",
    "ADVANCE_SIGNATURE": "垫付签署",
    "DISCHARGE": "出院结算",
    "COMPLEX": "复杂投诉",
    "EXTENDED": "延长的投诉",
    "ONLINE": "线上",
    "PAPER": "纸质",
    "NATIONAL": "全国版",
    "BEIJING": "北京版",
    "MAIL": "邮寄",
    "MINIPROGRAM": "小程序",
    "HOTLINE": "热线",
    "PHONE": "电话",
    "EMAIL": "邮件",
    "SMS": "短信",
    "WECOM": "企业微信",
    "TEXT_IMAGE": "图文",
    "HOSPITAL": "医院",
    "HOSPITAL_DIRECT": "直接向医院预约",
    "HOSPITAL_COUNTER": "医院柜台",
    "ORIGINAL": "原件",
    "COPY": "复印件",
    "IMAGE": "影像",
    "FORM": "表单",
    "DATA": "填写或核对",
    # kinds of visits, benefits and items
    "OUTPATIENT": "门诊",
    "INPATIENT": "住院",
    "OBSERVATION_WARD": "病房留观",
    "DENTAL": "齿科",
    "EYE": "眼科",
    "MENTAL_HEALTH": "心理咨询",
    "EXAM": "检查",
    "TREATMENT": "治疗",
    "DRUG": "药品",
    "INJECTION": "针剂",
    "DME": "耐用医疗设备",
    "NEBULIZER": "雾化器",
    "DISPOSABLE": "一次性器材",
    "MAJOR_EXAM": "大型检查",
    "GENERAL_ANESTHESIA": "全身麻醉",
    "CHEMOTHERAPY": "化疗",
    "RADIOTHERAPY": "放疗",
    "IMMUNOTHERAPY": "肿瘤免疫疗法",
    "ENDOCRINE_THERAPY": "肿瘤内分泌疗法",
    "PROTON_THERAPY": "质子重离子",
    "HEMODIALYSIS": "血液透析",
    "PERITONEAL_DIALYSIS": "腹膜透析",
    # conditions
    "always": "总是",
    "minor": "未成年人",
    "adult": "成年人",
    "visit_type": "就诊类型",
    "benefit": "责任",
    "category": "类别",
    "channel": "渠道",
    "route": "递交方式",
    "surgery": "有手术",
    "drugs": "有药品",
    "third_party": "有第三方结算",
    "accident": "意外",
    "mental_health": "心理咨询",
    "amount_at_least": "索赔额达到",
    "amount_at_most": "索赔额不超过",
    "e_signed": "已电子签名",
    "bank_data_structured": "账户已在线填写",
    "e_card_held": "持有电子卡",
    "payee_is_guardian": "领款人为监护人",
    "procedure": "治疗种类",
    "item_kind": "项目种类",
    "unit_price_at_least": "单价达到",
    "item_above": "单项超过",
    "single_treatment_above": "单次治疗单品超过",
    "treatment_total_above": "单次治疗合计超过",
    "cumulative_above": "累计超过",
    "diagnosis_in": "诊断属于",
    "in_stay": "住院期间",
    "outside_stay": "非住院",
    "none_of": "不含",
    "authorization.critical_illness": "重大疾病诊断目录",
    # papers that stand for others
    "CLAIM_FORM": "理赔表",
    "CLAIM_APPLICATION": "索赔申请书",
    "PASSPORT": "护照",
    "HOUSEHOLD_REGISTER": "户口本本人页",
    "BIRTH_CERTIFICATE_NAMING_PARENTS": "载明父母的出生证明",
    "E_INVOICE_SOURCE": "电子票据源文件",
    "PRESCRIPTION": "处方",
    "VACCINATION_RECORD": "接种记录",
    "DIAGNOSIS_CERTIFICATE": "诊断证明",
    "ADMISSION_RECORD": "入院记录",
    # figures: what stands in their lists
    "AMOUNT": "金额",
    "CLOSED": "结案时",
    "UNPAID": "出现未付自付额时",
    "ORDER": "下单",
    "POLICY_PERIOD": "保险期间",
    "EFFECTIVE_DATE": "生效日",
    "REFER": "由人判断",
    "WARN": "提示",
    "STAFF": "工作人员",
    "INSURER": "保险公司",
    "PUBLIC": "公立",
    "PRIVATE": "私立",
    "GENERAL": "普通科室",
    "SPECIAL": "特需科室",
    "INTERNATIONAL": "国际部",
    "ILLNESS": "疾病",
    "ACCIDENT": "意外",
    "CANCEL": "取消",
    "RESCHEDULE": "改期",
    "DEPOSIT": "押金",
    "FALSE_INFO": "虚假信息",
    "NON_DISCLOSURE": "未如实告知",
    "FRAUD": "欺诈",
    "ANGIOGRAPHY": "血管造影",
    "ENDOSCOPY": "内镜检查",
    "GENETIC_TEST": "基因检测",
    "MRI": "核磁共振",
    "PET_CT": "PET-CT",
    "POLYSOMNOGRAPHY": "多导睡眠监测",
    "AFFECTIVE_DISORDER": "情感障碍",
    "DEPRESSION": "抑郁",
    "ADDICTIVE_PERSONALITY": "成瘾型人格",
    "LOW_SELF_ESTEEM": "自卑",
    "DYSLEXIA": "阅读障碍",
    "AUTISM": "孤独症",
    "OBSESSIVE_COMPULSIVE": "强迫症",
    "SELECTIVE_MUTISM": "选择性缄默",
    "BASIC": "基本信息",
    "CHECK_UP": "体检",
    "VISIT": "就诊",
    "VISITS": "就诊记录",
    "VACCINATION": "接种",
    "BENEFITS": "保障权益",
    "BENEFIT_LIST": "权益清单",
    "POLICY_DETAIL": "保单详情",
    "HOSPITALS": "医院查询",
    "SERVICE": "服务",
    "CLAIM": "理赔",
    "PHONE_CONSULT": "电话咨询",
    "PHONE_950619": "电话 950619",
    "COMPLAINT": "投诉",
    "BIRTH_DATE": "出生日期",
    "SEX": "性别",
    "VALID_UNTIL": "有效期至",
    "NAME": "姓名",
    "MOBILE": "手机号",
    "RELATION": "与被保险人关系",
    "ID_TYPE": "证件类型",
    "ID_NUMBER": "证件号码",
    "RESIDENT_ID": "居民身份证",
    "RESIDENCE_PERMIT": "居留证",
    "HK_MACAO_PERMIT": "港澳居民来往内地通行证",
    "TAIWAN_PERMIT": "台湾居民来往大陆通行证",
    "CITY": "城市",
    "HOSPITAL_TYPE": "医院类型",
    "DIRECT_BILLING_SCOPE": "直付范围",
    "PROFILE": "简介",
    "SERVICE_HOURS": "服务时间",
    "LOCATION": "位置",
    "VISIT_TIPS": "就诊提示",
    "SPECIAL_DEPARTMENTS": "特色科室",
    "COMMON_ILLNESS": "常见病",
    "GROWTH": "生长发育",
    "NUTRITION": "营养",
    "HYGIENE": "卫生",
    "EMOTION": "情绪",
    "BOOKLET": "保健手册",
    "DEVELOPMENT_EVALUATION": "发育评估",
    "FEEDING_ADVICE": "喂养指导",
    "GROWTH_MONITORING": "生长监测",
    "ORAL_HYGIENE_ADVICE": "口腔卫生指导",
    "JD_HEALTH": "京东健康",
    # how a rule is proven
    "block": "拦截",
    "compute": "计算",
    "record": "留痕",
    "master": "主数据",
    # fields of entries
    "title": "名称",
    "says": "内容",
    "rule": "规则",
    "rules": "规则",
    "value": "数值",
    "unit": "单位",
    "basis": "依据",
    "source": "出处",
    "level": "力度",
    "area": "章节",
    "keys": "程序名",
    "offered": "是否提供",
    "channels": "渠道",
    "redirect": "替代",
    "when": "适用情形",
    "lists": "所属清单",
    "form": "形式",
    "satisfied_by": "可替代单证",
    "automatic_when": "自动满足",
    "original_when_mailed": "邮寄须原件",
    "pages": "影像页数",
    "duration": "时长",
    "start": "起算",
    "stop": "终止",
    "pauses": "暂停事由",
    "steps": "提醒与升级",
    "cutoff": "截止时刻",
    "target": "目标",
    "warn": "预警",
    "statutory": "法定",
    "series": "系列",
    "operator": "运营方",
    "tpa": "管理商",
    "recipient": "收件人",
    "postcode": "邮编",
    "phone": "电话",
    "optional": "可选",
    "rule_class": "验证方式",
    "direction": "方向",
    "kind": "种类",
    "network_group": "网络组",
}


#: Kinds of paper, for a series whose check lists do not ask for them.
PAPER_TITLES = {
    "CLAIM_FORM": "理赔表",
    "CLAIM_APPLICATION": "索赔申请书",
    "BANK_ACCOUNT": "收款账户资料",
    "INSURED_ID": "被保险人身份证明",
    "PASSPORT": "护照",
    "HOUSEHOLD_REGISTER": "户口本（含儿童本人页）",
    "BIRTH_CERTIFICATE": "出生证明",
    "BIRTH_CERTIFICATE_NAMING_PARENTS": "载明父母的出生证明",
    "RELATIONSHIP_PROOF": "关系证明",
    "GUARDIAN_ID": "监护人身份证明",
    "PHOTO_ID": "带照片的有效证件",
    "E_CARD": "电子保险卡",
    "INVOICE": "发票",
    "E_INVOICE_SOURCE": "电子票据源文件（XML、OFD、PDF）",
    "E_INVOICE_CONSULT": "问诊电子发票",
    "E_INVOICE_PRESCRIPTION": "处方药电子发票",
    "INVOICE_ANNOTATION": "发票上的索赔标注",
    "THIRD_PARTY_SETTLEMENT": "第三方结算证明",
    "ITEMIZED_BILL": "费用明细清单",
    "MEDICAL_RECORD": "病历",
    "PRESCRIPTION": "处方",
    "DISCHARGE_SUMMARY": "出院小结",
    "SURGERY_REPORT": "手术记录",
    "INPATIENT_RECORD": "住院病历",
    "ADMISSION_RECORD": "入院记录",
    "EXAM_REPORT": "检查报告",
    "DIAGNOSIS_CERTIFICATE": "诊断证明",
    "ACCIDENT_EVIDENCE": "意外事故证明",
    "PSYCHIATRIST_REPORT": "精神科医生诊断报告",
    "VACCINATION_RECORD": "接种记录",
    "DIRECT_CLAIM_FORM": "直付理赔申请表",
    "SIGNED_RECEIPT": "签收单",
    "SIGNED_BILL": "已签字账单",
    "CARD_CHECK": "保险卡核对记录",
    "IDENTITY_CHECK": "身份核验记录",
    "AUTHORIZATION_REQUEST": "授权申请表",
    "COST_ESTIMATE": "费用预估",
    "ENTRUSTMENT_LETTER": "授权委托书",
    "PAPER_CONSENT": "纸质知情同意书",
    "OTHER": "未分类",
}


def paper_title(handbook: Handbook, kind: str, *, english: bool | None = None) -> str:
    """What a series calls a kind of paper, else plain words; in the reader's language unless told."""
    in_english = not (get_language() or "zh").startswith("zh") if english is None else english
    for document in handbook.documents:
        if document.key == kind:
            return document.title.en if in_english else document.title.zh
    if in_english:
        return "Not sorted yet" if kind == "OTHER" else kind.replace("_", " ").capitalize()
    return PAPER_TITLES.get(kind, kind)


def english() -> bool:
    return (get_language() or "").startswith("en")


def label(code: str) -> str:
    """A code in the reader's language; a code without Chinese words stays as it is."""
    if english():
        return code.rpartition(".")[2].replace("_", " ").lower() if code[:1].isalpha() else code
    return ZH.get(code, code)


def code_words(text: str) -> str:
    """A text that may be a code: only a code of the vocabulary changes."""
    return label(text) if text in ZH else text


def in_words(text: str) -> str:
    """Every code within a text in words: 'visit_type kinds=INPATIENT' → '就诊类型 住院'."""
    return re.sub(r"[A-Za-z_.]{2,}", lambda match: code_words(match[0]), re.sub(r"\b\w+=", "", text))


def joined(parts: Iterable[str]) -> str:
    return (", " if english() else "、").join(parts)


def labels(codes: Iterable[str]) -> str:
    return joined(label(code) for code in codes)


def condition_words(conditions: Iterable[Condition]) -> str:
    """'就诊类型 住院' or 'visit type inpatient'; all of them must hold."""
    return (" + " if english() else "，且").join(_condition(condition) for condition in conditions)


def _condition(condition: Condition) -> str:
    parts = [label(condition.test)]
    for name, value in condition.args.items():
        text = labels(value) if isinstance(value, tuple) else label(show(value))
        if name == "yuan":
            text = f"{text} {label('yuan')}"
        parts.append(f"{label(name)} {text}" if name == "none_of" else text)
    return " ".join(parts)


def step_words(steps: Iterable[Step]) -> str:
    """'提醒处理人(时长的 75%)、超时理赔组长(到期时)' and the like."""
    return ("; " if english() else "；").join(_step(step) for step in steps)


def _step(step: Step) -> str:
    who = f"{label(step.kind)} {label(step.to)}"
    if step.at is not None:
        share = f"{step.at * 100:f}".rstrip("0").rstrip(".")
        return f"{who} ({share}%)"
    if not step.offset:
        return f"{who} (at the due)" if english() else f"{who}（到期时）"
    amount = f"{abs(step.offset)} {label(step.offset_unit)}"
    if english():
        return f"{who} ({amount} {'after' if step.offset > 0 else 'before'})"
    return f"{who}（{'到期后' if step.offset > 0 else '到期前'} {amount}）"


def words(title: Title) -> tuple[str, str]:
    """A title in the reader's language and in the other one; Chinese first by default."""
    return (title.en, title.zh) if english() else (title.zh, title.en)
