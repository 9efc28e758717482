"""The doors: interface, batch, workbook, screens; who may pass, what a decision costs."""

from __future__ import annotations

import html
import io
import re
from base64 import b64decode
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, make_actor, web_of
from apps.cases.engine import perform, perform_many
from apps.core.errors import InvalidInputs, NotAllowed, NotFound
from apps.core.import_models import ImportJob
from apps.direct.actions import submit_direct
from apps.direct.columns import CLAIMS
from apps.direct.importer import import_claims
from apps.direct.models import Collected, DirectClaim
from apps.direct.tests.world import TOLD, Direct
from apps.products import calendars
from apps.products.actions import load_calendar

pytestmark = pytest.mark.django_db
URL = "/api/v1/direct-claims/"
BUDGET = 25


# --- Interface ------------------------------------------------------------------------------------------------


def test_a_hospital_submits_its_own_and_reads_what_became_of_it(world: Direct) -> None:
    client = ApiClientFactory(hospital="PRI")
    api = api_of(client)
    data = world.submission(contact_email="")
    sent = api.post(URL, data, headers={"Idempotency-Key": "k-1"})
    again = api.post(URL, data, headers={"Idempotency-Key": "k-1"})
    assert (sent.status_code, again.status_code, DirectClaim.objects.count()) == (201, 201, 1), sent.content
    number = sent.json()["number"]
    assert sent.json()["missing"] == []
    assert (sent.json()["state"], sent.json()["direct"]["source"], sent.json()["self_pay"]) == (
        "INTAKE",
        "API",
        None,
    )
    case = world.look(world.cases(number))
    world.do(world.seen(case), "decide", by="senior")
    read = api.get(f"{URL}{number}/").json()
    assert read["state"] == "ADJUDICATED"
    assert read["decisions"][0]["lines"][0]["insurer"] == read["decisions"][0]["insurer"]
    assert api.get(URL).json()["results"][0]["number"] == number
    other = api_of(ApiClientFactory(hospital="PUB"))
    assert other.get(f"{URL}{number}/").status_code == 404
    assert other.get(URL).json()["results"] == []
    other_day = world.visit(hospital="PRI", started_on="2026-09-11")
    unsigned = api.post(
        URL, world.submission(other_day, contact_email="", papers=world.kit(without="SIGNED_RECEIPT"))
    )
    (lacking,) = unsigned.json()["missing"]
    assert (unsigned.json()["state"], lacking["paper"], lacking["rule"]) == (
        "INTAKE_INCOMPLETE",
        "SIGNED_RECEIPT",
        "APT-06",
    )
    assert lacking["title"]
    assert lacking["remedy"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "李小红"}, "member.number"),
        ({"birth_date": "2021-05-05"}, "member.number"),
        ({"birth_date": None}, "member.birth_date"),
    ],
)
def test_a_hospital_names_the_child_and_learns_nothing_else(world: Direct, change: Any, field: str) -> None:
    data = world.submission() | {"member": {"number": "M2026"} | TOLD | change}
    with pytest.raises(InvalidInputs) as refused:
        submit_direct(world.hospital_client("PRI"), data=data)
    assert [error.field for error in refused.value.errors] == [field]


def test_who_may_not(world: Direct) -> None:
    with pytest.raises(NotAllowed) as refused:
        submit_direct(world.hospital_client("PUB"), data=world.submission())
    assert refused.value.code == "hospital"
    with pytest.raises(NotAllowed):
        world.send(by="finance")
    with pytest.raises(InvalidInputs):  # another administrator sees no children of the series
        world.send(by=make_actor("first_review", tpa="OTHER", series=["2024"]))
    case = world.send()
    with pytest.raises(NotFound):
        perform(case.number, "withdraw", world.hospital_client("PUB"), reason="not ours")
    with pytest.raises(NotAllowed):
        perform(
            case.number,
            "settle",
            world.hospital_client("PRI"),
            statement="S",
            reference="P",
            paid_at=world.now,
        )
    assert DirectClaim.objects.count() == 1


def test_everything_wrong_is_named_at_once(world: Direct) -> None:
    line = world.line("100.00", collected="150.00")
    visit = world.visit(
        [world.bill(lines=[line]) | {"amount": "120.00"}], hospital="PRI", started_on="2027-01-01"
    )
    answer = api_of(ApiClientFactory(hospital="PRI")).post(
        URL, world.submission(visit, contact_email="x", card="123")
    )
    assert answer.status_code == 400
    fields = {error["field"] for error in answer.json()["error"]["errors"]} if "error" in answer.json() else {
        error["field"] for error in answer.json()["errors"]
    }  # fmt: skip
    assert {"visits.0.started_on", "visits.0.bills.0.amount"} <= fields
    assert not DirectClaim.objects.exists()


