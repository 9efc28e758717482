"""Machines that call the API. A key is shown once, on the page that answers the form, and never again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.accounts.actions import register_api_client, rotate_api_key
from apps.accounts.actors import actor_of
from apps.accounts.admin.common import SCOPE_FIELDS, AccountsAdmin
from apps.accounts.models import ApiClient


@admin.register(ApiClient)
class ApiClientAdmin(AccountsAdmin):
    """Nobody is deleted: a machine that is no longer wanted is switched off."""

    list_display = ("name", "kind", "party", "prefix", "scopes_shown", "active", "expires_at", "last_used_at")
    list_filter = (("kind", ChoicesDropdownFilter), "active")
    list_filter_submit = True
    search_fields = ("name", "prefix", "hospital", "tpa", "provider")
    ordering = ("name",)
    readonly_fields = ("prefix", "last_used_at", "created_at")
    actions_detail = ["rotate_key"]
    fieldsets = (
        (None, {"fields": ("name", "kind", "scopes", "active", "expires_at")}),
        (_("Sees only"), {"fields": SCOPE_FIELDS, "description": _("Empty fields do not restrict.")}),
        (_("Key"), {"fields": ("prefix", "last_used_at", "created_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: ApiClient | None = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:-1]

    def has_delete_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ApiClient, form: ModelForm[ApiClient], change: bool
    ) -> None:
        if change:
            # Not the columns of the key: somebody may be rotating it, or the machine be using it.
            obj.save(update_fields=form.changed_data or ["name"])
        else:
            request.plain_key = register_api_client(actor_of(request), obj)  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiClient, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show_once(request, obj, request.plain_key)  # type: ignore[attr-defined]

    @display(description=_("party"))
    def party(self, client: ApiClient) -> str:
        return client.hospital or client.tpa or client.provider or client.member or "-"

    @display(description=_("scopes"))
    def scopes_shown(self, client: ApiClient) -> str:
        return ", ".join(client.scopes)

    @action(description=_("New key"), url_path="rotate", icon="key")
    def rotate_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client: ApiClient | None = self.get_object(request, object_id)
        if client is None or not self.has_change_permission(request, client):
            raise PermissionDenied
        if request.method != "POST":
            return self.ask(
                request,
                client,
                question=_("Give %(client)s a new key?") % {"client": client},
                consequence=_("The old key ends at once."),
                answer=_("New key"),
            )
        key = rotate_api_key(actor_of(request), client)
        self.log_change(request, client, "key rotated")
        return self._show_once(request, client, key)

    def _show_once(self, request: HttpRequest, client: ApiClient, key: str) -> HttpResponse:
        """In the answer itself: a message would travel through session or cookie."""
        page = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": client,
            "title": _("The key of %(client)s") % {"client": client},
            "key": key,
        }
        return TemplateResponse(
            request, "accounts/key_once.html", page, headers={"Cache-Control": "no-store"}
        )
