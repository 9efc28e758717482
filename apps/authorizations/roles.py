"""Who does what on an authorization. Sets of role codes; limits of authority stand on roles."""

from __future__ import annotations

HOSPITAL, TPA, FAMILY = "api_hospital", "api_tpa", "api_member_app"
MACHINES = frozenset({HOSPITAL, TPA, FAMILY})
SUPERVISORS = frozenset({"supervisor", "adjuster_lead", "tpa_manager"})
DECIDERS = (
    frozenset({"first_review", "second_review", "senior_adjuster", "final_approval", "authorization_lead"})
    | SUPERVISORS
)
SIGNERS = DECIDERS - {"first_review", "authorization_lead"}
MEDICAL = frozenset({"medical_review"})
DESK = frozenset({"intake", "service_specialist"}) | DECIDERS
REQUESTERS = DESK | MACHINES
AT_THE_BED = DESK | {HOSPITAL, TPA}  # who knows that a child came, stays and leaves
READERS = DESK | MEDICAL | frozenset({"manager", "auditor", "compliance", "quality_check", "insurer_user"})
