"""How letters are queued, numbered and superseded; what they say: `letter_contexts`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import is_dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from apps.adjudication.trace import observe
from apps.core.errors import Blocked
from apps.core.numbers import next_numbers
from apps.core.queue import enqueue
from apps.documents.letter_contexts import KINDS, LetterContext, RefusalContext, SupplementContext
from apps.documents.models import Letter
from apps.documents.series import series_block

log = logging.getLogger(__name__)
PREFIX = "L"
LIVE = (Letter.State.QUEUED, Letter.State.RENDERED, Letter.State.SENT, Letter.State.FAILED)


def queue_letter(ctx: Any, context: LetterContext, *, language: str = "zh-hans") -> Letter:
    """Queue a letter in the action's transaction; its kind follows from the context's class.

    Numbered "L26-000123", version 1. A letter of the same kind on the case is superseded and lends
    its number to the next version. Rendered after the commit. Two queries a *batch*, plus the insert.
    Raises Blocked (LAW-04) for a refusal without reasons and for an empty supplement notice.
    """
    _check(ctx, context)
    kind = KINDS[type(context)]
    former = _former(ctx, kind)
    letter = Letter(
        case=ctx.case,
        number=former.number if former else _next_number(ctx),
        version=former.version + 1 if former else 1,
        kind=kind,
        language=language,
        context=to_json(context) | {"series": series_block(ctx.handbook)},
        valid_until=getattr(context, "valid_until", None),
        created_at=ctx.now,
        next_attempt_at=ctx.now,
    )
    if former and former.state in LIVE:
        former.state = Letter.State.SUPERSEDED
        ctx.update(former, "state")
    ctx.add(letter)
    ctx.batch.shared["letters"][ctx.case.pk, kind] = letter
    _render_after_commit(ctx, letter)
    return letter


def void_letter(ctx: Any, letter: Letter) -> None:
    """Take a letter back: its page says void from now on."""
    letter.state = Letter.State.VOID
    ctx.update(letter, "state")


def _render_after_commit(ctx: Any, letter: Letter) -> None:
    """All letters of a batch are handed over together."""
    letters: list[Letter] = ctx.batch.shared.setdefault("new_letters", [])
    if not letters:
        ctx.after_commit(lambda: start_rendering(letters))
    letters.append(letter)


def start_rendering(letters: Sequence[Letter]) -> None:
    """Ask workers, so many letters each; when the queue is down, the sweep renders a little later."""
    from apps.documents.tasks import LETTERS_A_TASK, render_letters

    for start in range(0, len(letters), LETTERS_A_TASK):
        if not enqueue(render_letters, *(letter.pk for letter in letters[start : start + LETTERS_A_TASK])):
            log.debug("letters wait for the sweep", extra={"letters": len(letters) - start})
            return


def to_json(context: LetterContext) -> dict[str, Any]:
    """Plain JSON of a context: dates in ISO form, tuples as lists."""
    plain: dict[str, Any] = _plain(context)
    return plain


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, date) else value


def _check(ctx: Any, context: LetterContext) -> None:
    if isinstance(context, RefusalContext):
        rule = ctx.handbook.rule("decide.refusal_reasons")
        rule_id = rule.id if rule else "LAW-04"
        if observe(rule_id, not context.reasons or any(not reason.text for reason in context.reasons)):
            raise Blocked(
                _("A refusal cannot be issued without reasons."), code="REFUSAL_WITHOUT_REASONS", rule=rule_id
            )
    if isinstance(context, SupplementContext) and not context.missing:
        raise Blocked(
            _("A supplement notice must say what is missing."), code="NOTHING_MISSING", rule="LAW-01"
        )


def _former(ctx: Any, kind: Letter.Kind) -> Letter | None:
    """The newest letter of this kind on the case; read once for all cases of the batch."""
    shared = ctx.batch.shared
    if "letters" not in shared:
        cases = [other.case.pk for other in ctx.batch.contexts]
        found = Letter.objects.filter(case__in=cases).defer("context").order_by("version")
        shared["letters"] = {(letter.case_id, letter.kind): letter for letter in found}
    former: Letter | None = shared["letters"].get((ctx.case.pk, kind))
    return former


def _next_number(ctx: Any) -> str:
    numbers: list[str] = ctx.batch.shared.setdefault("letter_numbers", [])
    if not numbers:
        numbers.extend(next_numbers(f"{PREFIX}{ctx.now:%y}", max(len(ctx.batch.contexts), 1)))
    return numbers.pop(0)
