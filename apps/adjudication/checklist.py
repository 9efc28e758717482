"""Which papers a claim needs, which it has, and what is wrong with the rest (LAW-01: at once)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.adjudication.clocks import local
from apps.adjudication.conditions import Subject, all_hold, subject_of
from apps.adjudication.cover import emergency
from apps.adjudication.facts import BillFacts, Facts, PaperFacts
from apps.adjudication.findings import check
from apps.adjudication.handbook import Document, Title
from apps.adjudication.identity import ABSENT, REGISTER, identity_gaps
from apps.adjudication.papers import (
    Fault,
    Terms,
    asks,
    bill_fault,
    electronic_original,
    fault_of,
    pages_needed,
)
from apps.adjudication.routing import MAIL, ONLINE
from apps.adjudication.trace import observe
from apps.adjudication.words import gap_name, gap_name_en

SATISFIED, MISSING, UNUSABLE = "SATISFIED", "MISSING", "UNUSABLE"
INVOICE, PHOTO_ID, ANNOTATION = "INVOICE", "PHOTO_ID", "INVOICE_ANNOTATION"
ANNOTATION_LIST, EMERGENCY_LIST = "ANNOTATION", "EMERGENCY"
CLAIM_LISTS = ("REIMBURSEMENT", "VACCINE", "INTERNET", "HEALTH_CHECK", "DIRECT")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One entry. `place` = "" or "bill:<ref>"; `automatic`: no paper needed (PR-01, PR-03)."""

    key: str
    title: Title
    rule: str
    source: str
    status: str  # SATISFIED | MISSING | UNUSABLE
    form: str  # ORIGINAL | COPY | IMAGE | FORM | DATA
    why: Title  # what is there or wrong
    remedy: Title  # what would satisfy it
    place: str = ""
    pages: int = 1
    automatic: bool = False
    discretion: bool = False  # a person may waive it (PR-02, RMB-21)
    fault: str = ""  # code of what is wrong: ILLEGIBLE, EXPIRED, NOT_ORIGINAL, …

    @property
    def ref(self) -> str:
        return f"{self.key}@{self.place}" if self.place else self.key

    @property
    def satisfied(self) -> bool:
        return self.status == SATISFIED


def checklist(facts: Facts, route: str, list_name: str = "") -> tuple[Requirement, ...]:
    """All requirements of the list of the claim's category (or of `list_name`: ADVANCE, DISCHARGE,
    AUTHORIZATION, LETTER, …) in the handbook's order, the annotation (RMB-21) last."""
    listing = _Listing(facts, route, list_name or facts.category)
    entries = {entry.ref: entry for document in listing.documents() for entry in listing.entries(document)}
    required = tuple(entries.values())
    _report(facts, required)
    return required


def is_complete(requirements: Sequence[Requirement]) -> bool:
    return all(requirement.satisfied for requirement in requirements)


def lacking(requirements: Sequence[Requirement]) -> tuple[Requirement, ...]:
    """What the one supplement notice must list: MISSING and UNUSABLE."""
    return tuple(requirement for requirement in requirements if not requirement.satisfied)


