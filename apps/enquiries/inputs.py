"""What is asked when an enquiry is recorded, answered or closed."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.keys import CHANNELS
from apps.cases.inputs import ask, codes
from apps.enquiries.forms_offered import FORMS
from apps.enquiries.models import Sort

ASKED = [(code, words) for code, words in Sort.choices if code != Sort.FORMS]
TOLD = [("WRITTEN", _("in writing, sent now")), ("PHONE", _("told on the phone"))]


@dataclass(frozen=True, kw_only=True)
class AskInput:
    """What a family sends from its front end."""

    member: str = ask(
        _("Member or policy number"), default="", max_length=60, help=_("may stay empty when a case is named")
    )
    about: str = ask(_("About case"), default="", max_length=30, help=_("number of a claim or another case"))
    sort: str = ask(_("Kind"), choices=ASKED, default=Sort.QUESTION, rule="APP-06")
    asker: str = ask(_("Who asked"), max_length=80)
    text: str = ask(_("Question or complaint"), widget="textarea", min_length=2, max_length=2000)
    appeal: bool = ask(
        _("An appeal is wished"),
        default=False,
        help=_("complaints about the result of a claim"),
        rule="APP-27",
    )


@dataclass(frozen=True, kw_only=True)
class RecordInput(AskInput):
    """What staff and administrators record."""

    channel: str = ask(_("Channel"), choices=codes(CHANNELS), default="HOTLINE")
    complained_of: int | None = ask(
        _("Complained of"), default=None, widget="user", help=_("may not handle the complaint"), rule="LAW-10"
    )
    answer: str = ask(
        pgettext_lazy("enquiry", "Answer"),
        default="",
        widget="textarea",
        max_length=2000,
        help=_("when answered on the spot"),
    )


@dataclass(frozen=True)
class SendInput:
    """Which forms go to which address."""

    forms: tuple[str, ...] = ask(
        _("Forms"), choices=[(form.key, form.words) for form in FORMS], rule="APP-05"
    )
    address: str = ask(
        _("Another e-mail address"), default="", max_length=120,
        help=_("empty: the address of the guardian on file"), rule="APP-05",
    )  # fmt: skip
    reason: str = ask(_("Why to this address"), default="", max_length=400, rule="APP-05")


@dataclass(frozen=True, kw_only=True)
class FormsInput(SendInput):
    """The same for a child without an enquiry."""

    member: str = ask(_("Member or policy number"), max_length=60)


@dataclass(frozen=True)
class AnswerInput:
    text: str = ask(pgettext_lazy("enquiry", "Answer"), widget="textarea", min_length=2, max_length=2000)
    told: str = ask(_("How"), choices=TOLD, default="WRITTEN")


@dataclass(frozen=True)
class CloseInput:
    reason: str = ask(
        _("Reason"), default="", max_length=400, help=_("needed when it was not answered"), widget="textarea"
    )
    withdrawn: bool = ask(pgettext_lazy("enquiry", "Withdrawn by the family"), default=False)


@dataclass(frozen=True)
class WhyInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=400)


@dataclass(frozen=True)
class TakenUpInput:
    appeal: str = ask(_("Appeal"), max_length=30)
