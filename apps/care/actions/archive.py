"""The health archive of a child: entries, planned vaccinations, and the reminders of them (FD-03, FD-07, DL-40).

The archive is no case: it has no state and no end. Nothing is planned by the house itself: no handbook prints a
timetable, so a planned day is what the family or the medical team recorded.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actions import log_read
from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.care.asking import Data, authorize
from apps.care.guards import covered, offered
from apps.care.inputs import HealthRecordInput
from apps.care.models import HealthRecord, RecordKind
from apps.care.roles import ARCHIVE_READERS, ARCHIVISTS
from apps.cases.inputs import parse_input
from apps.core.errors import Blocked, Conflict, InvalidInput, NotFound
from apps.enquiries.actions import policy_named
from apps.members.models import Member, Policy
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message
from apps.products.queries import current_handbooks, handbook_for

SERVICE = "health_archive"


def read_archive(actor: Actor, number: str) -> tuple[Policy, list[HealthRecord]]:
    """The entries of a child, the newest first; who read them is logged (LAW-09). Raises NotAllowed, InvalidInput
    for an unknown child, Blocked where the series keeps no archive (GEN-04)."""
    authorize(actor, ARCHIVE_READERS)
    policy = policy_named(actor, number)
    offered(handbook_for(policy.series, timezone.localdate()).handbook, SERVICE)
    log_read(actor, subject=f"archive:{policy.member.number}", what="health_archive")
    rows = HealthRecord.objects.filter(member=policy.member_id, withdrawn_at__isnull=True)
    return policy, list(rows.order_by("-recorded_at", "-pk"))


def add_record(actor: Actor, data: HealthRecordInput | Data, *, now: datetime | None = None) -> HealthRecord:
    """Write an entry. Raises what `read_archive` raises, and InvalidInput for a day that is missing or wrong."""
    authorize(actor, ARCHIVISTS)
    given = data if isinstance(data, HealthRecordInput) else parse_input(HealthRecordInput, data)
    now = now or timezone.now()
    today = timezone.localdate(now)
    policy = policy_named(actor, given.member)
    offered(handbook_for(policy.series, today).handbook, SERVICE)
    covered(policy, today, "FD-03")
    _check_days(given, policy.member, today)
    row = HealthRecord(
        member=policy.member, kind=given.kind, title=given.title, text=given.text, due_on=given.due_on,
        done_on=given.done_on, recorded_by=actor.label, recorded_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        words = _("This vaccination is planned for this day already.")
        raise Conflict(words, code="planned_already", field="due_on", rule="FD-07") from error
    return row


def _check_days(given: HealthRecordInput, child: Member, today: date) -> None:
    planned = given.kind == RecordKind.VACCINATION and given.due_on is not None
    if given.due_on and not planned:
        raise InvalidInput(
            _("Only a vaccination is planned."), code="not_asked", field="due_on", rule="FD-07"
        )
    if given.done_on is None and not planned:
        raise InvalidInput(_("Say on which day."), code="required", field="done_on", rule="FD-03")
    if given.due_on and given.done_on is None and given.due_on < today:
        raise InvalidInput(_("This day has passed."), code="past", field="due_on", rule="FD-07")
    _check_done(given.done_on, child, today)


def _check_done(day: date | None, child: Member, today: date) -> None:
    if day and not child.birth_date <= day <= today:
        words = _("The day lies between the child's birth and today.")
        raise InvalidInput(words, code="out_of_range", field="done_on", rule="FD-03")


def record_given(actor: Actor, pk: int, day: date, *, now: datetime | None = None) -> HealthRecord:
    """A planned vaccination was given: no more reminders."""
    with transaction.atomic():
        row = _planned(actor, pk)
        _check_done(day, row.member, timezone.localdate(now or timezone.now()))
        row.done_on = day
        row.save(update_fields=["done_on"])
    return row


def withdraw_plan(actor: Actor, pk: int, *, now: datetime | None = None) -> HealthRecord:
    """A planned vaccination falls away or is planned for another day."""
    with transaction.atomic():
        row = _planned(actor, pk)
        row.withdrawn_at = now or timezone.now()
        row.save(update_fields=["withdrawn_at"])
    return row


def _planned(actor: Actor, pk: int) -> HealthRecord:
    """Locked; of a child the actor may see."""
    authorize(actor, ARCHIVISTS)
    if not visible_to(HealthRecord.objects.filter(pk=pk), actor).exists():
        raise NotFound(_("There is nothing at this address."))
    row = HealthRecord.objects.select_for_update(of=("self",)).select_related("member").get(pk=pk)
    if row.due_on is None or row.done_on or row.withdrawn_at:
        raise Blocked(_("This is no vaccination that is still planned."), code="not_planned", rule="FD-07")
    return row


# --- Reminders ------------------------------------------------------------------------------------


def remind_of_vaccinations(now: datetime | None = None) -> int:
    """Write the reminders that are due today; returns how many. Each child, day and step once (DL-40).

    A step whose day was missed (planned late, a stopped worker) is caught up by the next one only, so that a
    family never gets two at once. Given and withdrawn ones are skipped, as are children no longer covered.
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    books = {row.series: row.handbook for row in current_handbooks() if _offers(row.handbook)}
    farthest = max((days for book in books.values() for days in steps(book)), default=0)
    waiting = HealthRecord.objects.filter(
        due_on__range=(today, today + timedelta(days=farthest)),
        done_on__isnull=True,
        withdrawn_at__isnull=True,
    )
    done = 0
    for row in waiting.select_related("member").order_by("due_on", "pk").iterator(chunk_size=500):
        policy = _policy_of(row.member, today, books)
        if policy is not None:
            done += _remind(row, policy, books[policy.series], today)
    return done


