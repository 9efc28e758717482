"""The diagram of an inpatient advance: machine (g), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "APPLIED": pgettext_lazy("state of an advance", "applied"),
    "VERIFIED": pgettext_lazy("state of an advance", "entitlement verified"),
    "CONTACTED": pgettext_lazy("state of an advance", "family called"),
    "MATERIALS_PENDING": pgettext_lazy("state of an advance", "pending papers"),
    "MATERIALS_COMPLETE": pgettext_lazy("state of an advance", "under review"),
    "INVESTIGATING": pgettext_lazy("state of an advance", "being investigated"),
    "APPROVED": pgettext_lazy("state of an advance", "approved, to be signed"),
    "SIGNED": pgettext_lazy("state of an advance", "signed, to be paid"),
    "ADVANCED": pgettext_lazy("state of an advance", "advanced"),
    "DISCHARGE_NOTICED": pgettext_lazy("state of an advance", "discharge announced"),
    "SETTLED": pgettext_lazy("state of an advance", "settled, claim filed"),
    "ADJUDICATED": pgettext_lazy("state of an advance", "claim decided"),
    "REFUND_DUE": pgettext_lazy("state of an advance", "difference due"),
    "REFUNDED": pgettext_lazy("state of an advance", "difference refunded"),
    "CLOSED": pgettext_lazy("state of an advance", "closed"),
    "INELIGIBLE": pgettext_lazy("state of an advance", "not eligible"),
    "TERMINATED": pgettext_lazy("state of an advance", "terminated"),
    "WITHDRAWN": pgettext_lazy("state of an advance", "withdrawn"),
}
FINAL = frozenset({"CLOSED", "INELIGIBLE", "TERMINATED", "WITHDRAWN"})
COLLECTING = frozenset({"CONTACTED", "MATERIALS_PENDING"})
REVIEWING = frozenset({"MATERIALS_COMPLETE", "INVESTIGATING"})
BEFORE_REVIEW = frozenset({"APPLIED", "VERIFIED"}) | COLLECTING
BEFORE_DECISION = BEFORE_REVIEW | REVIEWING
BEFORE_ADVANCED = BEFORE_DECISION | {"APPROVED", "SIGNED"}
PAID = frozenset({"ADVANCED", "DISCHARGE_NOTICED"})  # by the provider, and the child not settled yet
IN_CLAIM = frozenset({"SETTLED", "ADJUDICATED", "REFUND_DUE", "REFUNDED"})


class AdvanceFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("inpatient advance")
        verbose_name_plural = _("inpatient advances")

    # --- Entitlement ----------------------------------------------------------------------------

    @transition(field="state", source=["APPLIED"], target="VERIFIED")
    def verify(self) -> None: ...

    @transition(field="state", source=["APPLIED"], target="INELIGIBLE")
    def find_ineligible(self) -> None: ...

    @transition(field="state", source=["VERIFIED"], target="CONTACTED")
    def contact(self) -> None: ...

    # --- Papers ---------------------------------------------------------------------------------

    @transition(field="state", source=["CONTACTED", *sorted(REVIEWING)], target="MATERIALS_PENDING")
    def wait_for_papers(self) -> None: ...

    @transition(field="state", source=sorted(COLLECTING), target="MATERIALS_COMPLETE")
    def complete(self) -> None: ...

    # --- Review ---------------------------------------------------------------------------------

    @transition(field="state", source=["MATERIALS_COMPLETE"], target="INVESTIGATING")
    def open_investigation(self) -> None: ...

    @transition(field="state", source=["INVESTIGATING"], target="MATERIALS_COMPLETE")
    def close_investigation(self) -> None: ...

    @transition(field="state", source=sorted(REVIEWING), target="APPROVED")
    def approve(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE_ADVANCED), target="TERMINATED")
    def terminate(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE_ADVANCED), target="WITHDRAWN")
    def withdraw(self) -> None: ...

    # --- Money to the hospital ------------------------------------------------------------------

    @transition(field="state", source=["APPROVED"], target="SIGNED")
    def sign(self) -> None: ...

    @transition(field="state", source=["SIGNED"], target="ADVANCED")
    def pay(self) -> None: ...

    # --- Discharge and claim --------------------------------------------------------------------

    @transition(field="state", source=["ADVANCED"], target="DISCHARGE_NOTICED")
    def announce_discharge(self) -> None: ...

    @transition(field="state", source=sorted(PAID), target="SETTLED")
    def settle(self) -> None: ...

    @transition(field="state", source=["SETTLED"], target="ADJUDICATED")
    def adjudicate(self) -> None: ...

    @transition(field="state", source=["ADJUDICATED"], target="REFUND_DUE")
    def ask_refund(self) -> None: ...

    @transition(field="state", source=["REFUND_DUE"], target="REFUNDED")
    def refund(self) -> None: ...

    @transition(field="state", source=["ADJUDICATED", "REFUNDED"], target="CLOSED")
    def close(self) -> None: ...


KIND = register(
    Kind(
        code="advance",
        label=_("inpatient advance"),
        prefix="V",
        workflow=AdvanceFlow,
        subject="advance",
        states=STATES,
        select_related=("advance__campus", "hospital"),
        clocks=frozenset(
            {
                "advance.verification", "advance.first_call", "advance.review", "advance.investigation",
                "advance.sign_reminder", "advance.payment", "advance.settlement", "advance.refund",
            }
        ),
    )
)  # fmt: skip