class _Listing:
    """One check list over one set of facts."""

    def __init__(self, facts: Facts, route: str, name: str):
        self.facts, self.name, self.mailed = facts, name, route == MAIL
        self.online = route == ONLINE
        self.subject: Subject = subject_of(facts, route)
        legible = facts.handbook.rule("papers.legible") is not None
        self.terms = Terms(local(facts.reported_at).date(), self.mailed, legible and not self.mailed)
        self.bills = [bill for visit in facts.visits for bill in visit.bills if bill.live]

    def documents(self) -> Iterator[Document]:
        """The list's documents whose conditions hold; an emergency asks for originals (VIS-03),
        an on-line claim for the annotation (RMB-21)."""
        handbook, replaced = self.facts.handbook, dict[str, Document]()
        if self.name in CLAIM_LISTS and handbook.rule("decide.originals_kept") and self._emergency():
            replaced = {document.key: document for document in self._of(EMERGENCY_LIST)}
        for document in self._of(self.name):
            yield replaced.pop(document.key, document)
        yield from replaced.values()
        if self.name in CLAIM_LISTS and self.online and handbook.value("annotation.required", False):
            yield from self._of(ANNOTATION_LIST)

    def _of(self, name: str) -> Iterator[Document]:
        for document in self.facts.handbook.documents:
            if name in document.lists and all_hold(document.when, self.subject):
                yield document

    def _emergency(self) -> bool:
        return not self.facts.direct and any(emergency(visit) for visit in self.facts.visits)

    def entries(self, document: Document) -> Iterator[Requirement]:
        """An invoice and its annotation are asked per bill, everything else once."""
        if document.key == ANNOTATION:
            yield from (self._annotation(document, bill) for bill in self.bills)
        elif document.key == PHOTO_ID:
            yield self._photo_identity(document)
        elif document.key == INVOICE and self.bills:
            yield from (self._invoice(document, bill) for bill in self.bills)
        else:
            yield self._general(document)

    # --- one entry ----------------------------------------------------------------------------

    def _general(self, document: Document) -> Requirement:
        if document.automatic_when and all_hold(document.automatic_when, self.subject):
            return self._entry(document, SATISFIED, AUTOMATIC, automatic=True)
        found = [paper for paper in self.facts.papers if paper.kind in (document.key, *document.satisfied_by)]
        faults = [(paper, fault_of(paper, document, self.terms)) for paper in found]
        good = [paper for paper, fault in faults if fault is None]
        pages = pages_needed(document, {paper.kind for paper in good}, self.facts.member.id_type)
        return self._judge(document, good, [fault for _, fault in faults if fault], pages)

    def _invoice(self, document: Document, bill: BillFacts) -> Requirement:
        kinds = (document.key, *document.satisfied_by)
        own = [paper for paper in self.facts.papers if paper.kind in kinds and self._shows(paper, bill)]
        faults = [(paper, bill_fault(bill, paper, document, self.terms)) for paper in own]
        good = [paper for paper, fault in faults if fault is None]
        electronic = any(electronic_original(bill, paper) for paper in good)
        check(self.facts.handbook.rule("papers.electronic_original"), electronic)
        place = f"bill:{bill.ref}"
        return self._judge(document, good, [fault for _, fault in faults if fault], 1, place)

    def _shows(self, paper: PaperFacts, bill: BillFacts) -> bool:
        """A paper names its bill; an unnamed one can only mean the single bill there is."""
        named = paper.subject.removeprefix("bill:")
        return named == bill.ref or (not named and len(self.bills) == 1)

    def _judge(
        self, document: Document, good: list[PaperFacts], faults: list[Fault], pages: int, place: str = ""
    ) -> Requirement:
        if sum(paper.pages for paper in good) >= pages and good:
            return self._entry(document, SATISFIED, RECEIVED, place=place, pages=pages)
        asked = asks(document, self.terms, pages)
        if good:
            return self._entry(document, UNUSABLE, TOO_FEW, asked, place, pages, fault="PAGES")
        if faults:
            fault = faults[0]
            return self._entry(document, UNUSABLE, fault.why, fault.remedy, place, pages, fault=fault.code)
        return self._entry(document, MISSING, NOTHING, asked, place, pages)

    def _annotation(self, document: Document, bill: BillFacts) -> Requirement:
        """RMB-21: seen by the clerk on the invoice; waived for a verified e-bill (PR-01)."""
        place, handbook = f"bill:{bill.ref}", self.facts.handbook
        waived = (
            bill.electronic and bill.verified and handbook.value("annotation.waived_for_electronic", True)
        )
        if waived and handbook.rule("papers.electronic_original"):
            return self._entry(document, SATISFIED, WAIVED, place=place, automatic=True)
        if bill.annotated:
            return self._entry(document, SATISFIED, SEEN, place=place)
        text = handbook.value("annotation.text", "")
        remedy = Title(
            f"请在发票原件上用黑色签字笔手写“{text}”后重新拍照上传。",
            f"Write “{text}” on the original invoice with a black pen and upload it again.",
        )
        return self._entry(document, MISSING, UNMARKED, remedy, place, discretion=True)

    def _photo_identity(self, document: Document) -> Requirement:
        """KYC-01, KYC-02, PR-02: insured and payee; no photo at all is a compliance exception."""
        gaps = identity_gaps(self.facts)
        if not gaps:
            return self._entry(document, SATISFIED, RECEIVED)
        why = Title(
            "；".join(gap_name(gap.subject, gap.why) for gap in gaps),
            "; ".join(gap_name_en(gap.subject, gap.why) for gap in gaps),
        )
        status = MISSING if all(gap.why == ABSENT for gap in gaps) else UNUSABLE
        return self._entry(document, status, why, PHOTO_REMEDY, discretion=True, fault=gaps[0].why)

    def _entry(
        self, document: Document, status: str, why: Title, remedy: Title | None = None, place: str = "",
        pages: int = 1, *, automatic: bool = False, discretion: bool = False, fault: str = "",
    ) -> Requirement:  # fmt: skip
        return Requirement(
            document.key, document.title, document.rule, document.source, status, document.form, why,
            remedy or NO_REMEDY, place, pages, automatic, discretion, fault,
        )  # fmt: skip


def _report(facts: Facts, entries: Sequence[Requirement]) -> None:
    """Tell the trace which rules of papers were looked at and which found something missing."""
    handbook = facts.handbook
    for entry in entries:
        observe(entry.rule, not entry.satisfied)
    faults = {entry.fault for entry in entries}
    marks = [entry for entry in entries if entry.key == ANNOTATION]
    if marks:
        check(handbook.rule("papers.annotation"), not is_complete(marks))
    check(handbook.rule("papers.legible"), not faults.isdisjoint(("ILLEGIBLE", "NOT_COLOR")))
    check(handbook.rule("papers.one_form"), any(entry.automatic for entry in entries))
    photo = [entry for entry in entries if entry.key == PHOTO_ID]
    check(handbook.rule("papers.photo_id"), bool(photo) and not is_complete(photo))
    register = any(paper.kind == REGISTER for paper in facts.papers)
    check(handbook.rule("papers.child_register"), register)


NO_REMEDY = Title("", "")
AUTOMATIC = Title("系统自动满足，无需提供", "satisfied without paper")
RECEIVED = Title("已收到", "received")
NOTHING = Title("未提供", "not supplied")
TOO_FEW = Title("页数不足（缺正面或反面）", "pages are missing (front or back)")
WAIVED = Title("电子票据已查验，免手写标注", "verified e-bill: no mark by hand")
SEEN = Title("已见手写标注", "mark seen")
UNMARKED = Title("发票上未见索赔标注", "no claim mark on the invoice")
PHOTO_REMEDY = Title(
    "请提供在有效期内、带照片的身份证件复印件（身份证、护照、台胞证等）；确无照片证件的由合规例外审批。",
    "Send an unexpired identity paper with photo; with none at all a compliance exception decides.",
)
