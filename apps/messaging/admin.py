"""Outbox and call tasks for staff: read-only lists; a failed message can be sent again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import truncatechars
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cases import pages
from apps.cases.models import CaseFile
from apps.cases.site import site
from apps.core.lists import NumberSearch, ReadOnlyList
from apps.messaging.delivery import resend
from apps.messaging.models import CallTask, Message
from apps.messaging.purposes import purpose_words

LABELS = {
    Message.State.QUEUED: "info",
    Message.State.SENDING: "info",
    Message.State.DELIVERED: "success",
    Message.State.FAILED: "danger",
    Message.State.CANCELLED: "warning",
}
RESENDERS = frozenset({"supervisor", "manager", "adjuster_lead", "service_specialist", "senior_adjuster"})


class OfCaseList(NumberSearch, ReadOnlyList):  # type: ignore[misc]
    """A list of rows that only actions of cases write."""

    actions_selection_counter = True
    sortable_by: tuple[str, ...] = ("created_at",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return bool(actor_of(request).roles & RESENDERS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Cases are fetched for the rows of the page: joined, SQLite may read all of them."""
        return visible_to(super().get_queryset(request), actor_of(request)).prefetch_related("case")

    @display(description=_("case"))  # type: ignore[untyped-decorator]
    def case_link(self, row: Any) -> Any:
        if row.case is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:case", args=[row.case.number]), row.case.number
        )


@admin.register(Message, site=site)
class MessageAdmin(OfCaseList):
    list_display = (
        "created_at",
        "case_link",
        "channel",
        "about",
        "recipient_masked",
        "state_label",
        "attempts",
    )
    list_filter = ("state", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("case__number__exact", "idempotency_key__exact")
    search_help_text = _("Case number")
    ordering = ("-created_at",)
    fields = (
        "case_link", "channel", "recipient_masked", "subject", "body", "state", "attempts",
        "error", "created_at", "delivered_at", "next_attempt_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What belongs to no case is between the system and its recipient (codes)."""
        return super().get_queryset(request).exclude(case=None)

    @display(description=pgettext_lazy("message", "about"))  # type: ignore[untyped-decorator]
    def about(self, message: Message) -> str:
        """What its reader sees first: a text message has no subject."""
        return message.subject or truncatechars(message.body, 40)

    @display(description=_("state"), ordering="state", label=LABELS)  # type: ignore[untyped-decorator]
    def state_label(self, message: Message) -> tuple[str, Any]:
        return message.state, message.get_state_display()

    @admin.action(description=_("Send again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        chosen = list(queryset)
        for message in chosen:
            resend(message)
        words = ngettext(
            "%(n)d message will be sent again.", "%(n)d messages will be sent again.", len(chosen)
        )
        self.message_user(request, words % {"n": len(chosen)}, messages.SUCCESS)


@admin.register(CallTask, site=site)
class CallTaskAdmin(OfCaseList):
    list_display = (
        "created_at",
        "case_link",
        "purpose_label",
        "attempt",
        "due_at",
        "outcome_label",
        "operator_label",
    )
    list_filter = ("outcome",)
    search_fields = ("case__number__exact",)
    search_help_text = _("Case number")
    ordering = ("-created_at",)
    fields = (
        "case_link",
        "purpose_label",
        "script",
        "attempt",
        "due_at",
        "outcome",
        "note",
        "operator_label",
        "called_at",
    )
    readonly_fields = fields

    @display(description=_("purpose"), ordering="purpose")  # type: ignore[untyped-decorator]
    def purpose_label(self, task: CallTask) -> str:
        return purpose_words(task.purpose)

    @display(  # type: ignore[untyped-decorator]
        description=_("outcome"), ordering="outcome", label={"OPEN": "warning", "ANSWERED": "success"}
    )
    def outcome_label(self, task: CallTask) -> tuple[str, Any]:
        return task.outcome, task.get_outcome_display()


def timeline(case: CaseFile) -> list[pages.Entry]:
    """Messages and calls of a case; two queries."""
    sent = [
        pages.Entry(
            at=message.delivered_at or message.created_at,
            title=message.subject or message.get_channel_display(),
            kind="message",
            icon="mail" if message.channel == Message.Channel.EMAIL else "sms",
            who=message.recipient_masked,
            text=message.body,
            state=message.get_state_display(),
            level={"FAILED": "bad", "DELIVERED": "good", "CANCELLED": "warn"}.get(message.state, ""),
            details=((_("error"), message.error),) if message.error else (),
        )
        for message in Message.objects.filter(case=case.pk).defer("recipient").order_by("pk")
    ]
    calls = [
        pages.Entry(
            at=task.called_at or task.created_at,
            title=_("Call: %(purpose)s") % {"purpose": purpose_words(task.purpose)},
            kind="call",
            icon="call",
            who=task.operator_label,
            text=task.note or task.script,
            state=task.get_outcome_display(),
            level={"OPEN": "warn", "ANSWERED": "good"}.get(task.outcome, ""),
        )
        for task in CallTask.objects.filter(case=case.pk).order_by("pk")
    ]
    return [*sent, *calls]


pages.add_timeline(timeline)
