"""Pages and lists of quality in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.accounts.actors import actor_of
from apps.cases.pages import Page, add_page
from apps.cases.site import site
from apps.quality import views
from apps.quality.models import ErrorCode
from apps.quality.roles import LEADS, MANAGERS, READERS

REPLAYERS = LEADS | {"auditor"}

add_page(Page("quality/straight/", views.straight_page, "quality-straight", _("Straight-through decisions"),
              "bolt", READERS, "manage", 40))  # fmt: skip
add_page(Page("quality/straight/run/", views.straight_run, "quality-straight-run", roles=MANAGERS))
add_page(Page("quality/inspections/", views.inspections, "quality-inspections", _("Quality inspection"),
              "fact_check", READERS, "manage", 50))  # fmt: skip
add_page(Page("quality/replays/", views.replay_list, "quality-replays", _("Replay and what-if"),
              "history", REPLAYERS, "manage", 60))  # fmt: skip
add_page(Page("quality/replays/<int:pk>/", views.replay_page, "quality-replay", roles=REPLAYERS))
add_page(Page("quality/replays/<int:pk>/cancel/", views.replay_cancel, "quality-replay-cancel", roles=LEADS))


@admin.register(ErrorCode, site=site)
class ErrorCodeAdmin(ModelAdmin):
    """The catalogue of errors; a code in use is switched off, not removed."""

    list_display = ["code", "name", "name_en", "severity", "active"]
    list_filter = ["severity", "active"]
    search_fields = ["code", "name", "name_en"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(READERS & actor_of(request).roles)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(MANAGERS & actor_of(request).roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []
