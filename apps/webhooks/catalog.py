"""What outsiders may hear of: one closed list, the published contract of version 1.

A name is "<kind>.<event>"; the event is the one the house emits. Internal events (who took a case over,
notes, inquiries, inspections) are not in it. A kind whose app is not installed is not offered. Adding a
name is no new version; taking one away or giving it another meaning is.
"""

from __future__ import annotations

from functools import cache

from django.utils.translation import pgettext_lazy

from apps.cases.kinds import KINDS, Text, kind_of

VERSION = 1
PING = "ping"

EVENTS: dict[str, dict[str, Text]] = {
    "claim": {
        "reported": pgettext_lazy("webhook", "reported"),
        "supplement_sent": pgettext_lazy("webhook", "papers were asked for"),
        "papers_arrived": pgettext_lazy("webhook", "papers arrived"),
        "originals_received": pgettext_lazy("webhook", "originals received"),
        "materials_complete": pgettext_lazy("webhook", "papers are complete"),
        "undisputed_decided": pgettext_lazy("webhook", "amount beyond dispute decided"),
        "decided": pgettext_lazy("webhook", "decided"),
        "refused": pgettext_lazy("webhook", "refused"),
        "paid": pgettext_lazy("webhook", "paid"),
        "payment_returned": pgettext_lazy("webhook", "payment came back"),
        "withdrawn": pgettext_lazy("webhook", "withdrawn"),
        "closed_no_papers": pgettext_lazy("webhook", "closed, papers never came"),
        "closed": pgettext_lazy("webhook", "closed"),
        "reopened": pgettext_lazy("webhook", "reopened"),
    },
    "authorization": {
        "authorization_submitted": pgettext_lazy("webhook", "submitted"),
        "papers_asked": pgettext_lazy("webhook", "papers were asked for"),
        "authorization_complete": pgettext_lazy("webhook", "papers are complete"),
        "authorization_decided": pgettext_lazy("webhook", "decided"),
        "authorization_rejected": pgettext_lazy("webhook", "refused"),
        "reconsideration_asked": pgettext_lazy("webhook", "reconsideration asked for"),
        "not_required": pgettext_lazy("webhook", "not required"),
        "letter_issued": pgettext_lazy("webhook", "guarantee letter issued"),
        "letter_sent": pgettext_lazy("webhook", "guarantee letter sent"),
        "letter_voided": pgettext_lazy("webhook", "guarantee letter void"),
        "letter_expired": pgettext_lazy("webhook", "guarantee letter expired unused"),
        "admitted": pgettext_lazy("webhook", "admitted"),
        "supplement_granted": pgettext_lazy("webhook", "supplement granted"),
        "supplement_refused": pgettext_lazy("webhook", "supplement refused"),
        "discharged": pgettext_lazy("webhook", "discharged"),
        "withdrawn": pgettext_lazy("webhook", "withdrawn"),
        "closed": pgettext_lazy("webhook", "closed"),
    },
    "appointment": {
        "request_received": pgettext_lazy("webhook", "asked for"),
        "appointment_reported": pgettext_lazy("webhook", "reported by the hospital"),
        "accepted": pgettext_lazy("webhook", "being arranged"),
        "confirmed": pgettext_lazy("webhook", "confirmed"),
        "rescheduled": pgettext_lazy("webhook", "moved"),
        "unavailable": pgettext_lazy("webhook", "hospital has no place"),
        "rejected": pgettext_lazy("webhook", "declined"),
        "canceled": pgettext_lazy("webhook", "canceled"),
        "suspended": pgettext_lazy("webhook", "suspended, card stopped"),
        "restored": pgettext_lazy("webhook", "restored"),
        "checked_in": pgettext_lazy("webhook", "checked in"),
        "no_show": pgettext_lazy("webhook", "did not come"),
        "visit_completed": pgettext_lazy("webhook", "visit completed"),
    },
    "direct": {
        "submitted": pgettext_lazy("webhook", "submitted"),
        "admitted": pgettext_lazy("webhook", "admitted"),
        "discharged": pgettext_lazy("webhook", "discharged"),
        "materials_complete": pgettext_lazy("webhook", "papers are complete"),
        "decided": pgettext_lazy("webhook", "decided"),
        "refused": pgettext_lazy("webhook", "refused"),
        "paid_to_hospital": pgettext_lazy("webhook", "paid to the hospital"),
        "settlement_returned": pgettext_lazy("webhook", "settlement came back"),
        "withdrawn": pgettext_lazy("webhook", "withdrawn"),
        "closed": pgettext_lazy("webhook", "closed"),
        "reopened": pgettext_lazy("webhook", "reopened"),
    },
    "bill": {
        "bill_opened": pgettext_lazy("webhook", "bill opened"),
        "bill_notified": pgettext_lazy("webhook", "reminder sent"),
        "bill_final_notice": pgettext_lazy("webhook", "last reminder sent"),
        "exhausted": pgettext_lazy("webhook", "reminders exhausted, card stopped"),
        "paid": pgettext_lazy("webhook", "paid"),
        "canceled": pgettext_lazy("webhook", "canceled"),
    },
    "enquiry": {
        "enquiry_recorded": pgettext_lazy("webhook", "recorded"),
        "answered": pgettext_lazy("webhook", "answered"),
        "forms_sent": pgettext_lazy("webhook", "forms sent"),
        "enquiry_closed": pgettext_lazy("webhook", "closed"),
        "enquiry_reopened": pgettext_lazy("webhook", "reopened"),
    },
    "recovery": {
        "recovery_opened": pgettext_lazy("webhook", "opened"),
        "notified": pgettext_lazy("webhook", "family contacted"),
        "refunded": pgettext_lazy("webhook", "refunded"),
        "written_off": pgettext_lazy("webhook", "written off"),
        "canceled": pgettext_lazy("webhook", "canceled"),
    },
}


@cache
def offered() -> dict[str, Text]:
    """Every name one can subscribe to, with its words; of the kinds that are installed."""
    return {
        f"{kind}.{event}": words
        for kind, events in EVENTS.items()
        if kind in KINDS
        for event, words in events.items()
    }


def words_of(name: str) -> str:
    """'claim: decided', in the language of now."""
    if name == PING:
        return str(pgettext_lazy("webhook", "test"))
    kind, _dot, _event = name.partition(".")
    words = offered().get(name, name)
    return f"{kind_of(kind).label} · {words}" if kind in KINDS else str(words)
