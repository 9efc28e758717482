"""Every address of the house, visited by people whom it does not concern (LAW-09).

The list of addresses is the resolver's own, so a new page is visited from its first day on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLResolver, get_resolver

from apps.accounts.models import AccessLog
from apps.accounts.roles import CATALOGUE, MACHINES, READERS_OF_THE_ACCESS_LOG
from apps.accounts.tests.factories import ApiClientFactory, TeamFactory, UserFactory
from apps.cases.models import CaseFile
from apps.claims.tests.world import PAYEE, World
from apps.documents.models import Letter, Paper
from apps.documents.storage import store_bytes
from apps.documents.tests.factories import pdf
from apps.ledger.models import LimitAccount
from apps.mailroom.inbox.polling import take_in
from apps.mailroom.models import Email
from apps.mailroom.tests.letters import CLAIMS_2024, box, letter
from apps.messaging.outbox import queue_call
from apps.payments.actions import make_file, release_file
from apps.payments.models import PaymentFile, PaymentOrder
from apps.products.models import HandbookVersion
from tests.api import machine

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
NAMED = {  # of what a placeholder is the key, by the beginning of the address; the first that fits
    "admin/payments/paymentfile/": lambda row: row["file"].number,
    "api/v1/members/": lambda row: row["case"].member.number,
    "": lambda row: row["case"].number,
}
KEYED = {
    "api/v1/limits/": LimitAccount, "api/v1/papers/": Paper, "api/v1/letters/": Letter,
    "api/v1/handbooks/": HandbookVersion, "admin/mail/": Email, "api/v1/emails/": Email,
}  # fmt: skip


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


class House:
    """A claim of another administrator's, walked to its end, with everything that hangs on one."""

    def __init__(self) -> None:
        world = World()
        world.papers(case := world.claim(series="2024"))
        assert case.tpa
        case = world.do(world.do(world.do(case, "check_materials", by="intake"), "start_review"), "decide")
        order = PaymentOrder.objects.get(case=case)
        file = make_file(world.actor("finance"), [order.number])
        release_file(world.actor("checker"), file.number)
        stored = store_bytes(pdf(), "scan.pdf", "application/pdf")
        Paper.objects.filter(case=case).update(file=stored)
        Letter.objects.update(file=stored)
        queue_call(None, case=case, purpose="remind", script="王小明", key="call", due_at=world.now)
        AccessLog.objects.create(subject="member:M2024", what="id_number", reason="王小明")
        ApiClientFactory(name="someone's key")
        TeamFactory()
        take_in(box(CLAIMS_2024), letter(f"王小明 {case.number}", files={"发票.pdf": pdf()}))
        self.row = {"case": CaseFile.objects.get(pk=case.pk), "file": PaymentFile.objects.get()}
        guardian = case.member.guardians.first()
        self.letters = list(Letter.objects.values_list("number", flat=True))
        self.secrets = [
            case.number, case.member.number, case.policy.number, order.number, file.number, "王小明", "王建国",
            case.member.id_number, guardian.mobile, guardian.email, guardian.id_number, PAYEE["account"],
            *self.letters,
        ]  # fmt: skip

    def fill(self, address: str) -> str:
        """The address with the keys of this claim and what hangs on it."""
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(self.value(address, found[1])), address)

    def value(self, address: str, name: str) -> Any:
        if name in ("pk", "object_id", "id"):
            return self.key(address)
        case = self.row["case"]
        return {
            "number": next(key(self.row) for start, key in NAMED.items() if address.startswith(start)),
            "paper_id": Paper.objects.filter(case=case).first().pk,
            "letter_id": Letter.objects.filter(case=case).first().pk,
            "token": Letter.objects.filter(case=case).first().token,
            "content_type_id": ContentType.objects.get_for_model(CaseFile).pk,
            "code": "PUB", "page": 1, "series": "2024", "year": 2026, "app_label": "claims", "url": "nowhere",
            "name": "note", "kind": "xlsx", "filename": "x",
        }.get(name, "1")  # fmt: skip

    def key(self, address: str) -> Any:
        model: Any = next((model for start, model in KEYED.items() if address.startswith(start)), None)
        if model is None and (found := re.match(r"admin/(\w+)/(\w+)/", address)):
            model = apps.all_models[found[1]].get(found[2])
        row = model._base_manager.order_by("pk").last() if model else None
        return row.pk if row else 1

    def leaks(self, response: Any, path: str) -> list[str]:
        """What is secret and stands in the answer, other than what was asked for by name."""
        body = b"".join(response.streaming_content) if response.streaming else response.content
        text = body.decode("utf-8", "replace") + str(response.headers.get("Location", ""))
        known = self.letters if path.startswith("/v/") else []  # who holds a letter reads its number on it
        told = [secret for secret in self.secrets if secret not in unquote(path) and secret not in known]
        return [secret for secret in told if secret and secret in text]


