"""What a series says about self-pay bills, by the keys of its handbook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.adjudication.handbook import Handbook
from apps.billing.workflow import MOST_REMINDERS

WHEN_CLOSED = "CLOSED"
FINAL_NOTICE = "bill_final_notice"
SERVICE = "electronic_payment"


@dataclass(frozen=True)
class Terms:
    """`limit` reminders grey the card (BIL-03, BIL-21); 0: this series greys none. `channels` count."""

    limit: int
    grey_rule: str
    channels: tuple[str, ...]
    channel_rule: str
    when_closed: bool  # the bill arises when the claim is closed (BIL-20), else once something stays unpaid
    bill_rule: str
    has_last_period: bool  # a clock of its own runs from the last notice (DL-13, DL-36)

    @property
    def notices(self) -> int:
        """How many reminders are sent at all: one when nothing follows from them."""
        return min(self.limit or 1, MOST_REMINDERS)


def terms_of(handbook: Handbook) -> Terms:
    limit, channels, when = (
        handbook.parameters.get(key)
        for key in ("card.grey_after_reminders", "card.reminder_channels", "self_pay.billed_when")
    )
    return Terms(
        limit=int(limit.value) if limit else 0,
        grey_rule=limit.rule if limit else "",
        channels=tuple(channels.value) if channels else ("PHONE", "EMAIL"),
        channel_rule=channels.rule if channels else "",
        when_closed=bool(when and when.value == WHEN_CLOSED),
        bill_rule=when.rule if when else "",
        has_last_period=any(spec.start == FINAL_NOTICE for spec in handbook.clocks),
    )


@dataclass(frozen=True)
class OnlineTerms:
    """Whether bills may be paid electronically, for which hospitals and visits (EPY-01, EPY-02)."""

    offered: bool
    rule: str
    ownerships: frozenset[str]
    visit_types: frozenset[str]
    redirect: Any = None


def online_terms(handbook: Handbook) -> OnlineTerms:
    service = handbook.service(SERVICE)
    return OnlineTerms(
        offered=bool(service and service.offered),
        rule=service.rule if service else "",
        ownerships=frozenset(handbook.value("electronic_payment.ownerships", ())),
        visit_types=frozenset(handbook.value("electronic_payment.visit_types", ())),
        redirect=service.redirect if service else None,
    )
