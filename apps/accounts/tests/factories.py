"""People and machines for the tests of all apps.

    UserFactory(roles=["first_review"], tpa="T1")        a user; logs in with the password "pass"
    make_actor("first_review", series=["2026"])          the same as an Actor
    ApiClientFactory(hospital="H001").plain_key          a machine and its key
    api_of(ApiClientFactory())                           a REST test client that sends the key
    web_of(UserFactory(roles=["manager"]))               a Django test client that is logged in

Roles are there already: `sync_roles` makes them after every migration and flush.
"""

from __future__ import annotations

from typing import Any

import factory
from django.test import Client
from rest_framework.test import APIClient

from apps.accounts.actors import Actor, actor_of_client, actor_of_user
from apps.accounts.keys import new_key
from apps.accounts.models import ApiClient, Role, Team, User
from apps.accounts.parties import LOOK_UPS

PASSWORD = "pass"


class TeamFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Team
        django_get_or_create = ("code",)

    code = factory.Sequence(lambda n: f"team-{n}")
    name = factory.Sequence(lambda n: f"理赔{n}组")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    name = factory.Sequence(lambda n: f"职员{n}")
    password = factory.django.Password(PASSWORD)
    is_staff = True

    @factory.post_generation
    def roles(self, create: bool, codes: Any, **kwargs: Any) -> None:
        if create and codes:
            roles = list(Role.objects.filter(code__in=codes))
            assert len(roles) == len(set(codes)), f"unknown role among {codes}"
            self.roles.set(roles)  # type: ignore[attr-defined]


class ApiClientFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ApiClient

    name = factory.Sequence(lambda n: f"接口{n}")
    kind = "HOSPITAL"
    hospital = factory.Maybe(factory.LazyAttribute(lambda o: o.kind == "HOSPITAL"), "H001", "")
    tpa = factory.Maybe(factory.LazyAttribute(lambda o: o.kind == "TPA"), "T1", "")
    provider = factory.Maybe(factory.LazyAttribute(lambda o: o.kind == "PROVIDER"), "P1", "")
    scopes = factory.LazyFunction(lambda: ["claims:read", "claims:write"])

    @classmethod
    def _create(cls, model_class: type[ApiClient], *args: Any, **kwargs: Any) -> ApiClient:
        key = new_key()
        client: ApiClient = super()._create(
            model_class, *args, prefix=key.prefix, key_digest=key.digest, **kwargs
        )
        client.plain_key = key.plain  # type: ignore[attr-defined]
        return client


def make_actor(*roles: str, **fields: Any) -> Actor:
    """An actor with these roles; `fields` are the user's own (series, tpa, team, …)."""
    return actor_of_user(UserFactory(roles=roles, **fields))


def make_machine(kind: str = "HOSPITAL", **fields: Any) -> Actor:
    return actor_of_client(ApiClientFactory(kind=kind, **fields))


def web_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def api_of(client: ApiClient) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {client.plain_key}")  # type: ignore[attr-defined]
    return api


PARTIES = {"series": ["2024", "2026"], "tpa": ["T1"], "hospital": ["H001", "H1"], "member": ["M1"]}


def know_parties(monkeypatch):
    """The rooms above keep hospitals, series and children; here they have these."""
    for dimension, codes in PARTIES.items():
        monkeypatch.setitem(LOOK_UPS, dimension, lambda code, codes=codes: None if code in codes else codes)
