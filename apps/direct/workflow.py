"""The diagram of a direct-billing claim: machines (c1), (c2) and the direct part of (f), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile
from apps.claims.facts import clock_matches

STATES = {
    "ADMITTED": pgettext_lazy("state of a direct claim", "admitted"),
    "INTAKE": pgettext_lazy("state of a direct claim", "intake"),
    "INTAKE_INCOMPLETE": pgettext_lazy("state of a direct claim", "intake incomplete"),
    "PA_EXCEPTION": pgettext_lazy("state of a direct claim", "without authorization"),
    "ID_PENDING": pgettext_lazy("state of a direct claim", "awaiting photo identity"),
    "UNDER_REVIEW": pgettext_lazy("state of a direct claim", "under review"),
    "DISPUTED": pgettext_lazy("state of a direct claim", "in dispute"),
    "SECOND_REVIEW": pgettext_lazy("state of a direct claim", "second review"),
    "ADJUDICATED": pgettext_lazy("state of a direct claim", "decided"),
    "PAID_TO_HOSPITAL": pgettext_lazy("state of a direct claim", "paid to the hospital"),
    "CLOSED": pgettext_lazy("state of a direct claim", "closed"),
    "DENIED": pgettext_lazy("state of a direct claim", "declined"),
    "WITHDRAWN": pgettext_lazy("state of a direct claim", "withdrawn"),
}
FINAL = frozenset({"CLOSED", "DENIED", "WITHDRAWN"})
AT_INTAKE = frozenset({"INTAKE", "INTAKE_INCOMPLETE", "PA_EXCEPTION", "ID_PENDING"})
BEFORE_DECISION = AT_INTAKE | {"ADMITTED", "UNDER_REVIEW", "DISPUTED", "SECOND_REVIEW"}
DECIDED = frozenset({"ADJUDICATED", "PAID_TO_HOSPITAL", "CLOSED", "DENIED"})


class DirectFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("direct-billing case")
        verbose_name_plural = _("direct-billing cases")

    # --- Stay -----------------------------------------------------------------------------------

    @transition(field="state", source=["ADMITTED"], target="ADMITTED")
    def report_costs(self) -> None: ...

    @transition(field="state", source=["ADMITTED"], target="INTAKE")
    def discharge(self) -> None: ...

    # --- Intake: the system names the way, a person answers ----------------------------------------

    @transition(field="state", source=["INTAKE"], target="INTAKE_INCOMPLETE")
    def lack_papers(self) -> None: ...

    @transition(field="state", source=["INTAKE_INCOMPLETE"], target="INTAKE")
    def take_in(self) -> None: ...

    @transition(field="state", source=["INTAKE"], target="PA_EXCEPTION")
    def ask_exception(self) -> None: ...

    @transition(field="state", source=["INTAKE", "PA_EXCEPTION"], target="ID_PENDING")
    def ask_identity(self) -> None: ...

    @transition(field="state", source=["INTAKE", "PA_EXCEPTION", "ID_PENDING"], target="UNDER_REVIEW")
    def start_review(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE_DECISION), target="WITHDRAWN")
    def withdraw(self) -> None: ...

    # --- Review: as of a claim of a family (machine d) -----------------------------------------------

    @transition(field="state", source=["UNDER_REVIEW"], target="DISPUTED")
    def dispute(self) -> None: ...

    @transition(field="state", source=["DISPUTED"], target="UNDER_REVIEW")
    def settle_dispute(self) -> None: ...

    # --- Decision -------------------------------------------------------------------------------

    @transition(field="state", source=["UNDER_REVIEW"], target="SECOND_REVIEW")
    def propose(self) -> None: ...

    @transition(field="state", source=["SECOND_REVIEW"], target="UNDER_REVIEW")
    def send_back(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW", "SECOND_REVIEW"], target="ADJUDICATED")
    def adjudicate(self) -> None: ...

    @transition(field="state", source=["ADJUDICATED"], target="DENIED")
    def deny(self) -> None: ...

    # --- Payment and end ------------------------------------------------------------------------

    @transition(field="state", source=["ADJUDICATED"], target="PAID_TO_HOSPITAL")
    def pay(self) -> None: ...

    @transition(field="state", source=["PAID_TO_HOSPITAL", "CLOSED"], target="ADJUDICATED")
    def return_payment(self) -> None: ...

    @transition(field="state", source=["PAID_TO_HOSPITAL"], target="CLOSED")
    def close(self) -> None: ...

    @transition(field="state", source=sorted(DECIDED), target="UNDER_REVIEW")
    def reopen(self) -> None: ...


KIND = register(
    Kind(
        code="direct",
        label=_("direct-billing case"),
        prefix="D",
        workflow=DirectFlow,
        subject="direct",
        states=STATES,
        select_related=("claim__payee", "direct__authorization__case", "hospital"),
        clock_matches=clock_matches,
        clocks=frozenset({"claim.decision", "law.decision", "law.refusal"}),
    )
)
