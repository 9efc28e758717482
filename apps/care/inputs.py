"""What is asked when a test is ordered or a service requested, and at each step after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.keys import CHANNELS
from apps.care.catalog import OFFERS
from apps.care.models import Outcome, Recognition, RecordKind
from apps.cases.inputs import ask, codes
from apps.members.models import IdType

PROVEN = [(code, words) for code, words in Recognition.choices if code]


@dataclass(frozen=True, kw_only=True)
class OrderInput:
    """A home test as a family orders it."""

    member: str = ask(_("Member or policy number"), max_length=60)
    id_type: str = ask(
        _("Identity paper"), choices=list(IdType.choices), default="RESIDENT_ID", rule="TST-06"
    )
    id_number: str = ask(
        _("Identity number"), max_length=40, help=_("of the person to be tested"), rule="TST-06"
    )
    address: str = ask(
        _("Address"), min_length=6, max_length=200, rule="TST-09",
        help=_("where the sample is taken, beginning with the city (北京市…)"),
    )  # fmt: skip
    visit_on: date | None = ask(_("Wished day of the sample"), default=None, rule="TST-02")


@dataclass(frozen=True, kw_only=True)
class RecordOrderInput(OrderInput):
    """The same as staff and administrators record it, with what the provider said."""

    provider: str = ask(
        _("Provider"), default="", max_length=40, help=_("empty: the one the handbook names"), rule="TST-11"
    )
    recognized: str = ask(
        _("Address recognition"), choices=PROVEN, default="", help=_("the provider's answer, where known"), rule="TST-10"
    )  # fmt: skip


@dataclass(frozen=True)
class WhyInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=400)


@dataclass(frozen=True)
class SampleInput:
    sampled_at: datetime | None = ask(_("Sampled at"), default=None, help=_("empty: now"))


@dataclass(frozen=True)
class ReportInput:
    result: str = ask(_("Result"), widget="textarea", min_length=2, max_length=2000, rule="TST-07")
    files: tuple[Any, ...] = ask(_("Report"), widget="file", default=())


@dataclass(frozen=True)
class AdviseInput:
    outcome: str = ask(_("Outcome"), choices=list(Outcome.choices), rule="TST-08")
    advice: str = ask(_("Advice"), widget="textarea", min_length=2, max_length=2000, rule="TST-07")
    advised_by: str = ask(_("Doctor"), max_length=80)


VISITS = [("OUTPATIENT", _("outpatient")), ("EMERGENCY", _("emergency")), ("INPATIENT", _("inpatient"))]
ENTRIES = ("POLICY_DETAIL", "BENEFIT_LIST")
WAYS = ("PHONE", "TEXT_IMAGE")
TOPICS = ("COMMON_ILLNESS", "GROWTH", "NUTRITION", "HYGIENE", "EMOTION")
RECIPIENTS = ("POLICYHOLDER", "INSURED", "OTHER")
CONTACTS = ("PHONE_950619", "WECOM", "SMS", "PHONE_950610", "EMAIL")


@dataclass(frozen=True, kw_only=True)
class ServiceInput:
    """A request for a service. Which of the fields after `text` belong to it, the service says."""

    member: str = ask(_("Member or policy number"), max_length=60)
    service: str = ask(_("Service"), choices=[(offer.code, offer.words) for offer in OFFERS.values()])
    channel: str = ask(
        _("Channel"), choices=codes(CHANNELS), default="", help=_("empty: the first the handbook names")
    )
    asker: str = ask(_("Who asked"), max_length=80)
    text: str = ask(_("Wish or symptoms"), widget="textarea", min_length=2, max_length=2000)
    site: str = ask(
        _("Site"),
        default="",
        max_length=120,
        help=_("hospital|department, as the handbook lists it"),
        rule="VAS-02",
    )
    visit_type: str = ask(_("Visit type"), choices=VISITS, default="", rule="VAS-01")
    visit_on: date | None = ask(_("Wished day"), default=None)
    vaccine: str = ask(_("Vaccine"), default="", max_length=80)
    hospital: str = ask(
        _("Network clinic"), default="", max_length=40, help=_("code of the hospital"), rule="APP-23"
    )
    topic: str = ask(_("Topic"), choices=codes(TOPICS), default="", rule="FD-05")
    way: str = ask(pgettext_lazy("service", "Way"), choices=codes(WAYS), default="", rule="FD-04")
    entry: str = ask(_("Way in"), choices=codes(ENTRIES), default="", rule="FD-08")


@dataclass(frozen=True)
class SpecialistInput:
    specialist: str = ask(_("Specialist"), max_length=80)


@dataclass(frozen=True)
class AnswerInput:
    responder: str = ask(_("Who answered"), max_length=80)
    answer: str = ask(pgettext_lazy("service", "Answer"), widget="textarea", min_length=2, max_length=2000)
    expert: bool = ask(
        _("Pediatric expert of a tier-3A hospital"), default=False, help=_("phone consult"), rule="VAS-10"
    )
    reached: bool = ask(
        _("Family reached"), default=True, help=_("an attempt without an answer counts and is remarked on"), rule="VAS-10"
    )  # fmt: skip
    recommended: str = ask(
        _("Recommended hospital"), default="", max_length=40, help=_("triage: code of a hospital of the network"),
        rule="VAS-13",
    )  # fmt: skip
    appointment: str = ask(
        _("Appointment"), default="", max_length=20, help=_("vaccination: number of the appointment made")
    )


@dataclass(frozen=True)
class FinishInput:
    note: str = ask(_("Note"), default="", widget="textarea", max_length=400)


@dataclass(frozen=True, kw_only=True)
class ContactInput:
    """The health manager speaks to the policyholder, by three ways (FD-10)."""

    recipient: str = ask(_("With whom"), choices=codes(RECIPIENTS), default="POLICYHOLDER", rule="FD-10")
    channel: str = ask(_("How"), choices=codes(CONTACTS), rule="FD-10")
    text: str = ask(_("What was said"), widget="textarea", min_length=2, max_length=1000)


@dataclass(frozen=True, kw_only=True)
class HealthRecordInput:
    """An entry of the health archive; of a vaccination the planned day, the day it was given, or both."""

    member: str = ask(_("Member or policy number"), max_length=60)
    kind: str = ask(_("Kind"), choices=list(RecordKind.choices), rule="FD-03")
    title: str = ask(pgettext_lazy("health archive", "What"), min_length=2, max_length=120)
    text: str = ask(_("Text"), default="", widget="textarea", max_length=2000)
    due_on: date | None = ask(
        _("Planned for"), default=None, help=_("vaccinations: the family is reminded"), rule="FD-07"
    )
    done_on: date | None = ask(
        pgettext_lazy("health archive", "Day"), default=None, help=_("when it took place")
    )
