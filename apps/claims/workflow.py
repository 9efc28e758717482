"""The diagram of a claim: machines (d), (e) and the post-claims of (f), on one screen.

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
    "REPORTED": pgettext_lazy("state of a claim", "reported"),
    "EMERGENCY_HOLD": pgettext_lazy("state of a claim", "on hold at intake"),
    "REFUSAL_PENDING": pgettext_lazy("state of a claim", "refusal to be confirmed"),
    "ONLINE_SUBMITTED": pgettext_lazy("state of a claim", "submitted online"),
    "AWAITING_ORIGINALS": pgettext_lazy("state of a claim", "awaiting originals"),
    "ORIGINALS_RECEIVED": pgettext_lazy("state of a claim", "originals received"),
    "MATERIALS_CHECK": pgettext_lazy("state of a claim", "materials check"),
    "MATERIALS_PENDING": pgettext_lazy("state of a claim", "pending papers"),
    "COMPLETE": pgettext_lazy("state of a claim", "complete"),
    "UNDER_REVIEW": pgettext_lazy("state of a claim", "under review"),
    "DISPUTED": pgettext_lazy("state of a claim", "in dispute"),
    "SECOND_REVIEW": pgettext_lazy("state of a claim", "second review"),
    "APPROVED": pgettext_lazy("state of a claim", "approved in full"),
    "PARTIAL": pgettext_lazy("state of a claim", "approved in part"),
    "PAYMENT_PENDING": pgettext_lazy("state of a claim", "payment pending"),
    "PAYMENT_FAILED": pgettext_lazy("state of a claim", "returned by the bank"),
    "PAID": pgettext_lazy("state of a claim", "paid"),
    "REOPENED": pgettext_lazy("state of a claim", "reopened"),
    "CLOSED": pgettext_lazy("state of a claim", "closed"),
    "DENIED": pgettext_lazy("state of a claim", "declined"),
    "REJECTED_INTAKE": pgettext_lazy("state of a claim", "refused at intake"),
    "WITHDRAWN": pgettext_lazy("state of a claim", "withdrawn"),
    "CLOSED_NO_PAPERS": pgettext_lazy("state of a claim", "closed, papers never came"),
}
FINAL = frozenset({"CLOSED", "DENIED", "REJECTED_INTAKE", "WITHDRAWN", "CLOSED_NO_PAPERS"})
COLLECTING = frozenset(
    {"ONLINE_SUBMITTED", "AWAITING_ORIGINALS", "ORIGINALS_RECEIVED", "MATERIALS_CHECK", "MATERIALS_PENDING"}
)
BEFORE_REVIEW = frozenset({"REPORTED", "EMERGENCY_HOLD", "REFUSAL_PENDING", "COMPLETE"}) | COLLECTING
REVIEW = frozenset({"UNDER_REVIEW", "DISPUTED"})
BEFORE_DECISION = BEFORE_REVIEW | REVIEW | {"SECOND_REVIEW", "REOPENED"}


class ClaimFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("claim case")
        verbose_name_plural = _("claim cases")

    # --- Intake: REPORTED is what machine (d) calls FILED ---------------------------------------

    @transition(field="state", source=["REPORTED"], target="REFUSAL_PENDING")
    def propose_refusal(self) -> None: ...

    @transition(field="state", source=["REPORTED"], target="EMERGENCY_HOLD")
    def hold(self) -> None: ...

    @transition(field="state", source=["REFUSAL_PENDING", "EMERGENCY_HOLD"], target="REJECTED_INTAKE")
    def reject_intake(self) -> None: ...

    @transition(field="state", source=["REJECTED_INTAKE"], target="REFUSAL_PENDING")
    def readmit(self) -> None: ...

    @transition(
        field="state",
        source=["REPORTED", "EMERGENCY_HOLD", "REFUSAL_PENDING", "AWAITING_ORIGINALS"],
        target="ONLINE_SUBMITTED",
    )
    def route_online(self) -> None: ...

    @transition(
        field="state",
        source=["REPORTED", "EMERGENCY_HOLD", "REFUSAL_PENDING", "ONLINE_SUBMITTED"],
        target="AWAITING_ORIGINALS",
    )
    def route_mail(self) -> None: ...

    # --- Papers ---------------------------------------------------------------------------------

    @transition(field="state", source=["AWAITING_ORIGINALS"], target="ORIGINALS_RECEIVED")
    def receive_originals(self) -> None: ...

    @transition(
        field="state",
        source=["ONLINE_SUBMITTED", "ORIGINALS_RECEIVED", "MATERIALS_PENDING", "MATERIALS_CHECK"],
        target="MATERIALS_CHECK",
    )
    def check_papers(self) -> None: ...

    @transition(
        field="state",
        source=["ONLINE_SUBMITTED", "ORIGINALS_RECEIVED", "MATERIALS_CHECK", "UNDER_REVIEW"],
        target="MATERIALS_PENDING",
    )
    def wait_for_papers(self) -> None: ...

    @transition(field="state", source=["MATERIALS_CHECK"], target="COMPLETE")
    def complete(self) -> None: ...

    @transition(field="state", source=["MATERIALS_PENDING", "AWAITING_ORIGINALS"], target="CLOSED_NO_PAPERS")
    def give_up_papers(self) -> None: ...

    # --- Review ---------------------------------------------------------------------------------

    @transition(field="state", source=["COMPLETE"], target="UNDER_REVIEW")
    def start_review(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW"], target="DISPUTED")
    def dispute(self) -> None: ...

    @transition(field="state", source=["DISPUTED"], target="UNDER_REVIEW")
    def settle_dispute(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW"], target="SECOND_REVIEW")
    def propose(self) -> None: ...

    @transition(field="state", source=["SECOND_REVIEW"], target="UNDER_REVIEW")
    def send_back(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW", "SECOND_REVIEW"], target="APPROVED")
    def approve(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW", "SECOND_REVIEW"], target="PARTIAL")
    def approve_part(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW", "SECOND_REVIEW"], target="DENIED")
    def deny(self) -> None: ...

    # --- Payment and end ------------------------------------------------------------------------

    @transition(field="state", source=["APPROVED", "PARTIAL", "PAYMENT_FAILED"], target="PAYMENT_PENDING")
    def order_payment(self) -> None: ...

    @transition(field="state", source=["PAYMENT_PENDING", "CLOSED"], target="PAYMENT_FAILED")
    def return_payment(self) -> None: ...

    @transition(field="state", source=["PAYMENT_PENDING"], target="PAID")
    def pay(self) -> None: ...

    @transition(field="state", source=["PAID", "APPROVED", "PARTIAL"], target="CLOSED")
    def close(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE_DECISION), target="WITHDRAWN")
    def withdraw(self) -> None: ...

    @transition(field="state", source=["CLOSED", "DENIED", "CLOSED_NO_PAPERS"], target="REOPENED")
    def reopen(self) -> None: ...

    @transition(field="state", source=["REOPENED"], target="UNDER_REVIEW")
    def resume_review(self) -> None: ...

    @transition(field="state", source=["REOPENED"], target="MATERIALS_CHECK")
    def resume_check(self) -> None: ...


KIND = register(
    Kind(
        code="claim",
        label=_("claim case"),
        prefix="C",
        workflow=ClaimFlow,
        subject="claim",
        states=STATES,
        select_related=("claim__payee",),
        clock_matches=clock_matches,
    )
)
