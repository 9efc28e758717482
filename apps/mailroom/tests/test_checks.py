"""Wrong accounts are named at the start; passwords never."""

from typing import Any

from apps.mailroom.checks import accounts_can_be_used, mail_is_read


def test_a_wrong_account_stops_the_start_and_keeps_its_password(settings: Any) -> None:
    settings.MAIL_ACCOUNTS = ["a@b.cn=imaps://u:p@h/INBOX"]
    assert accounts_can_be_used(None) == []
    assert mail_is_read(None) == []
    settings.MAIL_ACCOUNTS = ["a@b.cn=imap://u:secret@mail.example.com/INBOX"]
    (found,) = accounts_can_be_used(None)
    assert (found.id, "TLS" in found.msg, "secret" in found.msg) == ("mailroom.E001", True, False)


def test_production_without_accounts_is_told(settings: Any) -> None:
    settings.MAIL_ACCOUNTS = []
    assert [one.id for one in mail_is_read(None)] == ["mailroom.W001"]
