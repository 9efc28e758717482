"""Screens of the administrator. `@admin.register` lands on the project's site (claimsadmin.apps)."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group

from apps.accounts.admin.clients import ApiClientAdmin
from apps.accounts.admin.log import AccessLogAdmin
from apps.accounts.admin.people import RoleAdmin, TeamAdmin, UserAdmin

# Roles do what groups do elsewhere, addresses stand with the user, and nobody reads seeds of second factors.
for model in (Group, EmailAddress, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

__all__ = ["AccessLogAdmin", "ApiClientAdmin", "RoleAdmin", "TeamAdmin", "UserAdmin"]
