"""Whether what a family types is what was given at the enrollment (CRD-05, CRD-06, CRD-24)."""

from __future__ import annotations

from datetime import date
from typing import Any

from apps.accounts.actors import Actor
from apps.cards.actions.fields import Binding
from apps.core.errors import InvalidInput
from apps.members.identity import check_identity
from apps.members.models import Guardian, Member, Policy, id_index, mobile_index


def by_mobile(actor: Actor, series: str, name: str, number: str) -> list[Member]:
    """Children of this exact name whose own or whose policyholder's number it is (CRD-24)."""
    index = mobile_index(number)
    holders = Guardian.objects.filter(mobile_index=index, is_policyholder=True).values("member_id")
    named = _insured(actor, series).filter(name=name.strip())
    return list(named.filter(mobile_index=index) | named.filter(pk__in=holders))


def by_identity(actor: Actor, typed: Binding, today: date, rule: str) -> list[Member]:
    """The child with this name and paper; other papers also with birth date and sex (CRD-05, CRD-06)."""
    try:
        identity = check_identity(
            id_type=typed.id_type,
            number=typed.id_number,
            today=today,
            birth_date=typed.birth_date,
            sex=typed.sex,
        )
    except InvalidInput as wrong:
        raise InvalidInput(
            wrong.message, field=wrong.field, code=wrong.code, rule=wrong.rule or rule
        ) from wrong
    found = _insured(actor, typed.series).filter(
        id_type=typed.id_type, id_index=id_index(identity.number), name=typed.name.strip()
    )
    if typed.birth_date:
        found = found.filter(birth_date=typed.birth_date, sex=typed.sex)
    return list(found)


def _insured(actor: Actor, series: str) -> Any:
    policies = Policy.objects.filter(series=series)
    if actor.tpa:
        policies = policies.filter(tpa=actor.tpa)
    children = Member.objects.filter(pk__in=policies.values("member_id"))
    if actor.series and series not in actor.series:
        return children.none()
    return children.filter(number=actor.member) if actor.member else children
