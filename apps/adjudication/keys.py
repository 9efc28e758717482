"""The names by which code asks a handbook. One place, so that data and code agree.

`RULES` maps a rule key to what it checks; which id it has, or whether it exists at all, is the
series' affair. `PARAMETERS` and `SERVICES` likewise. `load_handbook` refuses keys not listed here.
The comment behind a key names the ids of the two printed series as orientation for readers.
"""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, str]] = {
    # Scope and intake
    "intake.versions": "plan version belongs to the series",  # 2026 GEN-01; 2024 GEN-02
    "intake.plan_group": "plan has a network group",  # 2024 GEN-03
    "intake.service_closed": "service exists only in another series",  # 2024 GEN-04
    "intake.precedence": "contract parameters prevail over the handbook",  # 2026 GEN-07
    "intake.in_force": "policy in force on the date of service",  # C9
    "intake.public_only": "post-claims at public institutions only",  # RMB-01; RMB-30
    "intake.private_refused": "private hospitals never accept post-claims",  # APT-02; DBO-03
    "intake.portal_scope": "on-line claims are for public, non-direct-billed visits",  # APP-03; APP-25
    "intake.network_private_visit": "direct-billed visit cannot be claimed again",  # DBO-03 (2024)
    "intake.emergency_hold": "emergency at a private hospital goes to a senior",  # LAW-07; VIS-03
    "intake.emergency_hold_time": "a person decides the hold in one working day",  # PR-20
    "intake.refusal_registered": "a refusal at intake is registered and confirmed",  # PR-06
    "intake.channel": "channel is one the series offers",  # 2026 RMB-20; 2024 RMB-38
    "intake.internet": "internet-hospital claim: follow-up and licensed",  # 2024 INT-01
    "intake.internet_closed": "no internet-hospital claim",  # 2026 INT-06
    "intake.internet_late": "internet claim sent within one working day",  # 2024 INT-03
    "intake.internet_invoices": "e-invoices of consult and prescription",  # 2024 INT-02
    "intake.rider": "optional benefit needs its rider",  # 2026 NET-03
    "intake.direct_only": "dental and eye are direct billing only",  # 2026 VAC-06; 2024 NET-05
    "intake.vaccine_department": "vaccine post-claim: public, ordinary department",  # VAC-06
    "intake.vaccine_grade": "vaccine post-claim: grade two or above",  # 2024 VAC-23
    "intake.vaccine_after_visit": "vaccine claim is filed after the visit",  # 2024 VAC-24
    "intake.vaccine_channel": "vaccine claims use the general channels",  # 2026 GEN-08
    "intake.limitation": "two years' limitation",  # LAW-06
    "intake.network_by_version": "network of the member's version and benefit",  # NET-01
    "intake.network_no_inheritance": "national listing does not count for Beijing",  # 2026 NET-02
    "intake.network_look_up": "look-ups by date are recorded",  # NET-04
    "network.before_visit": "the list is looked up before a direct-billed visit",  # DL-46
    "card.paper": "a paper policy's card is bound once it is in force",  # 2024 CRD-22
    "card.failed": "who cannot bind the card calls the hotline",  # 2026 CRD-07; 2024 CRD-26
    "care.vaccine_rider": "vaccination coordination needs the rider",  # 2026 VAS-03
    "intake.small_claim": "small claims: told what is needed in one working day",  # PR-21
    "intake.no_prior_authorization": "no authorization is needed for post-claims",  # 2026 APP-02
    # Routing and papers
    "route.online": "visit up to the threshold goes on line",  # 2026 RMB-20; 2024 RMB-38
    "route.mail": "originals are mailed",  # 2026 RMB-22; 2024 RMB-39
    "route.split_flag": "day total above the threshold flags a suspected split",  # PR-15
    "route.net_amount": "amount tested is after third-party settlement",  # PR-12
    "route.visit": "what one visit is",  # PR-13
    "papers.once": "everything missing is asked for at once",  # LAW-01
    "papers.instructions_inside": "mailing instructions stand inside the notice",  # PR-05
    "papers.annotation": "annotation by hand seen on the invoice",  # 2026 RMB-21
    "papers.legible": "color and legible",  # 2026 RMB-20
    "papers.electronic_original": "source file and verification are the original",  # PR-01
    "papers.child_register": "household-register page of the child accepted",  # PR-02
    "papers.one_form": "form and application are one paper; e-signature; papers on file",  # PR-03
    "papers.photo_id": "valid photo identity from the threshold",  # KYC-01
    "papers.photo_id_valid": "unexpired and with photo",  # KYC-02
    "papers.bill_register": "a bill is accepted once",  # LAW-11
    "papers.retention": "retention of vouchers and identity papers",  # LAW-08
    # Adjudication
    "decide.waiting_period": "cause within its waiting period",  # PR-16
    "decide.stay_period": "a stay belongs to the period of admission",  # PR-14
    "decide.series_of_service": "series of the policy on the date of service",  # C9
    "decide.exclusion": "special agreement or plan exclusion",  # GEN-07 (2026); C9-like PLAN (2024)
    "decide.not_covered": "item outside cover",  # REC-02 (2026); REC-05 (2024)
    "decide.annual_limit": "annual maximum reached",  # 2026 REC-02; 2024 APP-20
    "decide.benefit_limit": "limit of a benefit, visit, day or item reached",  # APP-20; GEN-07
    "decide.vaccine_limit": "limit of a direct-billed vaccination reached",  # 2026 VAC-03; 2024 VAC-21
    "decide.deductible": "deductible",  # GEN-07; APP-20
    "decide.coinsurance": "insurer's share",  # PR-11
    "decide.third_party": "third-party settlement deducted",  # 2026 RMB-16; PR-11
    "decide.priced_net": "social settlement missing though priced net of it",  # PR-11
    "decide.full_visits": "fully paid visits used up",  # 2024 EPY-01
    "decide.health_check_count": "eight health checks",  # HLC-01
    "decide.health_check_items": "items of a health check",  # HLC-02, HLC-03
    "decide.health_check_rider": "check-ups need the vaccine rider",  # PR-17
    "decide.vaccine": "approved, non-experimental vaccine and injection fee only",  # HLC-04
    "decide.mental_health": "four conditions of counselling",  # 2024 VAS-17
    "decide.mental_health_closed": "counselling is not in the handbook",  # 2026 (D46)
    "decide.home_test": "self-purchased home tests are not reimbursed",  # 2026 TST-03
    "decide.no_show": "no-show fees are not covered",  # 2026 APT-13; 2024 APT-25
    "decide.postage": "postage is never a claim item",  # 2026 RMB-23
    "decide.free_consult": "the free consult's fee is no claim",  # 2024 VAS-12
    "decide.bill_void": "void or red-letter bill",  # LAW-11
    "decide.outcomes": "ex gratia and compromise by seniors",  # PR-23
    "decide.rescission": "rescission for non-disclosure",  # LAW-12; PR-24
    "decide.not_final": "direct billing is not the final opinion",  # REC-01, REC-05
    "decide.refusal_reasons": "a refusal is sent with reasons",  # LAW-04
    "decide.originals_kept": "originals kept for a later claim",  # 2026 VIS-03
    "pay.account": "account of the beneficiary, structured",  # 2026 RMB-12; 2024 RMB-33
    "clock.pauses": "contract clock pauses only for printed reasons",  # PR-04
    "clock.act_by": "working day before a calendar deadline is shown",  # PR-22
    "privacy.reveal": "revealing sensitive data needs a reason and is logged",  # LAW-09
    "authorization.required": "authorization required before treatment",  # PA-02; PA-22
}

