"""What outsiders may hear of: one closed list, the published contract of version 1.

A name is "<kind>.<event>"; the event is the one the house emits. Internal events (who took a case over,
notes, inquiries, inspections) are not in it. A kind whose app is not installed is not offered. Adding a
name is no new version; taking one away or giving it another meaning is.
"""

from __future__ import annotations

from functools import cache

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.kinds import KINDS, Text, kind_of

VERSION = 1
PING = "ping"

EVENTS: dict[str, dict[str, Text]] = {
    "claim": {
        "reported": _("reported"),
        "supplement_sent": _("papers were asked for"),
        "papers_arrived": _("papers arrived"),
        "originals_received": _("originals received"),
        "materials_complete": _("papers are complete"),
        "undisputed_decided": _("amount beyond dispute decided"),
        "decided": _("decided"),
        "refused": _("refused"),
        "paid": pgettext_lazy("webhook", "paid"),
        "payment_returned": _("payment came back"),
        "withdrawn": _("withdrawn"),
        "closed_no_papers": _("closed, papers never came"),
        "closed": pgettext_lazy("webhook", "closed"),
        "reopened": pgettext_lazy("webhook", "reopened"),
    },
    "authorization": {
        "authorization_submitted": _("submitted"),
        "papers_asked": _("papers were asked for"),
        "authorization_complete": _("papers are complete"),
        "authorization_decided": _("decided"),
        "authorization_rejected": _("refused"),
        "reconsideration_asked": _("reconsideration asked for"),
        "not_required": _("not required"),
        "letter_issued": _("guarantee letter issued"),
        "letter_sent": _("guarantee letter sent"),
        "letter_voided": _("guarantee letter void"),
        "letter_expired": _("guarantee letter expired unused"),
        "admitted": _("admitted"),
        "supplement_granted": _("supplement granted"),
        "supplement_refused": _("supplement refused"),
        "discharged": _("discharged"),
        "withdrawn": _("withdrawn"),
        "closed": pgettext_lazy("webhook", "closed"),
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
        return str(_("test"))
    kind, _dot, _event = name.partition(".")
    words = offered().get(name, name)
    return f"{kind_of(kind).label} · {words}" if kind in KINDS else str(words)
