"""What `manage.py check --deploy` says about electronic payment: none is legal, half a gateway is not."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.utils.module_loading import import_string

SANDBOX = "apps.billing.gateway.SandboxGateway"
NEEDED = ("name", "open", "read", "refund", "day")  # of `gateway.Gateway`


@register(Tags.security, deploy=True)
def a_real_gateway(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """In production the sandbox would take bills for paid that nobody paid."""
    path, secret = settings.PAYMENT_GATEWAY, settings.PAYMENT_GATEWAY_SECRET
    if not path and not (secret and settings.PRODUCTION):  # elsewhere a secret is always there
        words = "PAYMENT_GATEWAY is not set: the electronic payment of series 2024 is closed (EPY-02)."
        return [
            Info(
                words,
                hint="Families pay at the hospital; see the guide of self-pay bills.",
                id="billing.I001",
            )
        ]
    if not path:
        words = "PAYMENT_GATEWAY_SECRET is set without PAYMENT_GATEWAY: notices would be refused as unknown."
        return [Error(words, hint="Name the gateway's class, or take the secret away.", id="billing.E003")]
    found: list[CheckMessage] = []
    if path == SANDBOX and settings.PRODUCTION:
        found.append(Error("PAYMENT_GATEWAY is the sandbox: anybody pays by a button.", id="billing.E001"))
    if not secret:
        found.append(Error("PAYMENT_GATEWAY_SECRET is empty: no notice can be believed.", id="billing.E002"))
    if lacking := _lacking(path):
        found.append(Error(f"PAYMENT_GATEWAY {path!r} is no gateway: {lacking}.", id="billing.E004"))
    return found


def _lacking(path: str) -> str:
    """What is wrong with the class at the path; "" when it can be one."""
    try:
        found = import_string(path)
    except ImportError as error:
        return str(error)
    return ", ".join(f"no {name!r}" for name in NEEDED if not hasattr(found, name))