def _offers(book: Handbook) -> bool:
    service = book.service(SERVICE)
    return bool(service and service.offered)


def steps(book: Handbook) -> list[int]:
    """Days before the vaccination on which the family is reminded."""
    return sorted(int(days) for days in book.value("vaccination_reminder.days", []))


def _policy_of(member: Member, today: date, books: dict[str, Handbook]) -> Policy | None:
    rows = Policy.objects.filter(member=member, series__in=list(books)).in_force_on(today)
    return rows.select_related("policyholder", "member").order_by("-effective_on", "-pk").first()


def _remind(row: HealthRecord, policy: Policy, book: Handbook, today: date) -> int:
    assert row.due_on is not None
    left = (row.due_on - today).days
    step = next((days for days in steps(book) if left <= days), None)
    if step is None:
        return 0
    context = {
        "vaccine": row.title, "due_on": row.due_on.isoformat(), "child": row.member.masked_name, "notes": row.text,
    }  # fmt: skip
    told = tell_family(policy, "vaccination_due", f"vaccination:{row.pk}:{row.due_on}:{step}", context, book)
    return int(observe("FD-07", observe("DL-40", bool(told))))


def tell_family(policy: Policy, template: str, key: str, context: dict[str, str], book: Handbook) -> int:
    """One message about no case, to the policyholder or the child's other guardians; 0 when it was written before
    or no address is on file."""
    people = [policy.policyholder] if policy.policyholder else []
    people += [one for one in policy.member.guardians.order_by("-is_policyholder", "pk") if one not in people]
    email = next((one.email for one in people if one.email), policy.member.email)
    mobile = next((one.mobile for one in people if one.mobile), policy.member.mobile)
    if not (email or mobile) or Message.objects.filter(idempotency_key=key).exists():
        return 0
    contacts = {name: contact.value for name, contact in book.contacts.items()}
    queue_message(
        None, case=None, channel=Message.Channel.EMAIL if email else Message.Channel.SMS, template=template,
        recipient=email or mobile, key=key,
        context={"addressee": people[0].name if people else "", "contacts": contacts, **context},
    )  # fmt: skip
    return 1
