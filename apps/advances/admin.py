"""Advances in the admin: the list, an application, the provider."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.advances import views
from apps.advances.providers import CHECKERS, MAKERS
from apps.advances.roles import DESK, READERS
from apps.cases.pages import Page, add_page, add_waiting_states
from apps.cases.site import APP_TITLES

APP_TITLES.setdefault("advances", _("Inpatient advances"))
add_page(
    Page(
        "advances/",
        views.listed,
        "advances",
        _("Inpatient advances"),
        "volunteer_activism",
        READERS,
        "desk",
        22,
    )
)
add_page(Page("advances/apply/", views.new_application, "advance-apply", roles=DESK))
add_page(Page("advances/provider/", views.providers, "advance-providers", roles=MAKERS | CHECKERS))
add_page(
    Page(
        "advances/provider/<int:pk>/confirm/",
        views.confirm_provider,
        "advance-provider-confirm",
        roles=CHECKERS,
    )
)
add_waiting_states("advance", {"MATERIALS_PENDING", "APPROVED"})
