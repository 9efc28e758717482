"""Who does what on an advance. Sets of role codes; limits of authority stand on roles."""

from __future__ import annotations

TPA, FAMILY = "api_tpa", "api_member_app"
SUPERVISORS = frozenset({"supervisor", "adjuster_lead", "tpa_manager"})
REVIEWERS = frozenset({"first_review", "second_review", "senior_adjuster", "final_approval"}) | SUPERVISORS
SIGNERS = REVIEWERS - {"first_review"}
SPECIALISTS = frozenset({"intake", "service_specialist", "service_lead"}) | SUPERVISORS
DESK = SPECIALISTS | REVIEWERS
APPLICANTS = DESK | {TPA}
INVESTIGATORS = frozenset({"investigation"}) | REVIEWERS
PAYERS = frozenset({"finance", "finance_lead", "provider_lead"})
UPLOADERS = DESK | {TPA, "investigation"}
READERS = (
    DESK
    | PAYERS
    | frozenset(
        {
            "investigation",
            "manager",
            "auditor",
            "compliance",
            "quality_check",
            "insurer_user",
            "recovery_lead",
        }
    )
)
