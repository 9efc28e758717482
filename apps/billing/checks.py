"""What `manage.py check --deploy` says about electronic payment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register

SANDBOX = "apps.billing.gateway.SandboxGateway"


@register(Tags.security, deploy=True)
def a_real_gateway(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """In production the sandbox would take bills for paid that nobody paid."""
    path = settings.PAYMENT_GATEWAY
    found: list[CheckMessage] = []
    if path == SANDBOX and settings.PRODUCTION:
        found.append(Error("PAYMENT_GATEWAY is the sandbox: anybody pays by a button.", id="billing.E001"))
    if path and not settings.PAYMENT_GATEWAY_SECRET:
        found.append(Error("PAYMENT_GATEWAY_SECRET is empty: no notice can be believed.", id="billing.E002"))
    if not path:
        found.append(
            Info(
                "PAYMENT_GATEWAY is not set: the electronic payment of series 2024 is closed (EPY-02).",
                id="billing.I001",
            )
        )
    return found
