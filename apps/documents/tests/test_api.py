"""Files, papers and letters over the API: recognized by content, seen by whom they concern."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile

from apps.accounts.models import AccessLog
from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.documents.models import Letter, Paper, StoredFile
from apps.documents.storage import store_bytes
from apps.documents.tests.factories import pdf, picture
from tests.api import machine, person, refusal, rows_of_every_table

pytestmark = pytest.mark.django_db
FILES, PAPERS, LETTERS = "/api/v1/files/", "/api/v1/papers/", "/api/v1/letters/"
MEBIBYTE = 1024 * 1024


def upload(content: bytes, name: str = "scan.pdf", api: Any = None, **headers: Any) -> Any:
    return (api or machine()).post(
        FILES, {"file": SimpleUploadedFile(name, content)}, format="multipart", **headers
    )


@pytest.fixture
def case(db: None) -> CaseFile:
    """A claim of another administrator's series with a letter and a paper with a file."""
    world = World()
    stored = upload(pdf()).json()
    paper = {"kind": "MEDICAL_RECORD", "file": stored["sha256"]}
    return world.claim(series="2024", papers=[paper])


# --- Uploads ---------------------------------------------------------------------------------


def test_an_upload_is_known_by_its_content() -> None:
    body = upload(pdf(), "病历.jpg").json()
    assert (body["content_type"], body["pages"], body["sha256"]) == (
        "application/pdf",
        1,
        hashlib.sha256(pdf()).hexdigest(),
    )
    assert body["name"].endswith(".pdf")
    assert upload(picture(), "x").json()["content_type"].startswith("image/")


def test_the_same_bytes_are_kept_once() -> None:
    assert upload(pdf()).json()["sha256"] == upload(pdf(), "again.pdf").json()["sha256"]
    assert StoredFile.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"MZ\x90\x00" + bytes(2000), "invoice.pdf", "file_type"),
        (b"\x7fELF" + bytes(2000), "invoice.pdf", "file_type"),
        (b"<html><script>alert(1)</script></html>", "invoice.pdf", "file_type"),
        (b"%PDF-1.7\nrubbish", "invoice.pdf", "file_broken"),
        (b"", "invoice.pdf", "file_empty"),
        (picture()[:200], "photo.jpg", "file_broken"),
    ],
    ids=["exe", "elf", "html", "broken pdf", "empty", "cut picture"],
)
def test_what_is_no_scan_is_refused_whatever_its_name(content: bytes, name: str, code: str) -> None:
    api = machine()
    before = rows_of_every_table()
    response = upload(content, name, api)
    assert refusal(response).status == 400
    assert (response.json()["code"], response.json()["field"]) in ((code, "file"), ("empty", "file"))
    assert rows_of_every_table() == before


def test_a_scan_of_sixty_megabytes_is_refused_with_both_sizes(tmp_path: Any) -> None:
    """More than a scan may have, less than a request: the answer names the file."""
    before = rows_of_every_table()
    large = TemporaryUploadedFile("huge.pdf", "application/pdf", 60 * MEBIBYTE, None)
    large.file.write(pdf())
    large.file.truncate(60 * MEBIBYTE)
    large.seek(0)
    response = machine().post(FILES, {"file": large}, format="multipart")
    assert refusal(response)[:3] == (400, "file_too_large", "file")
    body = response.json()
    assert "huge.pdf" in body["message"]
    assert body["data"]["size"] == 60 * MEBIBYTE > body["data"]["limit"]
    assert rows_of_every_table() == before


def test_a_request_beyond_all_measure_is_refused_unread() -> None:
    response = machine().post(
        FILES, b"x", content_type="multipart/form-data; boundary=b", CONTENT_LENGTH=str(200 * MEBIBYTE)
    )
    assert refusal(response)[:2] == (413, "request_too_large")


@pytest.mark.parametrize(
    ("data", "format", "status"),
    [
        ({}, "multipart", 400),
        ({"file": "text"}, "multipart", 400),
        ({"other": "x"}, "multipart", 400),
        ({"file": "x"}, "json", 415),
    ],
)
def test_an_upload_without_a_file_is_refused(data: Any, format: str, status: int) -> None:
    assert refusal(machine().post(FILES, data, format=format)).status == status


def test_a_broken_envelope_is_refused() -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=zzz"):
        assert refusal(machine().post(FILES, b"--b\r\nrubbish", content_type=kind)).status == 400


