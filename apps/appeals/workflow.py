"""The diagram of an appeal: machine (h), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "RECEIVED": pgettext_lazy("state of an appeal", "received"),
    "UNDER_REVIEW": pgettext_lazy("state of an appeal", "under review"),
    "INFO_PENDING": pgettext_lazy("state of an appeal", "papers asked for"),
    "UPHELD": pgettext_lazy("state of an appeal", "decision upheld"),
    "OVERTURNED": pgettext_lazy("state of an appeal", "decision overturned"),
    "CLOSED": pgettext_lazy("state of an appeal", "answered"),
    "WITHDRAWN": pgettext_lazy("state of an appeal", "withdrawn"),
}
BEFORE_RESULT = frozenset({"RECEIVED", "UNDER_REVIEW", "INFO_PENDING"})
LIVE = BEFORE_RESULT | {"UPHELD", "OVERTURNED"}
FINAL = frozenset({"CLOSED", "WITHDRAWN"})


class AppealFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("appeal case")
        verbose_name_plural = _("appeal cases")

    @transition(field="state", source=["RECEIVED"], target="UNDER_REVIEW")
    def assign(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW"], target="INFO_PENDING")
    def ask_papers(self) -> None: ...

    @transition(field="state", source=["INFO_PENDING"], target="UNDER_REVIEW")
    def go_on(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW"], target="UPHELD")
    def uphold(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW"], target="OVERTURNED")
    def overturn(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE_RESULT), target="WITHDRAWN")
    def withdraw(self) -> None: ...

    @transition(field="state", source=["UPHELD", "OVERTURNED"], target="CLOSED")
    def close(self) -> None: ...


KIND = register(
    Kind(
        code="appeal",
        label=_("appeal"),
        prefix="H",
        workflow=AppealFlow,
        subject="appeal",
        states=STATES,
        select_related=("appeal__origin", "appeal__complaint"),
        clocks=frozenset({"appeal.answer", "appeal.answer_limit"}),
    )
)
