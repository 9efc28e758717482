"""The run: everything a hospital can be paid for, as draft statements. One a series and administrator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.adjudication.trace import observe
from apps.core.bulk import insert_rows
from apps.core.errors import Blocked, Conflict, InvalidInput, NotFound
from apps.core.numbers import next_number
from apps.hospitals.models import Hospital
from apps.settlements.access import MAKERS, need
from apps.settlements.claims import Ready, ready, unpaid
from apps.settlements.history import note
from apps.settlements.models import Statement, StatementLine

RULE = "PR-25"
PREFIX = "HS"
MOST = 2000  # claims of one statement; what is beyond comes with the next run


def make(
    actor: Actor, hospital: str, until: date, *, series: str = "", now: datetime | None = None
) -> list[Statement]:
    """Draft statements of a hospital's claims that were complete up to a day (inclusive). All or nothing.

    Raises NotFound for an unknown hospital, Blocked (PR-25) without terms of payment, Blocked `nothing`
    when no claim waits. Two runs at once wait for each other at the hospital's row; a constraint says the
    same to whoever passes by it.
    """
    need(actor, MAKERS)
    now = now or timezone.now()
    if until > timezone.localtime(now).date():
        raise InvalidInput(_("The period cannot end after today."), field="until", code="too_late", rule=RULE)
    with transaction.atomic():
        place = Hospital.objects.select_for_update().filter(code=hospital.strip()).first()
        if place is None:
            raise NotFound(_("No such hospital: %(code)s") % {"code": hospital[:40]}, field="hospital")
        found = _found(actor, place, until, series)
        try:
            with transaction.atomic():
                return [_write(actor, place, rows, until, now) for rows in found]
        except IntegrityError as error:
            raise Conflict(
                _("Somebody else took these claims into a statement meanwhile."), code="taken", rule=RULE
            ) from error


def _found(actor: Actor, place: Hospital, until: date, series: str) -> list[list[Ready]]:
    """What waits, by series and administrator, with terms for all."""
    cases = unpaid(actor, place).order_by("opened_at", "pk")
    if series:
        cases = cases.filter(series=series)
    waiting = [row for row in ready(cases[: MOST * 2]) if row.received_on <= until]
    rows = [row for row in waiting if row.amount_fen > 0]
    without = [row for row in rows if row.terms is None]
    if observe(RULE, bool(without)):
        raise Blocked(
            _("%(hospital)s has no confirmed terms of payment for series %(series)s; enter them first.")
            % {"hospital": place, "series": ", ".join(sorted({row.case.series for row in without}))},
            code="no_terms",
            rule=RULE,
        )
    if not rows:
        raise Blocked(
            _("No decided claim of %(hospital)s waits for its payment up to %(day)s.")
            % {"hospital": place, "day": until},
            code="nothing",
        )
    groups: dict[tuple[str, str], list[Ready]] = defaultdict(list)
    for row in rows:
        groups[row.case.series, row.case.tpa].append(row)
    back: dict[tuple[str, str], list[Ready]] = defaultdict(list)
    for row in waiting:
        if row.amount_fen < 0 and row.terms is not None:
            back[row.case.series, row.case.tpa].append(row)
    return [with_set_off(groups[key][:MOST], back[key]) for key in sorted(groups)]


def with_set_off(rows: Sequence[Ready], back: Sequence[Ready]) -> list[Ready]:
    """What is paid, less what the hospital owes back, the oldest first; something must be left to pay. What does
    not fit waits for the next run."""
    taken, left = list(rows), sum(row.amount_fen for row in rows)
    for row in back:
        if left + row.amount_fen > 0:
            taken.append(row)
            left += row.amount_fen
    return taken


def _write(actor: Actor, place: Hospital, rows: Sequence[Ready], until: date, now: datetime) -> Statement:
    first = rows[0].case
    terms = [row.terms for row in rows if row.terms is not None]
    statement = Statement.objects.create(
        number=next_number(f"{PREFIX}{timezone.localtime(now):%y}"),
        hospital=place,
        series=first.series,
        tpa=first.tpa,
        until=until,
        terms=max(terms, key=lambda one: (one.starts_on, one.pk)),
        due_on=min(row.due_on for row in rows if row.due_on is not None and row.amount_fen > 0),
        claims=len(rows),
        billed_fen=sum(row.billed_fen for row in rows),
        total_fen=sum(row.amount_fen for row in rows),
        made_by_id=actor.person_id,
        made_at=now,
    )
    insert_rows([_line(statement, position, row) for position, row in enumerate(rows, start=1)])
    note(statement, "made", actor, now, claims=len(rows), total_fen=statement.total_fen)
    return statement


def _line(statement: Statement, position: int, row: Ready) -> StatementLine:
    visit = row.visits[0] if row.visits else None
    ended = max((one.ended_on for one in row.visits), default=None)
    begun = visit.started_on if visit else row.received_on
    assert row.due_on is not None
    return StatementLine(
        statement=statement,
        position=position,
        case=row.case,
        decision_version=row.version,
        child=row.case.member.masked_name,
        visited_on=begun,
        visited_until=ended if ended and ended > begun else None,
        visit={
            "type": visit.visit_type if visit else "",
            "department": visit.department if visit else "",
            "campus": str(visit.campus.name) if visit and visit.campus else "",
        },
        hospital_number=row.hospital_number[:80],
        bills=list(row.bills),
        billed_fen=row.billed_fen,
        third_party_fen=row.third_party_fen,
        not_covered_fen=row.not_covered_fen,
        member_fen=row.member_fen,
        insurer_fen=row.insurer_fen,
        before_fen=row.before_fen,
        amount_fen=row.amount_fen,
        received_on=row.received_on,
        due_on=row.due_on,
    )