def test_the_same_key_stores_once_and_answers_the_same() -> None:
    api = machine()
    first, second = (upload(pdf(), api=api, HTTP_IDEMPOTENCY_KEY="k-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"
    assert refusal(upload(picture(), api=api, HTTP_IDEMPOTENCY_KEY="k-1")).status == 422


def test_who_may_upload() -> None:
    assert refusal(upload(pdf(), api=machine(scopes=["claims:read"])))[:2] == (403, "missing_scope")
    assert refusal(upload(pdf(), api=person())).status == 403
    assert upload(pdf(), api=person("mailroom")).status_code == 201
    assert not StoredFile.objects.exclude(sha256=hashlib.sha256(pdf()).hexdigest()).exists()


def test_files_are_neither_listed_nor_read_by_their_name() -> None:
    upload(pdf())
    assert refusal(machine().get(FILES)).status == 405
    assert refusal(machine().get(f"{FILES}{hashlib.sha256(pdf()).hexdigest()}/")).status == 404


# --- Papers and letters ----------------------------------------------------------------------


def scopes_of(case: CaseFile) -> list[tuple[Any, bool]]:
    return [
        (machine(), True),
        (machine("TPA", tpa=case.tpa), True),
        (machine("TPA", tpa="ELSEWHERE"), False),
        (machine("HOSPITAL", hospital="PUB"), True),
        (machine("HOSPITAL", hospital="CHC"), False),
        (machine("MEMBER_APP", member=case.member.number), True),
        (machine("MEMBER_APP", member="M2026"), False),
        (machine("PROVIDER"), False),
        (person("auditor"), True),
        (person("manager", series=["2026"]), False),
    ]


def test_papers_and_letters_are_seen_by_whom_the_case_concerns(case: CaseFile) -> None:
    paper, letter = Paper.objects.get(), Letter.objects.get()
    for api, seen in scopes_of(case):
        for path, pk in ((PAPERS, paper.pk), (LETTERS, letter.pk)):
            assert len(api.get(path).json()["results"]) == int(seen)
            assert api.get(f"{path}{pk}/").status_code == (200 if seen else 404)
        if not seen:
            assert refusal(api.get(f"{LETTERS}{letter.pk}/pdf/")).status == 404


def test_a_paper_shows_its_file_and_its_case(case: CaseFile) -> None:
    [row] = (
        machine()
        .get(PAPERS, {"case__number": case.number, "kind": "MEDICAL_RECORD", "usable": "true"})
        .json()["results"]
    )
    assert (row["case"], row["file"]["content_type"], row["legible"]) == (
        case.number,
        "application/pdf",
        None,
    )
    assert machine().get(PAPERS, {"kind": "INVOICE"}).json()["results"] == []


def test_law_09_reading_a_letter_is_logged(case: CaseFile) -> None:
    letter = Letter.objects.get()
    letter.file = store_bytes(pdf(), "letter.pdf", "application/pdf")
    letter.state = "READY" if "READY" in Letter.State.values else letter.state
    letter.save()
    api = machine("HOSPITAL", hospital="PUB")
    response = api.get(f"{LETTERS}{letter.pk}/pdf/")
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert io.BytesIO(b"".join(response.streaming_content)).read(5) == b"%PDF-"
    entry = AccessLog.objects.get(subject=f"letter:{letter.number}")
    assert entry.client_id is not None
    assert refusal(machine("HOSPITAL", hospital="CHC").get(f"{LETTERS}{letter.pk}/pdf/")).status == 404
    assert AccessLog.objects.filter(subject=f"letter:{letter.number}").count() == 1


def test_a_letter_that_is_not_rendered_yet_is_a_409(case: CaseFile) -> None:
    letter = Letter.objects.get()
    assert letter.file_id is None  # rendered after the commit, which this test never makes
    assert refusal(machine().get(f"{LETTERS}{letter.pk}/pdf/"))[:2] == (409, "not_rendered")
    assert not AccessLog.objects.filter(subject__startswith="letter:").exists()


def test_refusals(case: CaseFile) -> None:
    for path in (PAPERS, LETTERS):
        assert refusal(machine(scopes=["cases:read"]).get(path))[:2] == (403, "missing_scope")
        assert refusal(person().get(path)).status == 403
        for pk in ("0", "x", "9" * 30, "-1"):
            assert refusal(machine().get(f"{path}{pk}/")).status == 404
        for method in ("post", "put", "patch", "delete"):
            assert refusal(getattr(machine(), method)(path, {}, format="json")).status == 405
    assert refusal(machine().get(PAPERS, {"usable": "perhaps", "kind": "\x00"})).status == 400
