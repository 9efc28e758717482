"""Everything the one case page shows, for every kind: gathered here, drawn by templates."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM, Actor
from apps.cases import queries
from apps.cases.context import Batch, Ctx
from apps.cases.engine import Availability, available
from apps.cases.forms import ActionForm, form_for
from apps.cases.kinds import KINDS, Action, Kind
from apps.cases.models import CaseEvent, CaseFile
from apps.cases.pages import TIMELINES, Entry
from apps.cases.rows import age_on
from apps.cases.timeleft import clock_views
from apps.core.errors import Blocked, NotFound

COMMON_ORDER = 800  # take, assign, note, priority: kept apart from the work itself
IN_PANELS = {"papers", "finding"}  # asked where the papers and findings stand, not by a button


@dataclass(frozen=True)
class OpenForm:
    """The form of one action, open on the page."""

    action: Action[Any]
    form: ActionForm
    ctx: Ctx[Any]
    template: list[str]

    def filled(self, data: Any, files: Any) -> ActionForm:
        return form_for(self.action.input)(data, files, initial=self.form.initial, ctx=self.ctx)

    def with_form(self, form: ActionForm) -> OpenForm:
        return replace(self, form=form)


def context(case: CaseFile, actor: Actor, *, opened: OpenForm | None = None) -> dict[str, Any]:
    now, kind = timezone.now(), KINDS[case.kind]
    prefetch_related_objects([case], "clocks__pauses", "clocks__steps", "events", "external_numbers")
    found = available(case, actor, now=now, loaded=case.looked)
    clocks = clock_views(case, now)
    panels: list[dict[str, Any]] = [
        {"panel": panel, "context": {**panel.context(case, actor), "case": case, "actor": actor}}
        for panel in kind.panels
    ]
    return {
        "case": case,
        "kind": kind,
        "actor": actor,
        "now": now,
        "age": age_on(case.member.birth_date, timezone.localtime(now).date()),
        "actions": [one for one in found if one.action.order < COMMON_ORDER and not _in_panel(one.action)],
        "common_actions": [one for one in found if one.action.order >= COMMON_ORDER],
        "possible": {one.action.name for one in found if one.allowed},
        "opened": opened,
        "open_clocks": [view for view in clocks if view.clock.state != "STOPPED"],
        "stopped_clocks": [view for view in clocks if view.clock.state == "STOPPED"],
        "main_panels": [one for one in panels if one["panel"].side == "main"],
        "aside_panels": [one for one in panels if one["panel"].side != "main"],
        "timeline": timeline(case, kind),
        "history": None if any(panel.name == "history" for panel in kind.panels) else _history(case, actor),
        "external_numbers": list(case.external_numbers.all()),
        "steps": _progress(case, kind),
    }


# --- Actions ---------------------------------------------------------------------------------


def _in_panel(action: Action[Any]) -> bool:
    return any(item.metadata.get("widget") in IN_PANELS for item in fields(action.input))


def open_form(case: CaseFile, actor: Actor, name: str) -> OpenForm:
    """The form of an action the actor's roles know. NotFound for others; blocked ones still show."""
    kind = KINDS[case.kind]
    action = kind.actions.get(name)
    if action is None or not (action.roles & actor.roles):
        raise NotFound(_("Nothing at this address is for you to do on this case."), code="unknown_action")
    now = timezone.now()
    ctx: Ctx[Any] = Ctx(
        case=case, kind=kind, actor=actor, now=now, batch=Batch(actor, now), action=name, loaded=case.looked
    )
    found = availability(case, actor, name)
    initial = found.initial if found else {}
    form = form_for(action.input)(initial=initial, ctx=ctx)
    if found is None:
        words = _("“%(action)s” is not possible while the case is “%(state)s”.")
        form.take_error(
            Blocked(words % {"action": action.label, "state": case.get_state_display()}, code="state")
        )
    for blocker in found.blockers if found else ():
        form.take_error(Blocked(blocker.message, code=blocker.code, rule=blocker.rule))
    return OpenForm(action, form, ctx, [f"{kind.subject}s/actions/{name}.html", "cases/parts/action.html"])


