"""The writers of papers: two actions that any kind of case may register.

for action in paper_actions(uploaders=…, checkers=…, changed=…):
    KIND.action(action)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.adjudication.keys import PAPERS
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.core.bulk import update_rows
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.documents.models import Letter, Paper, StoredFile
from apps.documents.queries import kind_title
from apps.documents.retention import retain_until
from apps.documents.storage import Received, keep, receive

MAX_FILES = 40
TICKS = ("legible", "color", "annotated", "signed", "has_photo")
SOURCE_TYPES = {"application/pdf", "application/ofd", "application/xml"}


def paper_kinds(ctx: Ctx[Any]) -> list[tuple[str, Any]]:
    """Kinds of paper by the titles of the series; first those its check lists ask for."""
    asked = dict.fromkeys(document.key for document in ctx.handbook.documents)
    language = get_language() or "zh-hans"
    return [
        (kind, kind_title(ctx.handbook, kind, language))
        for kind in [*asked, *(k for k in PAPERS if k not in asked)]
    ]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A kept file that reached the house before it is attached (e-mail, parcel): its clock runs from then.

    Only code of the house makes one, so no machine outside can date a paper back.
    """

    file: StoredFile
    at: datetime


@dataclass(frozen=True)
class AttachPaper:
    """One or more files of one kind; each file becomes a paper."""

    kind: str = ask(_("Kind of paper"), choices=paper_kinds, widget="select")
    files: tuple[Any, ...] = ask(_("Files"), widget="file", default=())
    form: str = ask(
        _("Form"), choices=list(Paper.Form.choices), widget="select", default=Paper.Form.IMAGE.value
    )
    subject: str = ask(
        _("About"),
        help=_("INSURED (the child), PAYEE (who is paid) or bill:<number>; empty: the whole case"),
        max_length=60,
        default="",
    )
    verification: str = ask(_("Verification result"), max_length=200, default="", rule="PR-01")
    note: str = ask(_("Note"), max_length=200, default="")


@dataclass(frozen=True)
class TickPaper:
    """What a person saw on one or more papers. Empty leaves a tick as it is."""

    papers: tuple[int, ...] = ask(_("Papers"), widget="papers")
    legible: bool | None = ask(_("Legible"), default=None, rule="RMB-20")
    color: bool | None = ask(_("In color"), default=None, rule="RMB-20")
    annotated: bool | None = ask(_("Annotation seen"), default=None, rule="RMB-21")
    signed: bool | None = ask(_("Signed"), default=None, rule="RMB-10")
    has_photo: bool | None = ask(_("With photo"), default=None, rule="KYC-02")
    valid_until: date | None = ask(_("Valid until"), default=None, rule="KYC-02")
    verification: str = ask(_("Verification result"), max_length=200, default="", rule="PR-01")
    kind: str = ask(_("Kind of paper"), choices=paper_kinds, widget="select", default="")
    subject: str = ask(_("About"), max_length=60, default="")
    usable: bool | None = ask(_("Usable"), default=None)
    note: str = ask(
        _("Note"), help=_("What is wrong with a paper that cannot be used"), max_length=200, default=""
    )


def paper_actions(
    *,
    uploaders: frozenset[str],
    checkers: frozenset[str],
    changed: Callable[[Ctx[Any]], None] | None = None,
    states: frozenset[str] = frozenset(),
) -> tuple[Action[Any], ...]:
    """`attach_paper` and `tick_paper`, to be registered on a kind.

    `changed(ctx)` runs after either one in the same transaction (recompute the check list, emit
    `papers_arrived`); `ctx.loaded["papers"]` then holds the papers touched.
    """

    def attach_handler(ctx: Ctx[AttachPaper]) -> None:
        given = ctx.input
        assert given is not None
        attach(
            ctx, kind=given.kind, files=given.files, form=given.form, subject=given.subject,
            verification=given.verification, note=given.note,
        )  # fmt: skip
        if changed:
            changed(ctx)

    def tick_handler(ctx: Ctx[TickPaper]) -> None:
        assert ctx.input is not None
        tick(ctx, ctx.input)
        if changed:
            changed(ctx)

    return (
        Action(
            "attach_paper",
            _("Attach papers"),
            uploaders,
            attach_handler,
            input=AttachPaper,
            states=states,
            system=True,
            order=500,
        ),
        Action(
            "tick_paper",
            _("Check papers"),
            checkers,
            tick_handler,
            input=TickPaper,
            states=states,
            order=510,
        ),
    )


