"""Who does what on a claim. Sets of role codes (`accounts.roles`); limits of authority stand on roles."""

from __future__ import annotations

MACHINES = frozenset({"api_member_app", "api_tpa", "api_hospital"})
SUPERVISORS = frozenset({"supervisor", "adjuster_lead", "tpa_manager"})
SENIORS = frozenset({"senior_adjuster", "final_approval"}) | SUPERVISORS
CLERKS = frozenset({"intake", "mailroom", "mail_clerk", "service_specialist"})
REVIEWERS = frozenset({"first_review", "second_review"}) | SENIORS
DECIDERS = REVIEWERS
SIGNERS = frozenset({"second_review"}) | SENIORS
DESK = CLERKS | REVIEWERS
REPORTERS = DESK | MACHINES - {"api_hospital"}  # a hospital bills directly; families ask for their money back
UPLOADERS = DESK | MACHINES | frozenset({"investigation", "medical_review"})
FINANCE = frozenset({"finance", "finance_lead"})
COMPLIANCE = frozenset({"compliance"})
