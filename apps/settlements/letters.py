"""The statement on paper: a landscape letter in Chinese and English with totals carried from page to page, and
the same figures as Excel. Lines were written down when the claims were taken, so a re-print says the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.adjudication.handbook import Title
from apps.core.excel import workbook_bytes
from apps.core.money import to_yuan
from apps.core.queue import enqueue
from apps.documents.fonts import rare_characters, rare_font, without
from apps.documents.rendering import qr_picture, verification_url, write_pdf
from apps.documents.series import series_block
from apps.documents.signing import sign
from apps.documents.storage import open_stored, store_bytes
from apps.messaging.attachments import Attachment, Waiting, Withdrawn
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message
from apps.products.queries import current_handbook
from apps.settlements import terms as terms_words
from apps.settlements.models import SENT_STATES, TOKEN, Statement, StatementLine

log = logging.getLogger(__name__)
VISITS = {
    "OUTPATIENT": Title("门诊", "outpatient"), "EMERGENCY": Title("急诊", "emergency"),
    "INPATIENT": Title("住院", "inpatient"), "OBSERVATION_WARD": Title("留观", "observation ward"),
    "INTERNET": Title("互联网问诊", "internet consultation"),
}  # fmt: skip
LEASE = timedelta(minutes=5)
GIVE_UP_AFTER = 10
FIRST_PAGE, NEXT_PAGES, LAST_ROOM = 17, 30, 9  # lines of text that a page holds, and what the end needs
BILLS_A_LINE = 2
MONEY = ("billed_fen", "third_party_fen", "not_covered_fen", "member_fen", "before_fen", "amount_fen")


def issue(statement: Statement, now: datetime) -> None:
    """Have the letter made and sent to the hospital; within the transaction that ordered the payment."""
    statement.letter_version += 1
    statement.file, statement.attempts, statement.next_attempt_at, statement.sent_at = None, 0, now, None
    statement.error = ""
    statement.save(
        update_fields=["letter_version", "file", "attempts", "next_attempt_at", "sent_at", "error"]
    )
    email = statement.terms.contact_email
    if email:
        handbook = current_handbook(statement.series).handbook
        queue_message(
            None,
            case=None,
            channel=Message.Channel.EMAIL,
            template="settlement",
            recipient=email,
            context={
                "addressee": statement.terms.contact_name or statement.hospital.name,
                "statement": statement.number,
                "hospital": statement.hospital.name,
                "claims": statement.claims,
                "total": f"{to_yuan(statement.total_fen):,.2f}",
                "due_on": statement.due_on,
                "contacts": {key: contact.value for key, contact in handbook.contacts.items()},
            },
            key=f"{statement.number}:statement:{statement.letter_version}",
            letter=statement,
        )
    transaction.on_commit(lambda: _start_rendering(statement.pk))


def _start_rendering(pk: int) -> None:
    from apps.settlements.tasks import render_settlement

    if not enqueue(render_settlement, pk):
        log.debug("statement waits for the sweep", extra={"statement": pk})


# --- What it says ------------------------------------------------------------------------------------


@dataclass
class Sheet:
    """One page of lines with what was carried to it and what it carries on (fen)."""

    number: int
    rows: list[Any] = field(default_factory=list)
    brought: dict[str, int] | None = None
    carried: dict[str, int] = field(default_factory=dict)
    last: bool = False


def visit_words(line: StatementLine) -> Title:
    code = line.visit.get("type", "")
    return VISITS.get(code, Title(code, code))


def _height(line: StatementLine) -> int:
    return max(1, -(-len(line.bills) // BILLS_A_LINE))


def pages_of(lines: Sequence[StatementLine]) -> list[Sheet]:
    """Lines over pages, each with the totals so far; the last page keeps room for the end of the letter."""
    heights = [_height(line) for line in lines]
    sheets = [Sheet(1)]
    room, sums = FIRST_PAGE, dict.fromkeys(MONEY, 0)
    for index, (line, height) in enumerate(zip(lines, heights, strict=True)):
        rest = sum(heights[index:])
        ends_here = rest + LAST_ROOM <= room
        if (sheets[-1].rows and height > room) or (
            not ends_here and rest <= room and len(sheets[-1].rows) > 0
        ):
            sheets[-1].carried = dict(sums)
            sheets.append(Sheet(len(sheets) + 1, brought=dict(sums)))
            room = NEXT_PAGES
        for name in MONEY:
            sums[name] += getattr(line, name)
        sheets[-1].rows.append(line)
        room -= height
    sheets[-1].carried, sheets[-1].last = dict(sums), True
    return sheets


def context_of(statement: Statement) -> dict[str, Any]:
    """All that the template needs. Two queries."""
    lines = list(
        StatementLine.objects.filter(statement=statement, living=True)
        .select_related("case")
        .order_by("position")
    )
    for position, line in enumerate(lines, start=1):
        line.shown = position  # type: ignore[attr-defined]  # without gaps where claims were taken out
        line.kind_words = visit_words(line)  # type: ignore[attr-defined]
    with translation.override("en"):
        english = terms_words.words(statement.terms)
    with translation.override("zh-hans"):
        chinese = terms_words.words(statement.terms)
    sheets = pages_of(lines)
    url = verification_url(statement.token)
    return {
        "verification_url": url,
        "qr": qr_picture(url),
        "statement": statement,
        "series": series_block(current_handbook(statement.series).handbook),
        "dated": timezone.localtime(statement.checked_at or statement.made_at).date(),
        "sheets": sheets,
        "totals": sheets[-1].carried,
        "lines": len(lines),
        "set_off": any(line.amount_fen < 0 for line in lines),
        "ahead": any(line.decision_version == 0 for line in lines),
        "payee": statement.order.payee if statement.order else None,
        "terms": {"zh": chinese, "en": english},
        "since": min((line.visited_on for line in lines), default=None),
        "last": max((line.visited_on for line in lines), default=None),
    }


def render_html(statement: Statement) -> str:
    with translation.override("zh-hans"):
        return render_to_string("settlements/letter.html", context_of(statement))


def render_pdf(statement: Statement) -> bytes:
    """PDF/A with the fonts of our letters; signed where a certificate is configured. Workers only."""
    html = render_html(statement)
    rare = rare_characters(html)
    font, missing = rare_font(rare) if rare else (None, "")
    return sign(write_pdf(without(html, missing), str(font or "")))


# --- Rendering after the commit ----------------------------------------------------------------------


def claim(pk: int) -> Statement | None:
    """The statement if nobody renders it now (compare-and-set on the lease)."""
    now = timezone.now()
    mine = Statement.objects.filter(pk=pk, file=None, letter_version__gt=0, next_attempt_at__lte=now).update(
        attempts=F("attempts") + 1, next_attempt_at=now + LEASE
    )
    rows = Statement.objects.select_related("hospital", "terms", "order__payee")
    return rows.get(pk=pk) if mine else None


def keep(statement: Statement, pdf: bytes) -> None:
    """Keep the PDF unless the statement was ordered again meanwhile; then its message may go."""
    with transaction.atomic():
        name = f"{statement.number}.pdf"
        stored = store_bytes(pdf, name, "application/pdf")
        done = Statement.objects.filter(
            pk=statement.pk, file=None, letter_version=statement.letter_version
        ).update(file=stored, next_attempt_at=None, error="")
        if done:
            Message.objects.filter(letter_token=statement.token, state=Message.State.QUEUED).update(
                next_attempt_at=timezone.now()
            )


def put_off(statement: Statement, error: Exception) -> None:
    """Later again, each time longer; after GIVE_UP_AFTER tries a person must look."""
    pause = min(timedelta(minutes=2 ** (statement.attempts - 1)), timedelta(hours=1))
    later = None if statement.attempts >= GIVE_UP_AFTER else timezone.now() + pause
    Statement.objects.filter(pk=statement.pk, file=None).update(
        next_attempt_at=later, error=f"{type(error).__name__}: {error}"[:2000]
    )


def attachment(message: Message) -> Attachment:
    """The PDF for the message that carries it (`messaging.attachments`)."""
    statement = Statement.objects.select_related("file").filter(token=message.letter_token).first()
    if statement is None or statement.state not in SENT_STATES:
        raise Withdrawn("the statement was stopped")
    if statement.file is None:
        raise Waiting("the statement is being printed")
    with open_stored(statement.file) as handle:
        return Attachment(f"{statement.number}.pdf", "application/pdf", handle.read())


def verify(token: str) -> tuple[str, dict[str, Any] | None]:
    """Whether a printed statement is one of ours and still stands: for whoever scans its code."""
    row = Statement.objects.filter(token=token, letter_version__gt=0).first()
    if row is None:
        return "unknown", None
    known = {"number": row.number, "version": row.letter_version, "created_at": row.checked_at}
    return ("valid" if row.state in SENT_STATES else "void"), known


def delivered(message: Message) -> None:
    """The hospital has its statement."""
    if message.letter_token.startswith(TOKEN):
        Statement.objects.filter(token=message.letter_token).update(sent_at=message.delivered_at)


# --- Excel -------------------------------------------------------------------------------------------


def columns() -> list[str]:
    return [
        _("No."), _("Case"), _("Hospital's number"), _("Child"), _("Visit"), _("Until"), _("Visit type"), _("Department"),
        _("Bills"), _("Billed"), _("Third party"), _("Not covered"), _("Member's share"),
        pgettext("statement", "Insurer pays"), _("Paid before"), _("To be paid"), _("Complete claim received"),
        _("To be paid by"), _("Note"),
    ]  # fmt: skip


def rows_of(lines: Iterable[StatementLine]) -> Iterator[list[Any]]:
    english = (translation.get_language() or "").startswith("en")
    for position, line in enumerate(lines, start=1):
        yield [
            position, line.case.number, line.hospital_number, line.child, line.visited_on, line.visited_until,
            visit_words(line).en if english else visit_words(line).zh, line.visit.get("department", ""), "、".join(line.bills),
            *(to_yuan(getattr(line, name)) for name in (*MONEY[:4], "insurer_fen", *MONEY[4:])), line.received_on,
            line.due_on if line.amount_fen > 0 else None, _remark(line),
        ]  # fmt: skip


def _remark(line: StatementLine) -> str:
    if line.amount_fen < 0:
        return _("set off: paid too much before")
    return "" if line.decision_version else _("paid before the review")


def workbook(statement: Statement) -> bytes:
    """The lines with a total below, and the head as a sheet of its own; in the language of the reader."""
    lines = StatementLine.objects.filter(statement=statement, living=True).select_related("case")
    table = list(rows_of(lines.order_by("position")))
    sums = [sum(row[index] for row in table) for index in range(9, 16)]
    table.append([_("Total"), *[""] * 8, *sums, "", "", ""])
    payee = statement.order.payee if statement.order else None
    head: list[list[Any]] = [
        [_("Number"), statement.number],
        [_("Hospital"), statement.hospital.name],
        [_("Series"), statement.series],
        [_("State"), statement.get_state_display()],
        [_("Claims complete until"), statement.until],
        [_("Payment terms"), terms_words.words(statement.terms)],
        [_("To be paid by"), statement.due_on],
        [_("Claims"), statement.claims],
        [_("To be paid"), to_yuan(statement.total_fen)],
        [_("Account"), f"{payee.name} {payee.bank} {payee.account_masked}" if payee else ""],
        [_("Payment order"), statement.order.number if statement.order else ""],
        [_("Paid at"), statement.paid_at],
    ]
    return workbook_bytes(
        {
            pgettext("statement", "Claims"): (columns(), table),
            pgettext("statement", "Statement"): ([_("Field"), _("Value")], head),
        }
    )
