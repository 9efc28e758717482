"""Originals by mail: how to send them, what came, what is still missing (RMB-22 … RMB-26, RMB-39). Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.adjudication.checklist import Requirement
from apps.adjudication.handbook import Document, Handbook
from apps.adjudication.papers import needs_original
from apps.adjudication.routing import MAIL
from apps.cases.models import CaseFile
from apps.claims.assess import Assessment
from apps.claims.models import Original, Parcel
from apps.core.imports.cells import fold
from apps.documents.register import printed

VOUCHERS = frozenset({"INVOICE", "THIRD_PARTY_SETTLEMENT"})  # what a payment rests on (LAW-08)


def courier_number(typed: str) -> str:
    """As the label prints it, whatever was typed: half-width capitals without spaces."""
    return fold(typed).replace(" ", "").upper()


@dataclass(frozen=True)
class Mailing:
    """How originals are sent, as the series prints it; letters, messages, screens and API show the same."""

    address: str
    postcode: str
    recipient: str  # with the remark for the parcel, where the series prints one (RMB-24)
    phone: str
    originals: tuple[str, ...]  # what must come as an original, by title
    others: tuple[str, ...]  # further papers that are still to be sent
    mark: str  # written on the parcel, or on a note inside
    own_postage: bool  # collect-on-delivery parcels are refused (RMB-23)
    tracking_to: str  # mailbox that wants the courier number; "" = not asked (RMB-25, RMB-26)
    rules: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def mailing(found: Assessment) -> Mailing | None:
    """The instructions for one claim; None where the series has no address for originals."""
    handbook, case = found.facts.handbook, found.rows.case
    address, mailbox = handbook.contacts.get("originals_address"), handbook.contacts.get("claims_mailbox")
    if address is None:
        return None
    asked = handbook.value("originals.tracking_after") is not None and mailbox is not None
    postage, route = handbook.rule("decide.postage"), handbook.rule("route.mail")
    rules = [route.id if route else "", address.rule, postage.id if postage else ""]
    if asked and mailbox is not None:
        rules += [handbook.parameters["originals.tracking_after"].rule, mailbox.rule]
    wanted = wanted_originals(found)
    titles = dict.fromkeys(entry.title.zh for entry in wanted)
    return Mailing(
        address=address.value,
        postcode=address.postcode,
        recipient=address.recipient,
        phone=address.phone,
        originals=tuple(titles),
        others=tuple(dict.fromkeys(e.title.zh for e in outstanding(found) if e.title.zh not in titles)),
        mark=case.number,
        own_postage=postage is not None,
        tracking_to=mailbox.value if asked and mailbox else "",
        rules=tuple(dict.fromkeys(rule for rule in rules if rule)),
    )


def wanted_originals(found: Assessment) -> tuple[Requirement, ...]:
    """The entries of the check list that only an original satisfies, in the order of the list."""
    keys = {document.key for document in _as_originals(found.facts.handbook, found.route_name == MAIL)}
    return tuple(entry for entry in found.requirements if entry.key in keys and not entry.automatic)


def missing_originals(found: Assessment) -> tuple[Requirement, ...]:
    """Those of them that are not here yet, or not as they should be."""
    return tuple(entry for entry in wanted_originals(found) if not entry.satisfied)


def _as_originals(handbook: Handbook, mailed: bool) -> list[Document]:
    return [document for document in handbook.documents if needs_original(document, mailed)]


def place_words(place: str, found: Assessment) -> str:
    """'bill:1.2' → '01020304 1234567890'; '' for papers of the whole claim."""
    ref = place.removeprefix("bill:")
    return next((printed(bill.bill.identity) for bill in found.rows.bills() if bill.ref == ref), "")


def parcels_of(claim_id: Any) -> list[Parcel]:
    return list(Parcel.objects.filter(claim=claim_id).order_by("pk"))


def originals_of(claim_id: Any) -> list[Original]:
    return list(Original.objects.filter(claim=claim_id).select_related("parcel").order_by("pk"))


def same_parcel(case: CaseFile, numbers: Sequence[str]) -> list[str]:
    """Other claims announced with the same courier number: one parcel for brothers and sisters."""
    if not any(numbers):
        return []
    others = Parcel.objects.filter(tracking_number__in=[number for number in numbers if number])
    found = others.filter(claim__case__tpa=case.tpa).exclude(claim=case.pk).order_by("claim")
    return list(found.values_list("claim__case__number", flat=True).distinct()[:10])


# --- What the member still has to send ---------------------------------------------------------------


def outstanding(found: Assessment) -> list[Requirement]:
    """What is still to be sent or made good: missing originals, and papers of which nothing is here that
    only waits for our eyes (RMB-20)."""
    by_mail = found.route_name == MAIL  # elsewhere the picture that is here may do
    mailed = {entry.ref for entry in missing_originals(found)} if by_mail else set()
    return [entry for entry in found.lacking if entry.ref in mailed or not only_unseen(found, entry.key)]


def only_unseen(found: Assessment, key: str) -> bool:
    """The paper is here; somebody only has to look at it."""
    document = next(entry for entry in found.facts.handbook.documents if entry.key == key)
    kinds = {key, *document.satisfied_by}
    return any(paper.kind in kinds and unseen(paper) for paper in found.rows.papers)


def unseen(paper: Any) -> bool:
    """A usable picture that nobody has looked at yet."""
    return paper.usable and paper.legible is None and paper.form not in ("DATA", "E_SIGNED", "SOURCE_FILE")


# --- Papers that never come -----------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """Since when papers are awaited, when the member was or will be reminded, and when the claim closes."""

    since: datetime
    reminders: tuple[date, ...]
    sent: int
    closes_on: date


def waiting(case: CaseFile) -> Waiting | None:
    """None when nobody was told yet what is missing."""
    claim, handbook = case.claim, case.handbook.handbook
    asked = claim.notice_at or (claim.reported_at if case.state == "AWAITING_ORIGINALS" else None)
    if asked is None:
        return None
    day = timezone.localtime(asked).date()
    return Waiting(
        since=asked,
        reminders=tuple(day + timedelta(days=after) for after in remind_after(handbook)),
        sent=claim.reminders,
        closes_on=day + timedelta(days=close_after(handbook)),
    )


def close_after(handbook: Handbook) -> int:
    """Days after the notice (appendix A, default 180)."""
    return int(handbook.value("no_papers.close_after", 180))


def remind_after(handbook: Handbook) -> tuple[int, ...]:
    """Days after the notice on which the member is reminded: after the interval of the series, then after
    twice, four times … as long, while the claim waits; none where the series sets no interval."""
    first, last = int(handbook.value("supplement.remind_after", 0)), close_after(handbook)
    days, after = [], first
    while 0 < after < last:
        days.append(after)
        after *= 2
    return tuple(days)
