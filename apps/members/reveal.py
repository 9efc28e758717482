"""Showing a masked value in full: asks why, logs who, then shows (LAW-09)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.actions import reveal
from apps.accounts.actors import Actor
from apps.core.errors import NotAllowed, NotFound
from apps.members.models import Member

CHILD: dict[str, Any] = {
    "name": pgettext_lazy("person", "name"),
    "birth_date": _("date of birth"),
    "id_number": _("identity number"),
    "mobile": _("mobile"),
    "email": _("email"),
}
GUARDIAN: dict[str, Any] = {
    "name": pgettext_lazy("person", "name"),
    "id_number": _("identity number"),
    "mobile": _("mobile"),
    "email": _("email"),
}


@dataclass(frozen=True, slots=True)
class Revealed:
    label: str
    value: str


def choices(member: Member) -> list[tuple[str, str]]:
    """What can be shown: of the child, and of each guardian by relation and masked name."""
    found = [(field, str(label)) for field, label in CHILD.items()]
    for guardian in member.guardians.all():
        who = f"{guardian.get_relation_display()} {guardian.masked_name}"
        found += [(f"guardian.{guardian.pk}.{field}", f"{who}: {label}") for field, label in GUARDIAN.items()]
    return found


def reveal_value(actor: Actor, member: Member, *, what: str, reason: str) -> Revealed:
    """The value in full. Writes one access-log row before it is read; raises without a reason or a role."""
    if not may_reveal(actor):
        raise NotAllowed(_("Only people with a role in claims may see this."), rule="LAW-09", code="role")
    label = dict(choices(member)).get(what)
    if label is None:
        raise NotFound(_("There is nothing of this name to show."), field="what")
    reveal(actor, subject=f"member:{member.number}", what=what, reason=reason)
    record: Any = member
    if what.startswith("guardian."):
        _guardian, pk, what = what.split(".")
        record = member.guardians.get(pk=pk)
    return Revealed(label, str(getattr(record, what) or "–"))


def may_reveal(actor: Actor) -> bool:
    return bool(actor.roles) and actor.user_id is not None


class RevealForm(forms.Form):
    what = forms.ChoiceField(label=_("what"), widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(
        label=_("reason"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("Will be recorded in the access log with your name."),
    )  # fmt: skip

    def __init__(self, member: Member, data: Any = None):
        super().__init__(data)
        field = self.fields["what"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices(member)
