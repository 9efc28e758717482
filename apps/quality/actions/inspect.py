"""Inspecting a decision: without error, with errors, sent back to be made again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker, NoInput
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import to_fen
from apps.quality.models import ErrorCode, InspectionError
from apps.quality.roles import INSPECTORS, LEADS
from apps.quality.workflow import KIND


def codes(ctx: Any) -> list[tuple[Any, Any]]:
    return [(code.code, str(code)) for code in ErrorCode.objects.filter(active=True)]


def places(ctx: Ctx[Any]) -> list[tuple[str, Any]]:
    """Visits, bills and lines of the inspected decision, as its table numbers them."""
    found: dict[str, Any] = {}
    for row in _decided_lines(ctx):
        bill, visit = row.line.bill, row.line.bill.visit
        found.setdefault(f"{visit.position}", f"{visit.position} {visit.started_on:%Y-%m-%d}")
        found.setdefault(
            f"{visit.position}.{bill.position}", f"{visit.position}.{bill.position} {bill.number}".strip()
        )
        place = f"{visit.position}.{bill.position}.{row.line.position}"
        found[place] = f"{place} {row.line.name}"
    return list(found.items())


def _decided_lines(ctx: Ctx[Any]) -> list[Any]:
    if "decided_lines" not in ctx.loaded:
        lines = ctx.case.inspection.decision.lines.select_related("line__bill__visit")
        ctx.loaded["decided_lines"] = list(lines.order_by("pk"))
    return list(ctx.loaded["decided_lines"])


@dataclass(frozen=True)
class NoteInput:
    note: str = ask(_("Note"), default="", widget="textarea", max_length=2000)


@dataclass(frozen=True, kw_only=True)
class FoundInput:
    code: str = ask(_("Error"), choices=codes, widget="select", max_length=12)
    place: str = ask(
        _("Place (visit.bill.line)"), choices=places, widget="select", default="", max_length=20,
        help=_("none = the whole claim"),
    )  # fmt: skip
    note: str = ask(_("What is wrong"), default="", widget="textarea", max_length=1000)


@dataclass(frozen=True, kw_only=True)
class ErrorsInput:
    errors: tuple[FoundInput, ...] = ask(_("Errors found"), widget="lines")
    right_amount: Decimal | None = ask(
        _("What should have been paid"), default=None, widget="money", minimum=0
    )
    rework: bool = ask(_("The claim must be decided again"), default=False)
    reason: str = ask(_("Summary"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class ReasonInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


def not_own(ctx: Ctx[Any]) -> Blocker | None:
    """Nobody inspects a decision they proposed or signed."""
    decision = ctx.case.inspection.decision
    if ctx.actor.user_id in (decision.proposed_by_id, decision.signed_by_id):
        return Blocker("four_eyes", _("Four eyes: you decided this claim; somebody else must inspect it."))
    return None


def _inspected(ctx: Ctx[Any]) -> None:
    inspection = ctx.case.inspection
    inspection.inspected_by_id, inspection.inspected_at = ctx.actor.person_id, ctx.now
    ctx.update(inspection, "inspected_by", "inspected_at", "right_fen")


def _close(ctx: Ctx[Any]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now


def _pass(ctx: Ctx[NoteInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.note
    ctx.case.inspection.right_fen = ctx.case.inspection.decision.insurer_fen
    _inspected(ctx)
    _close(ctx)


def _fault(ctx: Ctx[ErrorsInput]) -> None:
    given = ctx.input
    assert given is not None
    inspection = ctx.case.inspection
    for row in _rows(ctx, given):
        ctx.add(row)
    if given.right_amount is not None:
        inspection.right_fen = to_fen(given.right_amount)
    _inspected(ctx)
    ctx.reason = given.reason
    ctx.data |= {"errors": [found.code for found in given.errors], "rework": given.rework}
    ctx.loaded["rework"] = given.rework
    if given.rework:
        _reopen(ctx)
    else:
        _close(ctx)


def _rows(ctx: Ctx[ErrorsInput], given: ErrorsInput) -> list[InspectionError]:
    if not given.errors:
        raise InvalidInput(_("Name at least one error."), code="required", field="errors")
    known = {code.code: code for code in ErrorCode.objects.filter(active=True)}
    known_places = {"", *(place for place, _words in places(ctx))}
    seen: set[tuple[str, str]] = set()
    rows = []
    for index, found in enumerate(given.errors):
        if found.code not in known:
            raise InvalidInput(
                _("There is no error code %(code)s.") % {"code": found.code},
                code="unknown_code",
                field=f"errors.{index}.code",
            )
        if found.place not in known_places:
            raise InvalidInput(
                _("There is no place %(place)s in this decision.") % {"place": found.place},
                code="unknown_place",
                field=f"errors.{index}.place",
            )
        if (found.code, found.place) in seen:
            raise InvalidInput(
                _("The same error stands here twice."), code="twice", field=f"errors.{index}.code"
            )
        seen.add((found.code, found.place))
        rows.append(
            InspectionError(
                inspection=ctx.case.inspection, code=known[found.code], place=found.place, note=found.note
            )
        )
    return rows


def _reopen(ctx: Ctx[Any]) -> None:
    """The claim is opened by the system in the inspector's name; its desk decides it again."""
    claim = ctx.case.inspection.claim_case
    words = _("Quality inspection %(number)s: %(reason)s") % {"number": ctx.case.number, "reason": ctx.reason}
    try:
        perform(claim.number, "reopen", SYSTEM, reason=str(words)[:2000])
    except Blocked as error:
        if error.code != "state":
            raise
        raise Blocked(
            _("%(number)s is “%(state)s”: it can be decided again when it is closed. Record the errors now and send it back then.")
            % {"number": claim.number, "state": claim.get_state_display()},
            code=error.code, field="rework" if isinstance(ctx.input, ErrorsInput) else "",
        ) from error  # fmt: skip