# key → unit; the unit decides the type the loader parses.
PARAMETERS: Final[dict[str, str]] = {
    "routing.basis": "text",  # AMOUNT | INPATIENT
    "routing.online_maximum": "yuan",
    "photo_id.threshold": "yuan",
    "photo_id.types": "list",
    "minor.age": "count",
    "vaccine.minimum_grade": "count",
    "vaccine.department_groups": "list",
    "health_check.maximum": "count",
    "health_check.items": "list",
    "mental_health.conditions": "list",
    "home_test.cities": "list",
    "home_test.maximum": "count",
    "home_test.provider": "text",
    "assistance.sites": "list",
    "assistance.sites_closed": "bool",
    "annotation.text": "text",
    "annotation.required": "bool",
    "small_claim.maximum": "yuan",
    "limitation.years": "count",
    "no_papers.close_after": "days",
    "supplement.remind_after": "days",
    "originals.tracking_after": "days",
    "emergency.notice": "hours",
    "direct_billing.public_department_groups": "list",
    "card.binding_fields": "list",
    "card.grey_after_reminders": "count",
    "card.reminder_interval": "days",
    "card.grace": "workdays",
    "card.payment_period": "days",
    "self_pay.billed_when": "text",  # CLOSED: when the claim is closed | UNPAID: once something stays unpaid
    "appointment.private_lead": "days",
    "appointment.public_lead": "workdays",
    "appointment.popular_lead": "days",
    "appointment.cancel_cutoff": "time",
    "appointment.named_expert": "bool",
    "appointment.arrive_early": "minutes",
    "authorization.lead": "workdays",
    "authorization.exam_unit_price": "yuan",
    "authorization.drug_single": "yuan",
    "authorization.cumulative": "yuan",
    "authorization.major_exams": "list",
    "authorization.critical_illness": "list",
    "authorization.procedures": "list",
    "recovery.due": "days",
    "advance.refund_due": "days",
    "appeal.workdays": "workdays",
    "appeal.days": "days",
    "consult.hours": "text",
    "consult.response": "hours",
    "rescission.days": "days",
    "rescission.years": "count",
    "retention.vouchers": "count",
    "retention.identity": "count",
    "undisputed.day": "days",
    "history.years": "count",
    "vaccination_reminder.days": "list",
    "roll_calendar_deadlines": "bool",
    "health_manager.channels": "list",
    "family_doctor.entries": "list",
    "family_doctor.provider": "text",
    "service_hours": "text",
    # Durations of promises stand in the clocks; here only what is no clock.
    "calendar.time_zone": "text",
    "deadlines.act_by": "bool",
    "routing.split_flag": "bool",
    "annotation.waived_for_electronic": "bool",
    "emergency.hold_private": "bool",
    "card.reminder_channels": "list",
    "card.shows_date": "bool",
    "card.hospital_ownerships": "list",
    "card.public_needs_appointment": "bool",
    "card.paper_binding_after": "text",
    "card.extra_fields": "list",
    "card.functions": "list",
    "appointment.visit_types": "list",
    "appointment.department_groups": "list",
    "appointment.cancel_actions": "list",
    "appointment.cancel_channels": "list",
    "appointment.cancel_ownerships": "list",
    "appointment.success_sms": "bool",
    "appointment.arrive_early_minimum": "minutes",
    "appointment.blacklist_recorded": "bool",
    "authorization.treatment_unit_price": "yuan",
    "authorization.item_above": "yuan",
    "authorization.missing": "text",  # level of a missing authorization: REFER | WARN
    "authorization.equipment_excluded": "list",
    "authorization.submitters": "list",
    "authorization.inpatient_lead_in_stay": "text",  # level of a late further request: WARN
    "advance.ownerships": "list",
    "advance.causes": "list",
    "advance.excluded_costs": "list",
    "advance.refusal_reasons": "list",
    "consult.opens": "time",
    "consult.closes": "time",
    "consult.late_from": "time",  # received from then on: answered the next day (VAS-11)
    "assistance.visit_types": "list",
    "home_test.per_month": "count",
    "home_test.id_types": "list",
    "home_test.counts_per": "text",  # POLICY_PERIOD
    "home_test.month_of": "text",  # ORDER
    "family_doctor.assessment_channels": "list",
    "family_doctor.topics": "list",
    "health_archive.records": "list",
    "brand_lock.benefits": "list",
    "brand_lock.closure_transfer": "bool",
    "electronic_payment.ownerships": "list",
    "electronic_payment.visit_types": "list",
    "vaccine.post_claim_benefits": "list",
    "retention.vouchers_long": "count",
    "directory.filters": "list",
    "directory.details": "list",
    "visit.photo_id_required": "bool",
    "visit.id_type_as_enrolled": "bool",
}

