"""The diagram of a recovery of amounts paid but not covered: machine (j), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "OPENED": pgettext_lazy("state of a recovery", "opened"),
    "NOTIFIED": pgettext_lazy("state of a recovery", "notified"),
    "PARTIALLY_REFUNDED": pgettext_lazy("state of a recovery", "partly refunded"),
    "ESCALATED": pgettext_lazy("state of a recovery", "escalated"),
    "REFUNDED": pgettext_lazy("state of a recovery", "refunded"),
    "WRITTEN_OFF": pgettext_lazy("state of a recovery", "written off"),
    "CANCELLED": pgettext_lazy("state of a recovery", "canceled"),
}
FINAL = frozenset({"REFUNDED", "WRITTEN_OFF", "CANCELLED"})
LIVE = frozenset(STATES) - FINAL
DUE = frozenset({"NOTIFIED", "PARTIALLY_REFUNDED"})
CONTACTED = DUE | {"ESCALATED"}
OWED = LIVE | {"WRITTEN_OFF"}  # money may still arrive


class RecoveryFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("recovery case")
        verbose_name_plural = _("recovery cases")

    @transition(field="state", source=["OPENED"], target="NOTIFIED")
    def notify(self) -> None: ...

    # --- Money ----------------------------------------------------------------------------------

    @transition(
        field="state", source=["OPENED", "NOTIFIED", "PARTIALLY_REFUNDED"], target="PARTIALLY_REFUNDED"
    )
    def refund_part(self) -> None: ...

    @transition(field="state", source=sorted(OWED), target="REFUNDED")
    def refund(self) -> None: ...

    @transition(field="state", source=["REFUNDED"], target="PARTIALLY_REFUNDED")
    def undo_to_part(self) -> None: ...

    @transition(field="state", source=["REFUNDED", "PARTIALLY_REFUNDED"], target="NOTIFIED")
    def undo_all(self) -> None: ...

    # --- Overdue --------------------------------------------------------------------------------

    @transition(field="state", source=sorted(DUE), target="ESCALATED")
    def escalate(self) -> None: ...

    @transition(field="state", source=["ESCALATED"], target="NOTIFIED")
    def give_time(self) -> None: ...

    @transition(field="state", source=["ESCALATED"], target="WRITTEN_OFF")
    def write_off(self) -> None: ...

    # --- Overturned -----------------------------------------------------------------------------

    @transition(field="state", source=sorted(frozenset(STATES) - {"CANCELLED"}), target="CANCELLED")
    def cancel(self) -> None: ...


KIND = register(
    Kind(
        code="recovery",
        label=_("recovery"),
        prefix="R",
        workflow=RecoveryFlow,
        subject="recovery",
        states=STATES,
        select_related=("recovery__origin", "recovery__payee"),
    )
)
