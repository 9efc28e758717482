"""The diagram of a direct-billing appointment: machine (a), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "REQUESTED": pgettext_lazy("state of an appointment", "requested"),
    "ARRANGING": pgettext_lazy("state of an appointment", "being arranged"),
    "CONFIRMED": pgettext_lazy("state of an appointment", "confirmed"),
    "SUSPENDED": pgettext_lazy("state of an appointment", "suspended"),
    "CHECKED_IN": pgettext_lazy("state of an appointment", "arrived"),
    "COMPLETED": pgettext_lazy("state of an appointment", "visit done"),
    "REJECTED": pgettext_lazy("state of an appointment", "rejected"),
    "UNAVAILABLE": pgettext_lazy("state of an appointment", "hospital cannot"),
    "CANCELLED_ON_TIME": pgettext_lazy("state of an appointment", "canceled in time"),
    "CANCELLED_LATE": pgettext_lazy("state of an appointment", "canceled late"),
    "CANCELLED_SYSTEM": pgettext_lazy("state of an appointment", "canceled by the system"),
    "NO_SHOW": pgettext_lazy("state of an appointment", "no-show"),
}
BEFORE = frozenset({"REQUESTED", "ARRANGING"})  # nothing is booked yet
BOOKED = frozenset({"CONFIRMED", "SUSPENDED"})
FINAL = frozenset(STATES) - BEFORE - BOOKED - {"CHECKED_IN"}
MISSED = frozenset({"NO_SHOW", "CANCELLED_LATE"})


class AppointmentFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")

    # --- Asked for ------------------------------------------------------------------------------

    @transition(field="state", source=["REQUESTED"], target="REJECTED")
    def refuse(self) -> None: ...

    @transition(field="state", source=["REJECTED"], target="REQUESTED")
    def permit_late(self) -> None: ...

    @transition(field="state", source=["REQUESTED"], target="ARRANGING")
    def accept(self) -> None: ...

    @transition(field="state", source=["ARRANGING"], target="CONFIRMED")
    def confirm(self) -> None: ...

    @transition(field="state", source=["ARRANGING"], target="UNAVAILABLE")
    def find_unavailable(self) -> None: ...

    # --- Changed --------------------------------------------------------------------------------

    @transition(field="state", source=["CONFIRMED"], target="ARRANGING")
    def reschedule(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE | BOOKED), target="CANCELLED_ON_TIME")
    def cancel_on_time(self) -> None: ...

    @transition(field="state", source=sorted(BOOKED), target="CANCELLED_LATE")
    def cancel_late(self) -> None: ...

    @transition(field="state", source=["CONFIRMED"], target="SUSPENDED")
    def suspend(self) -> None: ...

    @transition(field="state", source=["SUSPENDED"], target="CONFIRMED")
    def restore(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE | {"SUSPENDED"}), target="CANCELLED_SYSTEM")
    def end(self) -> None: ...

    # --- The visit ------------------------------------------------------------------------------

    @transition(field="state", source=["CONFIRMED"], target="CHECKED_IN")
    def check_in(self) -> None: ...

    @transition(field="state", source=["CHECKED_IN"], target="CONFIRMED")
    def undo_check_in(self) -> None: ...

    @transition(field="state", source=["CHECKED_IN"], target="COMPLETED")
    def complete(self) -> None: ...

    @transition(field="state", source=["CONFIRMED"], target="NO_SHOW")
    def miss(self) -> None: ...

    @transition(field="state", source=["NO_SHOW"], target="CHECKED_IN")
    def find_present(self) -> None: ...


KIND = register(
    Kind(
        code="appointment",
        label=_("appointment"),
        prefix="P",
        workflow=AppointmentFlow,
        subject="appointment",
        states=STATES,
        select_related=("appointment__campus", "hospital"),
        clocks=frozenset({"appointment.arrange"}),
    )
)
