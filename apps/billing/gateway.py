"""Electronic payment: what a gateway has to do for us, and the one that is built in.

`settings.PAYMENT_GATEWAY` is the dotted path of a class like `Gateway`; empty = no electronic payment.
A gateway is believed only where its signature holds: what a browser brings back says nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.dateparse import parse_datetime
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.billing.models import SandboxCharge
from apps.core.errors import Blocked, DomainError, InvalidInput, NotAllowed, NotFound

WINDOW = timedelta(minutes=5)  # a signed notice is good for so long before and after its time
LONGEST = 16_384  # bytes of a notice
PAID, DECLINED = "PAID", "DECLINED"


class GatewayDown(DomainError):
    """The gateway did not answer, or refused; nothing was changed."""

    code = "gateway_down"
    status = 503


@dataclass(frozen=True)
class Opened:
    """The gateway's own number of a payment, and the page on which the family pays."""

    reference: str
    page: str


@dataclass(frozen=True)
class Notice:
    """One thing a gateway says. `event` is its number of the notice; `number` is our payment."""

    event: str
    kind: str  # PAID | DECLINED
    number: str
    reference: str
    amount_fen: int
    at: datetime


@dataclass(frozen=True)
class Line:
    """One payment in a gateway's file of a day, with what it gave back since."""

    number: str
    reference: str
    amount_fen: int
    refunded_fen: int
    at: datetime


class Gateway(Protocol):
    name: str

    def open(self, *, number: str, amount_fen: int, title: str, expires_at: datetime) -> Opened:
        """Make a payment; the same number gives the same payment. Raises GatewayDown."""

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """A notice whose signature and time hold. Raises NotAllowed, InvalidInput."""

    def refund(self, *, reference: str, amount_fen: int, key: str) -> str:
        """Give back; the same key gives back once. Returns the gateway's number; raises GatewayDown."""

    def day(self, day: date) -> Sequence[Line]:
        """What was paid on a day by the gateway's own books. Raises GatewayDown."""


def gateway() -> Gateway:
    """The one that is set up; Blocked when none is."""
    path = getattr(settings, "PAYMENT_GATEWAY", "")
    if not path:
        raise Blocked(_("Electronic payment is not set up."), code="no_gateway", rule="EPY-02")
    found: Gateway = import_string(path)()
    return found


# --- Signed notices ---------------------------------------------------------------------------------


def sign(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def check_signature(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """X-Gateway-Timestamp (seconds) and X-Gateway-Signature = HMAC-SHA256("stamp.body"), in time."""
    stamp, given = headers.get("X-Gateway-Timestamp", ""), headers.get("X-Gateway-Signature", "")
    right = bool(secret) and constant_time_compare(sign(secret, stamp, body), given)
    in_time = stamp.isascii() and stamp.isdigit() and len(stamp) < 12
    if not right or not in_time or abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
        raise NotAllowed(
            _("This notice is not signed, or its time has passed."), code="signature", rule="EPY-02"
        )


def read_notice(body: bytes) -> Notice:
    """{"event", "kind", "payment", "reference", "amount_fen", "at"}; raises InvalidInput."""
    try:
        if len(body) > LONGEST:
            raise ValueError
        data = json.loads(body)
        at = parse_datetime(data["at"])
        texts = [data[name] for name in ("event", "kind", "payment", "reference")]
        amount = data["amount_fen"]
        sound = all(isinstance(text, str) and 0 < len(text) <= 80 for text in texts) and texts[1] in (
            PAID,
            DECLINED,
        )
        if (
            not sound
            or type(amount) is not int
            or not 0 <= amount < 10**14
            or at is None
            or timezone.is_naive(at)
        ):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(_("This is no notice of a payment."), code="notice") from error
    event, kind, number, reference = texts
    return Notice(event=event, kind=kind, number=number[:30], reference=reference, amount_fen=amount, at=at)


# --- The one that is built in -----------------------------------------------------------------------


class SandboxGateway:
    """Works without anything outside: its books are a table of their own, its page has two buttons.

    For trying out and for demonstrations. It speaks the same signed notices as one outside would.
    """

    name = "sandbox"

    @property
    def secret(self) -> str:
        return str(settings.PAYMENT_GATEWAY_SECRET)

    def open(self, *, number: str, amount_fen: int, title: str, expires_at: datetime) -> Opened:
        charge = SandboxCharge.objects.filter(payment=number).first() or SandboxCharge.objects.create(
            reference=f"SBX{secrets.token_hex(12)}", payment=number, title=title[:200], amount_fen=amount_fen,
            made_at=timezone.now(),
        )  # fmt: skip
        return Opened(charge.reference, reverse("sandbox-payment", args=[charge.reference]))

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        check_signature(self.secret, headers, body, now)
        return read_notice(body)

    def refund(self, *, reference: str, amount_fen: int, key: str) -> str:
        with transaction.atomic():
            charge = SandboxCharge.objects.select_for_update().filter(reference=reference).first()
            if charge is None or charge.state != SandboxCharge.State.PAID:
                raise GatewayDown(_("The gateway knows no such payment."), code="unknown_payment")
            if key not in charge.refund_keys:
                if charge.refunded_fen + amount_fen > charge.amount_fen:
                    raise GatewayDown(_("More than was paid cannot be given back."), code="too_much")
                charge.refunded_fen += amount_fen
                charge.refund_keys = [*charge.refund_keys, key]
                charge.save(update_fields=["refunded_fen", "refund_keys"])
        return f"{reference}-{charge.refund_keys.index(key) + 1}"

    def day(self, day: date) -> Sequence[Line]:
        start = timezone.make_aware(datetime.combine(day, datetime.min.time()))
        paid = SandboxCharge.objects.filter(
            state=SandboxCharge.State.PAID, settled_at__gte=start, settled_at__lt=start + timedelta(days=1)
        )
        return [
            Line(row.payment, row.reference, row.amount_fen, row.refunded_fen, row.settled_at or row.made_at)
            for row in paid.order_by("settled_at", "pk")
        ]

    # --- What its page does --------------------------------------------------------------------

    def decide(self, reference: str, paid: bool) -> tuple[Mapping[str, str], bytes]:
        """The family pressed a button: book it here, and the signed notice to be sent."""
        with transaction.atomic():
            charge = SandboxCharge.objects.select_for_update().filter(reference=reference).first()
            if charge is None:
                raise NotFound(_("There is no such payment."))
            if charge.state == SandboxCharge.State.PAID:
                raise Blocked(_("This payment was made already."), code="booked_before")
            charge.state = SandboxCharge.State.PAID if paid else SandboxCharge.State.DECLINED
            charge.settled_at = timezone.now()
            charge.save(update_fields=["state", "settled_at"])
        return self.notice(charge)

    def notice(self, charge: SandboxCharge, **changed: Any) -> tuple[Mapping[str, str], bytes]:
        at = charge.settled_at or charge.made_at
        said = {
            "event": f"{charge.reference}-{charge.state}-{int(at.timestamp())}", "kind": charge.state,
            "payment": charge.payment, "reference": charge.reference, "amount_fen": charge.amount_fen,
            "at": at.isoformat(),
        } | changed  # fmt: skip
        body = json.dumps(said, separators=(",", ":")).encode()
        stamp = str(int(timezone.now().timestamp()))
        return {"X-Gateway-Timestamp": stamp, "X-Gateway-Signature": sign(self.secret, stamp, body)}, body
