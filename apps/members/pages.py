"""The look-up page of a child: where to go on a day without paying, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.accounts.actors import Actor
from apps.core.excel import excel_response
from apps.hospitals.directory import DayInput
from apps.hospitals.models import DepartmentGroup, Hospital, NetworkLookup, Ownership, Scope
from apps.hospitals.queries import visible_hospitals
from apps.hospitals.words import asked_words
from apps.members.models import Member
from apps.members.network import HOTLINE, Place, Wish, insured_on, look_up
from apps.products.labels import label, labels

PAGE = 50
# What else can be done at a place that was found, as the apps above say: who looks, the child, the wish and the
# place → words and address, or None.
Follow = Callable[[Actor, Member, Wish, Place], tuple[Any, str] | None]
FOLLOWS: list[Follow] = []
MOST = 5_000  # rows of an Excel file
ANY = [("", "—")]
CAUSES = [("ILLNESS", gettext_lazy("illness")), ("ACCIDENT", gettext_lazy("accident"))]


def _choice(label: Any, choices: list[tuple[str, Any]], *, needed: bool = False) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, required=needed, choices=choices if needed else [*ANY, *choices],
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip


class WishForm(forms.Form):
    on = forms.DateField(label=gettext_lazy("visit on"), widget=DayInput)
    benefit = _choice(gettext_lazy("benefit"), list(Scope.choices), needed=True)
    cause = _choice(gettext_lazy("cause"), CAUSES, needed=True)
    department_group = _choice(gettext_lazy("department group"), list(DepartmentGroup.choices))
    scope = _choice(gettext_lazy("direct-billing scope"), list(Scope.choices))
    text = forms.CharField(
        label=pgettext_lazy("hospital", "hospital name"), required=False, max_length=80,
        widget=UnfoldAdminTextInputWidget,
    )  # fmt: skip
    city = _choice(gettext_lazy("city"), [])
    hospital_type = _choice(gettext_lazy("type"), [])
    ownership = _choice(gettext_lazy("ownership"), list(Ownership.choices))
    only_listed = forms.BooleanField(
        label=gettext_lazy("only the network"), required=False, widget=UnfoldBooleanWidget
    )

    def __init__(self, actor: Actor, data: Any):
        start = {"on": timezone.localdate().isoformat(), "benefit": "OUTPATIENT", "cause": "ILLNESS"}
        super().__init__({**start, **data.dict()})
        hospitals = visible_hospitals(actor)
        for name in ("city", "hospital_type"):
            values = hospitals.exclude(**{name: ""}).order_by(name).values_list(name, flat=True).distinct()
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [*ANY, *((value, value) for value in values)]

    def wish(self) -> Wish:
        return Wish(**self.cleaned_data)


def look_up_page(actor: Actor, member: Member, form: WishForm, data: Any) -> dict[str, Any]:
    """What the template shows: answers of one page, the policy they hold for, earlier look-ups."""
    wish = form.wish()
    insured = insured_on(member, wish.on, series=data.get("series", ""))
    number = data.get("page", "1")
    found, page = look_up(
        actor, insured, wish,
        lambda rows: Paginator(rows, PAGE).get_page(int(number) if number.isdecimal() else 1), channel=HOTLINE,
    )  # fmt: skip
    query = data.copy()
    query.pop("page", None)
    links = [[link for follow in FOLLOWS if (link := follow(actor, member, wish, place))] for place in found]
    return {
        "found": list(zip(found, links, strict=True)), "page": page, "wish": wish, "insured": insured,
        "riders": labels(insured.policy.riders) if insured.policy else "", "query": query.urlencode(),
    }  # fmt: skip


def look_up_excel(actor: Actor, member: Member, form: WishForm, data: Any) -> HttpResponse:
    """The same answer as a workbook, all pages."""

    def rows(hospitals: QuerySet[Hospital]) -> list[Hospital]:
        return list(hospitals[:MOST])

    wish = form.wish()
    found, _page = look_up(
        actor, insured_on(member, wish.on, series=data.get("series", "")), wish, rows, channel=HOTLINE
    )
    columns = (_("hospital"), _("code"), _("city"), _("ownership"), _("type"), _("direct billing"),
               _("direct-billing scope"), _("why not"), _("rule"), _("address"), _("phone"))  # fmt: skip
    return excel_response(_("Hospitals for a child"), columns, (_line(place) for place in found))


def _line(place: Place) -> tuple[Any, ...]:
    hospital = place.hospital
    campuses = list(hospital.campuses.all())
    said = place.why or place.mind
    return (
        hospital.name, hospital.code, hospital.city, hospital.get_ownership_display(), hospital.hospital_type,
        _("yes") if place.direct else _("no"), "、".join(str(Scope(scope).label) for scope in place.scopes),
        " ".join(why.words for why in said), "、".join(dict.fromkeys(why.rule for why in said if why.rule)),
        "；".join(campus.address for campus in campuses if campus.address),
        "；".join(campus.phone for campus in campuses if campus.phone),
    )  # fmt: skip


def earlier_look_ups(member: Member, limit: int = 5) -> list[tuple[NetworkLookup, str]]:
    """The last look-ups for a child, each with what was asked, in words."""
    rows = NetworkLookup.objects.filter(member=member.number).select_related("user", "client")
    return [(row, f"{label(row.channel)} · {asked_words(row)}") for row in rows.order_by("-id")[:limit]]