@pytest.fixture
def house(db: None, now: Any) -> House:
    return House()


METHODS = ("get", "post", "put", "patch", "delete")


class Walk:
    """One stranger's way through the house; complains of all that is wrong at its end."""

    def __init__(self, house: House, open_door: Callable[[], Any]):
        self.house, self.open_door, self.wrong = house, open_door, list[str]()

    def visit(self, address: str, method: str) -> Any:
        path = self.house.fill(address)
        response = getattr(self.open_door(), method)(path)
        if response.status_code >= 500:
            self.complain(address, method, str(response.status_code))
        if leaks := self.house.leaks(response, path):
            self.complain(address, method, f"{response.status_code} shows {leaks}")
        return response

    def complain(self, address: str, method: str, what: str) -> None:
        self.wrong.append(f"{method} {address}: {what}")


def asked() -> list[str]:
    """Without those that ask queue and workers, which tests do not start."""
    return [address for address in addresses() if not address.startswith("health/")]


def logged_in(**fields: Any) -> Callable[[], Client]:
    user = UserFactory(**fields)

    def door() -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(user)
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


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_not_logged_in_sees_nothing(house: House, method: str) -> None:
    before, walk = versions(), Walk(house, lambda: Client(raise_request_exception=False))
    for address in asked():
        response = walk.visit(address, method)
        allowed = {301, 302, 400, 401, 403, 404, 405} | ({200} if address in PUBLIC else set())
        if response.status_code not in allowed:
            walk.complain(address, method, str(response.status_code))
    assert not walk.wrong, "\n".join(walk.wrong)
    assert versions() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_a_role_see_no_child(house: House, method: str) -> None:
    before, walk = versions(), Walk(house, logged_in())
    for address in asked():
        response = walk.visit(address, method)
        if (
            address.startswith("api/v1/")
            and address != "api/v1/"
            and response.status_code not in (403, 404, 405)
        ):
            walk.complain(address, method, str(response.status_code))
    assert not walk.wrong, "\n".join(walk.wrong)
    assert versions() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_role_of_another_administrator_sees_nothing_of_this_one(house: House, method: str) -> None:
    """But compliance and audit, who read who read what, over all administrators."""
    roles = [spec.code for spec in CATALOGUE if spec.code not in MACHINES | READERS_OF_THE_ACCESS_LOG]
    before, walk = versions(), Walk(house, logged_in(roles=roles, tpa="ELSEWHERE"))
    for address in asked():
        response = walk.visit(address, method)
        if re.search(r"<(str:)?number>|letter_id|paper_id", address) and response.status_code == 200:
            walk.complain(address, method, "200 for somebody else's")
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
            response = walk.visit(address, method)
            if not address.startswith("api/") and address not in PUBLIC and response.status_code == 200:
                walk.complain(address, method, "a key opens a page for people")
    assert not walk.wrong, "\n".join(walk.wrong)
    assert versions() == before


def test_the_public_page_of_a_letter_names_no_child(house: House) -> None:
    letter = Letter.objects.filter(case=house.row["case"]).first()
    response = Client().get(f"/v/{letter.token}/")
    assert response.status_code == 200
    text = response.content.decode()
    for secret in set(house.secrets) - {letter.number}:
        assert secret not in text


def test_the_owner_does_see_them(house: House) -> None:
    """The walk above would also pass in an empty house."""
    user = UserFactory(roles=["manager", "supervisor", "finance", "first_review"], tpa=house.row["case"].tpa)
    client = Client()
    client.force_login(user)
    number, file = house.row["case"].number, house.row["file"].number
    for path in (
        f"/admin/case/{number}/",
        "/admin/?scope=all",
        f"/admin/payments/paymentfile/{file}/desk/",
        f"/api/v1/claims/{number}/",
    ):
        assert number in client.get(path).content.decode(), path
