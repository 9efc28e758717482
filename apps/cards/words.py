"""What benefits and functions of a card are called on its page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.hospitals.models import Scope

BENEFITS: dict[str, Any] = {
    **dict(Scope.choices),
    "HEALTH_CHECK": _("health check"),
    "MENTAL_HEALTH": _("mental health"),
}
FUNCTIONS: dict[str, Any] = {  # CRD-28
    "BENEFITS": _("benefits"),
    "VISITS": _("visit records"),
    "HOSPITALS": _("hospitals"),
    "SERVICE": _("online service"),
    "AUTHORIZATION": _("prior authorization"),
    "CLAIM": _("online claim"),
    "PHONE_CONSULT": _("phone consult"),
    "COMPLAINT": _("complaints and suggestions"),
}
