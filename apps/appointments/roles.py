"""Who does what on an appointment. Sets of role codes."""

from __future__ import annotations

HOSPITAL, TPA, FAMILY = "api_hospital", "api_tpa", "api_member_app"
MACHINES = frozenset({HOSPITAL, TPA, FAMILY})
MANAGERS = frozenset({"manager", "tpa_manager", "supervisor", "booking_lead"})
OVERRIDERS = MANAGERS | {"service_lead"}  # who lets a late request go on (APT-07 … APT-09)
DESK = frozenset({"intake", "service_specialist"}) | OVERRIDERS
REQUESTERS = DESK | {TPA, FAMILY}
ARRANGERS = DESK | {TPA, HOSPITAL}  # who hears what the hospital answers
CANCELERS = DESK | MACHINES
COUNTER = frozenset({"service_specialist", "service_lead", "booking_lead", "supervisor", HOSPITAL})
READERS = DESK | frozenset(
    {
        "adjuster_lead",
        "first_review",
        "second_review",
        "senior_adjuster",
        "auditor",
        "compliance",
        "insurer_user",
    }
)
