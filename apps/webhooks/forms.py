"""Forms of the admin; what is right is said by `actions`, field by field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.actors import Actor
from apps.accounts.models import ApiClient
from apps.core.errors import DomainError, InvalidInputs
from apps.webhooks.catalog import offered, words_of
from apps.webhooks.models import Endpoint
from apps.webhooks.queries import clients_of


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("reason"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )


class EndpointForm(forms.Form):
    url = forms.CharField(label=_("address"), max_length=500, widget=UnfoldAdminTextInputWidget)
    events = forms.MultipleChoiceField(label=_("events"), widget=UnfoldAdminCheckboxSelectMultipleWidget)
    language = forms.ChoiceField(
        label=_("language of the words"), choices=Endpoint.Language.choices, widget=UnfoldAdminSelectWidget
    )
    contact = forms.EmailField(
        label=_("contact"),
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        help_text=_("Is told by e-mail when the endpoint is suspended or something is given up."),
    )
    description = forms.CharField(
        label=_("description"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = [(name, words_of(name)) for name in offered()]  # type: ignore[attr-defined]


class NewEndpointForm(EndpointForm):
    client: forms.ModelChoiceField[ApiClient] = forms.ModelChoiceField(
        label=_("API client"), queryset=ApiClient.objects.none(), widget=UnfoldAdminSelectWidget
    )
    field_order = ["client"]

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["client"].queryset = clients_of(actor).order_by("name")  # type: ignore[attr-defined]


def show_error(form: forms.Form, error: DomainError) -> None:
    """Each mistake at its field, the rest above the form."""
    for one in error.errors if isinstance(error, InvalidInputs) else [error]:
        form.add_error(one.field if one.field in form.fields else None, str(one.message))