def _way(ctx: Ctx[Any]) -> str:
    return "send_to_rework" if ctx.loaded["rework"] else "find_errors"


def _rework_later(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.case.open, ctx.case.closed_at = True, None
    _reopen(ctx)


def _uphold(ctx: Ctx[ReasonInput]) -> None:
    """The decider objected and a lead agrees: the errors stay readable and count no more."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.case.inspection.right_fen = ctx.case.inspection.decision.insurer_fen
    ctx.update(ctx.case.inspection, "right_fen")


def _finish(ctx: Ctx[NoInput]) -> None:
    _close(ctx)


DRAWN, FAULTY = frozenset({"DRAWN"}), frozenset({"FAULTY"})
KIND.action(
    Action(
        "pass_inspection", _("Pass: no error"), INSPECTORS, _pass, transition="find_nothing", input=NoteInput,
        guards=(not_own,), states=DRAWN, style="primary", event="inspected", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "find_errors", _("Record errors"), INSPECTORS, _fault, transition=_way,
        transitions=("find_errors", "send_to_rework"), input=ErrorsInput, guards=(not_own,), states=DRAWN,
        event="inspected", style="danger", order=20,
    )
)  # fmt: skip
KIND.action(
    Action(
        "send_to_rework", _("Have it decided again"), INSPECTORS | LEADS, _rework_later, transition="send_to_rework",
        input=ReasonInput, states=FAULTY, order=30,
    )
)  # fmt: skip
KIND.action(
    Action(
        "uphold_objection", _("Uphold an objection"), LEADS, _uphold, transition="uphold_objection",
        input=ReasonInput, states=FAULTY, four_eyes=("find_errors",), order=40,
    )
)  # fmt: skip
KIND.action(
    Action(
        "finish_rework", _("Rework done"), frozenset(), _finish, transition="finish_rework", system=True, manual=False,
    )
)  # fmt: skip
