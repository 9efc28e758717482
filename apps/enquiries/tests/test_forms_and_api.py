"""Forms by e-mail (APP-05), the front end of families, the list and the pages of staff."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, web_of
from apps.cases.engine import perform
from apps.claims.tests.world import World
from apps.core.errors import Blocked, InvalidInput
from apps.documents.models import Letter
from apps.documents.rendering import render_html
from apps.documents.tasks import render_letter
from apps.documents.tests.paper import text_of
from apps.enquiries.actions import send_forms
from apps.enquiries.models import Enquiry
from apps.enquiries.tests.test_walk import asked, complaint
from apps.messaging.delivery import deliver_due, report_deliveries
from apps.messaging.models import Message

URL = "/api/v1/enquiries/"
SCOPES = ["cases:read", "cases:write"]
ALL = ["CLAIM_FORM", "PAPERS", "MINOR_PAPERS", "MAILING"]


def machine(kind: str, **fields: Any) -> Any:
    return api_of(ApiClientFactory(kind=kind, scopes=SCOPES, **fields))


def web(*roles: str, **fields: Any) -> Any:
    return web_of(UserFactory(roles=roles, is_staff=True, **fields))


def test_forms_go_to_the_guardian_on_file_and_are_recorded(
    world: World, rulebook: Any, mailoutbox: Any
) -> None:
    case = send_forms(world.actor("service"), {"member": "M2026", "forms": ALL})
    row, letter = Enquiry.objects.get(pk=case.pk), Letter.objects.get(case=case)
    assert (case.state, row.forms, row.sent_to, row.rule) == ("ANSWERED", ALL, "w***@example.com", "APP-05")
    assert render_letter(letter.pk) or Letter.objects.get(pk=letter.pk).state == "RENDERED"
    deliver_due()
    report_deliveries()
    assert Letter.objects.get(pk=letter.pk).state == "SENT"
    assert [mail.to for mail in mailoutbox] == [["wang@example.com"]]
    _name, content, kind = mailoutbox[0].attachments[0]
    assert kind == "application/pdf"
    text = text_of(content)
    for words in ("理赔申请表", "关系证明", "100176", case.number):
        assert words in text, words
    rulebook.read_back("APP-05", (row.forms, row.sent_to))


def test_only_what_was_chosen_is_in_the_letter(world: World) -> None:
    send_forms(world.actor("service"), {"member": "M2026", "forms": ["MINOR_PAPERS"]})
    html = render_html(Letter.objects.get())
    assert "出生证明或户口本" in html
    assert "理赔申请表" not in html
    assert "100176" not in html


def test_2024_lists_no_such_service(world: World, rulebook: Any) -> None:
    """GEN-04."""
    with pytest.raises(Blocked) as refused:
        send_forms(world.actor("service"), {"member": "M2024", "forms": ALL})
    assert (refused.value.code, refused.value.rule) == ("not_offered", "GEN-04")
    with pytest.raises(Blocked) as refused:
        perform(asked(world, "2024"), "send_forms", world.actor("service"), forms=["PAPERS"])
    assert refused.value.rule == "GEN-04"
    assert not Letter.objects.exists()


def test_another_address_needs_a_reason(world: World) -> None:
    def send(**more: Any) -> Any:
        return send_forms(world.actor("service"), {"member": "M2026", "forms": ["CLAIM_FORM"]} | more)

    for more, field in (
        ({"address": "aunt@example.com"}, "reason"), ({"address": "aunt", "reason": "祖母代办"}, "address"),
        ({"forms": []}, "forms"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            send(**more)
        assert (refused.value.field, refused.value.rule) == (field, "APP-05")
    assert not Message.objects.exists()
    row = Enquiry.objects.get(pk=send(address="aunt@example.com", reason="祖母代办").pk)
    assert (row.sent_to, row.sent_why) == ("a***@example.com", "祖母代办")
    assert Message.objects.get().recipient == "aunt@example.com"
    with pytest.raises(Blocked) as blocked:
        perform(row.case.number, "send_forms", world.actor("service"), forms=["PAPERS"])
    assert blocked.value.code == "on_its_way"


def test_a_family_without_an_address_is_told_so(world: World) -> None:
    world.policy_of("2026").policyholder.__class__.objects.update(email="")
    with pytest.raises(InvalidInput) as refused:
        send_forms(world.actor("service"), {"member": "M2026", "forms": ALL})
    assert refused.value.code == "no_address"


def test_a_family_asks_and_reads_about_its_own_child_only(world: World, rulebook: Any) -> None:
    family, others = machine("MEMBER_APP", member="M2024"), machine("MEMBER_APP", member="M2026")
    given = {"member": "M2024", "sort": "COMPLAINT", "asker": "王建国", "text": "客服电话打不通"}
    made = family.post(URL, given, format="json")
    assert made.status_code == 201, made.content
    number = made.json()["number"]
    assert made.json()["enquiry"]["rule"] == "APP-27"
    assert made.json()["enquiry"]["channel"] == "ONLINE"
    assert "COMPLAINT" in world.handbook("2024").handbook.value("card.functions")
    rulebook.read_back("CRD-28", made.json()["enquiry"]["text"])
    perform(number, "answer", world.actor("lead"), text="已增加坐席。")
    told = family.get(f"{URL}{number}/").json()
    assert told["enquiry"]["answer"] == "已增加坐席。"
    assert "complained_of" not in str(told)
    assert [row["number"] for row in family.get(URL + "?sort=COMPLAINT").json()["results"]] == [number]
    assert others.get(f"{URL}{number}/").status_code == 404
    assert others.get(URL).json()["results"] == []
    assert others.post(URL, given, format="json").status_code == 400
    assert family.post(URL, given | {"answer": "好"}, format="json").status_code == 400
    again = {"version": told["version"], "input": {"reason": "再问"}}
    assert family.post(f"/api/v1/cases/{number}/actions/reopen/", again, format="json").status_code == 403
    assert machine("HOSPITAL", hospital="PUB").post(URL, given, format="json").status_code == 403
    assert machine("HOSPITAL", hospital="PUB").get(URL).json()["results"] == []


def test_a_family_has_forms_sent_to_the_address_on_file(world: World) -> None:
    family = machine("MEMBER_APP", member="M2026")
    assert [one["key"] for one in family.get(f"{URL}forms/?member=M2026").json()] == ALL
    assert machine("MEMBER_APP", member="M2024").get(f"{URL}forms/?member=M2024").json() == []
    assert family.get(f"{URL}forms/?member=M2024").status_code == 400
    sent = family.post(f"{URL}forms/", {"member": "M2026", "forms": ["PAPERS"]}, format="json")
    assert (sent.status_code, sent.json()["enquiry"]["sent_to"]) == (201, "w***@example.com")
    assert sent.json()["enquiry"]["channel"] == "MINIPROGRAM"
    other = {"member": "M2026", "forms": ["PAPERS"], "address": "x@example.com", "reason": "换地址"}
    assert family.post(f"{URL}forms/", other, format="json").status_code == 403
    assert (
        family.post(f"{URL}forms/", {"member": "M2024", "forms": ["PAPERS"]}, format="json").status_code
        == 400
    )
    refused = machine("MEMBER_APP", member="M2024").post(
        f"{URL}forms/", {"member": "M2024", "forms": ["PAPERS"]}, format="json"
    )
    assert (refused.status_code, "GEN-04" in refused.content.decode()) == (409, True)


def test_the_list_searches_filters_and_exports(world: World) -> None:
    closed = world.closed(world.visit(), series="2024")
    wished = complaint(world, about=closed.number, appeal=True)
    question = asked(world, text="可以去私立医院吗？")
    client, page = web("service_specialist"), "/admin/enquiries/"
    for query, shown, hidden in (
        ("", question, None), ("?sort=COMPLAINT", wished, question), ("?appeal=1&state=all", wished, question),
        ("?q=私立医院", question, wished), (f"?q={closed.number}", wished, question), ("?series=2026", question, wished),
        ("?who=nobody", None, question), ("?state=CLOSED", None, wished),
    ):  # fmt: skip
        text = client.get(page + query).content.decode()
        assert shown is None or f"case/{shown.number}/" in text, query
        assert hidden is None or f"case/{hidden.number}/" not in text, query
    assert web("mailroom").get(page).status_code == 403
    assert wished.number not in web("service_specialist", tpa="OTHER").get(page).content.decode()
    book = openpyxl.load_workbook(io.BytesIO(client.get(page + "?excel=1&appeal=1").content))
    rows = list(book.active.iter_rows(values_only=True))
    assert [row[0] for row in rows[1:]] == [wished.number]
    assert closed.number in rows[1]


def test_staff_record_and_send_on_pages(world: World) -> None:
    client = web("service_specialist")
    assert client.get("/admin/enquiries/record/?member=M2026").status_code == 200
    given = {
        "member": "M2026",
        "sort": "QUESTION",
        "asker": "母亲",
        "text": "何时到账？",
        "channel": "HOTLINE",
    }
    made = client.post("/admin/enquiries/record/", given)
    assert made.status_code == 302
    shown = client.get(made.url).content.decode()
    assert "何时到账？" in shown
    wrong = client.post("/admin/enquiries/record/", given | {"text": ""})
    assert (wrong.status_code, "何时到账" in wrong.content.decode()) == (400, False)
    sent = client.post("/admin/enquiries/forms/", {"member": "M2026", "forms": ["CLAIM_FORM", "MAILING"]})
    assert "w***@example.com" in client.get(sent.url).content.decode()
    refused = client.post("/admin/enquiries/forms/", {"member": "M2024", "forms": ["CLAIM_FORM"]})
    assert (refused.status_code, "GEN-04" in refused.content.decode()) == (409, True)
    assert web("auditor").get("/admin/enquiries/record/").status_code == 403
