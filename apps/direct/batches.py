"""Many claims at once, all or nothing: what is wrong with any of them is said of all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.cases.models import CaseFile
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.direct.actions.submit import may_submit, submit_direct

MOST = 200


def submit_many(
    actor: Actor, claims: Sequence[Mapping[str, Any]], *, source: str, now: datetime | None = None
) -> list[CaseFile]:
    """Register several claims in one transaction; they come back in their order.

    Raises InvalidInputs with every error of every claim ("claims.3.visits.0.started_on"); nothing is stored then.
    """
    may_submit(actor)
    if not 0 < len(claims) <= MOST:
        words = _("A batch holds 1 to %(most)d claims.") % {"most": MOST}
        raise InvalidInput(words, code="batch_size", field="claims")
    errors: list[DomainError] = []
    cases: list[CaseFile] = []
    with transaction.atomic():
        for index, data in enumerate(claims):
            try:
                with transaction.atomic():
                    cases.append(submit_direct(actor, data=data, source=source, now=now))
            except DomainError as error:
                for one in each(error):
                    one.field = f"claims.{index}.{one.field}".rstrip(".")
                    errors.append(one)
        if errors:
            raise InvalidInputs(errors)
    return cases


def each(error: DomainError) -> list[DomainError]:
    return list(error.errors) if isinstance(error, InvalidInputs) else [error]
