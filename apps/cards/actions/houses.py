"""Who binds, by which handbook, and what a family that fails is told (CRD-07, CRD-26)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.adjudication.handbook import Handbook
from apps.core.errors import Blocked, DomainError, NotAllowed
from apps.products.queries import current_handbook


def front_end(actor: Actor) -> int:
    if actor.client_id is None or "api_member_app" not in actor.roles:
        raise NotAllowed(_("Only a member front end binds cards."), code="front_end_needed")
    return actor.client_id


def open_series(series: str) -> Handbook:
    handbook = current_handbook(series).handbook
    service = handbook.service("card")
    if service is None or not service.offered:
        raise Blocked(
            _("Series %(series)s has no electronic card.") % {"series": series}, code="service_closed",
            rule=service.rule if service else "",
        )  # fmt: skip
    return handbook


def binding_rule(handbook: Handbook) -> str:
    parameter = handbook.parameters.get("card.binding_fields")
    return parameter.rule if parameter else ""


def hotline(handbook: Handbook) -> str:
    contact = handbook.contacts.get("hotline")
    return contact.value if contact else ""


def with_help(handbook: Handbook, refused: DomainError) -> DomainError:
    """The same refusal with the way out: the hotline of the series (CRD-07, CRD-26)."""
    rule = handbook.rule("card.failed")
    words = _("%(refusal)s. If it does not work, call %(hotline)s, day and night.") % {
        "refusal": str(refused.message).rstrip(".。"), "hotline": hotline(handbook),
    }  # fmt: skip
    data = {**refused.data, "hotline": hotline(handbook), "help_rule": rule.id if rule else ""}
    return type(refused)(words, code=refused.code, field=refused.field, rule=refused.rule, data=data)
