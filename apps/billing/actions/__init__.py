"""What can be done with a self-pay bill. Importing this registers every action."""

from __future__ import annotations

from apps.billing.actions import change, lapse, online, open, pay, remind, reverse
from apps.billing.actions.open import Share, follow_claim, report_bill
from apps.billing.workflow import KIND
from apps.cases.common import add_common_actions

add_common_actions(KIND)

__all__ = [
    "KIND",
    "Share",
    "change",
    "follow_claim",
    "lapse",
    "online",
    "open",
    "pay",
    "remind",
    "report_bill",
    "reverse",
]
