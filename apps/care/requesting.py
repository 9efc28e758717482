"""Reading a request: what the service asks is there, and what its rules refuse or remark on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.adjudication.trace import observe
from apps.care.asking import Asked
from apps.care.catalog import Offer, open_at
from apps.care.guards import covered, in_language, refuse_if
from apps.care.inputs import ServiceInput
from apps.care.models import ServiceRequest
from apps.care.roles import FAMILY
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.hospitals.models import Hospital, NetworkEntry

FIELDS = ("site", "visit_type", "visit_on", "vaccine", "hospital", "topic", "way", "entry")
ONLINE = ("MINIPROGRAM", "ONLINE")
VACCINE = "VACCINE"


@dataclass(frozen=True)
class Request:
    row: ServiceRequest
    hospital: Hospital | None = None


def read_request(actor: Actor, given: ServiceInput, offer: Offer, asked: Asked, now: datetime) -> Request:
    """The row to be stored. InvalidInputs for missing and unasked fields; Blocked with the rule that refuses."""
    _check_fields(given, offer)
    rule = offer.rule or asked.service.rule
    today = timezone.localdate(now)
    if given.visit_on and given.visit_on < today:
        raise InvalidInput(_("This day has passed."), code="past", field="visit_on")
    covered(asked.policy, given.visit_on or today, rule)
    hospital = _clinic(given, asked)
    _check_visit(given, asked)
    _check_rider(offer, asked)
    _check_family_doctor(given, asked)
    row = ServiceRequest(
        code=offer.code, rule=rule, channel=_channel(actor, given, asked), entry=given.entry, asker=given.asker,
        text=given.text, site=given.site, visit_type=given.visit_type, visit_on=given.visit_on, vaccine=given.vaccine,
        topic=given.topic, way=given.way, flags=[*_site_flags(given, asked), *_hours_flags(offer, asked, now)],
    )  # fmt: skip
    return Request(row, hospital)


def _check_fields(given: ServiceInput, offer: Offer) -> None:
    errors: list[DomainError] = []
    for name in FIELDS:
        value = getattr(given, name)
        if name in offer.needs and not value:
            words = _("“%(service)s” needs this.") % {"service": offer.words}
            errors.append(InvalidInput(words, code="required", field=name, rule=offer.rule))
        if value and name not in offer.asks:
            words = _("“%(service)s” does not ask for this.") % {"service": offer.words}
            errors.append(InvalidInput(words, code="not_asked", field=name, rule=offer.rule))
    if errors:
        raise InvalidInputs(errors)


def _channel(actor: Actor, given: ServiceInput, asked: Asked) -> str:
    """Over which way it came; a family's front end is online, and only where the handbook lets it be."""
    ways, rule = asked.service.channels, asked.service.channel_rule or asked.service.rule
    own = next((way for way in ways if way in ONLINE), "") if FAMILY in actor.roles else (ways or ("",))[0]
    channel = given.channel or own
    words = _("“%(service)s” is not requested this way; the handbook names %(ways)s.") % {
        "service": in_language(asked.service.title), "ways": ", ".join(ways),
    }  # fmt: skip
    elsewhere = FAMILY in actor.roles and channel not in ONLINE
    refuse_if(channel not in ways or elsewhere, rule, words, code="channel", field="channel")
    return channel


def _check_visit(given: ServiceInput, asked: Asked) -> None:
    """VAS-01: outpatient and emergency visits; a series that prints no visit types takes all."""
    kinds = asked.book.value("assistance.visit_types")
    if not given.site or kinds is None:
        return
    words = _("On-site assistance is for outpatient and emergency visits, not for stays.")
    refuse_if(given.visit_type not in kinds, "VAS-01", words, code="visit_type", field="visit_type")


def _site_flags(given: ServiceInput, asked: Asked) -> list[dict[str, str]]:
    """A closed list refuses other sites (VAS-16), an open one remarks on them (VAS-02)."""
    if not given.site:
        return []
    sites = asked.book.parameters["assistance.sites"]
    elsewhere = given.site not in sites.value
    if asked.book.value("assistance.sites_closed"):
        words = _("No assistance at this site; there is at: %(sites)s.") % {"sites": "、".join(sites.value)}
        refuse_if(elsewhere, sites.rule, words, code="site", field="site")
    return [{"rule": sites.rule, "code": "site_not_listed"}] if observe(sites.rule, elsewhere) else []


def _check_rider(offer: Offer, asked: Asked) -> None:
    """VAS-03, where the series asks for the rider; the coordination itself needs none otherwise (VAS-14)."""
    rule = asked.book.rule("care.vaccine_rider")
    if offer.key != "vaccine_coordination" or rule is None:
        return
    words = _("Vaccinations are arranged only for children with the vaccine rider.")
    refuse_if(VACCINE not in asked.policy.riders, rule.id, words, code="no_rider", field="member")


def _check_family_doctor(given: ServiceInput, asked: Asked) -> None:
    for name, key, rule in (
        ("topic", "family_doctor.topics", "FD-05"),
        ("way", "family_doctor.assessment_channels", "FD-04"),
        ("entry", "family_doctor.entries", "FD-08"),
    ):
        value = getattr(given, name)
        if value:
            words = _("The handbook does not name “%(value)s” here.") % {"value": value}
            refuse_if(value not in asked.book.value(key, []), rule, words, code="not_named", field=name)


def _clinic(given: ServiceInput, asked: Asked) -> Hospital | None:
    """The network's private institution whose doctor on duty answers (APP-23)."""
    if not given.hospital:
        return None
    listed = NetworkEntry.objects.filter(
        series=asked.policy.series,
        campus__hospital__code=given.hospital,
        campus__hospital__ownership="PRIVATE",
    )
    words = _("“%(code)s” is no private institution of the network.") % {"code": given.hospital}
    refuse_if(not listed.exists(), "APP-23", words, code="not_private_network", field="hospital")
    return Hospital.objects.get(code=given.hospital)


def _hours_flags(offer: Offer, asked: Asked, now: datetime) -> list[dict[str, str]]:
    """Outside the printed hours it is taken and remarked on (DL-03)."""
    outside = offer.hours and not open_at(asked.book, now)
    return [{"rule": "DL-03", "code": "outside_hours"}] if observe("DL-03", outside) else []


def words_of_flag(flag: dict[str, str]) -> Any:
    """What a remark says on screens."""
    return FLAGS.get(flag["code"], flag["code"])


FLAGS = {
    "outside_the_cities": _("recognized outside the listed cities"),
    "sample_after_end": _("sample wished after the end of the policy"),
    "site_not_listed": _("site is not on the printed list"),
    "outside_hours": _("outside the hours of the service"),
    "not_an_expert": _("not answered by a tier-3A pediatric expert"),
    "not_reached": _("the family was not reached"),
    "answered_late": _("answered after its time"),
}
