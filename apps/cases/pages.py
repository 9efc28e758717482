"""Where the apps above hang their parts of the screens: pages, searches, timelines, case alerts.

`cases` may not import them, so they register here (from their `admin.py`, loaded once at start).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpResponse

    from apps.accounts.actors import Actor
    from apps.cases.kinds import Text
    from apps.cases.models import CaseFile

View = Callable[..., "HttpResponse"]


@dataclass(frozen=True)
class Page:
    """A page of the admin site. With a `title` it stands in the sidebar under `section`.

    `roles` empty = every member of staff. `path` as in `django.urls.path`.
    """

    path: str
    view: View
    name: str
    title: Text = ""
    icon: str = ""
    roles: frozenset[str] = frozenset()
    section: str = "work"  # work | desk | manage
    order: int = 100

    def open_to(self, actor: Actor) -> bool:
        return not self.roles or bool(self.roles & actor.roles)


@dataclass(frozen=True)
class Entry:
    """One line of a case's timeline."""

    at: datetime
    title: Any
    kind: str  # event | message | letter | call | clock | payment
    icon: str = "circle"
    who: str = ""
    text: Any = ""
    state: Any = ""
    link: str = ""
    level: str = ""  # "" | good | warn | bad
    details: tuple[tuple[Any, Any], ...] = field(default=())


PAGES: dict[str, Page] = {}
SEARCHES: list[Callable[[str], Iterable[int]]] = []  # text → ids of cases; one indexed look-up each
TIMELINES: list[Callable[[CaseFile], Iterable[Entry]]] = []
WAITING_STATES: dict[str, frozenset[str]] = {}  # kind → states in which papers are awaited


def add_page(page: Page) -> None:
    """Add a page; called at import of an app's `admin`."""
    PAGES[page.name] = page


def add_search(search: Callable[[str], Iterable[int]]) -> None:
    if search not in SEARCHES:
        SEARCHES.append(search)


def add_timeline(source: Callable[[CaseFile], Iterable[Entry]]) -> None:
    if source not in TIMELINES:
        TIMELINES.append(source)


def add_waiting_states(kind: str, states: Iterable[str]) -> None:
    """Say in which states a kind waits for papers (the fourth number above *My work*)."""
    WAITING_STATES[kind] = frozenset(states)
