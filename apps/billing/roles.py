"""Who does what on a self-pay bill. Sets of role codes."""

from __future__ import annotations

HOSPITAL, TPA, FAMILY = "api_hospital", "api_tpa", "api_member_app"
LEADS = frozenset({"supervisor", "service_lead", "claims_manager", "tpa_manager", "finance_lead"})
CALLERS = frozenset({"collections", "service_specialist"}) | LEADS
CLERKS = CALLERS | frozenset({"finance", "intake"})
REPORTERS = CLERKS | {HOSPITAL, TPA}  # who knows that something stayed unpaid
RECEIVERS = CALLERS | frozenset({"finance"}) | {HOSPITAL, TPA}  # who knows that it was paid
CORRECTORS = LEADS
FINANCE = frozenset({"finance", "finance_lead"})
READERS = CLERKS | frozenset(
    {"manager", "auditor", "compliance", "quality_check", "recovery", "insurer_user"}
)