def availability(case: CaseFile, actor: Actor, name: str) -> Availability | None:
    found = available(case, actor, loaded=case.looked)
    return next((one for one in found if one.action.name == name), None)


def changed_since(case: CaseFile, version: int) -> list[Entry]:
    """What others did meanwhile, for the words of a conflict."""
    events = CaseEvent.objects.filter(case=case.pk, seq__gt=version).order_by("seq")[:20]
    return [_event(event, KINDS[case.kind]) for event in events]


# --- Timeline and history --------------------------------------------------------------------


def timeline(case: CaseFile, kind: Kind) -> list[Entry]:
    """Events, carried-out clock steps and what other apps add, newest first."""
    entries: list[Entry] = [_event(event, kind) for event in case.events.all()]
    for clock in case.clocks.all():
        for step in clock.steps.all():
            entries.append(
                Entry(
                    step.at,
                    _step_words(step.kind),
                    "clock",
                    "alarm",
                    "",
                    clock.spec_id,
                    level="bad" if step.kind == "BREACH" else "warn",
                )
            )
    for source in TIMELINES:
        entries.extend(source(case))
    entries.reverse()  # of the same moment, the last first
    return _together(sorted(entries, key=lambda entry: entry.at, reverse=True))


def _together(entries: list[Entry]) -> list[Entry]:
    """The same step by the same person several times in a row is one line: "Attach papers ×11"."""
    merged: list[tuple[Entry, int]] = []
    for entry in entries:
        last = merged[-1][0] if merged else None
        plain = entry.kind == "event" and not entry.text and not entry.state
        if last and plain and (last.kind, str(last.title), last.who, last.text, last.state) == (
            entry.kind, str(entry.title), entry.who, "", "",
        ):  # fmt: skip
            merged[-1] = (last, merged[-1][1] + 1)
        else:
            merged.append((entry, 1))
    return [
        replace(entry, title=f"{entry.title} ×{times}") if times > 1 else entry for entry, times in merged
    ]


def who_words(label: str) -> str:
    """Who did it: a name as it stands, the house itself in the reader's language."""
    return _("system") if label == SYSTEM.label else label


def _event(event: CaseEvent, kind: Kind) -> Entry:
    action = kind.actions.get(event.action)
    state = kind.states.get(event.to_state, event.to_state) if event.from_state != event.to_state else ""
    title = action.label if action else (_("Opened") if event.action == "open" else event.name)
    icon = (
        "edit_note"
        if event.action == "note"
        else "flag"
        if event.action == "open"
        else "play_arrow"
        if state
        else "circle"
    )
    return Entry(
        event.at,
        title,
        "event",
        icon,
        who_words(event.actor_label),
        event.reason,
        state,
        details=_details(event),
    )


def _details(event: CaseEvent) -> tuple[tuple[Any, Any], ...]:
    """The event's data that a person can read: plain values, not structures."""
    return tuple(
        (key, value) for key, value in event.data.items() if isinstance(value, (str, int)) and value != ""
    )


def _step_words(kind: str) -> str:
    words = {
        "REMIND": _("Reminder sent"), "TARGET": _("Target reached"), "ESCALATE": _("Escalated"), "BREACH": _("Overdue"),
    }  # fmt: skip
    return words.get(kind, kind)


def _history(case: CaseFile, actor: Actor) -> dict[str, Any]:
    cases = queries.history(case, actor)
    return {"cases": cases, "total_fen": sum(one.amount_fen for one in cases), "count": len(cases)}


def _progress(case: CaseFile, kind: Kind) -> list[dict[str, Any]]:
    """The states the case went through, in order, and where it stands."""
    passed: list[str] = []
    for event in sorted(case.events.all(), key=lambda event: event.seq):
        if event.to_state and (not passed or passed[-1] != event.to_state):
            passed.append(event.to_state)
    return [
        {"label": kind.states.get(state, state), "here": n == len(passed) - 1}
        for n, state in enumerate(passed)
    ]
