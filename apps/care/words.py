"""Words of the codes of this room, and of the calls it asks for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.forms import CODE_WORDS
from apps.messaging.purposes import add_purposes

CODES = {
    "COMMON_ILLNESS": pgettext_lazy("topic", "common illness"),
    "GROWTH": pgettext_lazy("topic", "growth"),
    "NUTRITION": pgettext_lazy("topic", "nutrition"),
    "HYGIENE": pgettext_lazy("topic", "hygiene"),
    "EMOTION": pgettext_lazy("topic", "emotion"),
    "TEXT_IMAGE": _("text and pictures"),
    "POLICY_DETAIL": _("by the page of the policy"),
    "BENEFIT_LIST": _("by the list of exclusive benefits"),
    "POLICYHOLDER": _("policyholder"),
    "INSURED": _("insured child"),
    "PHONE_950619": _("call from 950619"),
    "PHONE_950610": _("call from 950610"),
    "WECOM": _("WeCom"),
    "JD_HEALTH": _("JD Health"),
}


def add_words() -> None:
    CODE_WORDS.update({code: words for code, words in CODES.items() if code not in CODE_WORDS})
    add_purposes({"home_test": _("home test"), "service": _("health service")})
