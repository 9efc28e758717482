"""The one door through which people change an e-mail: `act`. Each step has its input and its states.

lock the message → visibility → version → state → handler → one event → save. What happens to a case
happens through the case's own actions, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.roles import role_needed
from apps.accounts.visibility import visible_to
from apps.authorizations.actions import request_authorization
from apps.authorizations.inputs import RequestInput
from apps.cases.engine import perform
from apps.cases.inputs import parse_input
from apps.cases.kinds import NoInput, Text
from apps.cases.models import CaseFile
from apps.cases.queries import case_for
from apps.claims.actions.intake import report_claim
from apps.claims.inputs import ReportInput
from apps.core.errors import Blocked, Conflict, InvalidInput, NotFound
from apps.documents.models import Paper
from apps.mailroom import answers
from apps.mailroom.inbox.papers import attach_files, candidates
from apps.mailroom.inputs import AnswerInput, DismissInput, FileInput, ReopenInput, SortInput, TrackingInput
from apps.mailroom.models import Email, EmailEvent, EmailFile
from apps.mailroom.roles import HANDLERS, READERS
from apps.messaging.models import Message

State = Email.State
OPEN = frozenset({State.NEW, State.REFUSED})
DONE = frozenset({State.MATCHED, State.FILED})
COLUMNS = [
    "state", "reason", "note", "case", "suggested", "why", "member", "series", "tpa", "handled_at", "handled_by", "handler",
    "version",
]  # fmt: skip


@dataclass
class Doing:
    """What a handler sees and fills."""

    email: Email
    actor: Actor
    now: datetime
    given: Any
    note: str = ""
    result: Any = None


@dataclass(frozen=True)
class Step:
    """One way an e-mail changes. `states` = where it is possible."""

    name: str
    label: Text
    handler: Callable[[Doing], None]
    states: frozenset[str]
    input: type[Any] = NoInput
    style: str = "default"


def act(
    pk: int, name: str, actor: Actor, /, *, version: int | None, now: datetime | None = None, **data: Any
) -> Doing:
    """Do one step. Raises NotFound (hidden or unknown), NotAllowed, Conflict `stale`, Blocked, InvalidInputs."""
    step = STEPS.get(name)
    if step is None:
        raise NotFound(
            _("No such action: %(action)s") % {"action": name[:40]}, code="unknown_action", field="action"
        )
    may_handle(actor)
    given = parse_input(step.input, data)
    with transaction.atomic():
        email = _locked(pk, actor)
        if version is not None and email.version != version:
            raise Conflict(
                _("Somebody else worked on this e-mail meanwhile. Reload it and look again."),
                code="stale",
                data={"version": email.version, "seen": version},
            )
        if email.state not in step.states:
            raise Blocked(
                _("“%(action)s” is not possible while the e-mail is “%(state)s”.")
                % {"action": step.label, "state": email.get_state_display()},
                code="state",
            )
        doing = Doing(email, actor, now or timezone.now(), given)
        step.handler(doing)
        email.version += 1
        email.save(update_fields=COLUMNS)
        _write(doing, name)
    return doing


def may_handle(actor: Actor) -> None:
    _need(actor, HANDLERS)


def may_read(actor: Actor) -> None:
    _need(actor, READERS)


def _need(actor: Actor, roles: frozenset[str]) -> None:
    if not actor.roles & roles:
        raise role_needed(actor, roles)


def _locked(pk: int, actor: Actor) -> Email:
    emails = visible_to(Email.objects.all(), actor).filter(pk=pk)
    email = emails.select_for_update(of=("self",)).select_related("mailbox").first()
    if email is None:
        raise NotFound(_("There is no such e-mail."))
    return email


def _write(doing: Doing, name: str) -> None:
    EmailEvent.objects.create(
        email=doing.email, name=name, at=doing.now, actor_label=doing.actor.label, user_id=doing.actor.user_id,
        note=doing.note[:500],
    )  # fmt: skip


def mark_read(email: Email, actor: Actor) -> None:
    """The first who opens it; whoever comes later changes nothing."""
    Email.objects.filter(pk=email.pk, opened_at=None).update(opened_at=timezone.now(), opened_by=actor.label)


# --- Handlers -------------------------------------------------------------------------------------------


def _handled(doing: Doing, state: str, *, reason: str = "", note: str = "") -> None:
    email = doing.email
    email.state, email.reason, email.note = state, reason, note
    email.handled_at, email.handled_by, email.handler_id = doing.now, doing.actor.label, doing.actor.user_id
    doing.note = note


def _into(doing: Doing, case: CaseFile, why: str, *, note: str = "") -> None:
    """From now on the message is seen by whoever sees the case's series and administrator."""
    email = doing.email
    _handled(doing, State.FILED, note=note)
    email.case, email.suggested, email.why, email.member = case, None, why, case.member
    email.series, email.tpa = case.series, case.tpa
    doing.note = f"{case.number} {note}".strip()


def _file(doing: Doing) -> None:
    """Into a case, with its papers; one that waits for papers goes on from their arrival."""
    case = _case(doing, doing.given.case)
    chosen = {choice.file: choice.kind for choice in doing.given.files}
    _known_files(doing.email, chosen)
    attach_files(doing.email, case, doing.actor, chosen or None)
    _into(doing, case, "PERSON", note=doing.given.note)


