"""What a family types to bind a card, and whether it is all that the series asks for and no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from apps.adjudication import trace
from apps.adjudication.handbook import Handbook
from apps.cards.actions.houses import binding_rule
from apps.core.errors import InvalidInput
from apps.members.identity import RESIDENT


@dataclass(frozen=True, slots=True)
class Binding:
    """What a family types. Which fields count is the series' data; others must be empty."""

    account: str  # who is logged in at the front end; its own name for them
    series: str
    name: str
    relation: str = ""
    mobile: str = ""
    code: str = ""
    id_type: str = ""
    id_number: str = ""
    birth_date: date | None = None
    sex: str = ""
    valid_until: date | None = None


# Field of the handbook → field of `Binding`.
FIELDS = {
    "NAME": "name", "MOBILE": "mobile", "RELATION": "relation", "ID_TYPE": "id_type", "ID_NUMBER": "id_number",
    "BIRTH_DATE": "birth_date", "SEX": "sex", "VALID_UNTIL": "valid_until",
}  # fmt: skip


def check_fields(handbook: Handbook, typed: Binding, today: date) -> None:
    """Every field the series asks for, none it does not (CRD-05, CRD-06, CRD-24)."""
    rule, asked = binding_rule(handbook), list(handbook.value("card.binding_fields", ()))
    extra = handbook.parameters.get("card.extra_fields")
    further = list(extra.value) if extra and "ID_TYPE" in asked and typed.id_type != RESIDENT else []
    needed = {FIELDS[name]: rule for name in asked if name in FIELDS}
    needed |= {FIELDS[name]: extra.rule for name in further if extra and name in FIELDS}
    if "MOBILE" in asked:
        needed["code"] = rule
    for field, of in needed.items():
        if trace.observe(of, not getattr(typed, field)):
            raise InvalidInput(_("Series %(series)s needs this.") % {"series": typed.series},
                               field=field, code="required", rule=of)  # fmt: skip
    for field in {"mobile", "code", "id_type", "id_number", "birth_date", "sex", "valid_until"} - set(needed):
        of = extra.rule if extra and field in ("birth_date", "sex", "valid_until") else rule
        if trace.observe(of, bool(getattr(typed, field))):
            raise InvalidInput(_("Series %(series)s does not ask for this here; leave it empty.")
                               % {"series": typed.series}, field=field, code="not_asked", rule=of)  # fmt: skip
    if typed.valid_until and typed.valid_until < today:
        raise InvalidInput(_("This paper expired on %(day)s.") % {"day": typed.valid_until},
                           field="valid_until", code="expired", rule=extra.rule if extra else rule)  # fmt: skip
