"""Every address of the house, visited by people whom it does not concern (LAW-09).

The list of addresses is the resolver's own, so a new page is visited from its first day on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from itertools import product
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLResolver, get_resolver

from apps.accounts.roles import CATALOGUE, MACHINES, READERS_OF_THE_ACCESS_LOG
from apps.accounts.tests.factories import UserFactory
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.documents.models import Letter
from tests.api import machine
from tests.house import House

# What anybody may see, and what it is.
PUBLIC = {
    "accounts/login/": "log-in",
    "accounts/inactive/": "says that one's account is switched off",
    "health/": "answers the load balancer",
    "health/workers/": "answers the watch",
    "v/<str:token>/": "says whether a letter is valid, and nothing more",
    "i18n/setlang/": "language",
    "card/<str:token>/": "a card, by a link that was made a moment ago; else says that the link is old",
}


def addresses() -> list[str]:
    """Every registered address with its placeholders: "admin/claims/<str:number>/verdict/"."""
    return sorted(set(_walk(get_resolver(), "")))


def _walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        here = before + _plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, here)
        else:
            yield here


def _plain(pattern: str) -> str:
    """Named groups of a regular expression become placeholders."""
    if not re.search(r"[\^$\\(]", pattern):
        return pattern
    found = pattern.removeprefix("^").removesuffix("$").removesuffix(r"\Z")
    while group := re.search(r"\(\?P<(\w+)>", found):
        end, depth = group.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(found[end], 0) if found[end - 1] != "\\" else 0
            end += 1
        found = f"{found[: group.start()]}<{group[1]}>{found[end:]}"
    return found.replace("\\", "").replace("?", "")


@pytest.fixture
def house(db: None, now: Any) -> House:
    return House()


METHODS = ("get", "post", "put", "patch", "delete")


class Walk:
    """One stranger's way through the house; complains of all that is wrong at its end."""

    def __init__(self, house: House, open_door: Callable[[], Any]):
        self.house, self.open_door, self.wrong = house, open_door, list[str]()

    def visit(self, address: str, method: str) -> list[tuple[str, Any]]:
        """Paths and answers: one, or one for a case of each kind."""
        return [(path, self._answer(path, method)) for path in self.house.paths(address)]

    def _answer(self, path: str, method: str) -> Any:
        response = getattr(self.open_door(), method)(path)
        if response.status_code >= 500:
            self.complain(path, method, str(response.status_code))
        if leaks := self.house.leaks(response, path):
            self.complain(path, method, f"{response.status_code} shows {leaks}")
        return response

    def complain(self, address: str, method: str, what: str) -> None:
        self.wrong.append(f"{method} {address}: {what}")


def asked() -> list[str]:
    """Without those that ask queue and workers, which tests do not start."""
    return [address for address in addresses() if not address.startswith("health/")]


def logged_in(**fields: Any) -> Callable[[], Client]:
    """A new client for every knock, with the session of one log-in as long as no answer ends it."""
    user, known = UserFactory(**fields), Client()

    def door() -> Client:
        cookie = known.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is None or not Session.objects.filter(session_key=cookie.value).exists():
            known.force_login(user)
        client = Client(raise_request_exception=False)
        client.cookies = SimpleCookie(known.cookies)
        return client

    return door


def versions() -> list[tuple[str, int, str]]:
    return list(CaseFile.objects.order_by("pk").values_list("number", "version", "state"))


def test_the_list_is_the_whole_house() -> None:
    found = addresses()
    assert len(found) > 150
    assert {
        "admin/case/<number>/",
        "api/v1/cases/<number>/",
        "v/<str:token>/",
        "admin/claims/<str:number>/verdict/",
    } <= set(found)
    assert PUBLIC.keys() <= set(found)
    assert not [address for address in found if re.search(r"[\\^$()]", address.replace("(auth|", ""))], found


def test_who_is_not_logged_in_sees_nothing(house: House) -> None:
    before, walk = versions(), Walk(house, lambda: Client(raise_request_exception=False))
    for address, method in product(asked(), ("get", "post")):
        for path, response in walk.visit(address, method):
            allowed = {301, 302, 400, 401, 403, 404, 405} | ({200} if address in PUBLIC else set())
            if response.status_code not in allowed:
                walk.complain(path, method, str(response.status_code))
    assert not walk.wrong, "\n".join(walk.wrong)
    assert versions() == before


def test_staff_without_a_role_see_no_child(house: House) -> None:
    before, walk = versions(), Walk(house, logged_in())
    for address, method in product(asked(), ("get", "post")):
        for path, response in walk.visit(address, method):
            if (
                address.startswith("api/v1/")
                and address != "api/v1/"
                and response.status_code not in (403, 404, 405)
            ):
                walk.complain(path, method, str(response.status_code))
    assert not walk.wrong, "\n".join(walk.wrong)
    assert versions() == before


def test_every_role_of_another_administrator_sees_nothing_of_this_one(house: House) -> None:
    """But compliance and audit, who read who read what, over all administrators."""
    roles = [spec.code for spec in CATALOGUE if spec.code not in MACHINES | READERS_OF_THE_ACCESS_LOG]
    before, walk = versions(), Walk(house, logged_in(roles=roles, tpa="ELSEWHERE"))
    for address, method in product(asked(), ("get", "post")):
        for path, response in walk.visit(address, method):
            if re.search(r"<(str:)?number>|letter_id|paper_id", address) and response.status_code == 200:
                walk.complain(path, method, "200 for somebody else's")
    assert not walk.wrong, "\n".join(walk.wrong)
    assert versions() == before


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("TPA", {"tpa": "ELSEWHERE"}),
        ("HOSPITAL", {"hospital": "CHC"}),
        ("MEMBER_APP", {"member": "M2026"}),
        pytest.param("PROVIDER", {}, marks=pytest.mark.slow),
    ],
)
def test_a_machine_of_somebody_else_sees_nothing(house: House, kind: str, scope: dict[str, str]) -> None:
    before, api = versions(), machine(kind, **scope)
    api.raise_request_exception = False
    walk = Walk(house, lambda: api)
    for address in asked():
        for method in METHODS if address.startswith("api/") else ("get",):
            for path, response in walk.visit(address, method):
                if not address.startswith("api/") and address not in PUBLIC and response.status_code == 200:
                    walk.complain(path, method, "a key opens a page for people")
    assert not walk.wrong, "\n".join(walk.wrong)
    assert versions() == before


def test_the_public_page_of_a_letter_names_no_child(house: House) -> None:
    letter = Letter.objects.filter(case=house.case).first()
    response = Client().get(f"/v/{letter.token}/")
    assert response.status_code == 200
    text = response.content.decode()
    for secret in set(house.secrets) - {letter.number}:
        assert secret not in text


def test_the_house_holds_a_case_of_every_kind_and_its_owner_sees_them(house: House) -> None:
    """The walks above would also pass in an empty house."""
    # Tests that ran before in this process may have registered kinds of their own.
    assert house.cases.keys() == {code for code in KINDS if not code.endswith("_test")}
    user = UserFactory(roles=["manager", "supervisor", "finance", "first_review"], tpa=house.case.tpa)
    client = Client()
    client.force_login(user)
    number, file = house.case.number, house.file.number
    for path in (
        f"/admin/case/{number}/",
        "/admin/?scope=all",
        f"/admin/payments/paymentfile/{file}/desk/",
        f"/api/v1/claims/{number}/",
    ):
        assert number in client.get(path).content.decode(), path
