"""Which blank forms a series has, read from what its handbook lists (APP-05)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.handbook import Document, Handbook
from apps.adjudication.trace import observe
from apps.core.errors import Blocked, InvalidInput
from apps.documents.letter_contexts import About, FormsContext, ListedPaper

SERVICE = "forms"
LIST = "REIMBURSEMENT"
NO_PAPER = "DATA"  # what is checked, not handed in


@dataclass(frozen=True, slots=True)
class Form:
    key: str
    words: Any
    carried: Callable[[Handbook], bool]


def papers_of(handbook: Handbook) -> list[Document]:
    return [one for one in handbook.documents if LIST in one.lists and one.form != NO_PAPER]


def minors_papers(handbook: Handbook) -> list[Document]:
    """What a claim of a minor needs beside the rest (RMB-14)."""
    return [one for one in papers_of(handbook) if any(test.test == "minor" for test in one.when)]


FORMS = (
    Form("CLAIM_FORM", _("claim form"), lambda book: any(one.form == "FORM" for one in papers_of(book))),
    Form("PAPERS", _("list of papers for a claim"), lambda book: bool(papers_of(book))),
    Form("MINOR_PAPERS", pgettext_lazy("form", "papers of a minor"), lambda book: bool(minors_papers(book))),
    Form("MAILING", _("mailing instructions"), lambda book: "originals_address" in book.contacts),
)
WORDS = {form.key: form.words for form in FORMS}


def offered(handbook: Handbook) -> list[Form]:
    """The forms a family of this series may have sent; none where the series lists no such service."""
    service = handbook.service(SERVICE)
    if service is None or not service.offered:
        return []
    return [form for form in FORMS if form.carried(handbook)]


def check(handbook: Handbook, keys: Iterable[str]) -> str:
    """The rule under which the forms are sent.

    Raises Blocked with the rule that closes the service, InvalidInput for none or one the series has not.
    """
    service = handbook.service(SERVICE)
    closed = service is None or not service.offered
    rule = service.rule if service else ""
    if rule:
        observe(rule, closed)
    if closed:
        raise Blocked(
            _("The handbook of series %(series)s lists no sending of forms.") % {"series": handbook.series},
            code="not_offered", field="forms", rule=rule,
        )  # fmt: skip
    known = {form.key for form in offered(handbook)}
    wrong = [key for key in keys if key not in known]
    if wrong or not list(keys):
        words = _("Choose among: %(forms)s.") % {"forms": ", ".join(sorted(known))}
        raise InvalidInput(words, code="unknown_form", field="forms", rule=rule)
    return rule


def context_of(handbook: Handbook, about: About, keys: Iterable[str], enquiry: str) -> FormsContext:
    """All the letter needs, in the order in which the forms are listed."""
    chosen = set(keys)
    listed = papers_of(handbook) if "PAPERS" in chosen else []
    minors = minors_papers(handbook) if "MINOR_PAPERS" in chosen else []
    return FormsContext(
        about=about, enquiry=enquiry, claim_form="CLAIM_FORM" in chosen, mailing="MAILING" in chosen,
        papers=tuple(_listed(one) for one in listed), minors=tuple(_listed(one) for one in minors),
    )  # fmt: skip


def _listed(one: Document) -> ListedPaper:
    return ListedPaper(one.title, one.rule, one.original_when_mailed, bool(one.when))
