"""App configurations of the project itself and of the admin."""

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite


class ProjectConfig(AppConfig):
    name = "claimsadmin"
    label = "claimsadmin"

    def ready(self) -> None:
        from claimsadmin import checks  # noqa: F401  (importing registers them)


def admin_site() -> "AdminSite":
    """The one admin site. Imported late: it needs the apps to be loaded."""
    from apps.cases.site import site

    return site


class ClaimsAdminConfig(AdminConfig):
    """`@admin.register(Model)` without a site lands on our site as well."""

    default_site = "claimsadmin.apps.admin_site"
