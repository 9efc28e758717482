"""Endpoints and what was sent to them, for staff: lists, the page of an endpoint with its health, its levers."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.accounts.actors import actor_of
from apps.cases.site import APP_TITLES, site
from apps.core.errors import DomainError
from apps.core.lists import Exportable, NumberSearch, ReadOnlyInline, ReadOnlyList, known_values
from apps.webhooks import actions
from apps.webhooks.catalog import offered, words_of
from apps.webhooks.forms import NewEndpointForm, ReasonForm, show_error
from apps.webhooks.levers import LEVERS
from apps.webhooks.models import Attempt, Delivery, Endpoint, EndpointEvent
from apps.webhooks.payload import payload_of
from apps.webhooks.queries import READERS, deliveries_of, endpoints_of, health_of
from apps.webhooks.resources import DeliveryResource, EndpointResource

APP_TITLES["webhooks"] = _("Webhooks")
ENDPOINT_LABELS = {"ACTIVE": "success", "SUSPENDED": "danger", "REMOVED": "info"}
LABELS = {
    "QUEUED": "info",
    "SENDING": "info",
    "DELIVERED": "success",
    "DEAD": "danger",
    "CANCELED": "warning",
}


class WebhookList(Exportable, ReadOnlyList):
    """For those who look after the connections and for those who check."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles & READERS)

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return actions.may_manage(actor_of(request))

    @admin.display(description=_("state"))
    def state_words(self, row: Any) -> Any:
        return row.get_state_display()


