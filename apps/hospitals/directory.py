"""The directory page: who bills directly where, on which date, and why a house is out (NET-04, NET-06)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.actors import Actor
from apps.hospitals.actions import record_lookup
from apps.hospitals.models import DepartmentGroup, Hospital, Ownership, Scope
from apps.hospitals.queries import Answer, Criteria, directory, network_answer, search, visible_hospitals
from apps.hospitals.series import SeriesBook, group_names
from apps.hospitals.words import listed_words

PAGE = 50
EXPLAINED = 5  # houses found by name but not in the network, for which the page says why
ANY = [("", "—")]


def _choice(label: Any, choices: list[tuple[str, Any]] | None = None) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, required=False, choices=[*ANY, *(choices or [])], widget=UnfoldAdminSelectWidget
    )


class DayInput(UnfoldAdminTextInputWidget):
    """The browser's own calendar, as wide as the other fields."""

    input_type = "date"


class DirectoryForm(forms.Form):
    on = forms.DateField(label=_("on"), widget=DayInput)
    text = forms.CharField(label=_("name"), required=False, max_length=80, widget=UnfoldAdminTextInputWidget)
    network = _choice(_("series and plan group"))
    benefit = _choice(_("benefit"), list(Scope.choices))
    department_group = _choice(_("department group"), list(DepartmentGroup.choices))
    scope = _choice(_("direct-billing scope"), list(Scope.choices))
    city = _choice(_("city"))
    hospital_type = _choice(_("type"))
    ownership = _choice(_("ownership"), list(Ownership.choices))

    def __init__(self, actor: Actor, data: Any):
        super().__init__({"on": timezone.localdate().isoformat(), **data.dict()})
        hospitals = visible_hospitals(actor)
        for name in ("city", "hospital_type"):
            values = hospitals.exclude(**{name: ""}).order_by(name).values_list(name, flat=True).distinct()
            self._choices(name, [(value, value) for value in values])
        self._choices("network", _networks(actor))

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*ANY, *choices]

    def criteria(self) -> Criteria:
        found = dict(self.cleaned_data)
        series, _dot, group = found.pop("network").partition(".")
        return Criteria(series=series, network_group=group, **found)


def _networks(actor: Actor) -> list[tuple[str, str]]:
    """'2026.NATIONAL' → '2026 · 全国版' for the series the actor works for."""
    found = []
    for series, handbook in SeriesBook().handbooks.items():
        if actor.series and series not in actor.series:
            continue
        for group in dict.fromkeys(network.group for network in handbook.networks):
            titles = [
                version.title.zh for version in handbook.versions.values() if version.network_group == group
            ]
            found.append((f"{series}.{group}", f"{series} · {' / '.join(titles) or group}"))
    return found


@dataclass(frozen=True, slots=True)
class Found:
    page: Any
    rows: list[tuple[Hospital, list[str]]]  # with where it is listed, in words
    out: list[tuple[Hospital, Answer]]


def look_up(actor: Actor, criteria: Criteria, page: int) -> Found:
    """Search, explain and record (NET-04)."""
    found = Paginator(directory(actor, criteria), PAGE).get_page(page)
    out = _explained(actor, criteria, {hospital.pk for hospital in found})
    record_lookup(
        actor,
        criteria=criteria,
        result={
            "count": found.paginator.count,
            "hospitals": [hospital.code for hospital in found],
            "out": {hospital.code: [reason.code for reason in answer.reasons] for hospital, answer in out},
        },
    )
    names = {series: group_names(handbook) for series, handbook in SeriesBook().handbooks.items()}
    return Found(found, [(hospital, listed_words(hospital, names)) for hospital in found], out)


def _explained(actor: Actor, criteria: Criteria, listed: set[int]) -> list[tuple[Hospital, Answer]]:
    """Houses of that name that are not in the network asked for, each with its reasons."""
    if not (criteria.text and criteria.series and criteria.benefit):
        return []
    others = (
        visible_hospitals(actor)
        .filter(search(criteria.text))
        .exclude(pk__in=listed)
        .order_by("name")[:EXPLAINED]
    )
    asked: dict[str, Any] = {
        "benefit": criteria.benefit, "department_group": criteria.department_group, "series": criteria.series,
        "network_group": criteria.network_group, "on": criteria.on,
    }  # fmt: skip
    answers = [(hospital, network_answer(hospital, **asked)) for hospital in others]
    return [(hospital, answer) for hospital, answer in answers if not answer.listed]
