"""The closed set of services that can be requested, and what each asks for.

Whether a series offers one, over which channels and under which rule, stands in its handbook; here is only
what is the same for all series.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.utils import timezone
from django.utils.translation import pgettext_lazy

from apps.adjudication.handbook import Handbook

ALWAYS = ("member", "channel", "asker", "text")  # asked for every service


@dataclass(frozen=True)
class Offer:
    """`key` is the handbook's service, `rule` what is cited when it is offered (empty: the handbook's own).

    `needs` and `may` are fields of `ServiceInput` beside `ALWAYS`. `hours`: within the printed hours (DL-03).
    `clock` names the events that its clock hears (`CLOCKS`).
    """

    code: str
    key: str
    words: Any
    rule: str = ""
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    hours: bool = False
    clock: str = "SERVICE"

    @property
    def received(self) -> str:
        return CLOCKS[self.clock][0]

    @property
    def answered(self) -> str:
        return CLOCKS[self.clock][1]

    @property
    def by_family_doctor(self) -> bool:
        return self.key == "family_doctor"

    @property
    def asks(self) -> tuple[str, ...]:
        return (*ALWAYS, *self.needs, *self.may)


CLOCKS = {
    "SERVICE": ("service_requested", "service_answered"),
    "MESSAGE": ("message_received", "message_answered"),  # DL-15
    "CONSULT": ("consult_received", "consult_answered"),  # DL-01
    "LATE_CONSULT": ("consult_received_late", "consult_answered"),  # DL-02
}
ASSISTANCE, PHONE, TRIAGE, VACCINATION, MANAGER = (
    "ASSISTANCE", "PHONE_CONSULT", "TRIAGE", "VACCINATION", "MANAGER",
)  # fmt: skip
OFFERS = {
    offer.code: offer
    for offer in (
        Offer(
            ASSISTANCE, "assistance", pgettext_lazy("service", "on-site assistance"),
            needs=("site", "visit_type", "visit_on"),
        ),
        Offer(
            VACCINATION, "vaccine_coordination", pgettext_lazy("service", "vaccination coordination"),
            needs=("vaccine",), may=("visit_on",), hours=True,
        ),
        Offer(
            PHONE, "phone_consult", pgettext_lazy("service", "phone consult"), hours=True,
            clock="CONSULT",
        ),
        Offer("TEXT_CONSULT", "online_consult", pgettext_lazy("service", "text consult"), hours=True, clock="MESSAGE"),
        Offer(
            "HOSPITAL_CONSULT", "hospital_consult", pgettext_lazy("service", "consult of a network clinic"),
            needs=("hospital",), clock="MESSAGE",
        ),
        Offer(TRIAGE, "triage", pgettext_lazy("service", "triage"), hours=True),
        Offer("DOCTOR", "family_doctor", pgettext_lazy("service", "family doctor"), "FD-01", may=("entry",)),
        Offer(
            MANAGER, "family_doctor", pgettext_lazy("service", "health manager"), "FD-02",
            needs=("topic",), may=("entry",),
        ),
        Offer(
            "GROWTH", "family_doctor", pgettext_lazy("service", "growth assessment"), "FD-04",
            needs=("way",), may=("entry",),
        ),
        Offer("CHECK_UP", "family_doctor", pgettext_lazy("service", "advice on check-ups"), "FD-06", may=("entry",)),
    )
}  # fmt: skip


def hours_of(book: Handbook) -> tuple[time, time] | None:
    """When consults, triage and coordination are open, every day (DL-03); None where no hours are printed."""
    opens, closes = book.value("consult.opens"), book.value("consult.closes")
    return None if opens is None or closes is None else (opens, closes)


def open_at(book: Handbook, at: datetime) -> bool:
    """Without printed hours a service is always open."""
    hours = hours_of(book)
    return hours is None or hours[0] <= timezone.localtime(at).time() < hours[1]
