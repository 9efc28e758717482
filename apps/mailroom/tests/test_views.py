"""The inbox on the screen: list, page, files; nothing of a hostile message runs."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from apps.accounts.models import AccessLog
from apps.accounts.tests.factories import UserFactory
from apps.claims.models import Claim
from apps.claims.tests.world import World
from apps.mailroom.models import Email
from apps.mailroom.tests.letters import CLAIMS_2024, INVOICE, RECORD, STRANGER, letter
from apps.mailroom.tests.test_matching import came
from apps.mailroom.tests.test_polling import waiting

LIST = "/admin/mailroom/email/"


def at(role: str = "mailroom", **scope: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(roles=[role], **scope))
    return client


@pytest.fixture
def email(world: World) -> Email:
    evil = "<script>alert(1)</script>"
    raw = letter(
        f"材料{evil}",
        sender=STRANGER,
        text=f"{evil} 王小明",
        files={f"发票{evil}.jpg": INVOICE, "a.docm": b"PK"},
    )
    return came(raw)


def test_the_list_filters_searches_and_exports(world: World, email: Email) -> None:
    case = waiting(world)
    came(letter(f"补件 {case.number}", message_id="<2@x>", files={"a.pdf": RECORD}))
    client = at()
    assert client.get("/admin/mail/").headers["Location"] == f"{LIST}?state__exact=NEW"
    page = client.get(f"{LIST}?state__exact=NEW").content.decode()
    assert "s***@elsewhere.example" in page
    assert "<script>alert" not in page
    assert STRANGER not in page
    found = client.get(f"{LIST}?q={STRANGER.upper()}").content.decode()
    assert "elsewhere.example" in found
    assert case.number not in found
    assert case.number in client.get(f"{LIST}?q={case.number}").content.decode()
    client.get(f"/admin/mail/{email.pk}/")
    assert "elsewhere" not in client.get(f"{LIST}?unread=1").content.decode()
    pks = list(Email.objects.values_list("pk", flat=True))
    answer = client.post(LIST, {"action": "export_excel", "_selected_action": pks})
    sheet = load_workbook(BytesIO(answer.content)).active
    assert sheet.max_row == 3


def test_the_page_shows_words_only_and_logs_the_reading(world: World, email: Email) -> None:
    response = at().get(f"/admin/mail/{email.pk}/")
    page = response.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 王小明" in page
    assert "<script>alert" not in page
    assert "RMB-26" in page
    assert "a.docm" in page
    assert AccessLog.objects.filter(what=f"email:{email.pk}").count() == 1
    email.refresh_from_db()
    assert email.opened_at is not None


def test_files_are_pictures_or_downloads(world: World, email: Email) -> None:
    client = at()
    picture = client.get(f"/admin/mail/{email.pk}/files/1/pages/1.png")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
    for path in (f"/admin/mail/{email.pk}/files/1/", f"/admin/mail/{email.pk}/raw/"):
        response = client.get(path)
        assert response["Content-Disposition"].startswith("attachment")
        assert "sandbox" in response["Content-Security-Policy"]
        assert response["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"/admin/mail/{email.pk}/files/2/").status_code == 404
    assert client.get(f"/admin/mail/{email.pk}/files/1/pages/9.png").status_code == 404


def test_nobody_else_sees_it(world: World, email: Email) -> None:
    paths = [
        f"/admin/mail/{email.pk}/{end}" for end in ("", "report/", "raw/", "files/1/", "files/1/pages/1.png")
    ]
    for client in (at("finance"), at(series=["2024"]), at(tpa="WINDSTONE"), Client()):
        for path in paths:
            assert client.get(path).status_code in (302, 403, 404)
        assert client.post(paths[0], {"step": "dismiss", "version": "1", "reason": "SPAM"}).status_code in (
            302,
            403,
            404,
        )
    email.refresh_from_db()
    assert (email.state, email.opened_at) == ("NEW", None)
    theirs = came(letter("x", sender=STRANGER, message_id="<t@x>"), address=CLAIMS_2024)
    assert at(tpa="WINDSTONE").get(f"/admin/mail/{theirs.pk}/").status_code == 200
    auditor = at("auditor")
    assert auditor.get(paths[0]).status_code == 200
    assert auditor.post(paths[0], {"step": "dismiss", "version": "1", "reason": "SPAM"}).status_code == 403


def test_steps_on_the_page_and_what_is_wrong_with_them(world: World, email: Email) -> None:
    client, path, case = at(), f"/admin/mail/{email.pk}/", waiting(world)
    wrong = client.post(path, {"step": "file", "version": "1", "case": "C26-999999"})
    assert (wrong.status_code, "C26-999999" in wrong.content.decode()) == (404, True)
    assert client.post(path, {"step": "file", "version": "7", "case": case.number}).status_code == 409
    assert client.post(path, {"step": "nonsense", "version": "1"}).status_code == 400
    assert client.post(path, {"step": "dismiss", "version": "1"}).status_code == 400
    row = email.files.first()
    done = client.post(
        path,
        {
            "step": "file",
            "version": "1",
            "case": case.number,
            "files.0.file": row.pk,
            "files.0.kind": "INVOICE",
        },
    )
    assert done.headers["Location"] == f"/admin/case/{case.number}/"
    page = client.get(f"/admin/case/{case.number}/").content.decode()
    assert f"/admin/mail/{email.pk}/" in page  # on its timeline
    version = Email.objects.get(pk=email.pk).version
    answer = {"step": "answer", "version": version, "template": "mail_files"}
    assert client.post(path, answer).status_code == 302
    sort = {"step": "sort", "version": version + 1, "file": row.pk, "kind": "MEDICAL_RECORD"}
    assert client.post(path, sort).status_code == 302
    happened = client.get(path).content.decode().partition("处理经过")[2].partition("</ul>")[0]
    assert "请重新发送无法读取的文件" in happened
    assert " → 门急诊病历<" in happened
    assert "mail_files" not in happened
    assert "MEDICAL_RECORD" not in happened


def test_a_claim_is_reported_from_the_page(world: World) -> None:
    email = came(letter("报案", files={"发票.jpg": INVOICE}, text="被保险人：王小明"), address=CLAIMS_2024)
    client, path = at(), f"/admin/mail/{email.pk}/report/?version=1"
    page = client.get(path).content.decode()
    assert 'value="M2024"' in page
    assert "王建国" in page
    data = {
        "member.number": "M2024", "reporter.name": "王建国", "channel": "EMAIL", "category": "REIMBURSEMENT",
        "visits.0.visit_type": "OUTPATIENT", "visits.0.hospital": "PUB", "visits.0.department": "儿科",
        "visits.0.started_on": "2026-09-10", "visits.0.bills.0.bill_type": "FISCAL_PAPER",
        "visits.0.bills.0.code": "01020304", "visits.0.bills.0.number": "0000000077",
        "visits.0.bills.0.issued_on": "2026-09-10", "visits.0.bills.0.amount": "100.00",
        "visits.0.bills.0.lines.0.name": "血常规", "visits.0.bills.0.lines.0.kind": "EXAM",
        "visits.0.bills.0.lines.0.amount": "100.00",
    }  # fmt: skip
    wrong = client.post(path, {**data, "visits.0.hospital": "NOWHERE"})
    assert (wrong.status_code, Claim.objects.count()) == (400, 0)
    done = client.post(path, data)
    claim = Claim.objects.get()
    assert done.headers["Location"] == f"/admin/case/{claim.case.number}/"
    assert claim.case.papers.filter(kind="INVOICE").exists()


def test_mailboxes_show_whether_they_are_read(world: World, email: Email) -> None:
    page = at().get("/admin/mailroom/mailbox/").content.decode()
    assert "ext.jdazcservice1@jd.com" in page
    assert "RMB-26" in page


def test_an_address_in_the_search_finds_the_cases_written_to(world: World) -> None:
    case = waiting(world)
    came(letter(f"补件 {case.number}", files={"a.pdf": RECORD}))
    assert case.number in at().get("/admin/find/?q=WANG@example.com").content.decode()
