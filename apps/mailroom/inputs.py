"""What the steps of an e-mail ask for: one dataclass gives the form, the API and the validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.inputs import ask
from apps.mailroom.reasons import DISMISSED

ANSWERS: list[tuple[str, Any]] = [
    ("mail_received", _("Received, we are looking at it")),
    ("mail_who", _("Ask which child and which claim")),
    ("mail_files", _("Ask for files that could not be read")),
    ("mail_channel", _("How a claim is submitted")),
]
BY_HAND = [(code, label) for code, label in DISMISSED.items() if code != "AUTOMATIC"]


@dataclass(frozen=True)
class PaperChoice:
    """A file of the message and the kind of paper it is; without a kind it is left out."""

    file: int = ask(_("File"))
    kind: str = ask(_("Kind of paper"), default="", max_length=40)


@dataclass(frozen=True)
class FileInput:
    case: str = ask(_("Case number"), min_length=5, max_length=30)
    files: tuple[PaperChoice, ...] = ask(
        _("Files"), default=(), widget="lines", help=_("Empty: every readable file, by its name.")
    )
    note: str = ask(_("Note"), default="", max_length=500)


@dataclass(frozen=True)
class DismissInput:
    reason: str = ask(_("Reason"), choices=BY_HAND, widget="select")
    note: str = ask(_("Note"), default="", max_length=500)


@dataclass(frozen=True)
class ReopenInput:
    note: str = ask(_("Reason"), min_length=2, max_length=500)


@dataclass(frozen=True)
class AnswerInput:
    template: str = ask(_("Answer"), choices=ANSWERS, widget="select")
    text: str = ask(_("In your own words"), default="", widget="textarea", max_length=2000)
    language: str = ask(
        _("Language"),
        default="zh-hans",
        choices=[("zh-hans", _("Chinese")), ("en", _("English"))],
        widget="select",
    )


@dataclass(frozen=True)
class TrackingInput:
    tracking_number: str = ask(_("Courier number"), min_length=5, max_length=40, rule="RMB-25")
    case: str = ask(_("Case number"), default="", max_length=30, help=_("Empty: the case it was filed in."))


@dataclass(frozen=True)
class SortInput:
    file: int = ask(_("File"))
    kind: str = ask(_("Kind of paper"), max_length=40)
