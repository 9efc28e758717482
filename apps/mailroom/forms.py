"""Forms of the inbox: a claim or an authorization filled in from what a message says."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.authorizations.forms import request_form
from apps.cases.forms import ActionForm, form_for
from apps.claims.inputs import ReportInput
from apps.mailroom.models import Email


def report_form(email: Email, data: Any = None, files: Any = None) -> ActionForm:
    """Child, reporter and channel as the message names them; a person fills in visits and bills."""
    if data is not None:
        return form_for(ReportInput)(data, files)
    day = timezone.localtime(email.received_at).date()
    note = f"e-mail #{email.pk} {timezone.localtime(email.received_at):%Y-%m-%d %H:%M}"
    initial = {
        "channel": "EMAIL",
        "member": {"number": email.member.number if email.member else ""},
        "reporter": {"name": email.sender_name or email.sender},
        "visits": [{"started_on": day, "bills": [{"lines": [{}]}], "diagnoses": [{}]}],
        "note": note,
    }
    return form_for(ReportInput)(initial=initial)


def authorization_form(email: Email, data: Any = None, files: Any = None) -> ActionForm:
    """Child, channel and who asks as the message names them; a person fills in the plan."""
    if data is not None:
        return request_form(data, files)
    return request_form(
        member=email.member.number if email.member else "",
        channel="EMAIL",
        requester=(email.sender_name or email.sender)[:80],
        planned_on=timezone.localtime(email.received_at).date(),
    )
