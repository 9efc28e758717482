"""The diagram of a prior authorization with its guarantee letter: machine (b), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "SUBMITTED": pgettext_lazy("state of an authorization", "submitted"),
    "EMERGENCY_NOTIFIED": pgettext_lazy("state of an authorization", "emergency notified"),
    "MATERIALS_PENDING": pgettext_lazy("state of an authorization", "pending papers"),
    "UNDER_REVIEW": pgettext_lazy("state of an authorization", "under review"),
    "MEDICAL_REVIEW": pgettext_lazy("state of an authorization", "medical review"),
    "SECOND_REVIEW": pgettext_lazy("state of an authorization", "second review"),
    "APPROVED": pgettext_lazy("state of an authorization", "approved"),
    "LETTER_ISSUED": pgettext_lazy("state of an authorization", "letter issued"),
    "LETTER_SENT": pgettext_lazy("state of an authorization", "letter sent"),
    "IN_USE": pgettext_lazy("state of an authorization", "in use"),
    "SUPPLEMENTARY_REVIEW": pgettext_lazy("state of an authorization", "supplement under review"),
    "SUPPLEMENT_SIGNING": pgettext_lazy("state of an authorization", "supplement to be signed"),
    "RECONSIDERATION": pgettext_lazy("state of an authorization", "being reconsidered"),
    "APPROVED_NO_LETTER": pgettext_lazy("state of an authorization", "approved without letter"),
    "NOT_REQUIRED": pgettext_lazy("state of an authorization", "not required"),
    "REJECTED": pgettext_lazy("state of an authorization", "rejected"),
    "VOIDED": pgettext_lazy("state of an authorization", "letter void"),
    "EXPIRED": pgettext_lazy("state of an authorization", "expired unused"),
    "WITHDRAWN": pgettext_lazy("state of an authorization", "withdrawn"),
    "CLOSED": pgettext_lazy("state of an authorization", "closed"),
}
FINAL = frozenset(
    {"APPROVED_NO_LETTER", "NOT_REQUIRED", "REJECTED", "VOIDED", "EXPIRED", "WITHDRAWN", "CLOSED"}
)
COLLECTING = frozenset({"SUBMITTED", "EMERGENCY_NOTIFIED", "MATERIALS_PENDING"})
DECIDING = frozenset({"UNDER_REVIEW", "RECONSIDERATION"})
BEFORE_DECISION = COLLECTING | DECIDING | {"MEDICAL_REVIEW", "SECOND_REVIEW"}
LAPSING = frozenset({"APPROVED", "LETTER_ISSUED", "LETTER_SENT"})  # what ends unused after its last day
LETTER_OUT = frozenset({"LETTER_ISSUED", "LETTER_SENT"})
AT_HOSPITAL = frozenset({"IN_USE", "SUPPLEMENTARY_REVIEW", "SUPPLEMENT_SIGNING"})


class AuthorizationFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("prior authorization")
        verbose_name_plural = _("prior authorizations")

    # --- Papers ---------------------------------------------------------------------------------

    @transition(field="state", source=["SUBMITTED", "EMERGENCY_NOTIFIED"], target="MATERIALS_PENDING")
    def wait_for_papers(self) -> None: ...

    @transition(field="state", source=sorted(COLLECTING), target="UNDER_REVIEW")
    def complete(self) -> None: ...

    # --- Decision -------------------------------------------------------------------------------

    @transition(field="state", source=["UNDER_REVIEW"], target="NOT_REQUIRED")
    def find_not_required(self) -> None: ...

    @transition(field="state", source=["UNDER_REVIEW"], target="MEDICAL_REVIEW")
    def ask_doctor(self) -> None: ...

    @transition(field="state", source=["MEDICAL_REVIEW"], target="UNDER_REVIEW")
    def hear_doctor(self) -> None: ...

    @transition(field="state", source=sorted(DECIDING), target="SECOND_REVIEW")
    def propose(self) -> None: ...

    @transition(field="state", source=["SECOND_REVIEW"], target="UNDER_REVIEW")
    def send_back(self) -> None: ...

    @transition(field="state", source=sorted(DECIDING | {"SECOND_REVIEW"}), target="APPROVED")
    def approve(self) -> None: ...

    @transition(field="state", source=sorted(DECIDING), target="REJECTED")
    def reject(self) -> None: ...

    @transition(field="state", source=["REJECTED"], target="RECONSIDERATION")
    def reconsider(self) -> None: ...

    @transition(field="state", source=sorted(BEFORE_DECISION | {"APPROVED"}), target="WITHDRAWN")
    def withdraw(self) -> None: ...

    # --- Letter ---------------------------------------------------------------------------------

    @transition(field="state", source=["APPROVED", "LETTER_ISSUED", "LETTER_SENT"], target="LETTER_ISSUED")
    def issue_letter(self) -> None: ...

    @transition(field="state", source=["APPROVED"], target="APPROVED_NO_LETTER")
    def go_without_letter(self) -> None: ...

    @transition(field="state", source=["LETTER_ISSUED"], target="LETTER_SENT")
    def deliver_letter(self) -> None: ...

    @transition(field="state", source=sorted(LETTER_OUT), target="VOIDED")
    def void(self) -> None: ...

    @transition(field="state", source=sorted(LAPSING), target="EXPIRED")
    def expire(self) -> None: ...

    # --- Stay -----------------------------------------------------------------------------------

    @transition(field="state", source=sorted(LETTER_OUT), target="IN_USE")
    def admit(self) -> None: ...

    @transition(field="state", source=["IN_USE"], target="SUPPLEMENTARY_REVIEW")
    def ask_supplement(self) -> None: ...

    @transition(field="state", source=["SUPPLEMENTARY_REVIEW"], target="SUPPLEMENT_SIGNING")
    def propose_supplement(self) -> None: ...

    @transition(field="state", source=["SUPPLEMENT_SIGNING"], target="SUPPLEMENTARY_REVIEW")
    def send_back_supplement(self) -> None: ...

    @transition(field="state", source=["SUPPLEMENTARY_REVIEW", "SUPPLEMENT_SIGNING"], target="IN_USE")
    def answer_supplement(self) -> None: ...

    @transition(field="state", source=["IN_USE"], target="CLOSED")
    def close(self) -> None: ...


KIND = register(
    Kind(
        code="authorization",
        label=_("prior authorization"),
        prefix="A",
        workflow=AuthorizationFlow,
        subject="authorization",
        states=STATES,
        select_related=("authorization__campus", "hospital"),
    )
)
