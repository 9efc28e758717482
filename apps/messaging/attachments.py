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
_sources: dict[str, Source] = {}


def register_source(source: Source, prefix: str = "") -> None:
    """The function that finds the letter of a message; raises Waiting or Withdrawn.

    With a prefix, that of papers which are no letters of a case; their tokens begin with it.
    """
    _sources[prefix] = source


def attachment_of(message: Message) -> Attachment | None:
    if not message.letter_token:
        return None
    fitting = [prefix for prefix in _sources if message.letter_token.startswith(prefix)]
    if not fitting:
        raise Waiting("nobody renders letters here")
    return _sources[max(fitting, key=len)](message)
