"""What the key of a machine can be allowed: every scope that a view of the API asks for, in words.

Views declare theirs (`required_scopes`); a test compares them with this list.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

SCOPES: dict[str, Any] = {
    "claims:read": _("read claims, authorizations, papers, letters and self-pay bills"),
    "claims:write": _("report and bill claims, request authorizations, upload files"),
    "cases:read": _("read cases of every kind, appointments, questions, recoveries"),
    "cases:write": _("do actions on cases, request appointments, ask questions"),
    "members:read": _("find children, their limits and where they are billed directly"),
    "cards:read": _("read the cards and online payments of an account"),
    "cards:write": _("link and unlink cards, pay online"),
    "cards:verify": _("verify a card that is shown"),
    "hospitals:read": _("read the list of hospitals"),
    "handbooks:read": _("read handbooks and compute due days"),
    "settlements:read": _("read statements of hospitals"),
    "settlements:write": _("make and change statements of hospitals"),
    "webhooks:read": _("read own endpoints and deliveries"),
    "webhooks:write": _("change own endpoints, send again"),
    "mail:read": _("read incoming e-mail"),
    "mail:write": _("file incoming e-mail"),
    "finance:read": _("read reserves, vouchers and statements of members"),
    "finance:write": _("make vouchers and statements of members, close months"),
}


def scope_choices() -> list[tuple[str, Any]]:
    return [(code, f"{code} · {words}") for code, words in SCOPES.items()]
