"""What the blocks of the case page show about an enquiry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.documents.queries import letters_on
from apps.enquiries.forms_offered import WORDS
from apps.messaging.models import CallTask, Message

Context = Mapping[str, Any]


def asked(case: CaseFile, actor: Any) -> Context:
    """Who asked what about which case, and the last answer."""
    return {"row": case.enquiry}  # type: ignore[attr-defined]


def sent(case: CaseFile, actor: Any) -> Context:
    """What went out: forms, answers, calls."""
    row = case.enquiry  # type: ignore[attr-defined]
    return {
        "row": row, "forms": [WORDS.get(key, key) for key in row.forms], "letters": letters_on(case),
        "sendings": list(Message.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "calls": list(CallTask.objects.filter(case=case.pk).order_by("-pk")[:20]),
    }  # fmt: skip


def add_panels(kind: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        ("asked", _("Enquiry and answer"), "enquiries/panels/asked.html", asked, "main"),
        ("sent", _("Forms and messages"), "enquiries/panels/sent.html", sent, "aside"),
    ):
        kind.panels.append(Panel(name, title, template, fill, side))
