"""Does a paper do? What is wrong with it, and in which words (RMB-20, RMB-21, PR-01, PR-03)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apps.adjudication.facts import BillFacts, PaperFacts
from apps.adjudication.handbook import Document, Title

ORIGINAL, COPY, IMAGE, FORM, DATA = "ORIGINAL", "COPY", "IMAGE", "FORM", "DATA"
AS_ORIGINAL = (ORIGINAL, "SOURCE_FILE")
AS_SIGNED = ("E_SIGNED",)
ONE_PAGE = ("PASSPORT", "HOUSEHOLD_REGISTER", "BIRTH_CERTIFICATE", "BIRTH_CERTIFICATE_NAMING_PARENTS")


@dataclass(frozen=True, slots=True)
class Terms:
    """What papers of one check list are held against."""

    on: date  # day of submission
    mailed: bool
    color: bool  # copies must be in color (RMB-20)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a paper does not count, and what to send instead."""

    code: str
    why: Title
    remedy: Title


def needs_original(document: Document, mailed: bool) -> bool:
    """Originals are asked where the list says so; some only when papers are mailed at all."""
    if document.original_when_mailed:
        return mailed
    return document.form == ORIGINAL


def fault_of(paper: PaperFacts, document: Document, terms: Terms) -> Fault | None:
    """The first thing wrong with a paper for this entry."""
    if not paper.usable:
        return _fault("UNUSABLE", "审核认定不可用", "judged unusable", document)
    if not paper.legible:
        return _fault("ILLEGIBLE", "影像不清晰", "not legible", document)
    if terms.color and not paper.color and paper.form in (COPY, IMAGE):
        return _fault("NOT_COLOR", "非彩色影像", "not in color", document)
    if paper.valid_until is not None and paper.valid_until < terms.on:
        until = paper.valid_until.isoformat()
        return _fault("EXPIRED", f"证件已于 {until} 到期", f"expired on {until}", document)
    if needs_original(document, terms.mailed) and paper.form not in (*AS_ORIGINAL, *AS_SIGNED):
        return _fault("NOT_ORIGINAL", "非原件", "not the original", document)
    if document.form == FORM and not (paper.signed or paper.form in AS_SIGNED):
        return _fault("UNSIGNED", "未签名", "not signed", document)
    return None


def pages_needed(document: Document, kinds: set[str], id_type: str) -> int:
    """Front and back; a passport or a page of the household register has one (RMB-13)."""
    identity = document.key == "INSURED_ID" and id_type in ONE_PAGE
    return 1 if identity or not kinds.isdisjoint(ONE_PAGE) else document.pages


def electronic_original(bill: BillFacts, paper: PaperFacts) -> bool:
    """PR-01: a bill issued electronically is its verified source file, while not exchanged for
    paper (LAW-11)."""
    return bill.electronic and bill.verified and bill.state != "EXCHANGED" and paper.form == "SOURCE_FILE"


def bill_fault(bill: BillFacts, paper: PaperFacts, document: Document, terms: Terms) -> Fault | None:
    """An invoice against its bill: source file verified, paper for an exchanged bill."""
    if paper.form == "SOURCE_FILE" and not electronic_original(bill, paper):
        if bill.state == "EXCHANGED":
            return _fault("EXCHANGED", "电子票据已换开纸质", "exchanged for a paper bill", document)
        return _fault("UNVERIFIED", "电子票据尚未查验", "source file not verified", document)
    return fault_of(paper, document, terms)


def asks(document: Document, terms: Terms, pages: int) -> Title:
    """What to send: "请提供医疗费用发票原件（邮寄）"."""
    original = needs_original(document, terms.mailed)
    form_zh = "原件（邮寄）" if original and terms.mailed else "原件" if original else FORM_ZH[document.form]
    form_en = (
        "original by mail" if original and terms.mailed else FORM_EN[ORIGINAL if original else document.form]
    )
    sides_zh, sides_en = ("，含正、反面", ", front and back") if pages == 2 else ("", "")
    return Title(
        f"请提供“{document.title.zh}”{form_zh}{sides_zh}。",
        f"Send “{document.title.en}”: {form_en}{sides_en}.",
    )


FORM_ZH = {
    ORIGINAL: "原件",
    COPY: "复印件或彩色影像",
    IMAGE: "影像",
    FORM: "（填写完整并签名）",
    DATA: "（在线填写即可）",
}
FORM_EN = {
    ORIGINAL: "original", COPY: "copy or color image", IMAGE: "image", FORM: "completed and signed",
    DATA: "typed in",
}  # fmt: skip


def _fault(code: str, zh: str, en: str, document: Document) -> Fault:
    again = (f"请重新提供彩色、清晰的“{document.title.zh}”。", f"Send a legible color “{document.title.en}”.")
    remedy = REMEDIES.get(code, again)
    return Fault(code, Title(zh, en), Title(*remedy))


REMEDIES = {
    "NOT_ORIGINAL": (
        "请邮寄原件；电子票据请提供源文件。",
        "Mail the original; of an e-bill send the source file.",
    ),
    "UNSIGNED": (
        "请监护人签名后重新提交，或在线电子签名。",
        "Have the guardian sign it, or sign electronically.",
    ),
    "EXPIRED": ("请提供在有效期内的证件。", "Send an unexpired paper."),
    "UNVERIFIED": ("完成票据查验并登记查验结果。", "Verify the bill and record the result."),
    "EXCHANGED": ("请提供换开后的纸质票据原件。", "Send the paper bill it was exchanged for."),
}
