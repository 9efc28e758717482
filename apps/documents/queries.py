"""Reads of papers and letters that others may use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.adjudication.checklist import Requirement
from apps.adjudication.facts import PaperFacts
from apps.adjudication.handbook import Handbook
from apps.cases.models import CaseFile
from apps.documents.models import Letter, Paper
from apps.products.labels import paper_title

UNSEEN = {Paper.Form.DATA, Paper.Form.E_SIGNED, Paper.Form.SOURCE_FILE}  # nothing to look at


@dataclass(frozen=True, slots=True)
class BillMarks:
    """What the papers of one bill show (`Paper.subject` is "bill:<ref>")."""

    annotated: bool = False  # the annotation was seen by a person (RMB-21)
    verified: bool = False  # a source file with a recorded verification result (PR-01)
    original: bool = False  # the paper original is in the house
    source_file: bool = False


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One line of the check list on the case page: the requirement and the papers that answer it."""

    requirement: Requirement
    papers: tuple[Paper, ...]

    @property
    def unseen(self) -> bool:
        """Something came for it that nobody has looked at yet: no reason to ask for it again."""
        waiting = (
            paper.usable and paper.legible is None and paper.form not in UNSEEN for paper in self.papers
        )
        return not self.requirement.satisfied and any(waiting)


def papers_of(case: CaseFile) -> list[Paper]:
    """All papers with their files, oldest first; one query."""
    return list(Paper.objects.filter(case=case.pk).select_related("file").order_by("pk"))


def letters_of(case: CaseFile) -> list[Letter]:
    """All letters with their files, newest first; one query. What they say is read where it is printed."""
    found = Letter.objects.filter(case=case.pk).select_related("file").defer("context")
    return list(found.order_by("-pk"))


def letters_on(case: CaseFile) -> list[Letter]:
    """The same for a page: guards, panels and timeline share one reading."""
    return letters_in(case.looked, case)


def letters_in(kept: dict[str, Any], case: CaseFile) -> list[Letter]:
    """The same, kept under "letters" in what a page or an action has read (`Ctx.loaded`)."""
    if "letters" not in kept:
        kept["letters"] = letters_of(case)
    found: list[Letter] = kept["letters"]
    return found


def paper_facts(papers: Iterable[Paper]) -> tuple[PaperFacts, ...]:
    """Papers for the decision core; no query.

    A tick nobody has made counts as "not shown", so an unseen paper completes nothing (RMB-20).
    """
    return tuple(_facts(paper) for paper in papers)


def _facts(paper: Paper) -> PaperFacts:
    unseen = paper.form in UNSEEN
    return PaperFacts(
        kind=paper.kind,
        form=paper.form,
        pages=paper.pages,
        legible=unseen if paper.legible is None else paper.legible,
        color=unseen if paper.color is None else paper.color,
        signed=paper.form == Paper.Form.E_SIGNED or bool(paper.signed),
        has_photo=bool(paper.has_photo),
        valid_until=paper.valid_until,
        subject=paper.subject,
        usable=paper.usable,
    )


def bill_marks(papers: Iterable[Paper]) -> dict[str, BillMarks]:
    """What was seen on the papers of each bill, by bill ref; no query."""
    grouped: dict[str, list[Paper]] = {}
    for paper in papers:
        if paper.usable and paper.subject.startswith("bill:"):
            grouped.setdefault(paper.subject.removeprefix("bill:"), []).append(paper)
    return {
        ref: BillMarks(
            annotated=any(paper.annotated for paper in found),
            verified=any(paper.form == Paper.Form.SOURCE_FILE and paper.verification for paper in found),
            original=any(paper.form == Paper.Form.ORIGINAL for paper in found),
            source_file=any(paper.form == Paper.Form.SOURCE_FILE for paper in found),
        )
        for ref, found in grouped.items()
    }


def checklist_rows(
    requirements: Sequence[Requirement], papers: Iterable[Paper], handbook: Handbook
) -> list[ChecklistRow]:
    """Each requirement with the papers that answer it, and last the papers nothing asks for."""
    left = list(papers)
    accepted = {document.key: {document.key, *document.satisfied_by} for document in handbook.documents}
    rows = []
    for requirement in requirements:
        kinds = accepted.get(requirement.key, {requirement.key})
        found = tuple(paper for paper in left if paper.kind in kinds and _at(paper, requirement.place))
        rows.append(ChecklistRow(requirement, found))
    return rows


def unasked(rows: Sequence[ChecklistRow], papers: Iterable[Paper]) -> list[Paper]:
    """Papers that no line of the check list asks for; shown below it."""
    shown = {paper.pk for row in rows for paper in row.papers}
    return [paper for paper in papers if paper.pk not in shown]


def _at(paper: Paper, place: str) -> bool:
    return not place.startswith("bill:") or paper.subject in ("", place)


def kind_title(handbook: Handbook, kind: str, language: str = "zh-hans") -> str:
    """What a series calls a kind of paper; plain words for a kind it does not ask for."""
    return paper_title(handbook, kind, english=language.startswith("en"))
