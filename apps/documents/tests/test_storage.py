"""Uploads: recognized by content, refused in words, nothing left behind, the same bytes once."""

import io
import subprocess
import sys
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from PIL import Image

from apps.core.errors import InvalidInput, NotFound
from apps.documents.content import recognize
from apps.documents.models import StoredFile
from apps.documents.previews import _pdf_page, render_page
from apps.documents.storage import (
    final_path,
    incoming,
    keep,
    open_stored,
    receive,
    store_bytes,
    store_upload,
    sweep_incoming,
    sweep_unused,
)
from apps.documents.tests.factories import pdf, picture, upload

OFD = '<?xml version="1.0" encoding="UTF-8"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.0"/>'


def files_on_disk() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def archive(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in entries.items():
            target.writestr(name.replace("_", "."), data)
    return buffer.getvalue()


def pdf_bomb() -> bytes:
    """Half a megabyte of zlib that unpacks to 410 MB."""
    packer = zlib.compressobj(9)
    chunk = bytes(1 << 20)
    packed = b"".join(packer.compress(chunk) for _ in range(410)) + packer.flush()
    body = b"<</Length %d/Filter/FlateDecode>>stream\n" % len(packed) + packed + b"\nendstream"
    return pdf().replace(b"%%EOF", b"9 0 obj" + body + b"endobj\n%%EOF")


def ofd_bomb() -> bytes:
    return archive(OFD_xml=bytes(410 << 20))


def large_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "content_type", "kept_name", "pages"),
    [
        (pdf(3), "发票.pdf", "application/pdf", "发票.pdf", 3),
        (picture("JPEG"), "IMG_1.JPG", "image/jpeg", "IMG_1.jpg", 1),
        (picture("PNG"), "scan", "image/png", "scan.png", 1),
        (picture("WEBP"), "x.webp", "image/webp", "x.webp", 1),
        (picture("TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]), "a.tiff", "image/tiff", "a.tif", 2),
        (picture("JPEG"), "really.pdf", "image/jpeg", "really.jpg", 1),
        (archive(OFD_xml=OFD.encode()), "bill.ofd", "application/ofd", "bill.ofd", 1),
        (b'\xef\xbb\xbf<?xml version="1.0"?><EInvoice/>', "bill.xml", "application/xml", "bill.xml", 1),
        (pdf(), "C:\\scans\\..\\a\u202egpj.pdf", "application/pdf", "agpj.pdf", 1),
    ],
)  # fmt: skip
def test_kind_is_told_from_the_bytes(db, data, name, content_type, kept_name, pages):
    stored = store_upload(upload(data, name), name)
    assert (stored.content_type, stored.name, stored.pages) == (content_type, kept_name, pages)
    assert stored.size == len(data)
    with open_stored(stored) as file:
        assert file.read() == data


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"MZ\x90\x00" + bytes(400), "invoice.pdf", "file_type"),
        (b"#!/bin/sh\nrm -rf /\n", "invoice.pdf", "file_type"),
        (b"", "empty.pdf", "file_empty"),
        (b"%PDF-1.7\nthis is no pdf", "a.pdf", "file_broken"),
        (picture("JPEG", size=(800, 800))[:900], "half.jpg", "file_broken"),
        (picture("PNG")[:-60], "half.png", "file_broken"),
        (pdf(1, (20_000, 20_000)), "huge.pdf", "page_too_large"),
        (pdf(301), "long.pdf", "too_many_pages"),
        (large_picture, "bomb.png", "file_bomb"),
        (pdf_bomb, "bomb.pdf", "file_bomb"),
        (ofd_bomb, "bomb.ofd", "file_bomb"),
        (archive(readme_txt=b"hello"), "letters.zip", "file_type"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "b.xml", "file_bomb"),
        (b'<?xml version="1.0"?><svg:svg xmlns:svg="x" onload="alert(1)"/>', "b.xml", "file_type"),
        (b'<?xml version="1.0"?><a>', "b.xml", "file_broken"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words_and_leaves_nothing(db, data, name, code):
    data = data() if callable(data) else data
    with pytest.raises(InvalidInput) as caught:
        store_upload(upload(data, name), name, field="files.2")
    error = caught.value
    assert (error.code, error.field, error.data["file"]) == (code, "files.2", name)
    assert str(error.message).startswith(name)
    if code not in ("file_empty",):
        assert "PDF" in str(error.message)
    assert files_on_disk() == []
    assert StoredFile.objects.count() == 0


def test_encrypted_pdf_asks_for_one_without_password(db):
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(pdf())))
    writer.encrypt("owner", "secret")
    locked = io.BytesIO()
    writer.write(locked)
    with pytest.raises(InvalidInput) as caught:
        receive(upload(locked.getvalue(), "locked.pdf"))
    assert caught.value.code == "file_encrypted"
    assert files_on_disk() == []


def test_sixty_megabyte_scan_is_refused_before_it_is_read_and_while_it_streams(db):
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return bytes(size)

    scan = TemporaryUploadedFile("scan.pdf", "application/pdf", 60 << 20, None)
    with pytest.raises(InvalidInput) as caught:
        receive(scan)
    assert (caught.value.code, caught.value.data["limit"]) == ("file_too_large", 50 << 20)
    stream = Endless()
    with pytest.raises(InvalidInput, match=r"50"):
        receive(stream, "scan.pdf")
    assert stream.given <= 52 << 20
    assert files_on_disk() == []


