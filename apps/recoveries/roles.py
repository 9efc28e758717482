"""Who does what on a recovery. Sets of role codes; limits of authority stand on roles."""

from __future__ import annotations

LEADS = frozenset({"recovery_lead", "manager", "tpa_manager"})
CLERKS = frozenset({"recovery", "recovery_lead"})
CASHIERS = CLERKS | {"finance", "finance_lead"}  # who see money arrive
PAYERS = frozenset({"finance", "finance_lead"})
APPROVERS = frozenset({"manager", "supervisor", "final_approval"})  # within their authority
READERS = (
    CASHIERS
    | LEADS
    | APPROVERS
    | {"auditor", "compliance", "payment_check", "senior_adjuster", "insurer_user"}
)
