"""Addresses of the case screens under the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import URLPattern, path, re_path

from apps.cases import views

if TYPE_CHECKING:
    from apps.cases.site import ClaimsAdminSite

NUMBER = r"(?P<number>[A-Z]{1,3}\d{2}-\d{1,9})"


def patterns(site: ClaimsAdminSite) -> list[URLPattern]:
    own = site.admin_view

    return [
        path("work/export/", own(views.export), name="work-export"),
        path("work/assign/", own(views.assign), name="work-assign"),
        path("work/filters/", own(views.save_filter), name="work-filter-save"),
        path("work/filters/<int:pk>/delete/", own(views.delete_filter), name="work-filter-delete"),
        path("work/next/", own(views.next_case), name="work-next"),
        path("find/", own(views.find), name="find"),
        path("session/", own(views.session), name="session"),
        re_path(rf"^case/{NUMBER}/$", own(views.case_page), name="case"),
        re_path(rf"^case/{NUMBER}/do/(?P<name>[a-z_]+)/$", own(views.act), name="case-action"),
        re_path(rf"^case/{NUMBER}/reveal/$", own(views.reveal), name="case-reveal"),
    ]
