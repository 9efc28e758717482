"""What it means to people when a constraint stops a race that no guard could see.

Each app says it for its own constraints; whoever catches an IntegrityError asks here.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError, models
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError

MEANINGS: dict[str, Callable[[], DomainError]] = {}  # as databases name it → the error, made afresh


def means(model: type[models.Model], name: str, error: Callable[[], DomainError]) -> None:
    """Register the error for a constraint of the model; called from AppConfig.ready().

    Raises LookupError for a constraint the model does not have.
    """
    found = next((one for one in model._meta.constraints if one.name == name), None)
    if found is None:
        raise LookupError(f"{model.__name__} has no constraint {name}")
    MEANINGS[name] = error
    if isinstance(found, models.UniqueConstraint):
        MEANINGS[_in_words_of_sqlite(model, found)] = error


def meaning_of(error: IntegrityError) -> DomainError:
    """The registered error, or the Conflict (code `race`) of any other constraint, with its name as data."""
    name = _name_in(error)
    if name in MEANINGS:
        return MEANINGS[name]()
    return Conflict(
        _("Somebody else was faster. Reload and look again."), code="race", data={"constraint": name}
    )


def _in_words_of_sqlite(model: type[models.Model], unique: models.UniqueConstraint) -> str:
    """SQLite names the columns of a unique index, not the index."""
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    return ", ".join(f"{model._meta.db_table}.{columns[name]}" for name in unique.fields)


def _name_in(error: IntegrityError) -> str:
    """PostgreSQL tells the name apart from the text; SQLite's text ends with it."""
    told = getattr(error.__cause__, "diag", None)
    name: str = getattr(told, "constraint_name", None) or str(error).partition("constraint failed: ")[2]
    return name
