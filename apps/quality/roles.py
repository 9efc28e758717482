"""Who does what here. Sets of role codes (`accounts.roles`)."""

from __future__ import annotations

INSPECTORS = frozenset({"quality_check"})
MANAGERS = frozenset({"manager"})
LEADS = frozenset({"manager", "supervisor", "adjuster_lead"})
DRAWERS = INSPECTORS | MANAGERS
READERS = INSPECTORS | LEADS | {"auditor", "compliance"}
