"""Evidence that a rule is alive: every check tells whether it fired.

Production listens to nothing. The test suite installs a listener and writes what it heard to the
rulebook's evidence file, so a rule counts only when it was seen firing *and* not firing.
"""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str, bool], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> Callable[[], None]:
    """Add a listener (rule id, fired); returns the function that removes it."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def observe(rule_id: str, fired: bool) -> bool:
    """Report one evaluation of a rule; returns `fired`, so that it can wrap a condition."""
    for listener in _listeners:
        listener(rule_id, fired)
    return fired
