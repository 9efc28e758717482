"""What a hospital sent, entered by staff; an admission; and the upload of a batch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from apps.cases.forms import CODE_WORDS, ActionForm, form_for
from apps.direct.inputs import AdmissionInput, SubmitInput
from apps.members.models import IdType

CODE_WORDS.update({"DIRECT": _("Direct billing")})
CODE_WORDS.update({code: label for code, label in IdType.choices if code not in CODE_WORDS})


def submission_form(data: Any = None, files: Any = None, *, member: str = "") -> ActionForm:
    """A new one starts with one visit, one bill and one line."""
    initial = {"member": {"number": member}, "visits": [{"bills": [{"lines": [{}]}], "diagnoses": [{}]}]}
    return form_for(SubmitInput)(data, files, initial=initial)


def admission_form(data: Any = None, files: Any = None, *, member: str = "") -> ActionForm:
    initial = {"member": {"number": member}, "admitted_on": timezone.localdate()}
    return form_for(AdmissionInput)(data, files, initial=initial)


class WorkbookForm(forms.Form):
    file = forms.FileField(
        label=_("Excel workbook (.xlsx)"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx"})
    )
