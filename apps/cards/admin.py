"""Cards for staff: a list, the page of a card with its picture and history, and what could not be bound."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.actions import log_read
from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cards import actions
from apps.cards.models import BindingFailure, Card, CardEvent, CardLink, CardState
from apps.cards.picture import png_of
from apps.cards.queries import face_of
from apps.cards.words import FAILED
from apps.core.errors import DomainError
from apps.core.imports.cells import fold
from apps.core.lists import Exportable, ListResource, ReadOnlyInline, ReadOnlyList, known_values
from apps.members import queries
from apps.members.admin import MemberAdmin
from apps.members.models import IdType
from apps.products.queries import series_codes

COLORS = {"ACTIVE": "success", "PENDING": "info", "GREYED": "danger", "EXPIRED": "warning"}


class StateFilter(admin.SimpleListFilter):
    """What the card is today (CRD-01); the same test as `Card.state_on`."""

    title = _("state today")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(CardState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Card]) -> QuerySet[Card]:
        today = timezone.localdate()
        ended = Q(policy__expires_on__lt=today) | Q(policy__ended_on__lt=today)
        begun = Q(policy__effective_on__lte=today) & ~Q(policy__status="PENDING")
        conditions = {
            "EXPIRED": ended,
            "GREYED": ~ended & Q(greyed_at__isnull=False),
            "ACTIVE": ~ended & Q(greyed_at=None) & begun,
            "PENDING": ~ended & Q(greyed_at=None) & ~begun,
        }
        condition = conditions.get(self.value() or "")
        return queryset.filter(condition) if condition is not None else queryset


class SeriesFilter(admin.SimpleListFilter):
    title = _("series")
    parameter_name = "series"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(series, series) for series in series_codes()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Card]) -> QuerySet[Card]:
        return queryset.filter(policy__series=self.value()) if self.value() else queryset


class LinkInline(ReadOnlyInline):
    model = CardLink
    fields = ["client", "account", "relation", "bound_at", "unbound_at"]
    readonly_fields = fields
    ordering = ["-bound_at"]


class EventInline(ReadOnlyInline):
    model = CardEvent
    fields = ["at", "kind", "actor_label", "reason", "rule"]
    readonly_fields = fields


class CardInline(TabularInline):
    """On the page of a child."""

    model = Card
    fields = ["link", "policy", "today", "issued_at", "greyed_for"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Card]:
        cards = super().get_queryset(request).select_related("policy")
        return visible_to(cards, actor_of(request)).order_by("-policy__effective_on")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("card number"))
    def link(self, card: Card) -> Any:
        address = reverse("admin:cards_card_change", args=[card.pk])
        return format_html('<a class="font-semibold" href="{}">{}</a>', address, card.spaced)

    @admin.display(description=_("today"))
    def today(self, card: Card) -> str:
        return str(card.state_on(timezone.localdate()).label)


MemberAdmin.inlines = [*MemberAdmin.inlines, CardInline]


class CardResource(ListResource):
    member = Field(attribute="member__number", column_name=_("member"))
    child = Field(attribute="member__masked_name", column_name=_("child"))
    policy = Field(attribute="policy__number", column_name=_("policy"))
    plan = Field(attribute="policy__plan__name", column_name=_("plan"))
    series = Field(attribute="policy__series", column_name=_("series"))
    state = Field(column_name=_("state"))

    class Meta:
        model = Card
        fields = ("number", "member", "child", "policy", "plan", "series", "state", "issued_at", "greyed_at",
                  "greyed_for", "greyed_rule")  # fmt: skip
        export_order = fields

    def dehydrate_state(self, card: Card) -> str:
        return str(card.state_on(timezone.localdate()).label)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("reason"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )


@admin.register(Card)
class CardAdmin(Exportable, ReadOnlyList):
    resource_classes = [CardResource]
    list_display = ["number", "child", "plan_name", "series", "today", "from_day", "until", "greyed_for"]
    list_filter = [
        SeriesFilter,
        StateFilter,
        ("issued_at", admin.DateFieldListFilter),
    ]
    list_select_related = ["member", "policy__plan"]
    search_fields = ["number"]
    search_help_text = _("Card or policy number in full; or the child by name, identity or mobile number")
    ordering = ["-issued_at", "-id"]
    sortable_by = ["issued_at"]
    fields = ["number", "child", "policy", "plan_name", "series", "state", "picture", "issued_at", "greyed_at",
              "greyed_for", "greyed_rule"]  # fmt: skip
    readonly_fields = fields
    inlines = [EventInline, LinkInline]
    actions_detail = ["grey_card", "restore_card"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Card]:
        return visible_to(Card.objects.select_related("member", "policy__plan"), actor_of(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Card], search_term: str
    ) -> tuple[QuerySet[Card], bool]:
        term = fold(search_term).replace(" ", "").upper()
        if not term:
            return queryset, False
        found = Q(number=term) | Q(policy__number=term)
        child = queries.search(search_term)
        if child is not None:
            found |= Q(member__in=queries.visible_members(actor_of(request)).filter(child).values("pk"))
        return queryset.filter(found), False

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        log_read(actor_of(request), subject="cards", what="export (masked)")
        return super().get_export_data(file_format, request, queryset, **kwargs)

    def get_urls(self) -> list[Any]:
        own = path(
            "<int:pk>/<str:what>/now/", self.admin_site.admin_view(self.change_state), name="cards_card_state"
        )
        return [own, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        card = self.get_object(request, object_id)
        if card is not None:
            log_read(actor_of(request), subject=f"member:{card.member.number}", what="card")
        return super().change_view(request, object_id, *args, **kwargs)

    # --- Greying ----------------------------------------------------------------------------------------

    @action(description=_("Grey…"), url_path="grey-card", icon="credit_card_off", permissions=["grey"])
    def grey_card(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return redirect(reverse("admin:cards_card_state", args=[object_id, "grey"]))

    @action(description=_("Restore…"), url_path="restore-card", icon="credit_score", permissions=["grey"])
    def restore_card(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return redirect(reverse("admin:cards_card_state", args=[object_id, "restore"]))

    def has_grey_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actions.may_grey(actor_of(request))

    def change_state(self, request: HttpRequest, pk: int, what: str) -> HttpResponse:
        """Grey or restore after a reason."""
        handler = {"grey": actions.grey, "restore": actions.restore}.get(what)
        card = self.get_queryset(request).filter(pk=pk).first()
        if card is None or handler is None:
            raise Http404
        if not self.has_grey_permission(request):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        error: DomainError | None = None
        if request.method == "POST" and form.is_valid():
            try:
                handler(actor_of(request), card, reason=form.cleaned_data["reason"])
            except DomainError as refused:
                error = refused
            else:
                messages.success(request, gettext("The card was changed."))
                return redirect(reverse("admin:cards_card_change", args=[pk]))
        title = gettext("Grey card %(number)s") if what == "grey" else gettext("Restore card %(number)s")
        context = {**self.admin_site.each_context(request), "title": title % {"number": card.spaced}, "card": card,
                   "form": form, "error": error, "opts": self.opts}  # fmt: skip
        return TemplateResponse(request, "cards/state.html", context)

    # --- Columns ----------------------------------------------------------------------------------------

    @admin.display(description=_("child"))
    def child(self, card: Card) -> str:
        return f"{card.member.masked_name} {card.member.number}"

    @admin.display(description=_("plan"))
    def plan_name(self, card: Card) -> str:
        return card.policy.plan.label

    @admin.display(description=_("series"))
    def series(self, card: Card) -> str:
        return card.policy.series

    @display(description=_("state today"), label=COLORS)  # type: ignore[untyped-decorator]
    def today(self, card: Card) -> tuple[str, str]:
        state = card.state_on(timezone.localdate())
        return state.value, str(state.label)

    @admin.display(description=_("state today"))
    def state(self, card: Card) -> str:
        return str(card.state_on(timezone.localdate()).label)

    @admin.display(description=pgettext_lazy("cover", "from"))
    def from_day(self, card: Card) -> Any:
        return card.policy.effective_on

    @admin.display(description=_("until"))
    def until(self, card: Card) -> Any:
        return card.policy.covered_until

    @admin.display(description=_("picture"))
    def picture(self, card: Card) -> Any:
        face = face_of(card, timezone.now(), whole_name=False)
        data = base64.b64encode(png_of(face)).decode()
        return format_html(
            '<img src="data:image/png;base64,{}" alt="{}" width="420">', data, face.state.label
        )


class BindingFailureResource(ListResource):
    class Meta:
        model = BindingFailure
        fields = ("at", "series", "client__name", "account", "rule", "words", "tried")
        export_order = fields


@admin.register(BindingFailure)
class BindingFailureAdmin(Exportable, ReadOnlyList):
    """Families that could not bind; whoever answers the hotline sees what they were told (CRD-07, CRD-26)."""

    resource_classes = [BindingFailureResource]
    list_display = ["at", "series", "client", "account", "failed", "rule", "typed", "words"]
    list_filter = [
        known_values("series", _("series"), lambda: [(series, series) for series in series_codes()]),
        ("at", admin.DateFieldListFilter),
    ]
    list_select_related = ["client"]
    search_fields = ["account__exact"]
    search_help_text = _("The account at the front end, in full")
    ordering = ["-id"]
    sortable_by: list[str] = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[BindingFailure]:
        return visible_to(BindingFailure.objects.all(), actor_of(request))

    @admin.display(description=_("what failed"))
    def failed(self, failure: BindingFailure) -> Any:
        return FAILED.get(failure.code, failure.code)

    @admin.display(description=_("tried with"))
    def typed(self, failure: BindingFailure) -> str:
        kind, _space, end = failure.tried.rpartition(" ")
        return f"{dict(IdType.choices).get(kind, kind)} {end}".strip()
