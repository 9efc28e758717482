"""The words of findings, by code: what was found and what would change it, zh and en.

Written for the adjuster; placeholders are the figures of the finding. Letters use their own
templates and may quote these.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    zh: str
    en: str
    remedy_zh: str = ""
    remedy_en: str = ""


INTAKE: dict[str, Words] = {
    "SERIES_MISMATCH": Words(
        "保障计划属 {plan_series} 系列，而所用手册为 {series} 系列。",
        "The plan belongs to series {plan_series}, the handbook in use to {series}.",
        "按就诊日有效保单所属系列重新选择手册后再受理。",
        "Choose the handbook of the policy in force on the date of service.",
    ),
    "VERSION_UNKNOWN": Words(
        "方案“{version}”不属于 {series} 系列（本系列方案：{known}）。",
        "Version {version} is not part of series {series} (known: {known}).",
        "核对保单方案代码并更正。",
        "Check and correct the version on the policy.",
    ),
    "PLAN_NO_GROUP": Words(
        "计划“{version}”未对应任何医疗网络组别，无法核对网络医院。",
        "Plan {version} has no network group; the network cannot be checked.",
        "在产品数据中补录该计划的网络组别。",
        "Add the plan's network group to the product data.",
    ),
    "NOT_IN_FORCE": Words(
        "就诊日 {day} 不在保单有效期内（{effective} 至 {until}，保单状态：{status}）。",
        "Service on {day} is outside the cover of {effective} to {until} (policy {status}).",
        "如另有保单在就诊日有效，请改挂该保单；或核实就诊日期、保单状态。",
        "File under a policy in force on that day, or correct the date of service or policy status.",
    ),
    "SERVICE_CLOSED": Words(
        "{series} 系列不提供“{service}”。{redirect}",
        "Series {series} does not offer “{service_en}”. {redirect_en}",
        "{redirect}如认为保险合同另有约定，请附合同条款由主管确认。",
        "{redirect_en} If the contract says otherwise, a supervisor confirms with the clause.",
    ),
    "CONTRACT_BENEFIT": Words(
        "{series} 系列手册未列“{benefit}”，但计划 {plan} 含该责任，以保险合同为准，需人工判断。",
        "Series {series} has no {benefit}, but plan {plan} does: the contract prevails, a person decides.",
        "查阅合同条款后选择受理或不予受理，并引用条款。",
        "Read the contract, then accept or refuse naming the clause.",
    ),
    "INTERNET_PUBLIC": Words(
        "{series} 系列未开通互联网医院理赔；{hospital} 为公立医院的互联网诊疗，需人工判断。",
        "Series {series} has no internet-hospital claim; {hospital} is public, so a person decides.",
        "由审核岗确认是否按公立医院事后理赔受理，并注明理由。",
        "A reviewer decides, with a reason, whether it counts as a public post-claim.",
    ),
    "PRIVATE_NO_REIMB": Words(
        "{hospital} 为私立医疗机构，私立医院不接受事后理赔。",
        "{hospital} is private; private hospitals never accept post-claims.",
        "无需向客户收取材料。仅当属紧急就诊并经高级审核岗认可，或机构性质登记有误时可以受理。",
        "Ask for no papers. Only an emergency accepted by a senior, or a wrong ownership record, changes it.",
    ),
    "EMERGENCY_HOLD": Words(
        "紧急情况下在私立机构 {hospital} 就诊，不得直接受理或拒绝，须由高级审核岗在 1 个工作日内判断。",
        "Emergency at private {hospital}: neither accepted nor refused; a senior decides in one working day.",
        "核实急诊病历、分诊级别及就近就医情况后，选择“受理”或“不予受理”并写明理由。",
        "Check the emergency record and why this hospital was nearest; then accept or refuse with a reason.",
    ),
    "ALREADY_DIRECT_BILLED": Words(
        "该次就诊已直付结算，不得重复申请事后理赔。",
        "This visit was direct-billed; it cannot be claimed again.",
        "核对直付赔案；仅当确认费用不在直付账单内时方可继续。",
        "Compare with the direct-billing claim; go on only for costs not contained in it.",
    ),
    "DIRECT_BILLING_UNUSED": Words(
        "{hospital} 为可直付公立医院，客户未走直付而自行支付，是否接受事后理赔需人工判断。",
        "{hospital} is direct-billing public but the member paid cash; a person decides on the post-claim.",
        "了解未走直付的原因（医院系统故障、未预约等），由审核岗决定并注明理由。",
        "Find out why direct billing was not used; a reviewer decides with a reason.",
    ),
    "CHANNEL_NOT_OFFERED": Words(
        "本系列不经“{channel}”受理该类申请（可用渠道：{channels}）。",
        "This series does not take such claims by {channel} (offered: {channels}).",
        "请客户改经 {channels} 提交；确有必要时由有权限人员注明理由后继续。",
        "Ask the claimant to use {channels}; with permission and a reason it may go on.",
    ),
    "INTERNET_NOT_FOLLOW_UP": Words(
        "互联网医院理赔仅限复诊，本次未见同一病情的前次就诊记录。",
        "Internet-hospital claims are for follow-up visits only; no earlier visit is on record.",
        "补充同一病情的前次就诊病历或关联前次赔案。",
        "Add the record of, or link, the earlier visit for the same complaint.",
    ),
    "INTERNET_NOT_LICENSED": Words(
        "{hospital} 既非指定私立网络的互联网医院，也未登记互联网医院资质。",
        "{hospital} is neither the network's internet hospital nor licensed as one.",
        "提供该机构互联网医院执业许可信息后更正医院资料。",
        "Show its internet-hospital licence and correct the hospital record.",
    ),
    "INTERNET_LATE": Words(
        "问诊日 {day}，应于 {latest} 前发送材料，实际于 {received} 收到（手册未规定后果，照常受理）。",
        "Consulted on {day}, to be sent by {latest}, received {received} (no consequence: accepted).",
        "无需处理，仅作提示。",
        "Nothing to do; for information.",
    ),
    "NO_RIDER": Words(
        "保单未投保“{benefit}”可选责任。",
        "The policy does not carry the optional benefit {benefit}.",
        "核对保单批单；如已投保，请更新保单附加责任后重试。",
        "Check the endorsements; if it was bought, update the riders and try again.",
    ),
    "DIRECT_ONLY": Words(
        "“{benefit}”责任仅支持网络内直付，不接受事后理赔。",
        "Benefit {benefit} is direct billing only; post-claims are not accepted.",
        "若实为门急诊责任（如结膜炎、牙外伤），请更正就诊责任后重新受理。",
        "If it is an outpatient matter (conjunctivitis, dental injury), correct the benefit.",
    ),
    "VACCINE_DEPARTMENT": Words(
        "疫苗事后理赔仅支持公立医院普通部，本次为 {department}（{ownership}）。",
        "Vaccine post-claims are for ordinary departments of public hospitals; this was {department}.",
        "核对就诊科室类别；登记有误的更正后重新受理。",
        "Check the department group; correct it if recorded wrongly.",
    ),
    "VACCINE_GRADE": Words(
        "疫苗事后理赔须为 {minimum} 级及以上公立医院，{hospital} 等级为 {grade}。",
        "Vaccine post-claims need a public hospital of grade {minimum} or above; {hospital} is {grade}.",
        "核对医院等级登记；社区卫生服务中心（一级）在本系列不受理。",
        "Check the grade on record; grade-one health centres are closed in this series.",
    ),
    "VACCINE_BEFORE_VISIT": Words(
        "申请日 {received} 早于接种日 {day}，应于就诊完成后递交。",
        "Filed on {received}, before the visit of {day}; it is filed after the visit.",
        "接种完成后重新递交，或更正就诊日期。",
        "File again after the visit, or correct the date.",
    ),
    "LIMITATION": Words(
        "就诊日 {day} 距报案日 {received} 已超过 {years} 年，注意诉讼时效（不自动拒赔）。",
        "Service on {day} lies more than {years} years before {received}: mind the limitation.",
        "核实是否存在时效中止、中断情形；如主张时效抗辩须经法务确认。",
        "Check for suspension or interruption; the defence needs legal confirmation.",
    ),
    "OUT_OF_NETWORK": Words(
        "{hospital} 在就诊日不在该会员“{benefit}”责任网络内，不能直付。",
        "{hospital} was not in the member's {benefit} network that day: no direct billing.",
        "核对就诊日的网络清单；公立医院可改走事后理赔。",
        "Check the list of that date; a public hospital may be claimed afterwards.",
    ),
    "OUT_OF_NETWORK_EMERGENCY": Words(
        "{hospital} 不在网络内，但属急诊；不得仅以非网络为由拒绝，须由高级审核岗判断。",
        "{hospital} is out of network but it was an emergency: a senior decides, never auto-denied.",
        "核实急诊事实后决定受理或拒绝，并写明理由。",
        "Verify the emergency, then decide with a reason.",
    ),
}

ROUTING: dict[str, Words] = {
    "SUSPECTED_SPLIT": Words(
        "疑似拆单：{day} 当日合计 {total} 元，超过 {threshold} 元，而单次就诊为 {amount} 元。",
        "Suspected split: {day} totals {total}, above {threshold}, though this visit is {amount}.",
        "按单次就诊分流不变；审核时核对是否为同一次就诊被拆分开票。",
        "The route stays by single visit; check whether one visit was billed in parts.",
    ),
}

AUTHORIZATION: dict[str, Words] = {
    "PA_REQUIRED": Words(
        "属须事先授权项目“{title}”。{detail}",
        "Needs prior authorization: “{title_en}”. {detail}",
        "治疗前取得担保函；紧急就诊的，在规定时限内通知。",
        "Obtain the guarantee letter before treatment; in an emergency notify in time.",
    ),
    "PA_ADVISED": Words(
        "建议事先授权：“{title}”。{detail}此处仅作提醒。",
        "Authorization is advised: “{title_en}”. {detail} A reminder only.",
        "建议提前与医院确认授权；不因此影响理赔。",
        "Advise early confirmation with the hospital; cover is not affected.",
    ),
    "PA_MISSING": Words(
        "未见有效事先授权：{triggers}。保险人有权（并非必须）不承担相应费用 {affected} 元。",
        "No valid authorization: {triggers_en}. The insurer may (not must) refuse the related {affected}.",
        "补录已签发的授权或 48 小时内的急诊通知；否则由审核岗选择赔付或拒付并写明理由。",
        "Link the authorization or the emergency notice; else a reviewer pays or refuses with a reason.",
    ),
    "LETTER_EXCEEDED": Words(
        "费用超出担保函余额 {left} 元，超出部分 {above} 元可以（并非必须）不予承担。",
        "The cost exceeds what is left of the guarantee letter ({left}); the {above} beyond it may be refused.",
        "担保函范围内的金额有约束力；请补充授权，或仅就超出部分选择赔付或拒付并写明理由。",
        "The letter binds within its amount: grant a supplement, or pay or refuse the excess only, with a reason.",
    ),
    "LETTER_EXCEEDED_NOTED": Words(
        "费用超出担保函余额 {left} 元，超出 {above} 元。本系列手册未规定后果，仅作提示。",
        "The cost exceeds what is left of the guarantee letter ({left}) by {above}. This series prints no consequence.",
        "如拟拒付超出部分，须引用保险合同具体条款。",
        "A refusal of the excess needs a contract clause named by the adjuster.",
    ),
    "LETTER_PLACE": Words(
        "“{hospital}”在就诊日不在“{benefit}”直付名单内；已签发的担保函在其范围内仍有约束力。",
        "On the day {hospital} is not on the list for {benefit}; the guarantee letter still binds within its scope.",
    ),
    "PA_MISSING_NOTED": Words(
        "未见事先授权：{triggers}。本系列手册未规定后果，仅作提示，涉及费用 {affected} 元。",
        "No authorization: {triggers_en}. This series prints no consequence; {affected} concerned.",
        "如拟拒付，须引用保险合同具体条款。",
        "A refusal needs a contract clause named by the adjuster.",
    ),
}

COVER: dict[str, Words] = {
    "STAY_SPANS_PERIODS": Words(
        "住院跨越保单期间（{day} 至 {end}，保单至 {until}），本计划不按入院日归属，需人工拆分。",
        "The stay of {day} to {end} crosses the policy end {until}; this plan splits it by hand.",
        "按保单期间拆分费用明细分别录入后重算。",
        "Split the costs by policy period and decide again.",
    ),
    "EXCLUSION": Words(
        "主要诊断 {diagnosis} 属责任免除／特别约定（{basis}）。",
        "Main diagnosis {diagnosis} is excluded ({basis}).",
        "诊断编码有误的更正后重算；特别约定已撤销的更新保单。",
        "Correct the diagnosis code, or update the policy if the agreement was lifted.",
    ),
    "EXCLUSION_SECONDARY": Words(
        "次要诊断 {diagnosis} 属责任免除／特别约定（{basis}），费用是否相关需人工判断。",
        "Secondary diagnosis {diagnosis} is excluded ({basis}); a person judges what relates to it.",
        "认定无关则继续赔付；相关部分逐行拒付并说明理由。",
        "If unrelated go on; refuse the related lines with a reason.",
    ),
    "WAITING_PERIOD": Words(
        "就诊日 {day} 在{cause}等待期内（连续承保自 {since} 起 {days} 天，至 {last}）。",
        "Service on {day} falls in the waiting period ({days} days from {since}, to {last}).",
        "若属意外伤害或续保连续承保，更正出险原因或连续承保日后重算。",
        "If an accident or a continuous renewal, correct the cause or the start of cover.",
    ),
    "NOT_COVERED": Words(
        "保障计划 {plan} 不含“{benefit}”责任。",
        "Plan {plan} does not cover {benefit}.",
        "核对就诊责任归类；归类有误的更正后重算。",
        "Check the benefit of the visit; correct it if wrong.",
    ),
    "ITEM_EXCLUDED": Words(
        "项目“{item}”（{kind}）不在“{benefit}”责任范围内。",
        "Item {item} ({kind}) is outside the cover of {benefit}.",
        "项目类别录入有误的更正后重算；否则由会员自付。",
        "Correct the item kind if wrong; otherwise the member pays.",
    ),
    "NO_SHOW": Words(
        "“{item}”为爽约费，由客户自行承担。",
        "{item} is a no-show fee, borne by the member.",
        "医院证明实际就诊的，改按诊费录入。",
        "If the hospital shows the visit took place, enter it as a consultation.",
    ),
    "POSTAGE": Words(
        "邮寄费用由索赔人承担，不属理赔项目。",
        "Postage is borne by the claimant and never a claim item.",
    ),
    "TST_SELF_PURCHASE": Words(
        "呼吸道联检须经权益下单，自行购买（{provider}）不予报销。",
        "Home tests are ordered through the benefit; self-purchase ({provider}) is not reimbursed.",
        "经权益下单的由指定服务商结算，无需理赔；订单登记有误的更正。",
        "Orders through the benefit are settled with the provider and need no claim.",
    ),
    "FREE_CONSULT": Words(
        "线上图文问诊为免费服务，不得就其费用申请理赔。",
        "The online consult is free of charge; its fee cannot be claimed.",
        "若实为互联网医院付费问诊，请改按互联网医院理赔录入。",
        "If it was a paid internet-hospital consult, file it as such.",
    ),
    "BILL_VOID": Words(
        "票据 {identity} 状态为{state}，不能作为理赔凭证。",
        "Bill {identity} is {state} and supports no claim.",
        "提供重新开具的有效票据。",
        "Supply the valid bill issued in its place.",
    ),
    "BILL_DUPLICATE": Words(
        "票据 {identity} 重复：{where}。",
        "Bill {identity} is a duplicate: {where}.",
        "票据号录入有误的更正；原赔案撤销后方可再用。",
        "Correct the number if mistyped; it is free again only when the other claim is withdrawn.",
    ),
    "VACCINE_NOT_APPROVED": Words(
        "疫苗“{item}”未获国家批准或属实验性质，不在保障范围。",
        "Vaccine {item} is not approved or is experimental: not covered.",
        "提供批准文号（国药准字／进口注册证）后更正。",
        "Show the approval number and correct the record.",
    ),
    "VACCINE_ITEM": Words(
        "疫苗责任仅含疫苗费及注射费，“{item}”（{kind}）不在其内。",
        "The vaccine benefit covers vaccine and injection fees only, not {item} ({kind}).",
        "属于其他责任的项目，请在该行指定责任后重算。",
        "Give the line its own benefit if it belongs to another one.",
    ),
    "VACCINE_CONSULT": Words(
        "接种相关“{item}”（{kind}）手册未列明，需人工判断是否随接种赔付。",
        "{item} ({kind}) around the shot is not printed; a person decides.",
        "选择赔付或拒付并写明理由。",
        "Pay or refuse with a reason.",
    ),
    "HEALTH_CHECK_COUNT": Words(
        "本保单期间儿童体检已用 {used} 次，最高 {maximum} 次。",
        "{used} child health checks used in this policy period; the maximum is {maximum}.",
        "核对既往体检次数；误计的更正后重算。",
        "Check the earlier counts; correct a wrong one.",
    ),
    "HEALTH_CHECK_ITEM": Words(
        "“{item}”（{kind}）不属于国家标准儿童健康检查内容。",
        "{item} ({kind}) is not part of the national-standard child health check.",
        "属于其他责任的项目，请在该行指定责任后重算。",
        "Give the line its own benefit if it belongs to another one.",
    ),
    "HEALTH_CHECK_CONSULT": Words(
        "体检相关“{item}”（{kind}）是否属于评估指导内容，需人工判断。",
        "Whether {item} ({kind}) belongs to the check's assessment and guidance, a person decides.",
        "选择赔付或拒付并写明理由。",
        "Pay or refuse with a reason.",
    ),
    "HEALTH_CHECK_RIDER": Words(
        "儿童体检随“{benefit}”责任提供，保单未投保该责任。",
        "Child health checks come with {benefit}, which the policy does not carry.",
        "核对保单批单；如已投保，请更新保单附加责任后重算。",
        "Check the endorsements; if bought, update the riders.",
    ),
    "MENTAL_HEALTH": Words(
        "心理咨询不符合条件：{missing}。",
        "Counselling conditions not met: {missing_en}.",
        "补充精神科医生诊断及建议（报告），或更正医院、诊断信息后重算。",
        "Add the psychiatrist's diagnosis and recommendation, or correct hospital and diagnosis.",
    ),
    "MENTAL_HEALTH_CLOSED": Words(
        "本系列手册未列心理咨询，是否赔付以保险合同为准，需人工判断。",
        "This series' handbook has no counselling; the contract decides, a person judges.",
        "引用合同条款后选择赔付或拒付。",
        "Pay or refuse naming the contract clause.",
    ),
    "SOCIAL_SETTLEMENT_MISSING": Words(
        "保费按扣除社保定价，{day} 就诊有社保而未经社保结算。",
        "Priced net of social insurance, but the visit of {day} was not settled through it.",
        "提供社保结算单；确无法结算的由审核岗注明理由。",
        "Supply the settlement sheet; if impossible a reviewer gives the reason.",
    ),
    "PHOTO_ID_MISSING": Words(
        "应监管要求：申请金额 {claimed} 元达到 {threshold} 元，须有带照片的有效身份证件（{missing}）。",
        "Regulatory: the claim of {claimed} reaches {threshold}; valid photo identity lacks: {subjects}.",
        "上传在有效期内、带照片的身份证件复印件；确无照片证件的走合规例外审批。",
        "Add an unexpired photo identity; with none at all, a compliance exception decides.",
    ),
}

MONEY: dict[str, Words] = {
    "THIRD_PARTY": Words(
        "第三方已支付 {amount} 元（统筹、大病、救助、其他保险），从申请金额中扣除。",
        "Third parties paid {amount} (pooled fund, serious illness, assistance, other insurers).",
        "结算单有误的更正；个人账户支付不扣除。",
        "Correct the settlement if wrong; personal-account payments are never deducted.",
    ),
    "ITEM_LIMIT": Words(
        "“{item}”限额 {limit} 元（{per}），超出 {over} 元。",
        "{item}: at most {limit} {per}; {over} is above it.",
        "数量、天数录入有误的更正后重算。",
        "Correct quantity or days if wrong.",
    ),
    "VISIT_LIMIT": Words(
        "“{benefit}”每次就诊限额 {limit} 元，超出 {over} 元。",
        "{benefit} is limited to {limit} a visit; {over} above it.",
        "若实为两次就诊，请更正就诊归并后重算。",
        "If these were two visits, correct the grouping.",
    ),
    "DAY_LIMIT": Words(
        "“{benefit}”每日限额 {limit} 元（{day}，尚余 {left} 元），超出 {over} 元。",
        "{benefit} is limited to {limit} a day ({day}, {left} left); {over} above it.",
        "就诊日期或住院天数有误的更正后重算。",
        "Correct the date or the days of the stay if wrong.",
    ),
    "COUNT_LIMIT": Words(
        "“{benefit}”本保单期间限 {limit} 次，已用完。",
        "{benefit} is limited to {limit} visits in the policy period, all used.",
        "核对既往次数；误计的更正后重算。",
        "Check the earlier counts; correct a wrong one.",
    ),
    "DEDUCTIBLE": Words(
        "免赔额：次免赔 {visit} 元、年免赔 {year} 元，本次扣除 {amount} 元。",
        "Deductible: {visit} a visit and {year} a year; {amount} taken here.",
        "年免赔余额有误的核对累计账户。",
        "Check the accumulator if the yearly remainder is wrong.",
    ),
    "COINSURANCE": Words(
        "赔付比例 {percent}%（{basis}），会员自付 {amount} 元。",
        "The insurer bears {percent}% ({basis_en}); the member's share is {amount}.",
        "社保使用情况录入有误的更正后重算。",
        "Correct the use of social insurance if wrong.",
    ),
    "FULL_VISITS_USED": Words(
        "全额赔付次数 {quota} 次已用完，本次起按 {percent}% 赔付。",
        "All {quota} fully paid visits are used; from this one {percent}% is paid.",
        "核对既往次数；已结案件不因迟到账单重算。",
        "Check the earlier counts; closed claims are not re-decided by late bills.",
    ),
    "BENEFIT_LIMIT": Words(
        "“{benefit}”年度限额 {limit} 元，尚余 {left} 元，超出 {over} 元由会员承担。",
        "{benefit} is limited to {limit} a year, {left} left; {over} above it is the member's.",
        "核对累计账户及未释放的预占额度。",
        "Check the accumulator and reservations not yet released.",
    ),
    "ANNUAL_LIMIT": Words(
        "年度最高保额 {limit} 元，尚余 {left} 元，超出 {over} 元由会员承担。",
        "The annual maximum is {limit}, {left} left; {over} above it is the member's.",
        "核对累计账户及未释放的预占额度。",
        "Check the accumulator and reservations not yet released.",
    ),
    "REFUSED_BY_PERSON": Words(
        "经人工判断不予赔付：{reason}（{actor}，针对 {finding}）。",
        "Refused by a person: {reason} ({actor}, on {finding}).",
        "改变判断须由有权限人员更正其处理意见。",
        "A person with authority may change the answer.",
    ),
}

MESSAGES: dict[str, Words] = INTAKE | ROUTING | AUTHORIZATION | COVER | MONEY
