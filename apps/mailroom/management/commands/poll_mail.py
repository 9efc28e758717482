"""manage.py poll_mail: read the mailboxes once, by hand, and say what came."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.mailroom.inbox.mailboxes import mailboxes
from apps.mailroom.inbox.polling import poll


class Command(BaseCommand):
    help = "Read the mailboxes of the handbooks once. Repeating it does no harm."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mailbox", default="", metavar="ADDRESS", help="Only this one.")

    def handle(self, *args: Any, mailbox: str, **options: Any) -> None:
        chosen = [row for row in mailboxes() if not mailbox or row.address == mailbox.lower()]
        if not chosen:
            known = ", ".join(row.address for row in mailboxes()) or "none: load a handbook first"
            raise CommandError(f"No such mailbox: {mailbox or '(any)'}. Known: {known}")
        failed = []
        for row in chosen:
            found = poll(row)
            if not found.connected:
                said = "not connected; set MAIL_ACCOUNTS"
            else:
                said = (
                    found.error or f"{found.new} new, {found.known} known, {found.filed} filed by the house"
                )
            self.stdout.write(f"{row.address} ({row.rule}): {said}")
            failed += [row.address] if found.error else []
        if failed:
            raise CommandError(f"Not read: {', '.join(failed)}")