def test_a_batch_is_stored_whole_or_not_at_all(world: Direct) -> None:
    api = api_of(ApiClientFactory(hospital="PRI"))
    bill = world.bill()
    one, same = (world.submission(world.visit([bill], hospital="PRI"), contact_email="") for _n in range(2))
    late = world.submission(world.visit(hospital="PRI", started_on="2027-01-01"), contact_email="")
    refused = api.post(f"{URL}batch/", {"claims": [one, late, same]})
    assert (refused.status_code, DirectClaim.objects.count()) == (400, 0)
    text = refused.content.decode()
    assert "claims.1.visits.0.started_on" in text
    assert "claims.2.visits.0.bills.0" in text
    assert "LAW-11" in text
    good = api.post(f"{URL}batch/", {"claims": [one, world.submission(contact_email="")]})
    assert (good.status_code, len(good.json()["claims"]), DirectClaim.objects.count()) == (201, 2, 2)


# --- Workbook -------------------------------------------------------------------------------------------------


def book(*rows: dict[str, Any]) -> io.BytesIO:
    workbook = Workbook()
    sheet: Any = workbook.active
    sheet.title = "直付账单"
    sheet.append([column.name for column in CLAIMS.columns])
    for row in rows:
        sheet.append([row.get(column.key, "") for column in CLAIMS.columns])
    stream = io.BytesIO()
    workbook.save(stream)
    stream.seek(0)
    return stream


def row(reference: str = "R1", **fields: Any) -> dict[str, Any]:
    return {
        "reference": reference, "hospital": "PRI", "member": "M2026", "name": "王小明", "birth_date": "2021-05-04",
        "id_type": "护照", "id_photo": "是", "visit_type": "门诊", "department": "儿科", "started_on": "2026-09-10",
        "diagnosis": "J20.900", "bill_type": "纸质医疗票据", "bill_code": "01020304", "bill_number": f"{len(reference):010d}",
        "issued_on": "2026-09-10", "item": "血常规", "kind": "检查", "amount": "100.00", "collected": "20.00",
    } | fields  # fmt: skip


def test_a_workbook_is_tried_then_stored(world: Direct) -> None:
    rows = [
        row(),
        row(item="阿莫西林", kind="药品", amount=50),
        row("R22", started_on="2026-09-11", issued_on="2026-09-11"),
    ]
    trial = import_claims(world.actor("intake"), book(*rows), dry_run=True)
    assert (trial.errors, trial.rows, DirectClaim.objects.count()) == ([], 3, 0)
    assert not ImportJob.objects.exists()  # a trial is no import
    report = import_claims(world.actor("intake"), book(*rows), dry_run=False, name="九月.xlsx")
    job = ImportJob.objects.get()
    assert (job.kind, job.state, job.file_name, job.done_rows, job.file.name) == (
        "direct",
        "APPLIED",
        "九月.xlsx",
        3,
        "",
    )
    manager = web_of(UserFactory(username="m", roles=("manager",)))
    assert "九月.xlsx" in manager.get(reverse("admin:core_importjob_change", args=[job.pk])).content.decode()
    assert "直付案件" in manager.get(reverse("admin:core_importjob_changelist")).content.decode()
    assert (
        manager.get(reverse("admin:core_importjob_upload", args=["direct"])).status_code == 404
    )  # has its own page
    assert (report.errors, report.entities["direct-billing claims"]["created"]) == ([], 2)
    assert set(DirectClaim.objects.values_list("source", "case__state")) == {("EXCEL", "INTAKE_INCOMPLETE")}
    assert sum(Collected.objects.values_list("amount_fen", flat=True)) == 60_00
    case = DirectClaim.objects.order_by("pk")[0].case
    assert case.external_numbers.get().number == "R1"


