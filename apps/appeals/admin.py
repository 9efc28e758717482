"""Appeals in the admin: the list, recording one, how appeals go."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.appeals import views
from apps.appeals.roles import DESK, READERS
from apps.cases.pages import Page, add_page, add_waiting_states
from apps.cases.site import APP_TITLES

APP_TITLES.setdefault("appeals", _("Appeals"))
add_page(Page("appeals/", views.listed, "appeals", _("Appeals"), "gavel", READERS, "desk", 27))
add_page(Page("appeals/record/", views.record_page, "appeal-record", roles=DESK))
add_page(
    Page("appeals/figures/", views.figures, "appeal-figures", _("How appeals go"), "balance", READERS, "manage", 25)
)  # fmt: skip
add_waiting_states("appeal", {"INFO_PENDING"})
