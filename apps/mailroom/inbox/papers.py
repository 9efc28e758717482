"""Files of a message become papers of a case, through the case's own action and from their arrival on."""

from __future__ import annotations

from collections.abc import Mapping

from apps.accounts.actors import Actor
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.documents.actions import Arrived
from apps.documents.models import Paper
from apps.documents.storage import StoredFile
from apps.mailroom.models import Email, EmailFile

SOURCES = ("application/xml", "application/ofd")


def candidates(email: Email) -> list[EmailFile]:
    """The files that can be papers, each content once."""
    seen: set[int] = set()
    found = []
    for row in email.files.select_related("file").order_by("position"):
        if row.file_id is not None and not row.decoration and row.file_id not in seen:
            seen.add(row.file_id)
            found.append(row)
    return found


def attach_files(
    email: Email, case: CaseFile, actor: Actor, kinds: Mapping[int, str] | None = None
) -> list[EmailFile]:
    """Attach by `attach_paper`, one action a kind; `kinds` (file row → kind) says which, else all by name.

    In the caller's transaction. Clocks run from the arrival of the message (LAW-02). Raises what the
    action raises; a file that is on the case already is left out.
    """
    files = [row for row in candidates(email) if kinds is None or kinds.get(row.pk)]
    there = dict(
        Paper.objects.filter(case=case, file__in=[row.file_id for row in files]).values_list("file_id", "pk")
    )
    grouped: dict[tuple[str, str], list[EmailFile]] = {}
    for row in files:
        row.kind = (kinds or {}).get(row.pk) or row.kind
        row.paper_id = there.get(row.file_id or 0)
        if row.paper_id is None:
            grouped.setdefault((row.kind, _form(row.file)), []).append(row)
    for (kind, form), rows in grouped.items():
        perform(
            case.number,
            "attach_paper",
            actor,
            kind=kind,
            form=form,
            files=[Arrived(row.file, email.received_at) for row in rows if row.file is not None],
            note=f"e-mail #{email.pk}",
        )
        fresh = dict(
            Paper.objects.filter(case=case, kind=kind, file__in=[row.file_id for row in rows]).values_list(
                "file_id", "pk"
            )
        )
        for row in rows:
            row.paper_id = fresh.get(row.file_id or 0)
    EmailFile.objects.bulk_update(files, ["kind", "paper"])
    return files


def _form(file: StoredFile | None) -> str:
    """The source of an electronic bill is XML or OFD; everything else is a picture of a paper (PR-01)."""
    return Paper.Form.SOURCE_FILE if file is not None and file.content_type in SOURCES else Paper.Form.IMAGE
