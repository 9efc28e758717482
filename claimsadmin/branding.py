"""Callbacks of the admin's look."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _


def environment(request: HttpRequest) -> list[str] | None:
    """The label beside the user's name: none in production, so that nobody decides a real claim in a demo."""
    if settings.CLAIMS_ENV == "production":
        return None
    return [_("Demonstration"), "warning"]
