"""Who does what on a direct-billing claim. Sets of role codes; limits of authority stand on roles."""

from __future__ import annotations

from apps.claims.roles import COMPLIANCE, DECIDERS, DESK, FINANCE, REVIEWERS, SENIORS, SIGNERS, SUPERVISORS

HOSPITAL, TPA = "api_hospital", "api_tpa"
SUBMITTERS = DESK | {HOSPITAL, TPA}
AT_THE_BED = DESK | {HOSPITAL, TPA}
READERS = DESK | REVIEWERS | FINANCE | COMPLIANCE | {"manager", "auditor", "quality_check", "insurer_user"}

__all__ = [
    "AT_THE_BED", "COMPLIANCE", "DECIDERS", "DESK", "FINANCE", "HOSPITAL", "READERS", "REVIEWERS", "SENIORS", "SIGNERS",
    "SUBMITTERS", "SUPERVISORS", "TPA",
]  # fmt: skip
