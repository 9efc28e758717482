"""The diagram of an enquiry, on one screen: asked, answered, closed, asked again.

Source and target only; who may do it, when, and what follows stand in `actions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import transition

from apps.adjudication.handbook import Condition
from apps.cases.kinds import Kind, register
from apps.cases.models import CaseFile

STATES = {
    "OPEN": pgettext_lazy("state of an enquiry", "open"),
    "REOPENED": pgettext_lazy("state of an enquiry", "reopened"),
    "ANSWERED": pgettext_lazy("state of an enquiry", "answered"),
    "CLOSED": pgettext_lazy("state of an enquiry", "closed"),
}
LIVE = frozenset({"OPEN", "REOPENED"})


class EnquiryFlow(CaseFile):
    class Meta:
        proxy = True
        verbose_name = _("enquiry case")
        verbose_name_plural = _("enquiry cases")

    @transition(field="state", source=["OPEN", "REOPENED"], target="ANSWERED")
    def answer(self) -> None: ...

    @transition(field="state", source=["OPEN", "REOPENED", "ANSWERED"], target="CLOSED")
    def close(self) -> None: ...

    @transition(field="state", source=["ANSWERED", "CLOSED"], target="REOPENED")
    def reopen(self) -> None: ...


def clock_matches(ctx: Any, when: Sequence[Condition]) -> bool:
    """The days of a complaint depend on its category (LAW-10); no other condition fits an enquiry."""
    row = ctx.loaded.get("enquiry") or ctx.subject
    return all(one.test == "category" and row.category in one.args["any_of"] for one in when)


KIND = register(
    Kind(
        code="enquiry",
        label=_("enquiry"),
        prefix="E",
        workflow=EnquiryFlow,
        subject="enquiry",
        states=STATES,
        select_related=("enquiry__about",),
        clock_matches=clock_matches,
        clocks=frozenset({"law.complaint", "message.reply"}),
    )
)
