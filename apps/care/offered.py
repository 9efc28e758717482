"""The services of each series at one look: offered or not, how, when, under which rule (DL-03, DL-47, FD-08, FD-09)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook
from apps.care.catalog import OFFERS, Offer, hours_of, open_at
from apps.care.guards import in_language
from apps.cases.forms import CODE_WORDS

HOTLINE = "hotline"
ORDER = (
    "assistance", "phone_consult", "online_consult", "hospital_consult", "triage", "vaccine_coordination",
    "family_doctor", "home_test", "health_archive", "lectures",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One service of one series as it stands at a moment. `opens` is "08:00–21:00", "7×24" or ""; `code` what can be
    requested; `closed_now` only where hours are printed."""

    key: str
    title: str
    offered: bool
    rule: str
    channels: tuple[str, ...] = ()
    opens: str = ""
    closed_now: bool = False
    redirect: str = ""
    parts: tuple[tuple[Any, str, str], ...] = ()  # (words, rule, code) of what can be requested under it
    details: tuple[tuple[Any, str], ...] = field(default=())  # (words, rule)


def services_of(book: Handbook, at: datetime) -> list[Row]:
    """Every service of the room in the series, and its hotline first."""
    return [_hotline(book), *(_row(book, key, at) for key in ORDER)]


def _hotline(book: Handbook) -> Row:
    contact = book.contacts[HOTLINE]
    hours = book.parameters["service_hours"]
    around = str(hours.value).replace("*", "×")
    return Row(
        HOTLINE, f"{in_language(contact.title)} {contact.value}", True, hours.rule, ("HOTLINE",), around
    )


def _row(book: Handbook, key: str, at: datetime) -> Row:
    service = book.service(key)
    if service is None:
        return Row(key, key, False, "")
    if not service.offered:
        return Row(
            key, in_language(service.title), False, service.rule, redirect=in_language(service.redirect)
        )
    offers = [offer for offer in OFFERS.values() if offer.key == key]
    hours = hours_of(book) if any(offer.hours for offer in offers) else None
    return Row(
        key, in_language(service.title), True, service.rule, service.channels,
        f"{hours[0]:%H:%M}–{hours[1]:%H:%M}" if hours else "", bool(hours) and not open_at(book, at),
        parts=tuple(_parts(offers, service.rule)), details=tuple(_details(book, key)),
    )  # fmt: skip


def _parts(offers: Iterable[Offer], rule: str) -> Iterable[tuple[Any, str, str]]:
    return [(offer.words, offer.rule or rule, offer.code) for offer in offers]


def _details(book: Handbook, key: str) -> Iterable[tuple[Any, str]]:
    """What a reader of the handbook would look up: figures and lists of the service, with their rules."""
    prefixes = PREFIXES.get(key, (key,))
    for name, parameter in book.parameters.items():
        if name.partition(".")[0] in prefixes and name not in UNTOLD:
            yield f"{in_language(parameter.title)}: {_shown(parameter.value)}", parameter.rule


PREFIXES = {  # of the parameters of a service, where it is not its key
    "phone_consult": ("consult",),
    "family_doctor": ("family_doctor", "health_manager"),
    "health_archive": ("health_archive", "vaccination_reminder"),
}
UNTOLD = {"consult.hours", "consult.opens", "consult.closes", "home_test.counts_per", "home_test.month_of"}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, (list, tuple)):
        return "、".join(str(CODE_WORDS.get(one, one)) for one in value)
    return str(CODE_WORDS.get(value, value))
