"""Words of messages: one template a kind and language, with a part for each channel.

`templates/messages/<language>/<template>.txt` extends `base.txt` and fills the blocks subject, email,
sms and call. Contacts come from the handbook of the case and are printed by the base (GEN-05, GEN-06).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from apps.adjudication.handbook import Handbook
from apps.cases.clocks import spec_of
from apps.cases.models import CaseFile, Clock

SMS_LIMIT = 500  # as much as seven parts; longer ones are cut by carriers anyway


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str


def words_for(
    template: str, channel: str, language: str, case: CaseFile | None, context: Mapping[str, Any]
) -> Words:
    """Subject and text of a message; `channel` is EMAIL, SMS or CALL."""
    lang = "en" if language.startswith("en") else "zh"
    values = _common(case, lang) | dict(context) | {"lang": lang}
    part = channel.lower()
    with translation.override("en" if lang == "en" else "zh-hans"):
        text = _render(template, lang, part, values)
    if part == "email":  # the subject is its first line
        subject, _line, body = text.partition("\n")
        return Words(subject=" ".join(subject.split())[:200], body=body.strip())
    return Words(subject="", body=text[:SMS_LIMIT] if part == "sms" else text)


def _common(case: CaseFile | None, lang: str) -> dict[str, Any]:
    if case is None:
        return {}
    handbook = case.handbook.handbook
    contacts = {key: _in(lang, contact.value) for key, contact in handbook.contacts.items()}
    return {
        "case": case.number,
        "child": case.member.masked_name,
        "contacts": contacts,
        "series": handbook.series,
    }


def _in(lang: str, value: str) -> str:
    """'950610 转 8' is '950610 ext. 8' (GEN-05)."""
    return re.sub(r"\s*转\s*", " ext. ", value) if lang == "en" else value


def _render(template: str, lang: str, part: str, values: Mapping[str, Any]) -> str:
    compiled = get_template(f"messages/{lang}/{template}.txt").template  # type: ignore[attr-defined]
    text: str = compiled.render(Context({**values, "part": part}, autoescape=False))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def clock_title(handbook: Handbook, clock: Clock, lang: str) -> str:
    """What a series calls a promise; its key when the handbook was exchanged meanwhile."""
    try:
        title = spec_of(handbook, clock).title
    except LookupError:
        return clock.key
    return title.en if lang == "en" else title.zh
