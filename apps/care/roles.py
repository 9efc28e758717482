"""Who does what about services beside claims. Sets of role codes."""

from __future__ import annotations

TPA, FAMILY, PROVIDER, HOSPITAL = "api_tpa", "api_member_app", "api_provider", "api_hospital"
LEADS = frozenset({"service_lead", "duty_lead", "supervisor", "manager", "tpa_manager"})
DESK = frozenset({"intake", "service_specialist"}) | LEADS
MEDICAL = frozenset({"family_doctor_contact", "specialist", "medical_review"})
ASKERS = DESK | {TPA, FAMILY}  # who orders and requests
CARERS = DESK | MEDICAL | {TPA, PROVIDER, HOSPITAL}  # who does what was asked for
PERFORMERS = DESK | {PROVIDER}  # of a home test: whoever records for the provider, and its machine
ADVISERS = DESK | MEDICAL | {PROVIDER}
ARCHIVISTS = DESK | MEDICAL | {FAMILY}  # who writes the health archive (FD-03)
ARCHIVE_READERS = ARCHIVISTS | {"compliance"}
READERS = DESK | MEDICAL | frozenset(
    {"adjuster_lead", "final_approval", "auditor", "compliance", "quality_check", "insurer_user", "claims_manager"}
)  # fmt: skip
