"""Mailboxes are read over a real IMAP conversation and from folders; each message once, none lost."""

from __future__ import annotations

import mailbox
import os
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command

from apps.claims.tests.world import World
from apps.documents.storage import path_of
from apps.mailroom.inbox import filing, polling
from apps.mailroom.inbox.mailboxes import WrongAccount, account_for, account_of, folder_of, mailboxes
from apps.mailroom.inbox.polling import poll, poll_all, take_in
from apps.mailroom.inbox.sources import ImapSource
from apps.mailroom.models import Email, Mailbox
from apps.mailroom.tasks import poll_mailboxes
from apps.mailroom.tests.imap_server import Imap
from apps.mailroom.tests.letters import CLAIMS_2024, CLAIMS_2026, INVOICE, RECORD, box, letter, one
from tests.concurrency import in_processes, in_threads

AUTHORIZATIONS = "org.jdaipmi.gop1@jd.com"


@pytest.fixture
def server(imap: Imap, settings: Any) -> Imap:
    settings.MAIL_ACCOUNTS = [imap.account(CLAIMS_2026)]
    return imap


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MAIL_ACCOUNTS, settings.MAIL_FOLDER = [], str(tmp_path / "boxes")
    return folder_of(CLAIMS_2026)


# --- Which mailboxes --------------------------------------------------------------------------


def test_the_handbooks_say_which_mailboxes_there_are(world: World, rulebook: Any) -> None:
    found = {row.address: row for row in mailboxes()}
    assert {a: (row.rule, row.series, row.tpa) for a, row in found.items()} == {
        CLAIMS_2026: ("RMB-26", "2026", ""),
        AUTHORIZATIONS: ("PA-04", "2026", ""),
        CLAIMS_2024: ("RMB-38", "2024", "WINDSTONE"),
    }
    assert mailboxes() == list(Mailbox.objects.order_by("pk"))  # asked again, nothing is added
    rulebook.read_back("RMB-26", found[CLAIMS_2026].address)


def test_a_handbook_that_prints_a_known_address_takes_the_mailbox_over(world: World) -> None:
    Mailbox.objects.create(address=CLAIMS_2026, series="2019", tpa="OLD", key="x", rule="X-1")
    assert (box().series, box().tpa, box().rule) == ("2026", "", "RMB-26")


def test_accounts_come_from_the_environment_and_say_what_is_wrong() -> None:
    account = account_of("A@b.cn=imaps://me%40b.cn:s%20%40cret@imap.b.cn:1993/Claims%20in")
    assert (account.address, account.user, account.password) == ("a@b.cn", "me@b.cn", "s @cret")
    assert (account.host, account.port, account.folder) == ("imap.b.cn", 1993, "Claims in")
    assert "cret" not in repr(account)
    for wrong, why in (
        ("imaps://u:p@h", "expected"),
        ("a@b.cn=pop3://u:p@h", "expected"),
        ("a@b.cn=imaps://h/INBOX", "user"),
        ("a@b.cn=imaps://u:p@h:port/", "not an address"),
        ("a@b.cn=imap://u:secret@mail.elsewhere.cn/INBOX", "TLS"),
    ):
        with pytest.raises(WrongAccount, match=why) as caught:
            account_of(wrong)
        assert "secret" not in str(caught.value)


def test_production_reads_no_folder_by_itself(world: World, settings: Any) -> None:
    settings.MAIL_ACCOUNTS, settings.MAIL_FOLDER = [], ""
    assert [account_for(row) for row in mailboxes()] == [None] * 3
    assert not poll(box()).connected
    assert box().polled_at is None


# --- IMAP -------------------------------------------------------------------------------------


def test_imap_messages_are_taken_once_kept_whole_and_marked(world: World, server: Imap) -> None:
    raw = letter(files={"发票.jpg": INVOICE})
    uid = server.folder.add(raw)
    found = poll(box())
    assert (found.new, found.known, found.error) == (1, 0, "")
    email = one()
    assert email.received_at == datetime(
        2026, 9, 16, 0, 15, tzinfo=UTC
    )  # the server's time, not the header's
    assert path_of(email.raw).read_bytes() == raw
    assert server.folder.messages[uid].seen
    assert (box().last_uid, box().uid_validity) == (uid, 7)
    assert (poll(box()).new, poll(box()).known, len(server.folder.fetched)) == (0, 0, 1)


