"""The inbox over the API: scopes, administrators, the same steps, one shape of refusals."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import AccessLog
from apps.claims.tests.world import World
from apps.mailroom.models import Email
from apps.mailroom.tests.letters import CLAIMS_2024, INVOICE, STRANGER, letter
from apps.mailroom.tests.test_matching import came
from apps.mailroom.tests.test_polling import waiting
from tests.api import machine, person, refusal

EMAILS = "/api/v1/emails/"
SCOPES = ["mail:read", "mail:write"]


@pytest.fixture
def email(world: World) -> Email:
    return came(
        letter(
            "材料 310101202105041234",
            sender=STRANGER,
            text="王小明的发票",
            files={"发票.jpg": INVOICE, "x.exe": b"MZ"},
        ),
        address=CLAIMS_2024,
    )


def test_lists_mask_and_details_are_logged(world: World, email: Email) -> None:
    api = machine("TPA", scopes=SCOPES, tpa="WINDSTONE")
    row = api.get(EMAILS, {"state": "NEW", "unread": "true"}).json()["results"][0]
    assert (row["subject"], row["sender_masked"]) == ("材料 310***********1234", "s***@elsewhere.example")
    assert "text" not in row
    found = api.get(f"{EMAILS}{email.pk}/").json()
    assert (found["sender"], found["text"].strip(), found["rule"]) == (STRANGER, "王小明的发票", "RMB-38")
    assert [(one["name"], one["reason"]) for one in found["files"]] == [
        ("发票.jpg", ""),
        ("x.exe", "EXECUTABLE"),
    ]
    assert found["files"][1]["why"]
    assert AccessLog.objects.filter(what=f"email:{email.pk}").count() == 1
    content = b"".join(api.get(f"{EMAILS}{email.pk}/files/1/").streaming_content)
    assert content == INVOICE
    assert api.get(f"{EMAILS}{email.pk}/files/2/").status_code == 404


def test_scopes_roles_and_administrators(world: World, email: Email) -> None:
    detail, step = f"{EMAILS}{email.pk}/", f"{EMAILS}{email.pk}/steps/dismiss/"
    body = {"version": 1, "input": {"reason": "SPAM"}}
    nothing = machine("TPA", scopes=["claims:read"], tpa="WINDSTONE")
    assert refusal(nothing.get(EMAILS)).status == 403
    reader = machine("TPA", scopes=["mail:read"], tpa="WINDSTONE")
    assert refusal(reader.post(step, body)).status == 403
    other = machine("TPA", scopes=SCOPES, tpa="ELSEWHERE")
    assert other.get(EMAILS).json()["results"] == []
    assert refusal(other.get(detail)).code == "not_found"
    assert refusal(other.post(step, body)).code == "not_found"
    for kind in ("HOSPITAL", "MEMBER_APP", "PROVIDER"):
        assert refusal(machine(kind, scopes=SCOPES).get(EMAILS)).code == "role"
        assert refusal(machine(kind, scopes=SCOPES).get(detail)).code == "role"
    assert refusal(person("finance").get(EMAILS)).code == "role"
    assert person("auditor").get(detail).status_code == 200
    assert refusal(person("auditor").post(step, body)).code == "role"
    assert Email.objects.get(pk=email.pk).state == "NEW"


def test_steps_over_the_api(world: World, email: Email) -> None:
    case = waiting(world, series="2024")
    api = machine("TPA", scopes=SCOPES, tpa="WINDSTONE")
    step = f"{EMAILS}{email.pk}/steps/file/"
    assert refusal(api.post(step, {"version": 9, "input": {"case": case.number}})).code == "stale"
    assert refusal(api.post(step, {"version": 1, "input": {}})).field == "case"
    assert refusal(api.post(step, {"version": 1, "input": {"version": 1}})).field == "input.version"
    assert refusal(api.post(f"{EMAILS}{email.pk}/steps/explode/", {"version": 1})).code == "unknown_action"
    done = api.post(step, {"version": 1, "input": {"case": case.number}})
    assert (done.status_code, done.json()["state"], done.json()["case"]) == (200, "FILED", case.number)
    assert api.get(EMAILS, {"case": case.number}).json()["results"][0]["version"] == 2


def test_a_keyed_answer_is_sent_once(world: World, email: Email) -> None:
    from apps.messaging.models import Message

    api = machine("TPA", scopes=SCOPES, tpa="WINDSTONE")
    body: dict[str, Any] = {"version": 1, "input": {"template": "mail_who"}}
    for _turn in range(2):
        response = api.post(f"{EMAILS}{email.pk}/steps/answer/", body, HTTP_IDEMPOTENCY_KEY="once")
        assert response.status_code == 200
    assert Message.objects.filter(template="mail_who").count() == 1
