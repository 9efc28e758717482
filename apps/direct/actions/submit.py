"""A hospital bills a visit, or staff enter what it sent: registered with everything it consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.authorizations.workflow import LETTER_OUT
from apps.cases.context import Ctx
from apps.cases.engine import open_case, perform
from apps.cases.models import CaseFile
from apps.claims.actions.intake import queue_rows, register
from apps.claims.assess import reassess
from apps.claims.building import build_rows, external_numbers
from apps.claims.models import Category, Visit
from apps.claims.rows import GONE, ClaimRows, add_cards, add_networks, add_own
from apps.core.errors import DomainError, NotAllowed
from apps.core.money import to_fen
from apps.direct.inputs import DirectBillInput, DirectPaperInput, SubmitInput
from apps.direct.models import Collected, DirectClaim, Flag
from apps.direct.roles import SUBMITTERS
from apps.direct.submission import Submission, read_submission
from apps.direct.workflow import DirectFlow
from apps.documents.models import Paper
from apps.documents.retention import retain_until
from apps.ledger.accounts import year_specs
from apps.ledger.actions import lock_limits
from apps.members.brands import tied
from apps.members.models import BrandLock

CHECKED = {"CARD_CHECK": "card_number", "IDENTITY_CHECK": "id_type"}


def submit_direct(
    actor: Actor,
    *,
    data: SubmitInput | Mapping[str, Any],
    source: str = DirectClaim.Source.DESK,
    now: datetime | None = None,
) -> CaseFile:
    """Register what a hospital bills: the case with its visit, bills and papers, its bills in the register,
    what was collected on the spot, its letter, and where it goes at intake.

    Raises InvalidInputs with everything wrong at once; Blocked for a greyed card (BIL-03), another brand
    (VAC-04), or a bill that was claimed before (LAW-11). Nothing is stored then.
    """
    now = now or timezone.now()
    may_submit(actor)
    read = read_submission(actor, data, now)
    announced = _announced(read)
    if announced is not None:
        given = read.input
        return perform(announced, "send_bills", actor, now=now, visits=given.visits, papers=given.papers)
    return open_case(
        "direct",
        actor,
        case=case_of(read),
        state="INTAKE",
        fill=lambda ctx: _fill(ctx, read, source),
        event="submitted",
        now=now,
    )


def _announced(read: Submission) -> str | None:
    """The case that an appointment opened for this very visit: its bills go there."""
    visit = read.input.visits[0]
    rows = DirectClaim.objects.filter(
        case__member=read.report.member,
        case__hospital=read.hospital,
        case__open=True,
        expected_on=visit.started_on,
    )
    numbers = list(rows.order_by("pk").values_list("case__number", flat=True)[:2])
    return numbers[0] if len(numbers) == 1 else None


def may_submit(actor: Actor) -> None:
    if not actor.roles & SUBMITTERS and not actor.is_system:
        raise role_needed(actor, SUBMITTERS)


def case_of(read: Submission) -> DirectFlow:
    report = read.report
    return DirectFlow(
        kind="direct", series=report.policy.series, tpa=report.policy.tpa, handbook=report.handbook,
        member=report.member, policy=report.policy, hospital=read.hospital,
    )  # fmt: skip


def desk(ctx: Ctx[Any]) -> Team | None:
    """The claims desk of whoever runs the series (GEN-04)."""
    return Team.objects.filter(tpa=ctx.case.tpa, code__startswith="claims").order_by("code").first()


def _fill(ctx: Ctx[Any], read: Submission, source: str) -> None:
    ctx.case.team = desk(ctx)
    rows = build_rows(read.report, ctx.case)
    rows.claim.route = "DIRECT"
    direct = direct_row(ctx.case, read, source)
    ctx.add(rows.claim)
    ctx.add(direct)
    queue_rows(ctx, rows)
    for number in external_numbers(read.report, ctx.case):
        ctx.add(number)
    take_in(ctx, rows, direct, read)


def direct_row(case: CaseFile, read: Submission, source: str) -> DirectClaim:
    given = read.input
    return DirectClaim(
        case=case, source=source, authorization=read.letter, emergency_at=given.emergency_at, waived=read.waived,
        card_number=read.card_number, id_type=given.id_type, id_photo=given.id_photo,
        contact_name=given.contact_name or given.reporter.name, contact_email=given.contact_email, flags=list(read.flags),
    )  # fmt: skip


def take_in(
    ctx: Ctx[Any], rows: ClaimRows, direct: DirectClaim, read: Submission, known: Sequence[Paper] = ()
) -> None:
    """What follows for the rows of a visit, whether they came at once or later; `known` papers are stored."""
    _declared(rows, read.input.papers)
    for kind in CHECKED.keys() - {paper.kind for paper in (*known, *rows.papers)}:
        if getattr(direct, CHECKED[kind]):
            rows.papers.append(check_paper(ctx, kind, getattr(direct, CHECKED[kind])))
    for paper in rows.papers:
        ctx.add(paper)
    rows.papers[:0] = known
    _collect(ctx, rows, direct, read.input)
    register(ctx, rows)
    for row in rows.visits:
        row.visit.direct_billed = True
    _use_letter(ctx, rows, direct)
    _lock_brand(ctx, rows)
    if _reimbursed(ctx.case, [row.visit for row in rows.visits]):
        direct.flag(Flag.REIMBURSED)
    add_networks([rows])
    add_cards([rows])
    add_own([rows])
    found = reassess(rows, ctx.now, ())
    lock_limits(ctx.case.policy_id, year_specs(found.facts))
    ctx.loaded |= {"assessment": found, "facts": found.facts}
    ctx.case.amount_fen = rows.claim.claimed_fen
    ctx.data |= {
        "claimed_fen": rows.claim.claimed_fen, "collected_fen": direct.collected_fen, "flags": direct.flags,
        "authorization": direct.authorization.case.number if direct.authorization else "",
        "findings": [finding.ref for finding in found.intake],
    }  # fmt: skip
    ctx.emit("first_received")
    ctx.then("route")


def _declared(rows: ClaimRows, given: tuple[DirectPaperInput, ...]) -> None:
    """What the hospital says of signature and photo counts until somebody here looked."""
    for paper, declared in zip(rows.papers, given, strict=True):
        paper.signed = declared.signed or None
        paper.has_photo = declared.has_photo or None


def check_paper(ctx: Ctx[Any], kind: str, note: str) -> Paper:
    return Paper(
        case=ctx.case, kind=kind, form=Paper.Form.DATA, note=note[:200], received_at=ctx.now,
        checked_by_label=ctx.actor.label[:80], checked_at=ctx.now,
        retain_until=retain_until(kind, ctx.case.policy, ctx.handbook),
    )  # fmt: skip


def _collect(ctx: Ctx[Any], rows: ClaimRows, direct: DirectClaim, given: SubmitInput) -> None:
    """BIL-22: per line, as the hospital took it."""
    bills: list[DirectBillInput] = [bill for visit in given.visits for bill in visit.bills]
    for row, bill in zip(rows.bills(), bills, strict=True):
        for line, said in zip(row.lines, bill.lines, strict=True):
            if said.collected:
                ctx.add(Collected(direct=direct, line=line, amount_fen=to_fen(said.collected)))
                direct.collected_fen += to_fen(said.collected)


def _use_letter(ctx: Ctx[Any], rows: ClaimRows, direct: DirectClaim) -> None:
    """A visit on a letter: the child has come and gone. A letter that is over by now binds all the same, it
    only holds nothing any more."""
    letter, visit = direct.authorization, rows.visits[0].visit
    if letter is None:
        return
    try:
        if letter.case.state in LETTER_OUT:
            perform(letter.case, "admit", ctx.actor, now=ctx.now, admitted_on=visit.started_on)
            letter.admitted_on, letter.case.state = visit.started_on, "IN_USE"
        if letter.case.state == "IN_USE" and letter.discharged_on is None:
            perform(letter.case, "discharge", ctx.actor, now=ctx.now, discharged_on=visit.ended_on)
            letter.discharged_on = visit.ended_on
    except NotAllowed:
        raise
    except DomainError as error:
        ctx.data["letter"] = str(error.message)
        direct.flag(Flag.LETTER_OVER)


def _lock_brand(ctx: Ctx[Any], rows: ClaimRows) -> None:
    """VAC-04, VAC-22: the first visit made ties the benefit to the brand."""
    visit = rows.visits[0].visit
    if tied(ctx.handbook, visit.benefit):
        BrandLock.objects.get_or_create(
            policy=ctx.case.policy, benefit=visit.benefit,
            defaults={"brand": visit.hospital.own_brand, "visited_on": visit.started_on, "visit": ctx.case.number},
        )  # fmt: skip


def _reimbursed(case: CaseFile, visits: list[Visit]) -> bool:
    """Whether the family claimed for the same visit: same house, department and day."""
    others = Visit.objects.filter(
        claim__case__member=case.member_id, started_on__in=[visit.started_on for visit in visits]
    )
    others = others.exclude(claim__category=Category.DIRECT).exclude(claim__case__state__in=GONE)
    told = set(others.values_list("hospital", "department", "started_on"))
    return any((visit.hospital_id, visit.department, visit.started_on) in told for visit in visits)
