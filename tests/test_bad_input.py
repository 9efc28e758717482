"""Wrong rows, wrong figures, wrong files: an error that names the field, and nothing is changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.cases.tests.test_views import case_url, enter
from apps.claims.tests.test_pages import flat
from apps.claims.tests.world import World
from apps.core.errors import DomainError, InvalidInputs
from apps.core.imports import jobs
from tests.api import machine, refusals, rows_of_every_table

CLAIMS = "/api/v1/claims/"
Spoil = Callable[[dict[str, Any]], None]


def put(path: str, value: Any) -> Spoil:
    """Replace what stands at "visits.0.bills.0.amount"."""

    def spoil(report: dict[str, Any]) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = report
        for part in way:
            place = place[part]
        place[last] = value

    return spoil


BILL, LINE, VISIT = "visits.0.bills.0", "visits.0.bills.0.lines.0", "visits.0"


def money(path: str) -> list[Any]:
    """Every way in which an amount is wrong, for one field."""
    wrong = [
        ("-800.00", "too_small"), ("800.001", "decimals"), ("¥800.00", "number"), ("800,00", "number"), ("1,800.00", "number"),
        ("八百", "number"), ("８００.００元", "number"), ("NaN", "number"), ("Infinity", "number"), ("1e3000000", "number"), ("1e-3000000", "number"),
        (800.1, "number"), (True, "number"), ([], "number"), ({}, "number"), ("99999999999.00", "too_large"),
    ]  # fmt: skip
    return [
        pytest.param(put(path, value), path, code, id=f"{path.split('.')[-1]}={value}")
        for value, code in wrong
    ]


def dates(path: str) -> list[Any]:
    wrong = [
        ("2031-01-01", "future"),
        ("2026-02-30", "date"),
        ("10/09/2026", "date"),
        ("20260931", "date"),
        ("", "required"),
    ]
    return [
        pytest.param(put(path, value), path, code, id=f"{path.split('.')[-1]}={value}")
        for value, code in wrong
    ]


WRONG = [
    *money(f"{LINE}.amount"),
    *money(f"{BILL}.amount"),
    pytest.param(put(f"{LINE}.unit_price", "-0.01"), f"{LINE}.unit_price", "too_small", id="unit price"),
    pytest.param(put(f"{LINE}.third_party", "800.01"), f"{LINE}.third_party", "too_large", id="paid by others: line"),
    pytest.param(put(f"{BILL}.pooled_fund", "800.01"), f"{BILL}.pooled_fund", "too_large", id="paid by others: bill"),
    pytest.param(put(f"{LINE}.quantity", "-1"), f"{LINE}.quantity", "too_small", id="quantity negative"),
    pytest.param(put(f"{LINE}.quantity", "0"), f"{LINE}.quantity", "too_small", id="quantity nothing"),
    pytest.param(put(f"{LINE}.quantity", "1.0001"), f"{LINE}.quantity", "decimals", id="quantity decimals"),
    pytest.param(put(f"{LINE}.quantity", "1e500"), f"{LINE}.quantity", "too_large", id="quantity huge"),
    *dates(f"{VISIT}.started_on"),
    *dates(f"{BILL}.issued_on"),
    pytest.param(put(f"{VISIT}.ended_on", "2026-09-01"), f"{VISIT}.ended_on", "order", id="left before coming"),
    pytest.param(put(f"{VISIT}.started_on", "2019-01-01"), f"{VISIT}.started_on", "order", id="before birth"),
    pytest.param(put(f"{VISIT}.admitted_at", "2026-09-11T10:00:00+08:00"), f"{VISIT}.admitted_at", "order", id="another day"),
    pytest.param(put(f"{VISIT}.admitted_at", "99999-01-01T00:00"), f"{VISIT}.admitted_at", "datetime", id="no time"),
    pytest.param(put(f"{VISIT}.hospital", "NOWHERE"), f"{VISIT}.hospital", "unknown_hospital", id="hospital"),
    pytest.param(put(f"{VISIT}.campus", "EAST"), f"{VISIT}.campus", "unknown_campus", id="campus"),
    pytest.param(put(f"{VISIT}.visit_type", "HOLIDAY"), f"{VISIT}.visit_type", "unknown_code", id="visit type"),
    pytest.param(put(f"{VISIT}.benefit", "YACHT"), f"{VISIT}.benefit", "unknown_code", id="benefit"),
    pytest.param(put(f"{VISIT}.diagnoses.0.code", "ABC"), f"{VISIT}.diagnoses.0.code", "unknown_code", id="diagnosis"),
    pytest.param(put(f"{VISIT}.diagnoses.0.code", "Ｊ20.900"), f"{VISIT}.diagnoses.0.code", "unknown_code", id="full width"),
    pytest.param(put(f"{VISIT}.procedures", [{"code": "appendix"}]), f"{VISIT}.procedures.0.code", "unknown_code", id="procedure"),
    pytest.param(put(f"{VISIT}.bills", []), f"{VISIT}.bills", "required", id="no bills"),
    pytest.param(put(f"{BILL}.lines", []), f"{BILL}.lines", "required", id="no lines"),
    pytest.param(put(f"{BILL}.bill_type", "NAPKIN"), f"{BILL}.bill_type", "unknown_code", id="bill type"),
    pytest.param(put(f"{BILL}.state", "LOST"), f"{BILL}.state", "unknown_code", id="bill state"),
    pytest.param(put(f"{BILL}.amount", "799.99"), f"{BILL}.amount", "sum", id="sum"),
    pytest.param(put(f"{LINE}.kind", "CANDY"), f"{LINE}.kind", "unknown_code", id="line kind"),
    pytest.param(put(f"{LINE}.name", "x" * 121), f"{LINE}.name", "too_long", id="long name"),
    pytest.param(put(f"{LINE}.name", "a\x00b"), f"{LINE}.name", "characters", id="zero byte"),
    pytest.param(put(f"{LINE}.color", "red"), f"{LINE}.color", "unknown_field", id="unknown field"),
    pytest.param(put("channel", "PIGEON"), "channel", "unknown_code", id="channel"),
    pytest.param(put("category", "GIFT"), "category", "unknown_code", id="category"),
    pytest.param(put("visits", []), "visits", "required", id="no visits"),
    pytest.param(put("visits", "all of them"), "visits.0", "type", id="visits are text"),
    pytest.param(put("visits", {"0": {}}), "visits", "type", id="visits are an object"),
    pytest.param(put("e_signed", "perhaps"), "e_signed", "type", id="perhaps signed"),
    pytest.param(put("member", {"number": "M-UNKNOWN"}), "member.number", "unknown_member", id="child"),
    pytest.param(put("member", {}), "member.number", "required", id="no child"),
    pytest.param(put("member", {"number": "M2026", "name": "李雷"}), "member.number", "unknown_member", id="other name"),
    pytest.param(put("member", {"id_number": "310105202001010011"}), "member.id_number", "id_check_digit", id="identity: check digit"),
    pytest.param(put("member", {"id_number": "31010520200101"}), "member.id_number", "", id="identity: length"),
    pytest.param(put("payee.account", "6222021001098550831"), "payee.account", "check_digit", id="card: check digit"),
    pytest.param(put("payee.account", "中国银行"), "payee.account", "account", id="card: no number"),
    pytest.param(put("payee.relation", "AUNT"), "payee.relation", "unknown_code", id="relation"),
    pytest.param(put("papers", [{"kind": "INVOICE"}]), "papers.0.file", "required", id="paper without file"),
    pytest.param(put("papers", [{"kind": "INVOICE", "file": "1"}]), "papers.0.file", "unknown_file", id="paper: guessed file"),
    pytest.param(put("papers", [{"kind": "POEM", "form": "ORIGINAL"}]), "papers.0.kind", "unknown_code", id="paper: kind"),
    pytest.param(put("papers", [{"kind": "INVOICE", "form": "ORIGINAL", "pages": 0}]), "papers.0.pages", "too_small", id="paper: pages"),
]  # fmt: skip


@pytest.fixture
def api(world: World) -> Any:
    return machine()


@pytest.mark.parametrize(("spoil", "field", "code"), WRONG)
def test_a_wrong_value_is_named_and_nothing_is_changed(
    world: World, api: Any, spoil: Spoil, field: str, code: str
) -> None:
    body = copy.deepcopy(world.report())
    spoil(body)
    before = rows_of_every_table()
    response = api.post(CLAIMS, body, format="json")
    assert response.status_code == 400, response.content
    found = refusals(response)
    assert any(where == field and (what == code or not code) for where, what in found), found
    assert rows_of_every_table() == before


def test_the_house_accepts_what_is_right(world: World, api: Any) -> None:
    assert api.post(CLAIMS, world.report(), format="json").status_code == 201


def test_ten_thousand_lines_are_refused_with_the_limit_and_nothing_is_changed(world: World, api: Any) -> None:
    bills = [world.bill(lines=[world.line("1.00") for _ in range(100)]) for _ in range(100)]
    before = rows_of_every_table()
    response = api.post(CLAIMS, world.report(world.visit(bills)), format="json")
    assert refusals(response) == {("visits", "too_many_lines")}
    assert "2000" in response.json()["message"].replace(",", "")
    assert rows_of_every_table() == before


def test_ten_thousand_wrong_lines_are_answered_in_time(world: World, api: Any) -> None:
    lines = [world.line("-1.00") for _ in range(10_000)]
    bill = world.bill(lines=[world.line("1.00")]) | {"lines": lines}
    before = rows_of_every_table()
    response = api.post(CLAIMS, world.report(world.visit([bill])), format="json")
    assert response.status_code == 400
    assert (f"{BILL}.lines.9999.amount", "too_small") in refusals(response)
    assert rows_of_every_table() == before


def test_a_thousand_lines_are_accepted_whole(world: World, api: Any) -> None:
    body = world.report(world.visit([world.bill(lines=[world.line("0.01") for _ in range(1000)])]))
    response = api.post(CLAIMS, body, format="json")
    assert (response.status_code, response.json()["claimed"]) == (201, "10.00")


@pytest.mark.parametrize(
    "name",
    [
        "𠮷田小明",
        "Zoë O’Brien-Ñandú",
        "阿卜杜拉·买买提",
        "'; DROP TABLE claims_claim; --",
        "<script>alert(1)</script>",
    ],
)
def test_odd_but_honest_text_is_kept_as_it_is(world: World, api: Any, name: str) -> None:
    body = world.report(world.visit([world.bill(lines=[world.line("1.00", name=name)])]))
    body["reporter"]["name"] = name
    response = api.post(CLAIMS, body, format="json")
    assert response.status_code == 201
    assert response.json()["visits"][0]["bills"][0]["lines"][0]["name"] == name


def test_half_of_a_character_is_refused_in_words(world: World, api: Any) -> None:
    before = rows_of_every_table()
    body = b'{"member": {"number": "M2026"}, "note": "\\ud83d", "reporter": {"name": "\\ud83d"}, "channel": "MINIPROGRAM", "visits": []}'
    assert api.post(CLAIMS, body, content_type="application/json").status_code == 400
    assert rows_of_every_table() == before


# --- The same through actions of the desk ----------------------------------------------------


@pytest.mark.parametrize(
    ("action", "by", "data", "field"),
    [
        (
            "correct_facts",
            "adjuster",
            {"reason": "typo", "changes": [{"place": "1.1.1", "field": "amount", "value": "-5"}]},
            f"{LINE}.amount",
        ),
        (
            "correct_facts",
            "adjuster",
            {"reason": "typo", "changes": [{"place": "9.9", "field": "amount", "value": "5"}]},
            "changes",
        ),
        (
            "correct_facts",
            "adjuster",
            {"reason": "typo", "changes": [{"place": "1", "field": "claimed_fen", "value": "5"}]},
            "changes",
        ),
        ("correct_facts", "adjuster", {"reason": "typo"}, "changes"),
        ("record_nondisclosure", "senior", {"reason": "heard it", "known_on": "2031-01-01"}, "known_on"),
        ("decide", "adjuster", {"outcome": "DENY"}, "outcome"),
        ("decide_ex_gratia", "senior", {"amount": "800.01", "reason": "out of kindness"}, "amount"),
        ("decide_ex_gratia", "senior", {"amount": "-1", "reason": "out of kindness"}, "amount"),
        ("compromise", "senior", {"amount": "0", "reason": "out of kindness"}, "amount"),
        ("answer_finding", "adjuster", {"finding": "NONE", "accept": True, "reason": "well"}, "finding"),
        (
            "set_payee",
            "intake",
            {"name": "王芳", "relation": "MOTHER", "bank": "招商银行", "account": "6222021001098550831"},
            "account",
        ),
        ("assign", "supervisor", {"assignee": 999_999}, "assignee"),
        ("set_priority", "adjuster", {"priority": 9}, "priority"),
    ],
)
def test_a_wrong_value_of_an_action_is_named_and_nothing_is_changed(
    world: World, action: str, by: str, data: dict[str, Any], field: str
) -> None:
    case = world.review() if action != "set_payee" else world.claim()
    world.actor(by)
    before = rows_of_every_table()
    with pytest.raises(DomainError) as refusal:
        world.do(case, action, by=by, **data)
    errors = refusal.value.errors if isinstance(refusal.value, InvalidInputs) else [refusal.value]
    assert any(error.field.startswith(field) for error in errors), [
        (error.field, str(error)) for error in errors
    ]
    assert rows_of_every_table() == before
    assert world.see(case).version == case.version


# --- The same on the screens -----------------------------------------------------------------

ON_THE_FORM = [
    (f"{LINE}.amount", "-800.00"),
    (f"{LINE}.amount", "800.001"),
    (f"{LINE}.amount", "¥800.00"),
    (f"{BILL}.amount", "-800.00"),
    (f"{BILL}.amount", "¥800.00"),
    (f"{VISIT}.started_on", "2031-01-01"),
    (f"{BILL}.issued_on", "2031-01-01"),
    (f"{VISIT}.hospital", "NOWHERE"),
    (f"{VISIT}.visit_type", "HOLIDAY"),
    (f"{VISIT}.diagnoses.0.code", "ABC"),
    (f"{LINE}.kind", "CANDY"),
    ("member.number", "M-UNKNOWN"),
    ("payee.account", "6222021001098550831"),
]


@pytest.mark.parametrize(("field", "value"), ON_THE_FORM)
def test_a_wrong_value_in_the_report_form_stands_at_its_field_and_nothing_is_changed(
    world: World, field: str, value: str
) -> None:
    client = enter(world, "intake")
    filled = flat(world.report(channel="HOTLINE")) | {field: value}
    before = rows_of_every_table()
    response = client.post("/admin/claims/report/", filled)
    assert response.status_code == 400
    page = response.content.decode()
    assert "has-error" in page
    assert value in page  # nobody types the rest again
    assert rows_of_every_table() == before


def test_ten_thousand_lines_in_the_form_are_refused_and_nothing_is_changed(world: World) -> None:
    client = enter(world, "intake")
    lines = [world.line("1.00") for _ in range(10_000)]
    filled = flat(world.report(world.visit([world.bill(lines=lines)]), channel="HOTLINE"))
    before = rows_of_every_table()
    assert client.post("/admin/claims/report/", filled).status_code in (400, 413)
    assert rows_of_every_table() == before


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"MZ\x90\x00" + bytes(2000), "invoice.pdf"),
        (b"\x7fELF" + bytes(2000), "invoice.pdf"),
        (b"<html><script>alert(1)</script></html>", "scan.jpg"),
        (b"%PDF-1.7\nrubbish", "invoice.pdf"),
        (b"", "invoice.pdf"),
        (b"%PDF-1.7\n" + bytes(60 * 1024 * 1024), "invoice.pdf"),
    ],
    ids=["exe", "elf", "html", "broken", "empty", "60 MB"],
)
def test_what_is_no_scan_is_refused_at_the_desk_and_nothing_is_changed(
    world: World, content: bytes, name: str
) -> None:
    client, case = enter(world, "intake"), world.claim()
    filled = {"version": str(world.see(case).version), "kind": "INVOICE", "form": "IMAGE"}
    before = rows_of_every_table()
    response = client.post(
        case_url(case, "attach_paper"), filled | {"files": SimpleUploadedFile(name, content)}
    )
    assert response.status_code == 400
    assert rows_of_every_table() == before
    assert world.see(case).version == case.version


@pytest.mark.parametrize("kind", sorted(jobs._IMPORTERS))
def test_what_is_no_workbook_is_refused_by_every_import_and_nothing_is_changed(
    world: World, kind: str
) -> None:
    client = enter(world, "intake", is_superuser=True)
    before = rows_of_every_table()
    for name, content in (
        ("a.xlsx", b"MZ" + bytes(900)),
        ("a.xlsx", b"PK\x03\x04cut"),
        ("a.csv", b"a,b\n1,2\n"),
    ):
        address = reverse("admin:core_importjob_upload", args=[kind])
        response = client.post(address, {"file": SimpleUploadedFile(name, content)})
        assert response.status_code in (200, 403), (kind, response.status_code)
        assert rows_of_every_table() == before
