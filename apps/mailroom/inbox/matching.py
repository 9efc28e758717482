"""Who wrote, and to which case a message belongs. Only what is certain is filed without a person.

A case is found by a thread (the message answers ours, or one that was filed) or by its number in the
subject. It is *certain* only when the sender belongs to that case: numbers can be guessed and addresses
of strangers mean nothing. Everything else is a suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from apps.accounts.models import User
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.cases.pages import WAITING_STATES
from apps.mailroom.inbox.mailboxes import series_of
from apps.mailroom.models import Email, EmailAnswer
from apps.members.models import FormerIdentity, Guardian, Member, Policy, id_index
from apps.messaging.headers import message_of
from apps.messaging.models import Message

NUMBER = re.compile(r"(?<![A-Z0-9])([A-Z]{1,3}\d{2}-\d{4,9})(?!\d)", re.I)
TOKEN = re.compile(r"(?<![A-Za-z0-9-])(?=[A-Za-z0-9-]*\d)[A-Za-z0-9][A-Za-z0-9-]{4,38}(?![A-Za-z0-9-])")
LABELED = re.compile(
    r"(?:被保险人|被保人|患者|孩子|宝宝|儿童|姓名)\s*(?:姓名)?\s*[:：]?\s*([\u4e00-\u9fff·]{2,6}?)(?=[\s,，。；;、（(\n]|$)"
)
COURIER = re.compile(
    r"(?<![A-Za-z0-9])(SF\d{12,15}|JD[A-Z0-9]{11,16}|[A-Z]{2}\d{9}CN|YT\d{13}|\d{12,15})(?![A-Za-z0-9])", re.I
)
AT_MOST = 5


@dataclass(slots=True)
class Match:
    """`why`: REPLY | THREAD | NUMBER | WAITING, or '' when nothing points at a case.

    `doubt` is the code of what stands against filing it without a person; '' = certain.
    """

    case: CaseFile | None = None
    why: str = ""
    doubt: str = ""
    members: list[Member] = field(default_factory=list)


def match(email: Email) -> Match:
    """Find the case of a message that is stored. At most a dozen indexed queries."""
    senders = children_of(email.sender)
    found = _by_thread(email) or _by_number(email) or _waiting(email, senders)
    found.members = _named(email, senders)
    if found.case is not None:
        found.doubt = _doubt(email, found, senders)
        if found.case.member not in found.members:
            found.members.insert(0, found.case.member)
    return found


# --- Which case -----------------------------------------------------------------------------------------


def _by_thread(email: Email) -> Match | None:
    """An answer to a message of ours, or to a message that was filed."""
    for reference in email.references:
        message = message_of(reference)
        case_id = _case_written_about(message) if message is not None else None
        if case_id is not None:
            return Match(_case(pk=case_id), "REPLY")
    earlier = Email.objects.filter(message_id__in=email.references, case__isnull=False).exclude(pk=email.pk)
    for case_id in earlier.filter(series=email.series, tpa=email.tpa).values_list("case_id", flat=True)[:1]:
        return Match(_case(pk=case_id), "THREAD")
    return None


def _case_written_about(message: Message) -> int | None:
    """The case of a message of ours; what answered an e-mail belongs where that one was filed since."""
    if message.case_id is not None:
        return message.case_id
    answered = EmailAnswer.objects.filter(message=message).values_list("email__case_id", flat=True)
    return answered.first()


def _by_number(email: Email) -> Match | None:
    numbers = dict.fromkeys(found.upper() for found in NUMBER.findall(email.subject))
    prefixes = {kind.prefix for kind in KINDS.values()}
    known = [number for number in numbers if re.match(r"[A-Z]+", number)[0] in prefixes]  # type: ignore[index]
    cases = list(_cases().filter(number__in=known[:AT_MOST]).order_by("pk")) if known else []
    if not cases:
        return None
    return Match(cases[0], "NUMBER" if len(cases) == 1 else "NUMBERS")


def _waiting(email: Email, children: Iterable[Member]) -> Match:
    """The one case of the sender's children that waits for papers; never more than a suggestion."""
    ids = [child.pk for child in children]
    states = Q(pk=None)
    for kind, waits in WAITING_STATES.items():
        states |= Q(kind=kind, state__in=sorted(waits))
    cases = list(_cases().filter(states, member__in=ids, open=True, tpa=email.tpa)[:2]) if ids else []
    return Match(cases[0], "WAITING") if len(cases) == 1 else Match()


