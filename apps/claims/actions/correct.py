"""Correcting facts before a decision: visits, bills and lines, with a reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.claims.assess import assessment_in, reassess
from apps.claims.inputs import LineInput
from apps.claims.models import Category
from apps.claims.restating import Change, add, apply, remove, reread, restate, stated
from apps.claims.roles import DESK
from apps.claims.rows import ClaimRows, add_cards, add_day_totals, add_networks, add_own
from apps.claims.workflow import BEFORE_REVIEW, KIND
from apps.core.errors import Blocked, InvalidInput
from apps.documents.models import BillRegister
from apps.documents.register import BillClaim, register_bills


@dataclass(frozen=True)
class ChangeInput:
    place: str = ask(_("Place"), max_length=12, help=_("1 = visit, 1.2 = bill, 1.2.3 = line"))
    field: str = ask(_("Field"), max_length=40)
    value: str = ask(_("Value"), default="", max_length=400)


@dataclass(frozen=True)
class NewLineInput:
    bill: str = ask(_("Bill"), max_length=8, help=_("1.2 = second bill of the first visit"))
    line: LineInput = ask(_("Line"))


@dataclass(frozen=True)
class CorrectInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)
    changes: tuple[ChangeInput, ...] = ask(_("Changes"), default=(), widget="lines")
    add: tuple[NewLineInput, ...] = ask(_("New lines"), default=(), widget="lines")
    remove: tuple[str, ...] = ask(_("Lines taken out"), default=(), help=_("such as 1.2.3"))


def correct_facts(ctx: Ctx[CorrectInput]) -> None:
    """Change facts under the checks of a report. The amount, the route and the register follow."""
    given = ctx.input
    assert given is not None
    if not (given.changes or given.add or given.remove):
        raise InvalidInput(_("Nothing is changed."), code="required", field="changes")
    if given.remove and ctx.case.claim.decided_fen is not None:
        raise Blocked(
            _("Lines of a decided claim stay; correct their amounts instead."), code="decided", field="remove"
        )
    old = assessment_in(ctx).rows
    data = stated(old)
    ctx.reason = given.reason
    ctx.data["changes"] = apply(data, [Change(row.place, row.field, row.value) for row in given.changes])
    for line in given.add:
        add(data, line.bill, asdict(line.line))
    remove(data, given.remove)
    ctx.data |= {"added": len(given.add), "removed": list(given.remove)}
    visits, lookups = reread(data, timezone.localtime(ctx.now).date())
    rows = restate(ctx, old, visits, lookups)
    _follow(ctx, rows)


def _follow(ctx: Ctx[Any], rows: ClaimRows) -> None:
    claim = ctx.case.claim
    claim.claimed_fen = sum(row.visit.claimed_fen for row in rows.visits)
    ctx.update(claim, "claimed_fen")
    ctx.case.amount_fen = claim.claimed_fen
    ctx.case.hospital = rows.visits[0].visit.hospital
    _reregister(ctx, rows)
    add_networks([rows])
    add_cards([rows])
    add_day_totals([rows])
    add_own([rows])
    fresh = reassess(rows, ctx.now, ())
    ctx.loaded |= {"assessment": fresh, "facts": fresh.facts}
    if claim.route and claim.category != Category.DIRECT:
        found = ctx.loaded["assessment"].routing
        if found.route != claim.route:
            ctx.data["route"] = {"from": claim.route, "to": found.route, "rule": found.rule}
            claim.route = found.route
            ctx.update(claim, "route")


def _reregister(ctx: Ctx[Any], rows: ClaimRows) -> None:
    """Bills whose number was mistyped are freed; the right ones are registered (LAW-11)."""
    live = [bill.bill for bill in rows.bills() if bill.bill.state not in ("VOID", "RED_LETTER")]
    stale = BillRegister.objects.filter(case=ctx.case, released_at=None)
    stale.exclude(identity__in=[bill.identity for bill in live]).update(released_at=ctx.now)
    register_bills(
        ctx, [BillClaim(bill.identity, bill.amount_fen, bill.issued_on, "changes") for bill in live]
    )


def _rerouted(ctx: Ctx[CorrectInput]) -> str:
    """A claim that still waits for its first papers follows its new route."""
    route, state = ctx.case.claim.route, ctx.case.state
    if route == "MAIL" and state == "ONLINE_SUBMITTED":
        return "route_mail"
    if route == "ONLINE" and state == "AWAITING_ORIGINALS":
        return "route_online"
    return ""


KIND.action(
    Action(
        "correct_facts", _("Correct facts"), DESK, correct_facts, transition=_rerouted,
        transitions=(), states=BEFORE_REVIEW | {"UNDER_REVIEW"}, input=CorrectInput, event="facts_corrected",
        order=400,
    )
)  # fmt: skip
