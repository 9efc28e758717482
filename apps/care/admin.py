"""Health services in the admin: what the series offer, tests, requests, archives."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.care import views
from apps.care.roles import ARCHIVE_READERS, ARCHIVISTS, DESK, READERS
from apps.cases.pages import Page, add_page
from apps.cases.site import APP_TITLES

APP_TITLES.setdefault("care", _("Health services"))
for page in (
    Page(
        "care/",
        views.services,
        "care-services",
        _("Services of the series"),
        "medical_services",
        READERS,
        "desk",
        26,
    ),
    Page("home-tests/", views.tests, "home-tests", _("Home tests"), "lab_research", READERS, "desk", 27),
    Page("home-tests/order/", views.order_page, "home-test-order", roles=DESK),
    Page(
        "services/",
        views.requests,
        "service-requests",
        _("Requests for services"),
        "support_agent",
        READERS,
        "desk",
        28,
    ),
    Page("services/request/", views.request_page, "service-request", roles=DESK),
    Page(
        "health-archive/",
        views.archive,
        "health-archive",
        _("Health archive"),
        "folder_shared",
        ARCHIVE_READERS,
        "desk",
        29,
    ),
    Page("health-archive/<int:pk>/", views.archive_act, "health-archive-act", roles=ARCHIVISTS),
):
    add_page(page)