UNITS: Final[tuple[str, ...]] = (
    "yuan",
    "days",
    "workdays",
    "hours",
    "minutes",
    "count",
    "time",
    "text",
    "list",
    "bool",
)

CONTACTS: Final[tuple[str, ...]] = (
    "hotline",
    "health_manager",
    "authorization_mailbox",
    "claims_mailbox",
    "originals_address",
    "portal",
    "provider",
)
CONTACT_KINDS: Final[tuple[str, ...]] = ("PHONE", "EMAIL", "ADDRESS", "APP")

# By which way a request reaches us. A service names those its series offers.
CHANNELS: Final[tuple[str, ...]] = (
    "MINIPROGRAM",
    "ONLINE",
    "HOTLINE",
    "PHONE",
    "EMAIL",
    "MAIL",
    "SMS",
    "WECOM",
    "TEXT_IMAGE",
    "HOSPITAL",
    "HOSPITAL_DIRECT",
    "HOSPITAL_COUNTER",
)

# Check lists: which papers are asked for at which occasion.
LISTS: Final[tuple[str, ...]] = (
    "REIMBURSEMENT",
    "VACCINE",
    "HEALTH_CHECK",
    "INTERNET",
    "DIRECT",
    "EMERGENCY",
    "ANNOTATION",  # marks on bills, checked on the bills themselves
    "AUTHORIZATION",
    "LETTER",  # collected when the guarantee letter is issued (PR-02)
    "ADVANCE",
    "ADVANCE_SIGNATURE",
    "DISCHARGE",
)

