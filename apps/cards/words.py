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
FAILED: dict[str, Any] = {  # CRD-07, CRD-26
    "not_as_enrolled": _("not as enrolled"),
    "no_card": _("no card: ended or not issued"),
    "paper_too_early": _("enrolled on paper, too early"),
    "required": _("something missing"),
    "not_asked": _("something not asked for"),
    "code_wrong": _("wrong code"),
    "code_gone": _("no valid code"),
    "too_many_attempts": _("too many attempts"),
    "expired": _("paper expired"),
    "mobile": _("no mobile number"),
    "id_check_digit": _("number mistyped"),
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
