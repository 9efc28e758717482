"""The dashboard's place in the sidebar."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.cases.common import LEADS
from apps.cases.pages import Page, add_page
from apps.dashboards.views import dashboard

READERS = LEADS | {"auditor", "compliance", "insurer_user", "final_approval"}

add_page(Page("dashboard/", dashboard, "dashboard", _("Dashboard"), "monitoring", READERS, "manage", 10))