# --- Attaching ------------------------------------------------------------------------------------------


def attach(
    ctx: Ctx[Any],
    *,
    kind: str,
    files: Iterable[Any] = (),
    form: str = Paper.Form.IMAGE,
    subject: str = "",
    verification: str = "",
    note: str = "",
) -> list[Paper]:
    """Queue papers on the case; also for handlers of other apps (mailroom, intake).

    `files`: uploads, `Received`, `StoredFile` or a SHA-256; best received before the transaction. Without files
    one paper is recorded (an original on the shelf, an e-signature, typed data). Every wrong file is
    named; then nothing is kept.
    """
    check_kind(ctx, kind)
    given = list(files)
    arrived = {entry.file.pk: entry.at for entry in given if isinstance(entry, Arrived)}
    stored = _store_all([entry.file if isinstance(entry, Arrived) else entry for entry in given])
    if form in (Paper.Form.IMAGE, Paper.Form.COPY, Paper.Form.SOURCE_FILE) and not stored:
        raise InvalidInput(_("Add at least one file."), code="required", field="files")
    _check_source_files(form, stored)
    _refuse_same_file(ctx, kind, subject, stored)
    sheets: list[StoredFile | None] = [*stored] or [None]
    papers = [
        Paper(
            case=ctx.case,
            kind=kind,
            form=form,
            file=file,
            pages=file.pages if file else 1,
            subject=subject,
            verification=verification,
            note=note,
            received_at=min(arrived.get(file.pk, ctx.now), ctx.now) if file else ctx.now,
            retain_until=retain_until(kind, ctx.case.policy, ctx.handbook),
        )
        for file in sheets
    ]
    for paper in papers:
        ctx.add(paper)
    ctx.loaded["papers"] = papers
    ctx.data.update({"kind": kind, "form": str(form), "files": [file.sha256 for file in stored]})
    return papers


def shelve(
    ctx: Ctx[Any],
    *,
    kind: str,
    form: str,
    subject: str = "",
    pages: int = 1,
    legible: bool = True,
    signed: bool = False,
    has_photo: bool = False,
    note: str = "",
) -> Paper:
    """Queue a paper that lies on the shelf without a picture; whoever logged it has looked at it.

    Only what was seen is ticked: an unsigned form may be signed on another sheet.
    """
    check_kind(ctx, kind)
    paper = Paper(
        case=ctx.case, kind=kind, form=form, subject=subject, pages=pages, legible=legible, color=legible,
        annotated=None, signed=signed or None, has_photo=has_photo or None, usable=True, note=note,
        received_at=ctx.now, checked_by_label=ctx.actor.label, checked_at=ctx.now,
        retain_until=retain_until(kind, ctx.case.policy, ctx.handbook),
    )  # fmt: skip
    ctx.add(paper)
    return paper


def check_kind(ctx: Ctx[Any], kind: str, *, field: str = "kind") -> None:
    if kind not in PAPERS and all(document.key != kind for document in ctx.handbook.documents):
        raise InvalidInput(
            _("“%(kind)s” is not a kind of paper of series %(series)s.")
            % {"kind": kind[:40], "series": ctx.handbook.series},
            code="paper_kind",
            field=field,
        )


def _store_all(files: list[Any]) -> list[StoredFile]:
    if len(files) > MAX_FILES:
        raise InvalidInput(
            _("At most %(limit)d files at once.") % {"limit": MAX_FILES}, code="too_many_files", field="files"
        )
    errors: list[DomainError] = []
    received: list[Received | StoredFile] = []
    for index, file in enumerate(files):
        try:
            received.append(_received(file, f"files.{index}"))
        except DomainError as error:
            errors.append(error)
    if errors:
        for file in received:
            if isinstance(file, Received):
                file.discard()
        raise InvalidInputs(errors)
    return [keep(file) if isinstance(file, Received) else file for file in received]


