"""Pages of authorizations in the admin."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.authorizations import views
from apps.authorizations.roles import DESK, READERS
from apps.cases.pages import Page, add_page, add_waiting_states

add_page(Page("authorizations/new/", views.new_request, "authorization-request", _("Request an authorization"),
              "verified_user", DESK, "desk", 20))  # fmt: skip
add_page(Page("authorizations/check/", views.check, "authorization-check", roles=DESK))
add_page(Page("authorizations/in-hospital/", views.children_in_hospital, "in-hospital", _("Children in hospital"),
              "hotel", READERS, "work", 60))  # fmt: skip
add_waiting_states("authorization", {"MATERIALS_PENDING", "APPROVED"})