# Kinds of paper.
PAPERS: Final[tuple[str, ...]] = (
    "CLAIM_FORM",
    "CLAIM_APPLICATION",
    "BANK_ACCOUNT",
    "INSURED_ID",
    "PASSPORT",
    "HOUSEHOLD_REGISTER",  # with the child's own page (PR-02)
    "BIRTH_CERTIFICATE",
    "BIRTH_CERTIFICATE_NAMING_PARENTS",
    "RELATIONSHIP_PROOF",
    "GUARDIAN_ID",
    "PHOTO_ID",
    "E_CARD",
    "INVOICE",
    "E_INVOICE_SOURCE",  # XML, OFD or PDF of an electronic bill (PR-01)
    "E_INVOICE_CONSULT",
    "E_INVOICE_PRESCRIPTION",
    "INVOICE_ANNOTATION",
    "THIRD_PARTY_SETTLEMENT",
    "ITEMIZED_BILL",
    "MEDICAL_RECORD",
    "PRESCRIPTION",
    "DISCHARGE_SUMMARY",
    "SURGERY_REPORT",
    "INPATIENT_RECORD",
    "ADMISSION_RECORD",
    "EXAM_REPORT",
    "DIAGNOSIS_CERTIFICATE",
    "ACCIDENT_EVIDENCE",
    "PSYCHIATRIST_REPORT",
    "VACCINATION_RECORD",
    "DIRECT_CLAIM_FORM",
    "SIGNED_RECEIPT",
    "SIGNED_BILL",
    "CARD_CHECK",
    "IDENTITY_CHECK",
    "AUTHORIZATION_REQUEST",
    "COST_ESTIMATE",
    "ENTRUSTMENT_LETTER",
    "PAPER_CONSENT",
    "OTHER",  # came by e-mail and nobody has sorted it yet; answers no line of a check list
)
PAPER_FORMS: Final[tuple[str, ...]] = ("ORIGINAL", "COPY", "IMAGE", "FORM", "DATA")

# Parts of the handbook in the order in which a reader finds them, with Chinese and English names.
AREAS: Final[dict[str, tuple[str, str]]] = {
    "scope": ("适用范围与热线", "Scope and hotlines"),
    "network": ("网络医院", "Network hospitals"),
    "services": ("增值医疗服务", "Value-added medical services"),
    "family_doctor": ("家庭医生", "Family doctor"),
    "home_test": ("居家检测", "Home test"),
    "card": ("电子保险卡", "Electronic card"),
    "portal": ("自助功能", "Self-service functions"),
    "appointment": ("直付预约", "Direct-billing appointment"),
    "visit": ("就诊与身份", "Visit and identity"),
    "self_pay": ("自付账单与催缴", "Self-pay bills and reminders"),
    "identity": ("身份核验", "Identity check"),
    "recovery": ("追偿与退还", "Recovery"),
    "direct_billing": ("直付理赔", "Direct-billing claims"),
    "authorization": ("事先授权与担保函", "Prior authorization and guarantee letter"),
    "advance": ("住院垫付", "Inpatient advance payment"),
    "reimbursement": ("事后理赔", "Reimbursement"),
    "documents": ("理赔资料", "Claim papers"),
    "routing": ("递交方式", "Ways of submission"),
    "appeal": ("申诉与投诉", "Appeals and complaints"),
    "internet": ("互联网医院理赔", "Internet-hospital claims"),
    "health_check": ("健康检查与疫苗责任", "Health checks and vaccine benefit"),
    "vaccine": ("疫苗、齿科与眼科理赔", "Vaccine, dental and eye claims"),
    "deadline": ("时限", "Deadlines"),
    "law": ("法律规定", "Law"),
    "practice": ("理赔实务", "Practice of the claims department"),
    "convention": ("通用约定", "Conventions"),
}

