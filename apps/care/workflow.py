"""The diagrams of a home test (machine k) and of a request for a service (machine l), on one screen.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

TEST_STATES = {
    "ORDERED": pgettext_lazy("state of a home test", "ordered"),
    "CANCELLED": pgettext_lazy("state of a home test", "canceled"),
    "REJECTED": pgettext_lazy("state of a home test", "address refused"),
    "SAMPLED": pgettext_lazy("state of a home test", "sampled"),
    "REPORTED": pgettext_lazy("state of a home test", "reported"),
    "ADVISED": pgettext_lazy("state of a home test", "advised"),
    "CLOSED": pgettext_lazy("state of a home test", "closed"),
}
TEST_FINAL = frozenset({"CANCELLED", "REJECTED", "CLOSED"})
SERVICE_STATES = {
    "REQUESTED": pgettext_lazy("state of a service", "requested"),
    "ASSIGNED": pgettext_lazy("state of a service", "assigned"),
    "OVERDUE": pgettext_lazy("state of a service", "answer overdue"),
    "ON_SITE": pgettext_lazy("state of a service", "on site"),
    "RESPONDED": pgettext_lazy("state of a service", "answered"),
    "DONE": pgettext_lazy("state of a service", "done"),
    "CANCELLED": pgettext_lazy("state of a service", "canceled"),
    "REJECTED": pgettext_lazy("state of a service", "refused"),
    "UNAVAILABLE": pgettext_lazy("state of a service", "not available"),
}
SERVICE_FINAL = frozenset({"DONE", "CANCELLED", "REJECTED", "UNAVAILABLE"})
WAITING = frozenset({"REQUESTED", "ASSIGNED", "OVERDUE"})  # for what was asked


class HomeTestFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("home test case")
        verbose_name_plural = _("home test cases")

    @transition(field="state", source="ORDERED", target="CANCELLED")
    def cancel(self) -> None: ...

    @transition(field="state", source="ORDERED", target="REJECTED")
    def reject(self) -> None: ...

    @transition(field="state", source="ORDERED", target="SAMPLED")
    def sample(self) -> None: ...

    @transition(field="state", source="SAMPLED", target="REPORTED")
    def report(self) -> None: ...

    @transition(field="state", source="REPORTED", target="ADVISED")
    def advise(self) -> None: ...

    @transition(field="state", source=["REPORTED", "ADVISED"], target="CLOSED")
    def close(self) -> None: ...


class ServiceFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("service case")
        verbose_name_plural = _("service cases")

    @transition(field="state", source="REQUESTED", target="ASSIGNED")
    def assign(self) -> None: ...

    @transition(field="state", source="ASSIGNED", target="ON_SITE")
    def arrive(self) -> None: ...

    @transition(field="state", source=["REQUESTED", "ASSIGNED"], target="OVERDUE")
    def fall_due(self) -> None: ...

    @transition(field="state", source=["REQUESTED", "ASSIGNED", "OVERDUE"], target="RESPONDED")
    def respond(self) -> None: ...

    @transition(field="state", source=["ON_SITE", "RESPONDED"], target="DONE")
    def finish(self) -> None: ...

    @transition(field="state", source=["REQUESTED", "ASSIGNED", "OVERDUE"], target="CANCELLED")
    def cancel(self) -> None: ...

    @transition(field="state", source=["REQUESTED", "ASSIGNED"], target="REJECTED")
    def reject(self) -> None: ...

    @transition(field="state", source=["REQUESTED", "ASSIGNED"], target="UNAVAILABLE")
    def unavailable(self) -> None: ...


HOME_TEST = register(
    Kind(
        code="test",
        label=_("home test"),
        prefix="T",
        workflow=HomeTestFlow,
        subject="home_test",
        states=TEST_STATES,
        clocks=frozenset({"family_doctor.advice"}),
    )
)
SERVICE = register(
    Kind(
        code="service",
        label=_("service"),
        prefix="S",
        workflow=ServiceFlow,
        subject="service",
        states=SERVICE_STATES,
        select_related=("service__recommended", "service__appointment"),
        clocks=frozenset({"consult.response", "consult.late_response", "message.reply", "service.target"}),
    )
)