def _button(name: str, icon: str, when: str = "alive") -> Any:
    def go(self: Any, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return redirect(reverse("admin:webhooks_endpoint_lever", args=[object_id, name]))

    go.__name__ = f"{name}_endpoint"
    decorated: Any = action(
        description=LEVERS[name].title, url_path=f"{name}-endpoint", icon=icon, permissions=[when]
    )(go)
    return decorated


class HistoryInline(ReadOnlyInline):
    model = EndpointEvent
    hide_title = True
    fields = ["at", "kind", "actor_label", "reason", "told"]
    readonly_fields = fields
    verbose_name_plural = _("history")

    @admin.display(description=_("details"))
    def told(self, event: EndpointEvent) -> str:
        """What it was made with, or what became of what: 'address: https://a → https://b'."""
        changed = event.data.get("fields", {})
        parts = [
            f"{_of(name)}: {_words(name, old)} → {_words(name, new)}" for name, (old, new) in changed.items()
        ]
        rest = {name: value for name, value in event.data.items() if name != "fields"}
        return "; ".join([*parts, *(f"{_of(name)}: {_words(name, value)}" for name, value in rest.items())])


def _of(name: str) -> str:
    """A field of an endpoint in words."""
    known = {
        field.name: field.verbose_name
        for field in Endpoint._meta.get_fields()
        if hasattr(field, "verbose_name")
    }
    return str(known.get(name, name))


def _words(name: str, value: Any) -> str:
    if name == "events":
        return "、".join(words_of(one) for one in value)
    return str(value) or "–"


class FailingFilter(admin.SimpleListFilter):
    title, parameter_name = _("health"), "failing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("failing now")), ("0", _("not failing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        if self.value() not in ("0", "1"):
            return queryset
        return queryset.filter(failing_since__isnull=self.value() == "0")


@admin.register(Endpoint, site=site)
class EndpointAdmin(WebhookList):
    resource_classes = [EndpointResource]
    list_display = [
        "url",
        "client",
        "state_label",
        "event_count",
        "delivered_at",
        "failing_since",
        "failures",
    ]
    list_filter = [
        known_values("state", _("state"), lambda: Endpoint.State.choices),
        FailingFilter,
    ]
    list_select_related = ["client"]
    search_fields = ["url", "client__name"]
    search_help_text = _("Address or API client")
    ordering = ["-created_at"]
    sortable_by: list[str] = ["created_at"]
    fields = ["url", "client", "description", "state_words", "suspended_for", "health", "event_words", "language",
              "contact", "created_at", "delivered_at", "failing_since", "resting_until", "previous_until"]  # fmt: skip
    readonly_fields = fields
    inlines = [HistoryInline]
    actions_list = ["new_endpoint"]
    actions_detail = [
        "ping_endpoint", "edit_endpoint", "suspend_endpoint", "resume_endpoint", "resend_endpoint", "rotate_endpoint",
        "remove_endpoint",
    ]  # fmt: skip
    ping_endpoint = _button("ping", "network_ping")
    edit_endpoint = _button("edit", "edit")
    suspend_endpoint = _button("suspend", "pause_circle", "active")
    resume_endpoint = _button("resume", "play_circle", "suspended")
    resend_endpoint = _button("resend", "replay")
    rotate_endpoint = _button("rotate", "key")
    remove_endpoint = _button("remove", "delete")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        return endpoints_of(actor_of(request)).select_related("client").defer("secret", "previous_secret")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("new/", view(self.make), name="webhooks_endpoint_new"),
            path("<int:pk>/<str:name>/now/", view(self.pull), name="webhooks_endpoint_lever"),
            *super().get_urls(),
        ]

    # Buttons that the state allows; `actions` decides.

    def has_alive_permission(self, request: HttpRequest, pk: Any = None) -> bool:
        return self.has_manage_permission(request) and self._state(request, pk) != Endpoint.State.REMOVED

    def has_active_permission(self, request: HttpRequest, pk: Any = None) -> bool:
        return self.has_manage_permission(request) and self._state(request, pk) == Endpoint.State.ACTIVE

    def has_suspended_permission(self, request: HttpRequest, pk: Any = None) -> bool:
        return self.has_manage_permission(request) and self._state(request, pk) == Endpoint.State.SUSPENDED

    def _state(self, request: HttpRequest, pk: Any) -> str | None:
        """Asked for each button; read once a request."""
        known: dict[str, str | None] = request.__dict__.setdefault("_endpoint_state", {})
        if str(pk) not in known:
            known[str(pk)] = Endpoint.objects.filter(pk=pk).values_list("state", flat=True).first()
        return known[str(pk)]

    @action(description=_("New endpoint"), url_path="new-endpoint", icon="add", permissions=["manage"])
    def new_endpoint(self, request: HttpRequest) -> HttpResponseRedirect:
        return redirect(reverse("admin:webhooks_endpoint_new"))

    def make(self, request: HttpRequest) -> HttpResponse:
        """A new endpoint for a client; the answer shows its secret."""
        if not self.has_manage_permission(request):
            raise PermissionDenied
        form = NewEndpointForm(request.POST or None, actor=actor_of(request))
        if request.method == "POST" and form.is_valid():
            given = dict(form.cleaned_data)
            try:
                endpoint, secret = actions.create(actor_of(request), given.pop("client"), **given)
            except DomainError as error:
                show_error(form, error)
            else:
                return self._secret(request, endpoint, secret)
        return self._ask(
            request, form, title=gettext("New endpoint"), back=reverse("admin:webhooks_endpoint_changelist")
        )

    def pull(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Ask, do, and go back to the endpoint."""
        lever, endpoint = LEVERS.get(name), self.get_queryset(request).filter(pk=pk).first()
        if lever is None or endpoint is None:
            raise Http404
        if not self.has_manage_permission(request):
            raise PermissionDenied
        initial = {field: getattr(endpoint, field) for field in actions.CHANGEABLE}
        form = lever.form(request.POST if request.method == "POST" else None, initial=initial)
        page = reverse("admin:webhooks_endpoint_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            try:
                done = lever.pull(actor_of(request), endpoint, form.cleaned_data)
            except DomainError as error:
                show_error(form, error)
            else:
                if name == "rotate":
                    return self._secret(request, endpoint, done)
                messages.success(request, done if isinstance(done, str) else gettext("Done."))
                return redirect(page)
        return self._ask(
            request, form, title=lever.title, question=lever.question, endpoint=endpoint, back=page
        )

    def _ask(self, request: HttpRequest, form: forms.Form, **words: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": form, **words}
        return TemplateResponse(request, "webhooks/ask.html", context)

    def _secret(self, request: HttpRequest, endpoint: Endpoint, secret: str) -> HttpResponse:
        """In the answer itself: a message would travel through session or cookie."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "secret": secret,
                   "endpoint": endpoint, "title": gettext("The secret of the endpoint")}  # fmt: skip
        return TemplateResponse(
            request, "webhooks/secret_once.html", context, headers={"Cache-Control": "no-store"}
        )

    # --- Columns --------------------------------------------------------------------------------

    @display(description=_("state"), label=ENDPOINT_LABELS)  # type: ignore[untyped-decorator]
    def state_label(self, endpoint: Endpoint) -> tuple[str, Any]:
        return endpoint.state, endpoint.get_state_display()

    @admin.display(description=_("events"))
    def event_count(self, endpoint: Endpoint) -> int:
        return len(endpoint.events)

    @admin.display(description=_("events"))
    def event_words(self, endpoint: Endpoint) -> str:
        return "、".join(words_of(name) for name in endpoint.events)

    @admin.display(description=_("health"))
    def health(self, endpoint: Endpoint) -> Any:
        health = health_of(endpoint)
        scale = 100 / max(health.highest, 1)
        bars = [
            {
                "day": day, "x": 4 + index * 20, "good": round(day.delivered * scale, 1), "bad": round(day.failed * scale, 1),
                "top": round(110 - (day.delivered + day.failed) * scale, 1), "middle": round(110 - day.delivered * scale, 1),
            }
            for index, day in enumerate(health.days)
        ]  # fmt: skip
        log = reverse("admin:webhooks_delivery_changelist") + f"?endpoint__id__exact={endpoint.pk}"
        return render_to_string("webhooks/health.html", {"health": health, "bars": bars, "log": log})