def _cases() -> QuerySet[CaseFile]:
    return CaseFile.objects.select_related("member", "hospital", "handbook")


def _case(**by: Any) -> CaseFile:
    return _cases().get(**by)


# --- How certain ----------------------------------------------------------------------------------------


def _doubt(email: Email, found: Match, children: list[Member]) -> str:
    """Why a person must confirm; the first reason that holds."""
    case = found.case
    assert case is not None
    if found.why in ("WAITING", "NUMBERS"):
        return "ONLY_SUGGESTED"
    if not email.sender:
        return "NO_SENDER"
    if case.tpa != email.tpa or case.series not in {email.series, *series_of(email.mailbox.address)}:
        return "OTHER_SERIES"
    if not _belongs(email.sender, case, children):
        return "STRANGER"
    if _unproven(email):
        return "UNPROVEN"
    return ""


def _belongs(sender: str, case: CaseFile, children: list[Member]) -> bool:
    """A guardian or the child of the case; or somebody on staff of its hospital or administrator."""
    if any(child.pk == case.member_id for child in children):
        return True
    staff = User.objects.alias(low=Lower("email")).filter(low=sender, is_active=True)
    return any(
        (person.hospital and case.hospital is not None and person.hospital == case.hospital.code)
        or (person.tpa and person.tpa == case.tpa and not person.hospital)
        for person in staff[:AT_MOST]
    )


def _unproven(email: Email) -> bool:
    """The receiving server found the sender's address forged; or did not prove it where that is asked."""
    return "UNPROVEN" in email.defects


def unproven(results: str) -> bool:
    """What an Authentication-Results line says of the sender (RFC 8601)."""
    server, _semicolon, verdicts = results.lower().partition(";")
    trusted = settings.MAIL_AUTHENTICATION_SERVER.lower()
    if trusted:
        return server.split()[:1] != [trusted] or not re.search(r"\bdmarc\s*=\s*pass\b", verdicts)
    return re.search(r"\bdmarc\s*=\s*fail|\bspf\s*=\s*fail\b(?!.*\bdmarc\s*=\s*pass)", verdicts) is not None


# --- Who ------------------------------------------------------------------------------------------------


def children_of(address: str) -> list[Member]:
    """Children whose guardian, or who themselves, have this address; two indexed queries."""
    if not address:
        return []
    guardians = Guardian.objects.alias(low=Lower("email")).filter(low=address).exclude(email="")
    found = set(guardians.values_list("member_id", flat=True)[:50])
    own = Member.objects.alias(low=Lower("email")).filter(low=address).exclude(email="")
    found |= set(own.values_list("pk", flat=True)[:50])
    return list(Member.objects.filter(pk__in=found).order_by("pk"))


def _named(email: Email, children: list[Member]) -> list[Member]:
    """Children the message may be about: named in it, best first, then the sender's. A suggestion only."""
    words = f"{email.subject_whole}\n{email.text[:20_000]}"
    tokens = list(dict.fromkeys(token.upper() for token in TOKEN.findall(words)))[:60]
    names = list(dict.fromkeys(LABELED.findall(words)))[:AT_MOST]
    condition = Q(pk__in=[])
    if tokens:
        indexes = [id_index(token) for token in tokens if 6 <= len(token) <= 20]
        policies = Policy.objects.filter(number__in=tokens).values("member_id")
        former = FormerIdentity.objects.filter(id_index__in=indexes).values("member_id")
        condition |= Q(number__in=tokens) | Q(id_index__in=indexes) | Q(pk__in=policies) | Q(pk__in=former)
    found = list(_of_series(email).filter(condition).distinct().order_by("pk")[:AT_MOST])
    if not found and names:
        found = list(_of_series(email).filter(name__in=names).distinct().order_by("pk")[:AT_MOST])
    mine = [child for child in children if child not in found]
    spoken = [child for child in mine if child.name and child.name in words]
    return [*found, *spoken, *(child for child in mine if child not in spoken)][:AT_MOST]


def _of_series(email: Email) -> QuerySet[Member]:
    return Member.objects.filter(policies__series=email.series, policies__tpa=email.tpa)


def courier_number(text: str) -> str:
    """The one number in the text that a courier would give out; '' when there is none or several (RMB-25)."""
    found = {number.upper() for number in COURIER.findall(text) if not _is_date_or_phone(number)}
    return found.pop() if len(found) == 1 else ""


def _is_date_or_phone(number: str) -> bool:
    return number.isdigit() and ((number.startswith(("86", "20")) and len(number) == 13) or len(number) < 12)