def _known_files(email: Email, chosen: dict[int, str]) -> None:
    usable = {row.pk for row in candidates(email)}
    for index, pk in enumerate(chosen):
        if chosen[pk] and pk not in usable:
            raise InvalidInput(
                _("This message has no such file that could be a paper."),
                code="unknown_file",
                field=f"files.{index}.file",
            )


def _case(doing: Doing, number: str) -> CaseFile:
    try:
        return case_for(doing.actor, number.strip().upper())
    except NotFound as error:
        error.field = "case"
        raise


def _dismiss(doing: Doing) -> None:
    _handled(doing, State.DISMISSED, reason=doing.given.reason, note=doing.given.note)


def _reopen(doing: Doing) -> None:
    email = doing.email
    email.state, email.reason, email.note = State.NEW, "", ""
    email.handled_at, email.handled_by, email.handler_id = None, "", None
    doing.note = doing.given.note


def _answer(doing: Doing) -> None:
    """Through the outbox, to the sender alone: where a message asks to be answered to is not believed."""
    email = doing.email
    if email.automatic:
        raise Blocked(_("A machine sent this message; answering it could go on for ever."), code="automatic")
    if not email.sender:
        raise Blocked(_("The message names no sender to answer."), code="no_sender")
    message = answers.queue(email, doing.given, doing.actor, doing.now)
    assert isinstance(message, Message)
    doing.result, doing.note = message, doing.given.template


def _tracking(doing: Doing) -> None:
    """RMB-25: the courier number that the member sends; the clock of the tracking e-mail stops."""
    number = doing.given.case or (doing.email.case or doing.email.suggested or CaseFile()).number
    if not number:
        raise InvalidInput(_("Say which case it belongs to."), code="required", field="case", rule="RMB-25")
    case = _case(doing, number)
    perform(case.number, "record_tracking", doing.actor, tracking_number=doing.given.tracking_number)
    if doing.email.state in OPEN:
        _into(doing, case, "PERSON")
    doing.note = f"{case.number} {doing.given.tracking_number}"


def _sort(doing: Doing) -> None:
    """The kind of a paper that came in unsorted (or under a wrong name), on its case."""
    email, given = doing.email, doing.given
    row = EmailFile.objects.filter(email=email, pk=given.file, paper__isnull=False).first()
    if row is None or email.case is None:
        raise InvalidInput(_("This file is no paper of a case."), code="unknown_file", field="file")
    perform(email.case.number, "tick_paper", doing.actor, papers=(row.paper_id,), kind=given.kind)
    row.kind = given.kind
    row.save(update_fields=["kind"])
    doing.note = f"{row.name} → {given.kind}"


def report_from(pk: int, actor: Actor, /, *, version: int | None, **data: Any) -> CaseFile:
    """A new claim out of a message: its readable files are the papers, its arrival is the report's time."""
    return act(pk, "report", actor, version=version, **data).result  # type: ignore[no-any-return]


def _report(doing: Doing) -> None:
    email, given = doing.email, doing.given
    papers = [
        {"kind": row.kind, "file": row.file.sha256, "form": _form(row), "pages": row.file.pages}
        for row in candidates(email)
        if row.file is not None
    ]
    data = {**_as_data(given), "papers": [*given.papers, *papers]}
    case = report_claim(doing.actor, data=data, now=email.received_at)
    for row in candidates(email):
        row.paper = Paper.objects.filter(case=case, file=row.file_id).first()
        row.save(update_fields=["paper"])
    doing.result = case
    _into(doing, case, "REPORT")


def request_from(pk: int, actor: Actor, /, *, version: int | None, **data: Any) -> CaseFile:
    """An authorization asked for by e-mail (PA-04): days and hours count to its arrival (PA-03, PA-06)."""
    return act(pk, "authorize", actor, version=version, **data).result  # type: ignore[no-any-return]


def _authorize(doing: Doing) -> None:
    email = doing.email
    case = request_authorization(doing.actor, data=doing.given, now=email.received_at)
    attach_files(email, case, doing.actor)
    doing.result = case
    _into(doing, case, "AUTHORIZATION")


def _as_data(given: ReportInput) -> dict[str, Any]:
    return {
        name: getattr(given, name) for name in given.__dataclass_fields__ if getattr(given, name) is not None
    }


def _form(row: EmailFile) -> str:
    source = row.file is not None and row.file.content_type in ("application/xml", "application/ofd")
    return "SOURCE_FILE" if source else "IMAGE"


STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("file", _("File into a case"), _file, OPEN | {State.DISMISSED}, FileInput, "primary"),
        Step("report", _("Report a claim from it"), _report, OPEN, ReportInput),
        Step("authorize", _("Request an authorization from it"), _authorize, OPEN, RequestInput),
        Step("tracking", _("Record courier number"), _tracking, OPEN | DONE, TrackingInput),
        Step("answer", _("Answer by e-mail"), _answer, OPEN | DONE | {State.DISMISSED}, AnswerInput),
        Step("sort", _("Sort a paper"), _sort, DONE, SortInput),
        Step("dismiss", _("Put aside"), _dismiss, OPEN, DismissInput, "danger"),
        Step("reopen", _("Take up again"), _reopen, frozenset({State.DISMISSED}), ReopenInput),
    )
}
