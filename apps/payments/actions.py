"""Payment orders and files: the only writers of payments.

Functions that take a `ctx` are called by handlers of case actions and write through it. Functions
that take an `actor` are what people do with many orders at once; they go through `perform_many`, so
that each case gets its event and its clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.roles import role_needed
from apps.cases.context import Batch, Ctx
from apps.cases.engine import perform
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.core.bulk import insert_rows
from apps.core.errors import Blocked, Conflict, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.core.money import format_yuan
from apps.core.numbers import next_number, next_numbers
from apps.documents.storage import store_bytes
from apps.ledger.actions import Due, money_account, post_dues, post_money
from apps.ledger.models import MoneyEntry
from apps.payments.exports import payment_csv, payment_workbook
from apps.payments.models import Payee, PaymentFile, PaymentOrder
from apps.payments.queries import files_visible_to, orders_visible_to, payable_key
from apps.payments.subjects import BankResult as BankResult
from apps.payments.subjects import subject_of

MAKERS = frozenset({"finance", "finance_lead"})
CHECKERS = frozenset({"payment_check", "finance_lead"})
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# --- Within a case action --------------------------------------------------------------------


def order(
    ctx: Ctx[Any], *, payee: Payee | None, amount_fen: int, decision_version: int, first: bool = False,
    assigned: bool = False,
) -> PaymentOrder:  # fmt: skip
    """Queue a payment order for a decision; a live order for the same decision is refused.

    A constraint of the database holds the same against races ("nothing can be paid twice"). `first`:
    the decision was made in this very action, so no earlier attempt is looked for. `assigned`: the part of whom
    the claim is assigned to.
    """
    payee = _fit(payee)
    last = 0 if first else _last_attempt(ctx.case, decision_version, assigned)
    row = PaymentOrder(
        number=_next_number(ctx),
        case=ctx.case,
        series=ctx.case.series,
        tpa=ctx.case.tpa,
        decision_version=decision_version,
        attempt=last + 1,
        assigned=assigned,
        payee=payee,
        amount_fen=amount_fen,
        ordered_at=ctx.now,
    )
    ctx.add(row)
    ctx.data["payment"] = {"order": row.number, "amount_fen": amount_fen, "account": payee.account_masked}
    return row


def _fit(payee: Payee | None) -> Payee:
    """The payee, if money may go there."""
    if payee is None:
        raise Blocked(_("There is no payee yet; enter the account first."), code="no_payee")
    if payee.screening != "CLEAR":
        raise Blocked(
            _("The payee's list screening is “%(result)s”; compliance decides first.")
            % {"result": payee.screening},
            code="screening",
        )
    return payee


def _last_attempt(case: CaseFile, decision_version: int, assigned: bool) -> int:
    former = PaymentOrder.objects.filter(case=case, decision_version=decision_version, assigned=assigned)
    return former.aggregate(last=Max("attempt"))["last"] or 0


def owe(ctx: Ctx[Any], amount_fen: int, *, reference: str, party: str = "MEMBER") -> None:
    """Post what a decision adds to (or takes from) what we owe the party; for all of a batch at once."""
    if amount_fen:
        case = ctx.case
        ctx.batch.shared.setdefault("dues", []).append(
            Due(payable_key(case, party), party, case.number, case.series, case.tpa, amount_fen, reference)
        )
        ctx.batch.before_flush(_post_dues)


def _post_dues(batch: Batch) -> None:
    for entry in post_dues(batch.shared.pop("dues", [])):
        batch.add(entry)


def _next_number(ctx: Ctx[Any]) -> str:
    """Order numbers are drawn once for a batch."""
    numbers: list[str] = ctx.batch.shared.setdefault("payment_numbers", [])
    if not numbers:
        numbers.extend(next_numbers(f"P{timezone.localtime(ctx.now):%y}", max(len(ctx.batch.contexts), 1)))
    return numbers.pop(0)


def mark_paid(ctx: Ctx[Any], number: str, *, bank_reference: str) -> PaymentOrder:
    """The bank confirmed the order; books it. Only orders in a released file can be confirmed."""
    row = _order_of(ctx.case, number)
    ctx.update(row, *_paid(row, ctx.now, bank_reference))
    post_money(_account(ctx.case), MoneyEntry.Kind.PAID, -row.amount_fen, reference=row.number)
    return row


def _paid(row: PaymentOrder, now: datetime, bank_reference: str) -> tuple[str, ...]:
    """Let an order be paid; the changed columns."""
    if not _at_the_bank(row):
        raise Blocked(
            _("Order %(number)s is “%(state)s”; only orders of a released payment file can be confirmed.")
            % {"number": row.number, "state": row.get_state_display()},
            code="not_released",
        )
    row.state, row.paid_at, row.bank_reference = PaymentOrder.State.PAID, now, bank_reference
    return "state", "paid_at", "bank_reference"


def mark_returned(ctx: Ctx[Any], number: str, *, reason: str) -> PaymentOrder:
    """The bank sent the money back (退票), before or after it was confirmed."""
    row = _order_of(ctx.case, number)
    was_paid = row.state == PaymentOrder.State.PAID
    ctx.update(row, *_returned(row, ctx.now, reason))
    if was_paid:
        post_money(_account(ctx.case), MoneyEntry.Kind.RETURNED, row.amount_fen, reference=row.number)
        ctx.loaded["returned_fen"] = row.amount_fen  # money that had been booked as paid
    return row


def _returned(row: PaymentOrder, now: datetime, reason: str) -> tuple[str, ...]:
    """Let an order be returned; the changed columns."""
    if row.state != PaymentOrder.State.PAID and not _at_the_bank(row):
        raise Blocked(
            _("Order %(number)s is “%(state)s”; the bank cannot have returned it.")
            % {"number": row.number, "state": row.get_state_display()},
            code="not_sent",
        )
    row.state, row.return_reason, row.returned_at = PaymentOrder.State.RETURNED, reason, now
    return "state", "return_reason", "returned_at"


def _at_the_bank(row: PaymentOrder) -> bool:
    """In a file that was released and not answered yet."""
    released = row.file is not None and row.file.state == PaymentFile.State.RELEASED
    return row.state == PaymentOrder.State.IN_FILE and released


def stop(ctx: Ctx[Any], number: str, *, reason: str) -> PaymentOrder:
    """Stop a payment (止付) that no released file carries yet."""
    row = _order_of(ctx.case, number)
    ctx.update(row, *_stopped(row, reason))
    return row


def _stopped(row: PaymentOrder, reason: str) -> tuple[str, ...]:
    """Let an order be stopped; the changed columns."""
    if row.state != PaymentOrder.State.ORDERED:
        raise Blocked(
            _("Order %(number)s is “%(state)s”; take it out of its file first, or wait for the bank.")
            % {"number": row.number, "state": row.get_state_display()},
            code="too_late",
        )
    row.state, row.return_reason = PaymentOrder.State.STOPPED, reason
    return "state", "return_reason"


def _order_of(case: CaseFile, number: str) -> PaymentOrder:
    return _locked_order(number, case=case)


def _locked_order(number: str, **of: Any) -> PaymentOrder:
    row = PaymentOrder.objects.select_for_update().filter(number=number, **of).first()
    if row is None:
        raise InvalidInput(_("No such payment order on this case."), field="order", code="unknown_order")
    if row.file_id:
        row.file = PaymentFile.objects.get(pk=row.file_id)
    return row


def _account(case: CaseFile) -> Any:
    return money_account(
        payable_key(case), party="MEMBER", reference=case.number, series=case.series, tpa=case.tpa
    )


# --- For many cases at once ------------------------------------------------------------------


def order_together(
    *, reference: str, payee: Payee | None, amount_fen: int, series: str, tpa: str, now: datetime
) -> PaymentOrder:
    """One order for what many cases are owed, under the number of their statement; a living one is refused.

    Inside the caller's transaction. A constraint holds the same against races.
    """
    payee = _fit(payee)
    former = PaymentOrder.objects.filter(reference=reference)
    if former.exclude(state__in=[PaymentOrder.State.RETURNED, PaymentOrder.State.STOPPED]).exists():
        raise Conflict(
            _("%(number)s has a payment order that lives.") % {"number": reference}, code="paid_twice"
        )
    return PaymentOrder.objects.create(
        number=next_number(f"P{timezone.localtime(now):%y}"),
        reference=reference,
        series=series,
        tpa=tpa,
        attempt=(former.aggregate(last=Max("attempt"))["last"] or 0) + 1,
        payee=payee,
        amount_fen=amount_fen,
        ordered_at=now,
    )


@dataclass(frozen=True, slots=True)
class Share:
    """What one case is paid by an order for many."""

    case: CaseFile
    amount_fen: int


def pay_together(number: str, shares: Sequence[Share], *, bank_reference: str, now: datetime) -> PaymentOrder:
    """The bank confirmed an order for many cases; books it to what each is owed, in a constant number of statements."""
    row = _locked_order(number, case=None)
    if sum(share.amount_fen for share in shares) != row.amount_fen:
        raise Conflict(_("The shares do not add up to the order."), code="shares")
    row.save(update_fields=_paid(row, now, bank_reference))
    _post_shares(row, shares, MoneyEntry.Kind.PAID, -1)
    return row


def return_together(
    number: str, shares: Sequence[Share], *, reason: str, now: datetime
) -> tuple[PaymentOrder, bool]:
    """The bank sent it back: the order, and whether it had been booked as paid."""
    row = _locked_order(number, case=None)
    was_paid = row.state == PaymentOrder.State.PAID
    row.save(update_fields=_returned(row, now, reason))
    if was_paid:
        _post_shares(row, shares, MoneyEntry.Kind.RETURNED, 1)
    return row, was_paid


def stop_together(number: str, *, reason: str) -> PaymentOrder:
    """Stop an order for many cases that no file carries yet."""
    row = _locked_order(number, case=None)
    row.save(update_fields=_stopped(row, reason))
    return row


def _post_shares(row: PaymentOrder, shares: Sequence[Share], kind: str, sign: int) -> None:
    party = "HOSPITAL" if row.payee.hospital_id else "MEMBER"
    insert_rows(
        post_dues(
            [
                Due(
                    payable_key(share.case, party), party, share.case.number, share.case.series, share.case.tpa,
                    sign * share.amount_fen, row.number,
                )
                for share in shares
            ],
            kind,
        )
    )  # fmt: skip


# --- Files -----------------------------------------------------------------------------------


def make_file(actor: Actor, numbers: Sequence[str], *, now: datetime | None = None) -> PaymentFile:
    """Gather pending orders into a file that another person releases. All or nothing."""
    _need(actor, MAKERS)
    if not numbers:
        raise InvalidInput(_("Choose at least one payment order."), field="orders", code="required")
    with transaction.atomic():
        visible = orders_visible_to(actor).filter(number__in=list(numbers)).values("pk")
        rows = list(PaymentOrder.objects.select_for_update().filter(pk__in=visible).order_by("pk"))
        _all_found(numbers, rows)
        taken = [row.number for row in rows if row.state != PaymentOrder.State.ORDERED]
        if taken:
            raise Conflict(
                _("Not pending any more: %(numbers)s.") % {"numbers": ", ".join(taken)},
                code="not_pending",
                field="orders",
            )
        file = PaymentFile.objects.create(
            number=next_number(f"F{timezone.localtime(now):%y%m%d}"),
            made_by_id=actor.person_id,
            made_at=now or timezone.now(),
            orders=len(rows),
            total_fen=sum(row.amount_fen for row in rows),
        )
        PaymentOrder.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=PaymentOrder.State.IN_FILE, file=file
        )
    return file


def release_file(actor: Actor, number: str, *, now: datetime | None = None) -> PaymentFile:
    """A second person looks and releases; the Excel and CSV for the bank are made then."""
    _need(actor, CHECKERS)
    with transaction.atomic():
        file = _locked_file(actor, number, PaymentFile.State.DRAFT)
        if file.made_by_id == actor.user_id:
            raise NotAllowed(
                _("Four eyes: you made this file; somebody else must release it."), code="four_eyes"
            )
        orders = list(file.items.select_related("payee", "case").order_by("number"))
        file.excel = store_bytes(payment_workbook(file, orders), f"{file.number}.xlsx", XLSX)
        file.csv = store_bytes(payment_csv(file, orders), f"{file.number}.csv", "text/csv")
        file.state, file.released_by_id, file.released_at = (
            PaymentFile.State.RELEASED,
            actor.person_id,
            now or timezone.now(),
        )
        file.save()
    return file


def cancel_file(actor: Actor, number: str) -> PaymentFile:
    """Take a file back before release; its orders are pending again."""
    _need(actor, MAKERS | CHECKERS)
    with transaction.atomic():
        file = _locked_file(actor, number, PaymentFile.State.DRAFT)
        file.items.update(state=PaymentOrder.State.ORDERED, file=None)
        file.state = PaymentFile.State.CANCELLED
        file.save(update_fields=["state"])
    return file


def book_results(
    actor: Actor, results: Sequence[BankResult], *, file: str = "", now: datetime | None = None
) -> list[CaseFile]:
    """Book the bank's answers: paid or returned, each through its case; or through what knows the order when
    it pays many. All or nothing. The cases come back, an order for many with all of its own.

    `file`: number of the payment file they answer; orders of another one are refused then. So is an order
    that stands twice in the answers, or was given this answer before."""
    _need(actor, MAKERS)
    errors: list[DomainError] = []
    cases: list[CaseFile] = []
    with transaction.atomic():
        found = orders_visible_to(actor).filter(number__in=[result.order for result in results])
        by_number = {row.number: row for row in found}
        answered: set[str] = set()
        for result in results:
            try:
                row = _answered(by_number.get(result.order), result, file)
                if row.number in answered:
                    raise InvalidInput(
                        _("Order %(number)s stands twice in the answers.") % {"number": row.number},
                        code="twice",
                    )
                answered.add(row.number)
                cases += _book(actor, row, result, now)
            except DomainError as error:
                for one in error.errors if isinstance(error, InvalidInputs) else [error]:
                    one.field = f"{result.row}.{one.field or 'order'}"
                    errors.append(one)
        if errors:
            raise InvalidInputs(errors)
    return cases


def _answered(row: PaymentOrder | None, result: BankResult, file: str) -> PaymentOrder:
    """The order an answer is about, if it belongs to the file and says something new."""
    if row is None:
        raise InvalidInput(_("No such payment order: %(number)s") % {"number": result.order})
    if file and (row.file is None or row.file.number != file):
        raise InvalidInput(
            _("Order %(number)s is not in payment file %(file)s.") % {"number": row.number, "file": file},
            code="other_file",
        )
    if row.state == (PaymentOrder.State.PAID if result.paid else PaymentOrder.State.RETURNED):
        raise Conflict(
            _("Order %(number)s is booked as “%(state)s” already.")
            % {"number": row.number, "state": row.get_state_display()},
            code="booked",
        )
    if result.paid and row.state == PaymentOrder.State.RETURNED:
        raise Conflict(
            _(
                "Order %(number)s is booked as “%(state)s”, the answer says “%(answer)s”; a new order pays it again."
            )
            % {
                "number": row.number,
                "state": row.get_state_display(),
                "answer": PaymentOrder.State.PAID.label,
            },
            code="booked_otherwise",
        )
    return row


def _book(actor: Actor, row: PaymentOrder, result: BankResult, now: datetime | None) -> list[CaseFile]:
    if row.case is None:
        return subject_of(row.reference).book(actor, row, result, now or timezone.now())
    return [_book_case(actor, row, row.case, result, now)]


def _book_case(
    actor: Actor, row: PaymentOrder, case: CaseFile, result: BankResult, now: datetime | None
) -> CaseFile:
    """An order may pay a part of a case that goes on: then the answer is booked and ends nothing."""
    whole, part = ("payment_done", "part_paid") if result.paid else ("payment_returned", "part_returned")
    given: dict[str, Any] = {"bank_reference": result.reference} if result.paid else {"reason": result.reason}
    try:
        return perform(case, whole, actor, now=now, order=row.number, **given)
    except Blocked as error:
        if error.code not in ("state", "part") or part not in KINDS[case.kind].actions:
            raise
        try:
            return perform(case, part, actor, now=now, order=row.number, **given)
        except Blocked as refused:
            raise (error if refused.code == "state" else refused) from refused


def _locked_file(actor: Actor, number: str, state: str) -> PaymentFile:
    visible = files_visible_to(actor).values("pk")
    file = PaymentFile.objects.select_for_update().filter(pk__in=visible, number=number).first()
    if file is None:
        raise InvalidInput(
            _("No such payment file: %(number)s") % {"number": number}, field="file", code="unknown_file"
        )
    if file.state != state:
        raise Conflict(
            _("File %(number)s over %(total)s yuan is “%(state)s” already.")
            % {"number": number, "total": format_yuan(file.total_fen), "state": file.get_state_display()},
            code="file_state",
        )
    return file


def _all_found(numbers: Sequence[str], rows: Sequence[PaymentOrder]) -> None:
    missing = sorted(set(numbers) - {row.number for row in rows})
    if missing:
        raise InvalidInput(
            _("No such payment order: %(number)s") % {"number": ", ".join(missing)}, field="orders"
        )


def _need(actor: Actor, roles: frozenset[str]) -> None:
    if not roles & actor.roles:
        raise role_needed(actor, roles)
