"""Codes of the inbox in words for people: why something was refused, dismissed, doubted or found."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# A message that was not taken apart; all of it (or its beginning) is kept.
REFUSED: dict[str, Any] = {
    "TOO_LARGE": _(
        "The message is larger than the mailbox takes; only its beginning is kept. Ask for smaller files."
    ),
    "MIME_BOMB": _("It consists of so many or so deeply nested parts that opening it is not safe."),
    "HEADER_BOMB": _("Its header is so long that reading it is not safe."),
    "UNREADABLE": _("It is damaged and cannot be taken apart."),
}

# A file of a message.
FILES: dict[str, Any] = {
    "OFFICE": _("Office files can carry macros; ask for a PDF or a photo."),
    "ARCHIVE": _("Archives are not opened; ask for the single files."),
    "EXECUTABLE": _("This is a program, whatever its name says."),
    "ENCRYPTED_MAIL": _("Encrypted mail (S/MIME, PGP) cannot be read here; ask for plain files."),
    "SIGNATURE": _("The electronic signature of the mail; no paper."),
    "TNEF": _("winmail.dat of Outlook; ask to send it as plain mail (not rich text)."),
    "CALENDAR": _("An invitation; no paper."),
    "REPORT": _("The mail server's report; no paper."),
    "WEB_PAGE": _("A web page or drawing is no paper; ask for a PDF or a photo."),
    "BROKEN": _("It did not arrive in one piece; ask for it again."),
    "FILE_TYPE": _("None of the kinds that can be read: PDF, JPEG, PNG, TIFF, WebP, OFD, XML."),
    "FILE_BROKEN": _("The file is damaged; ask for it again."),
    "FILE_ENCRYPTED": _("The PDF asks for a password; ask for one without."),
    "FILE_BOMB": _("It unpacks to far more than any paper; not opened."),
    "FILE_TOO_LARGE": _("The file is too large."),
    "FILE_EMPTY": _("The file is empty."),
    "PAGE_TOO_LARGE": _("A page is larger than an A0 sheet."),
    "TOO_MANY_PAGES": _("It has too many pages."),
}

# Why a person put a message aside.
DISMISSED: dict[str, Any] = {
    "SPAM": _("Spam or advertising"),
    "IRRELEVANT": _("Not about a claim"),
    "DUPLICATE": _("Same as another message"),
    "ANSWERED": _("Answered, nothing else to do"),
    "PASSED_ON": _("Passed on to another desk"),
    "AUTOMATIC": _("Sent by a machine; kept for reading, never answered"),
}

# Why it was not filed by itself, though a case was found.
DOUBTS: dict[str, Any] = {
    "ONLY_SUGGESTED": _("Nothing in it names this case; it is only the one that waits."),
    "NO_SENDER": _("It names no sender, or several."),
    "OTHER_SERIES": _("The case belongs to another series or administrator than the mailbox."),
    "STRANGER": _("The sender's address is not known for this case; compare who writes before you file it."),
    "UNPROVEN": _("The mail server could not prove that the sender's address is real."),
    "AUTOMATIC": _("A machine sent it."),
    "NOT_NOW": _("The case takes no papers in its state."),
    "NO_PAPERS": _("It has no file that could be a paper."),
}

FOUND: dict[str, Any] = {
    "REPLY": _("answers a message of ours"),
    "THREAD": _("continues an e-mail that was filed"),
    "NUMBER": _("names the case in its subject"),
    "NUMBERS": _("names several cases in its subject"),
    "WAITING": _("the sender's child has one case that waits for papers"),
    "PERSON": _("filed by a person"),
    "REPORT": _("reported from this e-mail"),
    "AUTHORIZATION": _("requested by this e-mail"),
}

DEFECTS: dict[str, Any] = {
    "NO_MESSAGE_ID": _("without Message-ID"),
    "NO_DATE": _("without a usable date"),
    "FUTURE_DATE": _("dated in the future"),
    "NO_SENDER": _("without sender"),
    "SEVERAL_SENDERS": _("several or unreadable senders"),
    "MALFORMED": _("not quite well formed"),
    "UNPROVEN": _("sender not proven by the mail server"),
    "SAME_ID": _("carries the Message-ID of another message"),
    "MANY_RECIPIENTS": _("sent to very many"),
}


def words(code: str) -> Any:
    """Of any code above; the code itself when it is older than the words."""
    for table in (REFUSED, FILES, DISMISSED, DOUBTS, FOUND, DEFECTS):
        if code in table:
            return table[code]
    return code
