"""The guarantee letter of a direct-billing claim: which one it is, what it binds, what it still holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.authorizations.assess import emergency_timing
from apps.authorizations.models import Authorization, Supplement
from apps.authorizations.workflow import AT_HOSPITAL, LETTER_OUT
from apps.claims.models import Visit
from apps.core.errors import DomainError, InvalidInput
from apps.direct.models import DirectClaim
from apps.ledger.reservations import held_by_many

# Once given a letter binds within its days, also when it is used up or over by the time the bill comes.
PROMISED = LETTER_OUT | AT_HOSPITAL | {"CLOSED", "EXPIRED"}
GONE = frozenset({"REJECTED", "WITHDRAWN", "VOIDED"})


@dataclass
class Own:
    """What a direct-billing claim knows beside the rows of a claim. `held` is what the letter still
    reserves, in fen by id of the limit account; `triggers` what was authorized, by rule."""

    direct: DirectClaim
    letter: Authorization | None = None
    triggers: tuple[str, ...] = ()
    held: dict[int, int] = field(default_factory=dict)

    def binds(self, day: date) -> bool:
        """Whether the letter speaks for a visit or an admission of the day (REC-01)."""
        letter = self.letter
        if letter is None or letter.approved_fen is None or letter.case.state not in PROMISED:
            return False
        first = letter.admitted_on or letter.valid_from
        return (first is None or first <= day) and (letter.valid_until is None or day <= letter.valid_until)

    def left_fen(self) -> int:
        """What the letter still has for this claim, with what this claim took of it before."""
        assert self.letter is not None
        used_by_others = self.letter.drawn_fen - self.direct.drawn_fen
        return max((self.letter.approved_fen or 0) - used_by_others, 0)

    @property
    def drawable(self) -> bool:
        return self.letter is not None and self.letter.case.state in AT_HOSPITAL


def own_of(directs: Sequence[DirectClaim]) -> dict[int, Own]:
    """By case id; at most two queries, none without letters. The letters come loaded with their cases."""
    found = {direct.pk: Own(direct, direct.authorization) for direct in directs}
    letters = {own.letter.pk: own.letter for own in found.values() if own.letter is not None}
    if not letters:
        return found
    held = held_by_many(letter.case.number for letter in letters.values())
    more = granted(letters)
    for own in found.values():
        if own.letter is not None:
            own.held = held.get(own.letter.case.number, {})
            rules = [trigger["rule"] for trigger in [*own.letter.triggers, *more.get(own.letter.pk, [])]]
            own.triggers = tuple(dict.fromkeys(rules))
    return found


def granted(letters: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Triggers of supplements that were granted (DBI-03), by authorization."""
    rows = Supplement.objects.filter(authorization__in=list(letters), state=Supplement.State.GRANTED)
    found: dict[int, list[dict[str, Any]]] = {}
    for pk, triggers in rows.values_list("authorization", "triggers"):
        found.setdefault(pk, []).extend(triggers)
    return found


def authorized_names(own: Own, visits: Iterable[tuple[str, date]]) -> tuple[str, ...]:
    """What the decision core takes as authorized (`adjudication.authorization.authorized`): an emergency
    notified in time covers its visit (PA-06), a letter the triggers it was given for."""
    if own.direct.waived or (own.letter is not None and _notified(own.letter)):
        return tuple(f"visit:{ref}" for ref, _day in visits)
    if not any(own.binds(day) for _ref, day in visits):
        return ()
    return own.triggers


def _notified(letter: Authorization) -> bool:
    """`waived` None: the series prints no term (PR-07)."""
    return letter.emergency and letter.waived is not False and letter.case.state not in GONE


# --- Finding it -------------------------------------------------------------------------------------


def find(number: str, member_id: int, hospital_id: int, *, field_name: str) -> Authorization:
    """The authorization a hospital names. Raises InvalidInput when it is not this child's, there."""
    row = _of(member_id, hospital_id).filter(case__number=number.strip().upper()).first()
    if row is None:
        words = _("This child has no authorization %(number)s at this hospital.") % {"number": number[:40]}
        raise InvalidInput(words, code="unknown_authorization", field=field_name, rule="PA-01")
    return row


def fitting(member_id: int, hospital_id: int, day: date, benefit: str) -> Authorization | None:
    """The one letter or emergency notice that fits a visit nobody named one for; None when none or several do."""
    lasting = Q(valid_until__isnull=True) | Q(valid_until__gte=day)
    planned = Q(case__state__in=LETTER_OUT | AT_HOSPITAL) & lasting
    urgent = Q(emergency_at__isnull=False) & ~Q(case__state__in=GONE)
    rows = _of(member_id, hospital_id).filter(planned | urgent, benefit=benefit)
    near = [row for row in rows if _near(row, day)]
    return near[0] if len(near) == 1 else None


def _near(row: Authorization, day: date) -> bool:
    if row.emergency_at is not None:
        return abs((timezone.localtime(row.emergency_at).date() - day).days) <= 1
    first = row.admitted_on or row.valid_from
    return first is None or first <= day


def _of(member_id: int, hospital_id: int) -> Any:
    rows = Authorization.objects.filter(case__member=member_id, case__hospital=hospital_id)
    return rows.select_related("case").order_by("-pk")


def visit_day(visits: Sequence[Visit]) -> date:
    return min(visit.started_on for visit in visits)


# --- Emergencies --------------------------------------------------------------------------------------


def notified_in_time(handbook: Handbook, emergency_at: datetime, at: datetime) -> bool | None:
    """PA-06: within 48 running hours, the last instant included; None where the series prints none (PR-07)."""
    timing = emergency_timing(handbook, emergency_at, at)
    return None if timing is None else not timing.late


def check_emergency(emergency_at: datetime | None, now: datetime) -> list[DomainError]:
    if emergency_at is None or emergency_at <= now:
        return []
    words = _("An emergency visit lies in the past.")
    return [InvalidInput(words, code="future", field="emergency_at", rule="PA-06")]


def observed(rule: str, fired: bool) -> bool:
    return observe(rule, fired) if rule else fired
