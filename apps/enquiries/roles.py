"""Who does what on an enquiry. Sets of role codes."""

from __future__ import annotations

TPA, FAMILY = "api_tpa", "api_member_app"
LEADS = frozenset({"service_lead", "supervisor", "manager", "tpa_manager"})
DESK = frozenset({"intake", "service_specialist", "adjuster_lead"}) | LEADS
ADJUSTERS = frozenset({"first_review", "second_review", "senior_adjuster"})
ANSWERERS = DESK | ADJUSTERS
RECORDERS = DESK | {TPA, FAMILY}
APPROVERS = frozenset({"manager", "supervisor", "tpa_manager"})  # of thirty days more (LAW-10)
READERS = ANSWERERS | frozenset(
    {"final_approval", "auditor", "compliance", "quality_check", "insurer_user", "claims_manager"}
)
