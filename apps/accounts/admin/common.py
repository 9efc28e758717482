"""What the screens of accounts share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from apps.accounts.codes import CodesField
from apps.accounts.scopes import scope_choices

SCOPE_FIELDS = ("series", "tpa", "hospital", "provider", "member")
CODES_HELP = {
    "series": _("Codes, separated by commas. Empty: all series."),
}


class AccountsAdmin(ModelAdmin):
    list_per_page = 50
    show_full_result_count = False

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Lists of codes are typed as one line; scopes are known and ticked."""
        if db_field.name == "scopes":
            return forms.MultipleChoiceField(
                label=capfirst(str(db_field.verbose_name)),
                choices=scope_choices,
                widget=UnfoldAdminCheckboxSelectMultipleWidget(),
            )
        if db_field.name in CODES_HELP:
            return CodesField(
                label=capfirst(str(db_field.verbose_name)),
                required=not db_field.blank,
                help_text=CODES_HELP[db_field.name],
                widget=UnfoldAdminTextInputWidget(),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def ask(self, request: HttpRequest, obj: models.Model, **context: Any) -> HttpResponse:
        """A page that asks before what cannot be taken back; its button posts to the same address."""
        page = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": obj,
            "title": context["question"],
            **context,
        }
        return TemplateResponse(request, "accounts/ask.html", page)

    def say(self, request: HttpRequest, message: Any) -> None:
        messages.success(request, str(message))
