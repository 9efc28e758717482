"""The outbox as staff see it: own cases only, masked, nothing to change but sending again."""

import io

import pytest
from openpyxl import load_workbook

from apps.accounts.tests.factories import UserFactory, web_of
from apps.documents.letters import queue_letter
from apps.documents.models import Letter
from apps.documents.register import register_bills
from apps.documents.tests import letters_data as data
from apps.documents.tests.factories import make_case, make_member, within
from apps.documents.tests.test_register import bill
from apps.messaging.models import Message
from apps.messaging.outbox import queue_call, queue_message

pytestmark = pytest.mark.django_db
LISTS = ("messaging/message", "messaging/calltask", "documents/letter", "documents/billregister")


def reader(*roles, **fields):
    return web_of(UserFactory(roles=roles or ["first_review"], **fields))


def full_case(series="2026", number="M000001", bill_number="1234567890"):
    case = make_case(series, make_member(number))

    def work(ctx):
        queue_letter(ctx, data.eob())
        register_bills(ctx, [bill(bill_number)])
        queue_call(ctx, case=case, purpose="decision", script="请告知", key=f"c:{case.number}")
        queue_message(
            ctx, case=case, channel="SMS", template="decision", recipient="13812345678", context={"amount": "1"},
            key=f"m:{case.number}",
        )  # fmt: skip

    within(case, work)
    return case


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_own_cases_only_and_cost_the_same_for_one_row_and_three(path):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    hidden = full_case("2024", "M000009", "9994567890")

    def look(client):
        with CaptureQueriesContext(connection) as captured:
            response = client.get(f"/admin/{path}/")
        assert response.status_code == 200
        return response.content.decode(), len(captured)

    first = full_case()
    client = reader(series=["2026"])
    look(client)
    page, cost = look(client)
    assert first.number in page
    assert "13812345678" not in page
    others = [full_case("2026", f"M00000{n}", f"{n}234567890") for n in (2, 3)]
    page, cost_of_three = look(client)
    assert cost_of_three <= cost
    assert all(case.number in page for case in others)
    assert hidden.number not in page


@pytest.mark.parametrize("path", LISTS)
def test_nothing_can_be_changed_added_or_deleted(path):
    full_case()
    client = reader()
    for address in (f"/admin/{path}/add/", f"/admin/{path}/1/delete/"):
        assert client.get(address).status_code in (302, 403, 404)


def test_bill_is_found_by_its_number_and_exported():
    case = full_case()
    client = reader()
    assert case.number in client.get("/admin/documents/billregister/?q=1234567890").content.decode()
    assert "0 " in client.get("/admin/documents/billregister/?q=7777777777").content.decode()
    exported = client.get("/admin/documents/billregister/export/?q=1234567890")
    heads, row = load_workbook(io.BytesIO(exported.content)).active.iter_rows(values_only=True)
    assert heads == ("票据", "案件", "金额", "开票日期", "登记时间", "解除时间")
    assert (row[1], row[2]) == (case.number, 120)


def test_failed_message_is_sent_again_by_those_who_may():
    full_case()
    Message.objects.update(state="FAILED", next_attempt_at=None)
    form = {"action": "send_again", "_selected_action": [Message.objects.get().pk]}
    reader("first_review").post("/admin/messaging/message/", form)
    assert Message.objects.get().state == "FAILED"
    reader("supervisor").post("/admin/messaging/message/", form)
    assert Message.objects.get().state == "QUEUED"


def test_failed_letter_is_rendered_again_by_those_who_may_a_rendered_one_never():
    full_case()
    form = {"action": "render_again", "_selected_action": [Letter.objects.get().pk]}
    for role, before, after in (
        ("first_review", "FAILED", "FAILED"),
        ("supervisor", "RENDERED", "RENDERED"),
        ("supervisor", "FAILED", "QUEUED"),
    ):
        Letter.objects.update(state=before)
        reader(role).post("/admin/documents/letter/", form)
        assert Letter.objects.get().state == after


def test_people_without_a_role_see_no_list():
    client = web_of(UserFactory(roles=[]))
    assert {client.get(f"/admin/{path}/").status_code for path in LISTS} == {403}


def test_a_message_of_no_case_is_shown_to_nobody():
    queue_message(
        None, case=None, channel="SMS", template="decision", recipient="13812345678", context={"amount": "4711"},
        key="code",
    )  # fmt: skip
    client, message = reader("manager"), Message.objects.get()
    assert client.get(f"/admin/messaging/message/{message.pk}/change/").status_code == 302
    assert "4711" not in client.get("/admin/messaging/message/").content.decode()