def test_a_message_that_comes_while_others_are_read_is_found_next_time(world: World, server: Imap) -> None:
    for index in range(5):
        server.folder.add(letter(message_id=f"<{index}@x.cn>", text=str(index)))
    assert poll(box(), limit=3).new == 3
    server.folder.add(letter(message_id="<late@x.cn>"))
    assert poll(box()).new == 3
    assert Email.objects.count() == 6


def test_unseen_mail_below_the_last_one_is_still_found(world: World, server: Imap) -> None:
    server.folder.next_uid = 5
    server.folder.add(letter())
    poll(box())
    server.folder.next_uid = 2  # a server that shows a message late
    server.folder.add(letter(message_id="<slow@x.cn>"))
    assert poll(box()).new == 1


def test_a_renumbered_folder_doubles_nothing(world: World, server: Imap) -> None:
    server.folder.add(letter())
    poll(box())
    server.folder.validity, server.folder.messages, server.folder.next_uid = 8, {}, 1
    server.folder.add(letter())
    assert (poll(box()).known, Email.objects.count()) == (1, 1)


def test_the_same_mail_delivered_twice_is_one_and_another_under_its_id_is_not_lost(
    world: World, server: Imap
) -> None:
    server.folder.add(b"Received: by a\r\n" + letter())
    server.folder.add(b"Received: by b\r\n" + letter())
    server.folder.add(letter(text="Something quite different under the same id"))
    found = poll(box())
    assert (found.new, found.known) == (2, 1)
    assert "SAME_ID" in Email.objects.latest("pk").defects


def test_the_same_mail_to_two_mailboxes_is_one_in_each(world: World) -> None:
    for address in (CLAIMS_2026, CLAIMS_2024):
        take_in(box(address), letter())
    assert Email.objects.count() == 2


def test_too_large_a_message_is_not_fetched_but_its_beginning_is_kept(
    world: World, server: Imap, settings: Any
) -> None:
    settings.MAIL_MAX_BYTES = 10_000
    server.folder.add(letter("很大的邮件", files={"a.bin": b"x" * 200_000}))
    server.folder.add(letter("后面的邮件", message_id="<two@x.cn>"))
    assert poll(box()).new == 2
    large = one(reason="TOO_LARGE")
    assert (large.state, large.whole, large.subject) == ("REFUSED", False, "很大的邮件")
    assert large.size > 200_000
    assert server.folder.fetched[0] == "(BODY.PEEK[]<0.65536>)"
    assert large.raw.size == 65_536
    assert poll(box()).known == 0


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE"])
def test_a_connection_that_breaks_anywhere_loses_and_doubles_nothing(
    world: World, server: Imap, command: str
) -> None:
    for index in range(3):
        server.folder.add(letter(message_id=f"<{index}@x.cn>", text=str(index)))
    server.folder.fail_on = command
    broken = poll(box())
    assert broken.error
    assert (box().failures, bool(box().error)) == (1, True)
    server.folder.fail_on = ""
    poll(box())
    assert Email.objects.count() == 3
    assert (box().failures, box().error) == (0, "")


def test_a_wrong_password_and_a_missing_folder_are_said(world: World, imap: Imap, settings: Any) -> None:
    settings.MAIL_ACCOUNTS = [imap.account(CLAIMS_2026, password="wrong")]
    assert "log in" in poll(box()).error
    settings.MAIL_ACCOUNTS = [imap.account(CLAIMS_2026, folder="Nowhere")]
    assert "folder" in poll(box()).error
    settings.MAIL_ACCOUNTS = [f"{CLAIMS_2026}=imaps://u:p@127.0.0.1:{imap.port}/INBOX"]  # no TLS there
    assert "connect" in poll(box()).error


def test_tls_is_verified_and_a_certificate_nobody_signed_is_refused(
    world: World, imap: Imap, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path)
    imap.wrap_tls(certificate, key)
    imap.folder.add(letter())
    settings.MAIL_ACCOUNTS = [imap.account(CLAIMS_2026).replace("imap://", "imaps://")]
    refused = poll(box())
    assert "certificate" in refused.error.lower()
    assert imap.folder.fetched == []
    monkeypatch.setenv("SSL_CERT_FILE", certificate)  # now somebody vouches for it
    assert (poll(box()).new, box().error) == (1, "")


