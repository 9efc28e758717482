"""What goes with a message. Letters stand above this room, so their app registers a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.messaging.models import Message


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    data: bytes


class Waiting(Exception):
    """The attachment is not ready yet; the message waits."""


class Withdrawn(Exception):
    """The attachment must not go out any more; the message is cancelled."""


Source = Callable[[Message], Attachment]
_sources: list[Source] = []


def register_source(source: Source) -> None:
    """The function that finds the letter of a message; raises Waiting or Withdrawn."""
    _sources[:] = [source]


def attachment_of(message: Message) -> Attachment | None:
    if not message.letter_token:
        return None
    if not _sources:
        raise Waiting("nobody renders letters here")
    return _sources[0](message)
