"""What `manage.py check` refuses about the wiring of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

ACTOR = "apps.accounts.middleware.ActorMiddleware"
SECOND_FACTOR = "apps.accounts.middleware.SecondFactorMiddleware"


@register()
def middleware_is_wired(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(f"MIDDLEWARE lacks {name}.", hint="Put it after MessageMiddleware.", id=f"accounts.E00{number}")
        for number, name in enumerate([ACTOR, SECOND_FACTOR], start=1)
        if name not in settings.MIDDLEWARE
    ]