def test_every_wrong_row_is_named_and_nothing_is_stored(world: Direct) -> None:
    api = api_of(ApiClientFactory(hospital="PRI"))
    rows = [
        row(), row("R22", amount="12,3x"), row("R333", started_on="2027-03-01", issued_on="2026-09-10"),
        row("R4444", member="M9"), row("R55555"), row("R55555", department="外科", item="x"),
        row("R1x", bill_number="0000000002"),
    ]  # fmt: skip
    stream = book(*rows)
    stream.name = "batch.xlsx"
    answer = api.post(f"{URL}workbook/", {"file": stream}, format="multipart")
    found = {(error["row"], error["column"]) for error in answer.json()["errors"]}
    assert (answer.status_code, answer.json()["stored"], DirectClaim.objects.count()) == (400, False, 0)
    assert {(3, "金额"), (4, "就诊日期"), (5, "会员号"), (7, "科室")} <= found, answer.json()["errors"]
    assert all(error["expected"] for error in answer.json()["errors"])
    job = ImportJob.objects.get()
    assert (job.state, job.error_count, bool(job.error_file)) == (
        "FAILED",
        len(answer.json()["errors"]),
        True,
    )
    wrong = book(row(hospital="PUB"))
    wrong.name = "other.xlsx"
    refused = api.post(f"{URL}workbook/", {"file": wrong}, format="multipart")
    assert (refused.status_code, DirectClaim.objects.count()) == (400, 0)


# --- Screens --------------------------------------------------------------------------------------------------


def address(case: Any) -> str:
    return reverse("admin:case", kwargs={"number": case.number})


def test_pages_lists_and_excel(world: Direct) -> None:
    for name in ("intake", "senior"):
        world.actor(name)
    web = web_of(User.objects.get(username="intake"))
    decided = world.settle(world.decided())
    waiting = world.send(papers=[], id_type="")
    admitted = world.admit(authorization=world.sent().number)
    for case in (decided, waiting, admitted):
        page = web.get(address(case))
        assert page.status_code == 200, case.number
        assert case.number in page.content.decode()
    assert "P26-1" in web.get(address(decided)).content.decode()
    for path in ("direct/new/", "direct/admit/", "direct/batch/"):
        assert web.get(f"/admin/{path}").status_code == 200, path
    for path in (
        "direct/directclaim/?state=ADMITTED",
        "direct/directclaim/?hospital=PRI",
        "direct/hospitalpayment/",
    ):
        listed = web.get(f"/admin/{path}")
        assert listed.status_code == 200, path
    data = {"action": "export_excel", "_selected_action": [str(decided.pk), str(admitted.pk)]}
    sheet = load_workbook(io.BytesIO(web.post("/admin/direct/directclaim/", data).content)).active
    assert sheet is not None
    assert sheet.max_row == 3
    wrong = book(row(amount="12,3x"))
    wrong.name = "九月.xlsx"
    tried = web.post("/admin/direct/batch/", {"file": wrong, "trial": "1"})
    link = re.search(r'download="([^"]+)" href="data:[^,]+,([^"]+)"', tried.content.decode())
    assert link is not None
    errors = load_workbook(io.BytesIO(b64decode(html.unescape(link[2])))).active
    assert errors is not None
    assert (link[1], [cell.value for cell in errors[2]][1:4]) == ("错误-九月.xlsx", [2, "金额", "12,3x"])
    posted = web.post("/admin/direct/new/", {"member.number": "M2026", "reporter.name": ""})
    assert posted.status_code == 400
    assert web_of(User.objects.create(username="nobody", is_staff=True)).get(
        "/admin/direct/new/"
    ).status_code in (302, 403)


# --- What a decision costs ------------------------------------------------------------------------------------


def statements(captured: CaptureQueriesContext) -> list[str]:
    bracket = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(bracket)]


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_decision_of_ten_lines(
    world: Direct, series: str, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    load_calendar(range(2024, 2027))
    monkeypatch.setattr(calendars, "RECHECK_SECONDS", 600)
    monkeypatch.setattr("apps.documents.tasks.render_letters.apply_async", lambda *args, **options: None)
    lines = [world.line("100.00", name=f"item {index}", kind="DRUG") for index in range(10)]
    case, actor = (
        world.review(world.visit([world.bill(lines=lines)], hospital="PRI"), series=series),
        world.actor("senior"),
    )
    cache.clear()
    calendars._Kept.calendar, calendars._Kept.asked_at = None, 0.0
    with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks(execute=True):
        decided = perform_many([case.number], "decide", actor, now=world.now)
    found = statements(captured)
    assert decided[0].state == "ADJUDICATED"
    written = next(n for n, sql in enumerate(found, 1) if "cases_casefile" in sql and "UPDATE" in sql)
    assert written <= BUDGET, "\n".join(sql[:150] for sql in found)
    assert len(found) <= BUDGET + 6, "\n".join(sql[:150] for sql in found[written:])  # what follows from it
