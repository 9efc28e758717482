"""Look-ups of the network and what they found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.hospitals.models import Hospital, NetworkLookup, Scope
from apps.products.labels import joined, label

CODED = ("benefit", "scope", "department_group", "ownership")
PLAIN = ("city", "hospital_type", "text", "series")
SHOWN = 3  # hospitals that are named with their reasons
REASONS: dict[str, Any] = {
    "NOT_LISTED": gettext_lazy("not listed"),
    "INACTIVE": gettext_lazy("not active"),
    "NOT_YET": gettext_lazy("listed later"),
    "ENDED": gettext_lazy("no longer listed"),
    "OTHER_SCOPE": gettext_lazy("not billed directly"),
    "OTHER_DEPARTMENT": gettext_lazy("another department"),
    "OTHER_GROUP": gettext_lazy("another plan group"),
    "OTHER_BENEFIT": gettext_lazy("another benefit"),
    "NO_POLICY": gettext_lazy("no cover that day"),
    "NO_NETWORK": gettext_lazy("no network in the series"),
    "NO_RIDER": gettext_lazy("rider not bought"),
    "NOT_COVERED": gettext_lazy("not covered"),
    "WAITING": gettext_lazy("waiting period"),
    "BRAND": gettext_lazy("tied to another brand"),
}


def asked_words(row: NetworkLookup) -> str:
    """'2026-12-03 · 门诊 · 特需部 · 北京'; the plan group follows from the child and is left out."""
    asked = row.criteria
    said = [asked.get("on", ""), *(label(asked[name]) for name in CODED if asked.get(name))]
    return " · ".join(filter(None, [*said, *(asked[name] for name in PLAIN if asked.get(name))]))


def answer_words(row: NetworkLookup) -> str:
    """How many, how many of them out, and why the first of those."""
    count, out = row.result.get("count", 0), row.result.get("out", {})
    said = [_("%(count)d found") % {"count": count}]
    if out:
        named = [f"{code} {joined(str(REASONS.get(why, why)) for why in whys)}" for code, whys in out.items()]
        more = "…" if len(named) > SHOWN else ""
        said.append(
            _("%(count)d out: %(which)s") % {"count": len(out), "which": "；".join(named[:SHOWN]) + more}
        )
    return " · ".join(said)


def listed_words(hospital: Hospital, names: Mapping[str, Mapping[str, str]]) -> list[str]:
    """'2026 全国版 · 普通科室：门诊、疫苗' for the entries found; `names` of the groups by series."""
    benefits: dict[tuple[Any, ...], list[str]] = {}
    known = dict(Scope.choices)
    for campus in hospital.campuses.all():
        for entry in campus.listed:  # type: ignore[attr-defined]
            group = names.get(entry.series, {}).get(entry.network_group, entry.network_group)
            key = (entry.series, group, str(entry.get_department_group_display()), entry.ends_on)
            word = str(known.get(entry.benefit, entry.benefit))
            if word not in benefits.setdefault(key, []):
                benefits[key].append(word)
    return [
        f"{series} {group} · {department}：{joined(found)}"
        + (_(" (until %(day)s)") % {"day": ends} if ends else "")
        for (series, group, department, ends), found in benefits.items()
    ]
