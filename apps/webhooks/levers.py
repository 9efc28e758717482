"""The buttons of an endpoint's page: what each asks, and what it does with the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.webhooks import actions
from apps.webhooks.forms import EndpointForm, ReasonForm
from apps.webhooks.models import Endpoint


@dataclass(frozen=True)
class Lever:
    """One button of the endpoint's page: what is asked, and what is done with the answer."""

    title: Any
    question: Any
    pull: Callable[[Any, Endpoint, dict[str, Any]], Any]
    form: type[forms.Form] = forms.Form


def _resend(actor: Any, endpoint: Endpoint, given: dict[str, Any]) -> str:
    count = actions.resend_dead(actor, endpoint, **given)
    return ngettext("%(n)d delivery will be sent again.", "%(n)d deliveries will be sent again.", count) % {
        "n": count
    }


def _ping(actor: Any, endpoint: Endpoint, given: dict[str, Any]) -> str:
    actions.ping(actor, endpoint)
    return gettext("A test is on its way; it appears among the deliveries.")


LEVERS = {
    "ping": Lever(_("Test"), _("Send a test to this address now? It is tried once."), _ping),
    "edit": Lever(
        _("Change"), "", lambda actor, endpoint, given: actions.change(actor, endpoint, **given), EndpointForm
    ),
    "suspend": Lever(
        _("Suspend"),
        _("Nothing is sent until somebody resumes it; what happens meanwhile is kept."),
        lambda actor, endpoint, given: actions.suspend(actor, endpoint, **given),
        ReasonForm,
    ),
    "resume": Lever(
        _("Resume"),
        _("What waited goes out now, in order."),
        lambda actor, endpoint, given: actions.resume(actor, endpoint),
    ),
    "resend": Lever(
        _("Send what was given up"), _("Everything that was given up is sent again."), _resend, ReasonForm
    ),
    "rotate": Lever(
        _("New secret"),
        _("The new secret is shown once. For 24 hours the former one signs beside it."),
        lambda actor, endpoint, given: actions.rotate_secret(actor, endpoint),
    ),
    "remove": Lever(
        _("Remove"),
        _("The endpoint hears nothing more and what is queued is canceled. This cannot be undone."),
        lambda actor, endpoint, given: actions.remove(actor, endpoint),
    ),
}
