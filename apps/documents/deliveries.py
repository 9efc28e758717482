"""Letters and the messages that carry them."""

from __future__ import annotations

from apps.documents.models import Letter
from apps.documents.storage import open_stored
from apps.messaging.attachments import Attachment, Waiting, Withdrawn
from apps.messaging.models import Message

GONE = (Letter.State.SUPERSEDED, Letter.State.VOID)


def letter_of(message: Message) -> Attachment:
    """The rendered PDF of a message's letter. Waiting until it is there; Withdrawn when it was replaced."""
    letter = Letter.objects.select_related("file").filter(token=message.letter_token).first()
    if letter is None or letter.state in GONE:
        raise Withdrawn("the letter was replaced or taken back before it was sent")
    if letter.file is None:
        raise Waiting(letter.error or "the letter is being rendered")
    with open_stored(letter.file) as file:
        return Attachment(letter.file.name, letter.file.content_type, file.read())


def mark_sent(message: Message) -> None:
    """A delivered message carried its letter out of the house."""
    if message.letter_token:
        Letter.objects.filter(token=message.letter_token, state=Letter.State.RENDERED).update(
            state=Letter.State.SENT, sent_at=message.delivered_at
        )
