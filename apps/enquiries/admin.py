"""Enquiries in the admin: the list, recording one, sending forms."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.cases.pages import Page, add_page, add_timeline
from apps.cases.site import APP_TITLES
from apps.enquiries import views
from apps.enquiries.queries import timeline
from apps.enquiries.roles import DESK, READERS

APP_TITLES.setdefault("enquiries", _("Enquiries"))
add_page(
    Page("enquiries/", views.listed, "enquiries", _("Enquiries"), "contact_support", READERS, "desk", 25)
)
add_page(Page("enquiries/record/", views.record_page, "enquiry-record", roles=DESK))
add_page(Page("enquiries/forms/", views.forms_page, "enquiry-forms", roles=DESK))
add_timeline(timeline)