# --- Deliveries -------------------------------------------------------------------------------


class AttemptInline(ReadOnlyInline):
    model = Attempt
    hide_title = True
    verbose_name_plural = pgettext_lazy("webhook", "attempts")
    fields = ["at", "status", "took_ms", "error", "answer"]
    readonly_fields = fields


class EndpointFilter(admin.SimpleListFilter):
    """Few enough to be listed; those of the person's scope."""

    title, parameter_name = _("endpoint"), "endpoint__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = (
            endpoints_of(actor_of(request))
            .order_by("client__name", "pk")
            .values_list("pk", "client__name", "url")
        )
        return [(str(pk), f"{name} · {url[:60]}") for pk, name, url in rows[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        value = self.value() or ""
        return queryset.filter(endpoint=int(value)) if value.isdigit() else queryset


@admin.register(Delivery, site=site)
class DeliveryAdmin(NumberSearch, WebhookList):  # type: ignore[misc]
    resource_classes = [DeliveryResource]
    list_display = [
        "created_at",
        "case_link",
        "event_name",
        "client",
        "state_label",
        "attempts",
        "next_attempt_at",
        "error",
    ]
    list_filter = [
        known_values("state", _("state"), lambda: Delivery.State.choices),
        known_values("event", _("event"), lambda: [(name, words_of(name)) for name in offered()]),
        EndpointFilter,
        ("created_at", admin.DateFieldListFilter),
    ]
    search_fields = ["case__number__exact", "message_id__exact"]
    search_help_text = _("Case number")
    ordering = ["-created_at"]
    sortable_by: list[str] = ["created_at"]
    fields = ["message_id", "event_name", "case_link", "address", "state_words", "attempts", "next_attempt_at",
              "delivered_at", "error", "document"]  # fmt: skip
    readonly_fields = fields
    inlines = [AttemptInline]
    actions_detail = ["resend_delivery"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return deliveries_of(actor_of(request)).prefetch_related("case", "endpoint__client")

    def get_urls(self) -> list[Any]:
        again = self.admin_site.admin_view(self.again)
        return [path("<int:pk>/again/", again, name="webhooks_delivery_again"), *super().get_urls()]

    @action(description=_("Send again…"), url_path="resend-delivery", icon="replay", permissions=["manage"])
    def resend_delivery(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return redirect(reverse("admin:webhooks_delivery_again", args=[object_id]))

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        delivery = self.get_queryset(request).filter(pk=pk).first()
        if delivery is None:
            raise Http404
        if not self.has_manage_permission(request):
            raise PermissionDenied
        form, page = ReasonForm(request.POST or None), reverse("admin:webhooks_delivery_change", args=[pk])
        if request.method == "POST" and form.is_valid():
            try:
                actions.resend(actor_of(request), delivery, **form.cleaned_data)
            except DomainError as error:
                show_error(form, error)
            else:
                messages.success(request, gettext("It will be sent again."))
                return redirect(page)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": form, "back": page,
                   "endpoint": delivery.endpoint, "title": _("Send again"), "question": delivery.message_id}  # fmt: skip
        return TemplateResponse(request, "webhooks/ask.html", context)

    # --- Columns --------------------------------------------------------------------------------

    @display(description=_("case"))  # type: ignore[untyped-decorator]
    def case_link(self, delivery: Delivery) -> Any:
        if delivery.case is None:
            return "–"
        page = reverse("admin:case", args=[delivery.case.number])
        return format_html('<a class="whitespace-nowrap" href="{}">{}</a>', page, delivery.case.number)

    @admin.display(description=_("event"))
    def event_name(self, delivery: Delivery) -> str:
        return words_of(delivery.event)

    @admin.display(description=_("API client"))
    def client(self, delivery: Delivery) -> str:
        return str(delivery.endpoint.client)

    @admin.display(description=_("address"))
    def address(self, delivery: Delivery) -> Any:
        page = reverse("admin:webhooks_endpoint_change", args=[delivery.endpoint_id])
        return format_html('<a href="{}">{}</a> · {}', page, delivery.endpoint.url, delivery.endpoint.client)

    @display(description=_("state"), label=LABELS)  # type: ignore[untyped-decorator]
    def state_label(self, delivery: Delivery) -> tuple[str, Any]:
        return delivery.state, delivery.get_state_display()

    @admin.display(description=pgettext_lazy("webhook", "document"))
    def document(self, delivery: Delivery) -> Any:
        text = json.dumps(payload_of(delivery), ensure_ascii=False, indent=2)
        return format_html('<pre style="white-space:pre-wrap;font-size:12px">{}</pre>', text)