def test_rollback_leaves_no_file_and_no_row(transactional_db):
    @transaction.atomic
    def fail_after_storing() -> None:
        store_upload(upload(pdf(), "a.pdf"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_storing()
    assert StoredFile.objects.count() == 0
    assert files_on_disk() == []


def test_file_is_readable_inside_its_transaction_and_placed_at_commit(transactional_db):
    with transaction.atomic():
        stored = store_upload(upload(pdf(), "a.pdf"))
        assert not final_path(stored.sha256).exists()
        assert open_stored(stored).read() == pdf()
    assert final_path(stored.sha256).read_bytes() == pdf()
    assert list(incoming().iterdir()) == []


def test_same_bytes_are_kept_once(transactional_db):
    first = store_upload(upload(pdf(), "a.pdf"))
    second = store_upload(upload(pdf(), "again.pdf"))
    assert first.pk == second.pk
    assert files_on_disk() == [final_path(first.sha256)]


def test_two_processes_storing_the_same_bytes_share_one_row(transactional_db):
    """The loser of the race finds the winner's row; nobody's file is lost."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    data = pdf(2)  # once: a PDF tells the second it was made in

    def store(number: int) -> int:
        try:
            return store_upload(upload(data, f"{number}.pdf")).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(store, range(8)))
    assert len(keys) == 1
    assert [path.name for path in files_on_disk()] == [StoredFile.objects.get().sha256]


def test_crash_between_commit_and_move_loses_nothing(transactional_db):
    """A killed process leaves a row whose bytes still wait; reading and the sweep find them."""
    received = receive(upload(pdf(), "a.pdf"))
    with transaction.atomic():
        stored = keep(received)
        transaction.get_connection().run_on_commit.clear()  # the process dies here
        received._forget.detach()
    assert not final_path(stored.sha256).exists()
    assert open_stored(stored).read() == pdf()
    age(received.path)
    sweep_incoming()
    assert final_path(stored.sha256).read_bytes() == pdf()


def test_sweep_drops_what_nobody_kept_but_not_what_is_young(transactional_db):
    forgotten, young = receive(upload(pdf(), "a.pdf")), receive(upload(pdf(2), "b.pdf"))
    age(forgotten.path)
    assert sweep_incoming() == 1
    assert young.path.exists()


def test_unused_files_go_and_used_ones_stay(transactional_db):
    from apps.documents.tests.factories import days_ago, make_case

    case = make_case()
    unused, used = store_upload(upload(pdf(), "a.pdf")), store_upload(upload(pdf(2), "b.pdf"))
    case.papers.create(kind="INVOICE", file=used, received_at=days_ago(9))
    StoredFile.objects.update(stored_at=days_ago(3))
    assert sweep_unused() == 1
    assert list(StoredFile.objects.all()) == [used]
    assert not final_path(unused.sha256).exists()
    assert final_path(used.sha256).exists()


def test_lost_file_is_an_error_in_words(transactional_db):
    stored = store_bytes(b"x", "a.csv", "text/csv")
    final_path(stored.sha256).unlink()
    with pytest.raises(NotFound, match=r"a\.csv"):
        open_stored(stored)


def age(path: Path) -> None:
    import os

    os.utime(path, (1, 1))


# --- Previews -------------------------------------------------------------------------------------------


def size_of(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


def test_pages_become_pictures_and_are_kept(db):
    stored = store_upload(upload(pdf(2), "a.pdf"))
    first = render_page(stored, 2, 700)
    assert size_of(first)[0] in (800, 801)
    assert render_page(stored, 2, 800) == first
    assert len(list((Path(settings.MEDIA_ROOT) / "previews").rglob("*.png"))) == 1


def test_pdf_files_are_read_by_several_threads_at_once(tmp_path):
    """pdfium is not made for threads: unguarded it fails here, reads other pages, or ends the process."""
    files = [tmp_path / f"{pages}.pdf" for pages in (1, 2, 3, 4)]
    for pages, path in enumerate(files, 1):
        path.write_bytes(pdf(pages))

    def read(path):
        return [(recognize(path).pages, _pdf_page(path, 1, 100).size) for _again in range(100)]

    with ThreadPoolExecutor(4) as threads:
        for pages, seen in enumerate(threads.map(read, files), 1):
            assert set(seen) == {(pages, (101, 142))}


def test_photo_is_turned_upright(db):
    image, buffer = Image.new("RGB", (400, 200), "white"), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(buffer, "JPEG", exif=exif)
    across, down = size_of(render_page(store_upload(upload(buffer.getvalue(), "a.jpg"))))
    assert down > across


def test_page_that_is_not_there_and_file_without_pictures(db):
    with pytest.raises(NotFound):
        render_page(store_upload(upload(pdf(), "a.pdf")), 2)
    with pytest.raises(InvalidInput):
        render_page(store_upload(upload(b'<?xml version="1.0"?><a/>', "a.xml")))


def test_web_processes_do_not_load_weasyprint():
    code = (
        "import sys, django; django.setup(); import apps.documents.tasks; print('weasyprint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=settings.BASE_DIR)
    assert done.stdout.strip().endswith("False"), done.stderr[-800:]
