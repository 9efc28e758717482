"""The diagram of a self-pay bill with its reminders: machine (i), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "OPEN": pgettext_lazy("state of a bill", "open"),
    "REMINDED_1": pgettext_lazy("state of a bill", "reminded once"),
    "REMINDED_2": pgettext_lazy("state of a bill", "reminded twice"),
    "REMINDED_3": pgettext_lazy("state of a bill", "reminded three times"),
    "EXHAUSTED": pgettext_lazy("state of a bill", "reminders exhausted, card greyed"),
    "PAID": pgettext_lazy("state of a bill", "paid"),
    "CANCELLED": pgettext_lazy("state of a bill", "canceled"),
}
REMINDED = ("OPEN", "REMINDED_1", "REMINDED_2", "REMINDED_3")  # by the number of reminders that count
MOST_REMINDERS = len(REMINDED) - 1
UNPAID = frozenset({*REMINDED, "EXHAUSTED"})
REMINDABLE = frozenset(REMINDED)
FINAL = frozenset({"PAID", "CANCELLED"})


class BillFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("self-pay bill")
        verbose_name_plural = _("self-pay bills")

    @transition(field="state", source=["OPEN"], target="REMINDED_1")
    def remind_1(self) -> None: ...

    @transition(field="state", source=["REMINDED_1"], target="REMINDED_2")
    def remind_2(self) -> None: ...

    @transition(field="state", source=["REMINDED_2"], target="REMINDED_3")
    def remind_3(self) -> None: ...

    @transition(field="state", source=["REMINDED_1", "REMINDED_2", "REMINDED_3"], target="EXHAUSTED")
    def exhaust(self) -> None: ...

    # --- An e-mail that had counted came back --------------------------------------------------

    @transition(field="state", source=["REMINDED_1", "EXHAUSTED"], target="OPEN")
    def unremind_1(self) -> None: ...

    @transition(field="state", source=["REMINDED_2", "EXHAUSTED"], target="REMINDED_1")
    def unremind_2(self) -> None: ...

    @transition(field="state", source=["REMINDED_3", "EXHAUSTED"], target="REMINDED_2")
    def unremind_3(self) -> None: ...

    # --- The end --------------------------------------------------------------------------------

    @transition(field="state", source=sorted(UNPAID), target="PAID")
    def pay(self) -> None: ...

    @transition(field="state", source=sorted(UNPAID), target="CANCELLED")
    def cancel(self) -> None: ...

    # --- A payment was recorded by mistake ------------------------------------------------------

    @transition(field="state", source=["PAID"], target="OPEN")
    def reopen(self) -> None: ...

    @transition(field="state", source=["PAID"], target="REMINDED_1")
    def reopen_1(self) -> None: ...

    @transition(field="state", source=["PAID"], target="REMINDED_2")
    def reopen_2(self) -> None: ...

    @transition(field="state", source=["PAID"], target="REMINDED_3")
    def reopen_3(self) -> None: ...

    @transition(field="state", source=["PAID"], target="EXHAUSTED")
    def reopen_exhausted(self) -> None: ...


KIND = register(
    Kind(
        code="bill",
        label=_("self-pay bill"),
        prefix="B",
        workflow=BillFlow,
        subject="self_pay",
        states=STATES,
        select_related=("self_pay__hospital", "self_pay__claim", "hospital"),
    )
)
REMIND = ("remind_1", "remind_2", "remind_3")
REOPEN = ("reopen", "reopen_1", "reopen_2", "reopen_3")  # by the number of reminders that count
UNREMIND = ("unremind_1", "unremind_2", "unremind_3")
