"""Who acts: a user, an API client or the system. Built once a request, then only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from apps.core.errors import NotAllowed

if TYPE_CHECKING:
    from django.http import HttpRequest

    from apps.accounts.models import ApiClient, User

OUTSIDE = frozenset({"api_hospital", "api_provider", "api_member_app"})


@dataclass(frozen=True, slots=True)
class Actor:
    """`authority_fen` is the highest of the roles; empty scope fields do not restrict."""

    label: str
    roles: frozenset[str] = frozenset()
    authority_fen: int = 0
    user_id: int | None = None
    client_id: int | None = None
    team_id: int | None = None
    series: frozenset[str] = frozenset()
    tpa: str = ""
    hospital: str = ""
    provider: str = ""
    member: str = ""
    scopes: frozenset[str] = frozenset()
    is_system: bool = False

    @property
    def restricted(self) -> bool:
        return bool(self.series or self.tpa or self.hospital or self.provider or self.member)

    @property
    def person_id(self) -> int:
        """The user's id, for acts that bear a person's signature; machines are refused."""
        if self.user_id is None:
            raise NotAllowed(_("Only a person can do this."), code="person_needed")
        return self.user_id

    @property
    def is_known(self) -> bool:
        """Somebody in particular: not the visitor who has yet to log in."""
        return self.is_system or self.user_id is not None or self.client_id is not None

    @property
    def may_see_cases(self) -> bool:
        """Least privilege (LAW-09): without a role in the business nobody sees a child's data."""
        return self.is_system or (self.is_known and bool(self.roles))

    @property
    def is_outside(self) -> bool:
        """A hospital, a provider or a family: told what is decided, not how the desk came to it."""
        return bool(self.hospital or self.provider or self.member or self.roles & OUTSIDE)

    @property
    def key(self) -> str:
        """'user:5', 'client:7', 'system': one string for logs and keyed requests."""
        if self.user_id is not None:
            return f"user:{self.user_id}"
        if self.client_id is not None:
            return f"client:{self.client_id}"
        return "system" if self.is_system else "nobody"


SYSTEM = Actor(label="system", is_system=True, authority_fen=0)
NOBODY = Actor(label="")


def actor_of_user(user: User) -> Actor:
    """One query (the roles). Superusers hold no business roles by being superusers."""
    roles = list(user.roles.all()) if user.is_active else []
    return Actor(
        label=str(user),
        roles=frozenset(role.code for role in roles),
        authority_fen=max((role.authority_fen for role in roles), default=0),
        user_id=user.pk,
        team_id=user.team_id,
        series=frozenset(user.series),
        tpa=user.tpa,
        hospital=user.hospital,
        provider=user.provider,
        member=user.member,
    )


def actor_of_client(client: ApiClient) -> Actor:
    """A machine acts with the role of its kind ("api_hospital", "api_tpa", …) and its scopes."""
    return Actor(
        label=client.name,
        roles=frozenset({f"api_{client.kind.lower()}"}) if client.active else frozenset(),
        client_id=client.pk,
        series=frozenset(client.series),
        tpa=client.tpa,
        hospital=client.hospital,
        provider=client.provider,
        member=client.member,
        scopes=frozenset(client.scopes),
    )


def actor_of_principal(principal: Any) -> Actor:
    """The actor behind a `request.user`: a user, an API client or somebody not logged in."""
    from apps.accounts.models import ApiClient, User

    if isinstance(principal, ApiClient):
        return actor_of_client(principal)
    if isinstance(principal, User):
        return actor_of_user(principal)
    return NOBODY


def attach_actor(request: HttpRequest) -> None:
    """Give the request its `actor`: found on first use, then kept."""
    request.actor = SimpleLazyObject(lambda: actor_of_principal(request.user))  # type: ignore[attr-defined]


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request (`attach_actor`, by the middleware or the API's authentication)."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
