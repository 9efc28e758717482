"""Who does what on an appeal. Sets of role codes (`accounts.roles`)."""

from __future__ import annotations

from apps.cases.common import LEADS
from apps.claims.roles import CLERKS, REVIEWERS

TPA, FAMILY = "api_tpa", "api_member_app"
SERVICE = CLERKS | {"service_lead"}
DESK = SERVICE | REVIEWERS | LEADS  # who records, withdraws, files papers
RECORDERS = DESK | {TPA, FAMILY}
MANAGERS = LEADS | {"claims_manager", "auditor", "compliance"}  # who sees the figures by adjuster
READERS = (
    DESK
    | MANAGERS
    | {"final_approval", "quality_check", "insurer_user", "investigation", "medical_review", "recovery"}
)

__all__ = ["DESK", "FAMILY", "LEADS", "MANAGERS", "READERS", "RECORDERS", "REVIEWERS", "SERVICE", "TPA"]
