"""One-time codes sent to the mobile number of the enrollment (CRD-24, CRD-25)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.adjudication import trace
from apps.adjudication.handbook import Handbook
from apps.cards.actions.enrolled import by_mobile
from apps.cards.actions.fields import Binding
from apps.cards.actions.houses import binding_rule, front_end, hotline, open_series, with_help
from apps.cards.models import CardCode
from apps.core.crypto import blind_index
from apps.core.errors import Blocked, InvalidInput
from apps.core.imports.cells import CellError, phone
from apps.members.models import Member, mobile_index
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message

CODE_LIVES = timedelta(minutes=5)
CODE_TRIES = 5
CODE_PAUSE = timedelta(minutes=1)  # between two codes for one number
CODES_A_DAY = 5  # for one number, and for one account
TEMPLATE = "card_code"
HIDDEN = "******"


def request_code(
    actor: Actor, *, account: str, series: str, name: str, mobile: str, now: datetime | None = None
) -> datetime:
    """Send a code to the enrollment's mobile number; returns when it expires (CRD-24, CRD-25).

    Whether such a child is enrolled is not told: the answer is the same, only the SMS is missing.
    Raises Blocked where the series binds otherwise or codes were asked for too often.
    """
    client = front_end(actor)
    handbook, now = open_series(series), now or timezone.now()
    rule = binding_rule(handbook)
    if "MOBILE" not in handbook.value("card.binding_fields", ()):
        raise Blocked(
            _("Series %(series)s binds cards by the identity paper, not by a code.") % {"series": series},
            code="no_code_in_series", rule=rule,
        )  # fmt: skip
    number = mobile_number(mobile, rule)
    with transaction.atomic():
        children = [child.pk for child in by_mobile(actor, series, name, number)]
        # Two phones that ask at once stand in line: the second finds the code of the first.
        enrolled = bool(Member.objects.select_for_update().filter(pk__in=children).order_by("pk"))
        _not_too_often(client, account, number, now, handbook)
        row = CardCode.objects.create(
            client_id=client, account=account, mobile_index=mobile_index(number), series=series,
            created_at=now, expires_at=now + CODE_LIVES,
        )  # fmt: skip
        if enrolled:
            code = f"{secrets.randbelow(10**6):06d}"
            CardCode.objects.filter(pk=row.pk).update(digest=_digest(row.pk, code))
            queue_message(
                None, case=None, channel=Message.Channel.SMS, template=TEMPLATE, recipient=number,
                context={"code": code, "minutes": CODE_LIVES.seconds // 60, "hotline": hotline(handbook)},
                key=f"card-code-{row.pk}",
            )  # fmt: skip
    return row.expires_at


def hide_code(message: Message) -> None:
    """What was sent is no longer readable in the outbox."""
    if message.template == TEMPLATE:
        Message.objects.filter(pk=message.pk).update(body=HIDDEN)


def mobile_number(text: str, rule: str) -> str:
    try:
        return phone(text)
    except CellError as wrong:
        raise InvalidInput(
            _("This is no mobile number: eleven digits, or + and the code of the country."),
            field="mobile",
            code="mobile",
            rule=rule,
        ) from wrong


def _digest(pk: int, code: str) -> str:
    return blind_index(code, f"card_code:{pk}")


def prove(client: int, typed: Binding, number: str, now: datetime, rule: str) -> None:
    """The last code of this account and number, once, in time, at most CODE_TRIES guesses.

    Each guess is counted by compare-and-set before it is looked at, so that no race gives more.
    """
    last = CardCode.objects.filter(
        client=client, account=typed.account, mobile_index=mobile_index(number), series=typed.series
    ).order_by("-pk").first()  # fmt: skip
    counted = last is not None and CardCode.objects.filter(
        pk=last.pk, used_at=None, expires_at__gt=now, tries__lt=CODE_TRIES
    ).update(tries=F("tries") + 1)  # fmt: skip
    if last is None or not counted:
        trace.observe(rule, True)
        raise Blocked(
            _("There is no valid code; ask for a new one."), code="code_gone", field="code", rule=rule
        )
    right = bool(last.digest) and constant_time_compare(last.digest, _digest(last.pk, typed.code.strip()))
    if trace.observe(rule, not right):
        raise Blocked(_("The code is wrong."), code="code_wrong", field="code", rule=rule)
    if not CardCode.objects.filter(pk=last.pk, used_at=None).update(used_at=now):
        raise Blocked(_("The code was used already."), code="code_gone", field="code", rule=rule)


def _not_too_often(client: int, account: str, number: str, now: datetime, handbook: Handbook) -> None:
    since = CardCode.objects.filter(created_at__gt=now - timedelta(days=1))
    of_number = since.filter(mobile_index=mobile_index(number))
    of_account = since.filter(client=client, account=account)
    rule = binding_rule(handbook)
    if of_number.filter(created_at__gt=now - CODE_PAUSE).exists():
        raise Blocked(
            _("A code was sent a moment ago; ask again after a minute."), code="too_soon", rule=rule
        )
    if of_number.count() >= CODES_A_DAY or of_account.count() >= 2 * CODES_A_DAY:
        raise with_help(handbook, Blocked(_("Too many codes today."), code="too_many_codes", rule=rule))
