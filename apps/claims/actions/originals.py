"""Originals by mail: announced, brought, refused, laid on the shelf, sent back (RMB-22 … RMB-26, RMB-39)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.claims import letters
from apps.claims.assess import Assessment, assessment_in
from apps.claims.facts import facts_of
from apps.claims.models import Original, Parcel
from apps.claims.originals import VOUCHERS, courier_number, mailing, missing_originals, place_words
from apps.claims.roles import CLERKS, SUPERVISORS, UPLOADERS
from apps.claims.workflow import KIND, STATES
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs
from apps.documents.actions import check_kind, paper_kinds, shelve
from apps.messaging.outbox import notify_member

WAITING = "MATERIALS_PENDING"
LOGGERS = CLERKS | frozenset({"first_review", "tpa_manager", "api_tpa"})
FURTHER = frozenset(STATES) - {"REPORTED", "AWAITING_ORIGINALS", "REOPENED", "PAID"}
FORMS = [("ORIGINAL", _("original")), ("COPY", _("copy"))]


def places(ctx: Ctx[Any]) -> list[tuple[str, Any]]:
    """What a paper can be about: the whole claim, or one of its bills."""
    found = assessment_in(ctx)
    bills = [(f"bill:{bill.ref}", place_words(f"bill:{bill.ref}", found)) for bill in found.rows.bills()]
    return [("", _("the whole claim")), *bills]


@dataclass(frozen=True)
class OriginalInput:
    """One kind of paper in the parcel, as it was found."""

    kind: str = ask(_("Kind of paper"), choices=paper_kinds, widget="select")
    place: str = ask(_("About"), default="", choices=places, widget="select", max_length=60)
    form: str = ask(_("Form"), default="ORIGINAL", choices=FORMS, widget="select", rule="RMB-15")
    sheets: int = ask(_("Sheets"), default=1, minimum=1, maximum=999)
    condition: str = ask(
        _("Condition"),
        default=Original.Condition.GOOD.value,
        choices=list(Original.Condition.choices),
        widget="select",
    )
    signed: bool = ask(_("Signed"), default=False, rule="RMB-10")
    has_photo: bool = ask(_("With photo"), default=False, rule="KYC-02")
    note: str = ask(_("Note"), default="", max_length=200)


@dataclass(frozen=True)
class OriginalsInput:
    tracking_number: str = ask(_("Courier number"), default="", max_length=40)
    arrival: str = ask(
        _("Arrived by"),
        default=Parcel.Arrival.COURIER.value,
        choices=list(Parcel.Arrival.choices),
        widget="select",
    )
    arrived_at: datetime | None = ask(_("Arrived at"), default=None)
    items: tuple[OriginalInput, ...] = ask(_("In the parcel"), default=(), widget="lines")
    shelf: str = ask(_("Shelf"), default="", max_length=40)
    other_parcel: bool = ask(_("Not the parcel that was announced"), default=False, rule="RMB-25")
    more_expected: bool = ask(_("Another parcel is on its way: go on waiting"), default=False)
    collect_on_delivery: bool = ask(_("Collect on delivery"), default=False, rule="RMB-23")
    note: str = ask(_("Note"), default="", max_length=200)


@dataclass(frozen=True)
class TrackingInput:
    tracking_number: str = ask(_("Courier number"), min_length=5, max_length=40, rule="RMB-25")
    sent_on: date | None = ask(_("Sent on"), default=None, rule="RMB-25")
    note: str = ask(_("Note"), default="", max_length=200)


@dataclass(frozen=True)
class SentInput:
    sent_on: date = ask(_("Sent on"), rule="RMB-25")
    note: str = ask(_("Note"), default="", max_length=200)


# --- Announced by the member (RMB-25) -------------------------------------------------------------


def _record_tracking(ctx: Ctx[TrackingInput]) -> None:
    """The courier number the member fed back; a parcel announced without one gets it now."""
    given, claim = ctx.input, ctx.case.claim
    assert given is not None
    number, sent = courier_number(given.tracking_number), _not_future(ctx, given.sent_on, "sent_on")
    announced = _announced(claim)
    known = next((parcel for parcel in announced if parcel.tracking_number == number), None)
    parcel = known or next((parcel for parcel in announced if not parcel.tracking_number), None)
    _announce(ctx, parcel, tracking_number=number, sent_on=sent, note=given.note)
    claim.tracking_number = ctx.data["tracking_number"] = number
    ctx.update(claim, "tracking_number")
    observe(_tracking_rule(ctx), False)


def _record_sending(ctx: Ctx[SentInput]) -> None:
    """Sent, the number to follow: the member is reminded of it (RMB-25, DL-44)."""
    given = ctx.input
    assert given is not None
    sent = _not_future(ctx, given.sent_on, "sent_on")
    assert sent is not None
    _announce(ctx, None, tracking_number="", sent_on=sent, note=given.note)
    ctx.data["sent_on"] = sent.isoformat()
    ctx.emit("parcel_sent", min(ctx.now, timezone.make_aware(datetime.combine(sent, time(12)))))
    observe(_tracking_rule(ctx), True)


def _tracking_rule(ctx: Ctx[Any]) -> str:
    parameter = ctx.handbook.parameters.get("originals.tracking_after")
    return parameter.rule if parameter else "RMB-25"


def _announced(claim: Any) -> list[Parcel]:
    return list(Parcel.objects.filter(claim=claim, state=Parcel.State.ANNOUNCED).order_by("pk"))


def _announce(ctx: Ctx[Any], parcel: Parcel | None, **fields: Any) -> None:
    values = {"announced_by": ctx.actor.label, "announced_at": ctx.now} | {
        name: value for name, value in fields.items() if value
    }
    if parcel is None:
        ctx.add(Parcel(claim=ctx.case.claim, state=Parcel.State.ANNOUNCED, **values))
        return
    for name, value in values.items():
        setattr(parcel, name, value)
    ctx.update(parcel, *values)


def _not_future(ctx: Ctx[Any], day: date | None, field: str) -> date | None:
    if day is not None and day > timezone.localtime(ctx.now).date():
        raise InvalidInput(_("The date lies in the future."), code="future", field=field, rule="RMB-25")
    return day


# --- At the door ----------------------------------------------------------------------------------


def _log_originals(ctx: Ctx[OriginalsInput]) -> None:
    """A parcel is here. One that asks for payment is refused where the series says so (RMB-23).

    It wakes a claim that waits; one that was closed because papers never came is opened again.
    """
    given, claim = ctx.input, ctx.case.claim
    assert given is not None
    parcel = _parcel(ctx, given)
    ctx.data |= {"tracking_number": parcel.tracking_number, "note": given.note}
    arrived = past(ctx, given.arrived_at)
    parcel.arrival, parcel.arrived_at, parcel.note = given.arrival, arrived, given.note or parcel.note
    parcel.logged_by, parcel.logged_at = ctx.actor.label, ctx.now
    if _refused_parcel(ctx, given):
        _refuse(ctx, parcel)
        return
    parcel.state = Parcel.State.RECEIVED
    _save(ctx, parcel)
    found = _shelve_all(ctx, parcel, given)
    ctx.data["missing"] = [entry.ref for entry in missing_originals(found)]
    if parcel.tracking_number:
        claim.tracking_number = parcel.tracking_number
        ctx.update(claim, "tracking_number")
    ctx.emit("originals_received", arrived)
    ctx.emit("tracking_received")
    received(ctx, arrived)
    _go_on(ctx, parcel, given, arrived)


def _go_on(ctx: Ctx[Any], parcel: Parcel, given: OriginalsInput, arrived: datetime) -> None:
    evidence = str(
        parcel.tracking_number or f"{ctx.actor.label} {timezone.localtime(arrived):%Y-%m-%d %H:%M}"
    )
    if given.more_expected:
        ctx.data["more_expected"] = 1
    elif ctx.case.state == WAITING:
        ctx.then("papers_arrived", arrived_at=arrived, evidence=evidence)
    elif ctx.case.state == "CLOSED_NO_PAPERS":
        ctx.then("reopen_for_papers")
    elif ctx.case.state == "AWAITING_ORIGINALS":
        ctx.resume("missing_papers", at=arrived, evidence=evidence)


def _refuse(ctx: Ctx[Any], parcel: Parcel) -> None:
    """RMB-23: sent back with the courier, so nothing was received; the member learns how to send it."""
    parcel.state = Parcel.State.REFUSED
    _save(ctx, parcel)
    ctx.data["refused"] = "collect on delivery"
    ctx.emit("parcel_refused")
    how = mailing(assessment_in(ctx))
    context = letters.message_context(ctx.case, refused=True, mailing=how.as_json() if how else None)
    notify_member(
        ctx, template="originals_wanted", context=context, key=f"{ctx.case.number}:parcel:{ctx.case.version}"
    )


def _parcel(ctx: Ctx[Any], given: OriginalsInput) -> Parcel:
    """The announced parcel with this number, else a new one. Another number than announced is a mistake
    of somebody until the clerk says that it is another parcel (RMB-25)."""
    number, announced = courier_number(given.tracking_number), _announced(ctx.case.claim)
    numbered = {parcel.tracking_number: parcel for parcel in announced if parcel.tracking_number}
    if observe(
        _tracking_rule(ctx), bool(number and numbered and number not in numbered and not given.other_parcel)
    ):
        raise InvalidInput(
            _("The member announced %(known)s; this parcel carries %(given)s.")
            % {"known": ", ".join(numbered), "given": number},
            code="other_parcel", field="tracking_number", rule=_tracking_rule(ctx),
        )  # fmt: skip
    here = Parcel.objects.filter(claim=ctx.case.pk, state=Parcel.State.RECEIVED, tracking_number=number)
    if number and here.exists():
        raise InvalidInput(
            _("The parcel %(number)s was logged already.") % {"number": number},
            code="parcel_twice", field="tracking_number", rule=_tracking_rule(ctx),
        )  # fmt: skip
    unnumbered = [parcel for parcel in announced if not parcel.tracking_number]
    if number in numbered:
        return numbered[number]
    if unnumbered and not given.other_parcel:
        unnumbered[0].tracking_number = number
        return unnumbered[0]
    return Parcel(claim=ctx.case.claim, tracking_number=number)


PARCEL_COLUMNS = ("state", "tracking_number", "arrival", "arrived_at", "note", "logged_by", "logged_at")


def _save(ctx: Ctx[Any], parcel: Parcel) -> None:
    if parcel._state.adding:
        ctx.add(parcel)
    else:
        ctx.update(parcel, *PARCEL_COLUMNS)


def _refused_parcel(ctx: Ctx[Any], given: OriginalsInput) -> bool:
    rule = ctx.handbook.rule("decide.postage")
    return rule is not None and observe(rule.id, given.collect_on_delivery)


def past(ctx: Ctx[Any], at: datetime | None) -> datetime:
    if at is not None and at > ctx.now:
        raise InvalidInput(_("The time lies in the future."), code="future", field="arrived_at")
    return at or ctx.now


def received(ctx: Ctx[Any], at: datetime) -> None:
    """The first papers of a claim start the statutory clock (LAW-02)."""
    claim = ctx.case.claim
    if claim.first_received_at is None:
        claim.first_received_at = at
        ctx.update(claim, "first_received_at")
        ctx.emit("first_received", at)


# --- On the shelf ---------------------------------------------------------------------------------


def _shelve_all(ctx: Ctx[Any], parcel: Parcel, given: OriginalsInput) -> Assessment:
    """Each kind of paper becomes a paper of the claim and an entry of the shelf; returns the claim with them."""
    found = assessment_in(ctx)
    _check_items(ctx, given, found)
    for item in given.items:
        readable = item.condition != Original.Condition.UNREADABLE
        paper = shelve(
            ctx, kind=item.kind, form=item.form, subject=item.place, pages=item.sheets, legible=readable,
            signed=item.signed, has_photo=item.has_photo, note=item.note,
        )  # fmt: skip
        found.rows.papers.append(paper)
        ctx.add(
            Original(
                claim=ctx.case.claim, parcel=parcel, paper=paper, kind=item.kind, place=item.place,
                is_original=item.form == "ORIGINAL", sheets=item.sheets, condition=item.condition,
                shelf=given.shelf, note=item.note, logged_by=ctx.actor.label, logged_at=ctx.now,
            )
        )  # fmt: skip
    ctx.data["items"] = [
        f"{item.kind}{'@' + item.place if item.place else ''} {item.form} ×{item.sheets} {item.condition}"
        for item in given.items
    ]
    fresh = Assessment(found.rows, facts_of(found.rows, ctx.now, found.facts.balances))
    ctx.loaded |= {"assessment": fresh, "facts": fresh.facts}
    return fresh


def _check_items(ctx: Ctx[Any], given: OriginalsInput, found: Assessment) -> None:
    """Known kinds about known bills; the one original of a bill lies on the shelf once."""
    bills = {f"bill:{bill.ref}" for bill in found.rows.bills()}
    here = Original.objects.filter(claim=ctx.case.pk, is_original=True, returned_at=None, kind="INVOICE")
    shelved = set(here.values_list("place", flat=True)) if given.items else set()
    errors: list[DomainError] = []
    for index, item in enumerate(given.items):
        path = f"items.{index}"
        try:
            check_kind(ctx, item.kind, field=f"{path}.kind")
        except DomainError as error:
            errors.append(error)
        if item.place and item.place not in bills:
            unknown = _("No bill “%(place)s” is on this claim. Expected: %(known)s.") % {
                "place": item.place,
                "known": ", ".join(sorted(bills)) or "–",
            }
            errors.append(InvalidInput(unknown, code="unknown_bill", field=f"{path}.place"))
        if item.kind == "INVOICE" and item.place and item.form == "ORIGINAL":
            if item.place in shelved:
                words = _("The original of this bill lies on the shelf already; only a copy can come again.")
                errors.append(
                    InvalidInput(words, code="original_twice", field=f"{path}.place", rule=_invoice_rule(ctx))
                )
            shelved.add(item.place)
    if errors:
        raise InvalidInputs(errors)


def _invoice_rule(ctx: Ctx[Any]) -> str:
    return next((document.rule for document in ctx.handbook.documents if document.key == "INVOICE"), "RMB-15")


def _expected(ctx: Ctx[Any]) -> dict[str, Any]:
    """The form starts with what is expected: the announced number and the originals still missing."""
    announced = next((parcel.tracking_number for parcel in _announced(ctx.case.claim)), "")
    wanted = missing_originals(assessment_in(ctx))
    items = [
        {"kind": entry.key, "place": entry.place} for entry in wanted if entry.key != "INVOICE_ANNOTATION"
    ]
    return {"tracking_number": announced, "items": items}


# --- Sent back ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SendBackInput:
    originals: tuple[int, ...] = ask(_("Originals"), widget="papers")
    tracking_number: str = ask(_("Courier number"), min_length=5, max_length=40)
    reason: str = ask(_("Reason"), min_length=2, max_length=200)


def _return_originals(ctx: Ctx[SendBackInput]) -> None:
    """Originals go back to the member. The vouchers of a payment stay (LAW-08), unless a supervisor says so."""
    given = ctx.input
    assert given is not None
    rows = list(Original.objects.filter(claim=ctx.case.pk, pk__in=given.originals).order_by("pk"))
    if not rows or len(rows) != len(set(given.originals)):
        raise InvalidInput(
            _("Such an original is not on this claim."), code="unknown_original", field="originals"
        )
    gone = [row for row in rows if row.returned_at is not None]
    if gone:
        raise InvalidInput(
            _("It was sent back already on %(day)s.") % {"day": timezone.localtime(gone[0].returned_at).date()},
            code="returned_already", field="originals",
        )  # fmt: skip
    kept = bool(ctx.case.claim.decided_fen) and any(row.is_original and row.kind in VOUCHERS for row in rows)
    if observe("LAW-08", kept and not ctx.actor.roles & SUPERVISORS):
        raise Blocked(
            _("The vouchers of a paid claim are kept; only a supervisor may send them back."),
            code="voucher_kept", field="originals", rule="LAW-08",
        )  # fmt: skip
    for row in rows:
        row.returned_at, row.returned_by = ctx.now, ctx.actor.label
        row.returned_with, row.return_reason = given.tracking_number, given.reason
        ctx.update(row, "returned_at", "returned_by", "returned_with", "return_reason")
    ctx.reason = given.reason
    ctx.data |= {"originals": [row.pk for row in rows], "tracking_number": given.tracking_number}
    context = letters.message_context(ctx.case, count=len(rows), tracking=given.tracking_number)
    key = f"{ctx.case.number}:originals:{ctx.case.version}"
    notify_member(ctx, template="originals_returned", context=context, key=key)


# --- Opened again ---------------------------------------------------------------------------------


def _reopen_for_papers(ctx: Ctx[NoInput]) -> None:
    """Closed only because papers never came; they have come, so nobody has to be asked."""
    ctx.case.open, ctx.case.closed_at = True, None
    ctx.then("resume_check")


def _parcel_taken(ctx: Ctx[OriginalsInput]) -> str:
    return "" if "refused" in ctx.data or "more_expected" in ctx.data else "receive_originals"


KIND.action(
    Action(
        "log_originals", _("Log originals"), LOGGERS, _log_originals, transition=_parcel_taken,
        transitions=("receive_originals",), input=OriginalsInput, initial=_expected, style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "log_more_originals", _("Log further originals"), LOGGERS, _log_originals, states=FURTHER,
        input=OriginalsInput, initial=_expected, order=45,
    )
)  # fmt: skip
KIND.action(
    Action(
        "record_tracking", _("Record courier number"), UPLOADERS, _record_tracking, event="tracking_received",
        states=frozenset({"AWAITING_ORIGINALS", WAITING}), input=TrackingInput, order=40,
    )
)  # fmt: skip
KIND.action(
    Action(
        "record_sending", _("Parcel sent, number to follow"), UPLOADERS, _record_sending, event="sending_recorded",
        states=frozenset({"AWAITING_ORIGINALS", WAITING}), input=SentInput, order=41,
    )
)  # fmt: skip
KIND.action(
    Action(
        "return_originals", _("Send originals back"), CLERKS | SUPERVISORS, _return_originals, states=frozenset(STATES),
        input=SendBackInput, event="originals_returned", order=520,
    )
)  # fmt: skip
KIND.action(
    Action(
        "reopen_for_papers", _("Reopen: papers came"), frozenset(), _reopen_for_papers, transition="reopen",
        states=frozenset({"CLOSED_NO_PAPERS"}), event="reopened", system=True, manual=False,
    )
)  # fmt: skip
