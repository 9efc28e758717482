"""The only writers of cards: issue, bind, unbind, grey, restore (CRD-01 … CRD-07, CRD-20 … CRD-28).

How a card is bound is the series' data (`card.binding_fields`): by the child's name and a code sent to
the mobile number of the enrollment, or by relation, name and identity paper. A family that fails is
told what to do, and the failure is kept for the hotline.
"""

from apps.cards.actions.binding import bind, unbind
from apps.cards.actions.codes import hide_code, request_code
from apps.cards.actions.fields import Binding
from apps.cards.actions.greying import grey, may_grey, restore, reword
from apps.cards.actions.issuing import issue, on_policies_written

__all__ = [
    "Binding", "bind", "grey", "hide_code", "issue", "may_grey", "on_policies_written", "request_code", "restore",
    "reword", "unbind",
]  # fmt: skip
