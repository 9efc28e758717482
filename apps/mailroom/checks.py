"""What `manage.py check` says about the accounts of the mailboxes. Passwords never stand in a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from apps.mailroom.inbox.mailboxes import WrongAccount, account_of


@register()
def accounts_can_be_used(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A wrong account is named at the start, not at the first poll."""
    found: list[CheckMessage] = []
    for text in settings.MAIL_ACCOUNTS:
        try:
            account_of(text)
        except WrongAccount as error:
            found.append(Error(f"MAIL_ACCOUNTS: {error}.", id="mailroom.E001"))
    return found


@register(Tags.security, deploy=True)
def mail_is_read(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.MAIL_ACCOUNTS:
        return []
    return [Warning("MAIL_ACCOUNTS is not set; what members write is not read.", id="mailroom.W001")]
