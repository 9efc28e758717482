"""Screens of the administrator. `@admin.register` lands on the project's site (claimsadmin.apps)."""

from apps.accounts.admin.clients import ApiClientAdmin
from apps.accounts.admin.log import AccessLogAdmin
from apps.accounts.admin.people import RoleAdmin, TeamAdmin, UserAdmin

__all__ = ["AccessLogAdmin", "ApiClientAdmin", "RoleAdmin", "TeamAdmin", "UserAdmin"]
