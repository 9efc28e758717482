"""The diagram of a quality inspection (质检)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "DRAWN": pgettext_lazy("state of an inspection", "to be inspected"),
    "PASSED": pgettext_lazy("state of an inspection", "without error"),
    "FAULTY": pgettext_lazy("state of an inspection", "error found"),
    "REWORK": pgettext_lazy("state of an inspection", "being reworked"),
    "REWORKED": pgettext_lazy("state of an inspection", "reworked"),
}


class InspectionFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("quality inspection")
        verbose_name_plural = _("quality inspections")

    @transition(field="state", source=["DRAWN"], target="PASSED")
    def find_nothing(self) -> None: ...

    @transition(field="state", source=["DRAWN", "FAULTY"], target="FAULTY")
    def find_errors(self) -> None: ...

    @transition(field="state", source=["DRAWN", "FAULTY"], target="REWORK")
    def send_to_rework(self) -> None: ...

    @transition(field="state", source=["FAULTY"], target="PASSED")
    def uphold_objection(self) -> None: ...

    @transition(field="state", source=["REWORK"], target="REWORKED")
    def finish_rework(self) -> None: ...


KIND = register(
    Kind(
        code="inspection",
        label=_("quality inspection"),
        prefix="Q",
        workflow=InspectionFlow,
        subject="inspection",
        states=STATES,
        select_related=("inspection__decision", "inspection__claim_case"),
    )
)