# Reasons for which a clock may stop counting, and units in which it counts.
PAUSES: Final[tuple[str, ...]] = ("dispute", "missing_papers", "information")
CLOCK_UNITS: Final[tuple[str, ...]] = ("workdays", "days", "hours", "until_next_day", "months")
STEP_KINDS: Final[tuple[str, ...]] = ("REMIND", "TARGET", "ESCALATE", "BREACH")
# Who is told by a step: a role, or one of the two people every case has.
STEP_RECIPIENTS: Final[tuple[str, ...]] = (
    "ASSIGNEE",
    "MEMBER",
    "adjuster_lead",
    "senior_adjuster",
    "tpa_manager",
    "tpa_lead",
    "manager",
    "claims_manager",
    "duty_lead",
    "booking_lead",
    "authorization_lead",
    "reviewer",
    "service_lead",
    "specialist",
    "review_lead",
    "investigation_lead",
    "finance_lead",
    "provider_lead",
    "collections",
    "recovery_lead",
    "mail_clerk",
    "family_doctor_contact",
    "compliance",
)

SERVICES: Final[tuple[str, ...]] = (
    "reimbursement",
    "internet_claim",
    "vaccine_claim",
    "dental_claim",
    "eye_claim",
    "health_check_claim",
    "mental_health_claim",
    "direct_billing",
    "vaccine_direct",
    "dental_direct",
    "eye_direct",
    "appointment",
    "authorization",
    "advance",
    "appeal",
    "complaint",
    "enquiry",
    "forms",
    "home_test",
    "family_doctor",
    "health_archive",
    "assistance",
    "phone_consult",
    "online_consult",
    "hospital_consult",
    "triage",
    "lectures",
    "vaccine_coordination",
    "electronic_payment",
    "hospital_directory",
    "card",
)

# Condition tests usable in documents, triggers and clocks, with their argument names.
CONDITIONS: Final[dict[str, tuple[str, ...]]] = {
    "always": (),
    "minor": (),
    "adult": (),
    "visit_type": ("any_of",),
    "benefit": ("any_of",),
    "category": ("any_of",),
    "channel": ("any_of",),
    "route": ("any_of",),  # ONLINE | MAIL
    "surgery": (),
    "drugs": (),
    "third_party": (),
    "accident": (),
    "mental_health": (),
    "amount_at_least": ("yuan",),  # claimed per claim, inclusive
    "amount_at_most": ("yuan",),
    "e_signed": (),
    "bank_data_structured": (),
    "e_card_held": (),
    "payee_is_guardian": (),
    "procedure": ("any_of",),
    "item_kind": ("any_of", "none_of"),
    "unit_price_at_least": ("yuan", "kinds"),
    "item_above": ("yuan", "kinds"),  # per item, exclusive
    "single_treatment_above": ("yuan", "kinds"),  # per drug over one treatment, exclusive
    "cumulative_above": ("yuan",),
    "diagnosis_in": ("list",),
    "in_stay": (),
    "outside_stay": (),
    "treatment_total_above": ("yuan", "kinds"),  # all items of the kinds in one treatment, exclusive
}

# Events that start or stop clocks.
EVENTS: Final[tuple[str, ...]] = (
    "reported",
    "first_received",
    "emergency_held",
    "hold_decided",
    "refusal_proposed",
    "materials_complete",
    "originals_complete",
    "supplement_sent",
    "papers_arrived",
    "decided",
    "refused",
    "refusal_sent",
    "undisputed_decided",
    "payment_ordered",
    "paid",
    "part_paid",
    "closed",
    "withdrawn",
    "request_received",
    "appointment_arranged",
    "cancelled",
    "visit_date",
    "treatment_start",
    "emergency_visit",
    "authorization_submitted",
    "authorization_complete",
    "authorization_decided",
    "parcel_sent",
    "tracking_received",
    "bill_notified",
    "bill_final_notice",
    "bill_notice_failed",
    "bill_exhausted",
    "bill_paid",
    "member_contacted",
    "refund_received",
    "due_moved",
    "message_received",
    "message_answered",
    "consult_received",
    "consult_received_late",
    "consult_answered",
    "service_requested",
    "service_answered",
    "policy_effective",
    "policy_end",
    "entitlement_applied",
    "entitlement_verified",
    "first_called",
    "advance_complete",
    "advance_decided",
    "advance_incomplete",
    "investigation_opened",
    "documents_signed",
    "advanced",
    "discharge_date",
    "discharge_noticed",
    "discharge_moved",
    "settled",
    "advance_adjudicated",
    "appeal_received",
    "appeal_answered",
    "reconsideration_asked",
    "complaint_received",
    "complaint_answered",
    "report_shared",
    "advice_given",
    "test_ordered",
    "knowledge_of_nondisclosure",
    "contract_concluded",
    "vaccination_due",
)
