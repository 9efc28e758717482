"""The reserve on the case page: what is outstanding, by which rule, and how it came there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.kinds import Panel
from apps.cases.models import CaseFile
from apps.claims.workflow import KIND
from apps.finance.access import may_read_books, of_the_house
from apps.finance.actions import ADJUSTERS
from apps.finance.models import Movement
from apps.finance.reckoning import CaseBook, key_of

VIEWERS = ADJUSTERS | {"first_review", "second_review"}


def reserve(case: CaseFile, actor: Any) -> Mapping[str, Any]:
    """Parts with what is outstanding, decided and paid, and every movement; nothing for outsiders."""
    if not (of_the_house(actor) and (may_read_books(actor) or VIEWERS & actor.roles)):
        return {"hidden": True}
    rows = list(Movement.objects.filter(case=case.pk).order_by("seq"))
    book = CaseBook(case, rows)
    latest = {key_of(row): row for row in rows}
    parts = [
        {"key": key, "part": part, "rule": latest[key].rule, "basis": latest[key].get_basis_display()}
        for key, part in sorted(book.parts.items())
    ]
    return {
        "hidden": False,
        "parts": parts,
        "outstanding": book.reserve,
        "due": book.due,
        "paid": book.paid,
        "incurred": book.reserve + book.paid,
        "movements": rows[::-1],
    }


def connect() -> None:
    if all(panel.name != "reserve" for panel in KIND.panels):
        KIND.panels.append(
            Panel("reserve", _("Case reserve"), "finance/panels/reserve.html", reserve, "aside")
        )
