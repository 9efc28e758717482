"""Demo endpoints: one that the embedded receiver answers, one of a TPA at an address that does not exist.

Made before the rooms above add their cases, so that what happens to those is on its way when the server starts.
"""

from __future__ import annotations

from django.conf import settings

from apps.accounts.actions import create_api_client
from apps.accounts.actors import SYSTEM
from apps.webhooks import actions
from apps.webhooks.catalog import offered
from apps.webhooks.models import Endpoint

SCOPES = ["cases:read", "webhooks:read", "webhooks:write"]


def build() -> int:
    """Does nothing when there is an endpoint already; returns how many were made."""
    if Endpoint.objects.exists() or settings.PRODUCTION:
        return 0
    app, _key = create_api_client(
        SYSTEM, name="演示小程序（推送）", kind="MEMBER_APP", scopes=SCOPES, series=["2026"]
    )
    base = f"{settings.PUBLIC_BASE_URL}/webhook-receiver"
    heard, _secret = actions.create(
        SYSTEM, app, url=f"{base}/", events=list(offered()), description="演示接收端"
    )
    actions.change(SYSTEM, heard, url=f"{base}/{heard.uid}/")
    actions.ping(SYSTEM, heard)
    tpa, _key = create_api_client(SYSTEM, name="TPA 系统（演示）", kind="TPA", scopes=SCOPES, tpa="WINDSTONE")
    actions.create(
        SYSTEM,
        tpa,
        url="https://claims.windstone.invalid/hooks",
        events=list(offered()),
        contact="it@example.com",
    )
    return 2