def self_signed(folder: Path) -> tuple[str, str]:
    """A certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(pem)
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_one_mailbox_out_of_order_stops_none_of_the_others(world: World, imap: Imap, settings: Any) -> None:
    settings.MAIL_ACCOUNTS = [imap.account(CLAIMS_2026, password="wrong"), imap.account(CLAIMS_2024)]
    imap.folder.add(letter())
    found = {row.mailbox.address: row for row in poll_all()}
    assert found[CLAIMS_2026].error
    assert found[CLAIMS_2024].new == 1
    assert not found[AUTHORIZATIONS].connected
    assert poll_mailboxes() == 0


# --- Crashes and races ------------------------------------------------------------------------


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("place", ["storing", "stored", "marked", "filing"])
def test_killed_anywhere_nothing_is_lost_and_nothing_doubled(
    world: World, server: Imap, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    case = waiting(world)
    server.folder.add(letter(f"补件 {case.number}", files={"病历.pdf": RECORD, "发票.jpg": INVOICE}))

    def die(*args: Any, **kwargs: Any) -> Any:
        raise Killed

    target = {
        "storing": (polling, "store_bytes"),
        "stored": (ImapSource, "done"),
        "marked": (polling, "_remember"),
        "filing": (filing, "attach_files"),
    }[place]
    with monkeypatch.context() as patch:
        patch.setattr(*target, die)
        with pytest.raises(Killed):
            poll(box())
    poll(box())
    email = one()
    assert (email.state, email.case_id) == ("MATCHED", case.pk)
    assert case.papers.filter(note=f"e-mail #{email.pk}").count() == 2
    assert world.see(case).state == "MATERIALS_CHECK"


def waiting(world: World, **fields: Any) -> Any:
    case = world.do(world.claim(**fields), "check_materials", by="intake")
    assert case.state == "MATERIALS_PENDING"
    return case


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [in_threads, in_processes])
def test_four_pollers_at_once_take_each_message_once(
    transactional_db: None, now: Any, imap: Imap, settings: Any, run: Any
) -> None:
    world = World()
    settings.MAIL_ACCOUNTS = [imap.account(CLAIMS_2026)]
    case = waiting(world)
    for index in range(6):
        imap.folder.add(
            letter(
                f"补件 {case.number}",
                message_id=f"<{index}@x.cn>",
                text=str(index),
                files={"发票.jpg": INVOICE},
            )
        )
    row = box()
    run(lambda index: poll(Mailbox.objects.get(pk=row.pk)).new, 4)
    poll(box())
    assert Email.objects.count() == 6
    assert Email.objects.filter(state="MATCHED").count() == 6
    assert case.papers.filter(kind="INVOICE").count() == 1  # the same picture six times is one paper
    assert all(stored.seen for stored in imap.folder.messages.values())


# --- Folders ----------------------------------------------------------------------------------


def test_a_dropped_eml_and_a_maildir_message_are_taken(world: World, folder: Path) -> None:
    folder.parent.mkdir()
    mailbox.Maildir(folder, create=True).add(letter())
    (folder / "手工放入.eml").write_bytes(letter(message_id="<two@x.cn>"))
    os.utime(folder / "手工放入.eml", (1_789_000_000, 1_789_000_000))
    (folder / "new" / "link").symlink_to("/etc/passwd")
    assert poll(box()).new == 2
    assert one(message_id="<two@x.cn>").received_at == datetime.fromtimestamp(1_789_000_000, UTC)
    assert [path.name for path in folder.glob("*.eml")] == []
    assert len(list((folder / "cur").iterdir())) == 2
    assert poll(box()).new == 0


def test_by_hand(world: World, folder: Path, capsys: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "a.eml").write_bytes(letter())
    call_command("poll_mail", mailbox=CLAIMS_2026)
    assert f"{CLAIMS_2026} (RMB-26): 1 new, 0 known, 0 filed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Known: "):
        call_command("poll_mail", mailbox="nobody@example.com")