def _received(file: Any, field: str) -> Received | StoredFile:
    """A file as it was handed over: here already, named by its SHA-256, or an upload."""
    if isinstance(file, (Received, StoredFile)):
        return file
    if isinstance(file, str):
        stored = StoredFile.objects.filter(sha256=file.lower()).first()
        if stored is None:
            raise InvalidInput(_("No file with this SHA-256 was uploaded."), code="unknown_file", field=field)
        return stored
    return receive(file, field=field)


def _check_source_files(form: str, stored: list[StoredFile]) -> None:
    """PR-01: the source of an electronic bill is XML, OFD or PDF; a photo of it is not."""
    if form == Paper.Form.SOURCE_FILE and any(file.content_type not in SOURCE_TYPES for file in stored):
        raise InvalidInput(
            _("The source file of an electronic bill is XML, OFD or PDF, not a picture."),
            code="source_file",
            field="files",
            rule="PR-01",
        )


def _refuse_same_file(ctx: Ctx[Any], kind: str, subject: str, stored: list[StoredFile]) -> None:
    if not stored or ctx.case.pk is None:
        return
    ids = [file.pk for file in stored]
    there = Paper.objects.filter(case=ctx.case.pk, kind=kind, subject=subject, file__in=ids).first()
    if there or len(set(ids)) != len(ids):
        raise InvalidInput(
            _("The same file is already on this case as the same kind of paper."),
            code="paper_twice",
            field="files",
        )


# --- Checking -------------------------------------------------------------------------------------------


def tick(ctx: Ctx[Any], given: TickPaper) -> list[Paper]:
    """Record what a person saw. A paper set unusable needs the reason, which the member will read."""
    papers = list(Paper.objects.filter(case=ctx.case.pk, pk__in=given.papers).order_by("pk"))
    if not papers or len(papers) != len(set(given.papers)):
        raise InvalidInput(_("Such a paper is not on this case."), code="unknown_paper", field="papers")
    if given.usable is False and not given.note:
        raise InvalidInput(_("Say what is wrong with the paper."), code="required", field="note")
    changes = _changes(ctx, given)
    if not changes:
        raise InvalidInput(_("Tick at least one thing."), code="required", field="legible")
    for paper in papers:
        for name, value in changes.items():
            setattr(paper, name, value)
        ctx.update(paper, *changes)
    ctx.loaded["papers"] = papers
    seen = {
        name: str(value) for name, value in changes.items() if name not in ("checked_by_label", "checked_at")
    }
    ctx.data.update({"papers": [paper.pk for paper in papers], "ticks": seen})
    return papers


def _changes(ctx: Ctx[Any], given: TickPaper) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: getattr(given, name)
        for name in (*TICKS, "valid_until", "usable")
        if getattr(given, name) is not None
    }
    changes |= {
        name: getattr(given, name) for name in ("verification", "subject", "note") if getattr(given, name)
    }
    if given.kind:
        check_kind(ctx, given.kind)
        changes |= {
            "kind": given.kind,
            "retain_until": retain_until(given.kind, ctx.case.policy, ctx.handbook),
        }
    if changes:
        changes |= {"checked_by_label": ctx.actor.label, "checked_at": ctx.now}
    return changes


def render_again(letter_ids: Collection[int]) -> int:
    """Queue the letters among these that could not be rendered; a rendered one never changes. Returns how many."""
    failed = Letter.objects.filter(pk__in=letter_ids, state=Letter.State.FAILED)
    return failed.update(state=Letter.State.QUEUED, attempts=0, next_attempt_at=timezone.now())


# --- Carrying over --------------------------------------------------------------------------------------


def look_alike(case: CaseFile, seen: Iterable[Paper]) -> None:
    """Papers of another case that were handed on to this one are known as they were seen there: the same ticks,
    by the same person. Inside the caller's transaction; kinds and files tell which is which."""
    own = list(Paper.objects.filter(case=case, checked_at=None).order_by("pk"))
    changed = []
    for former in seen:
        same = next(
            (
                one
                for one in own
                if (one.kind, one.file_id, one.form) == (former.kind, former.file_id, former.form)
            ),
            None,
        )
        if same is None or former.checked_at is None:
            continue
        own.remove(same)
        for name in (*TICKS, "valid_until", "usable", "checked_by_label", "checked_at"):
            setattr(same, name, getattr(former, name))
        changed.append(same)
    update_rows(changed, (*TICKS, "valid_until", "usable", "checked_by_label", "checked_at"))
