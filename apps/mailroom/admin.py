"""The inbox as a list, the mailboxes, and what of e-mail stands on case pages and in the sidebar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from apps.accounts.actors import actor_of
from apps.authorizations.roles import REQUESTERS
from apps.cases.admin import ReadOnlyAdmin
from apps.cases.models import CaseFile
from apps.cases.pages import Entry, Page, add_page, add_search, add_timeline
from apps.cases.site import APP_TITLES, site
from apps.mailroom import queries, reasons, views
from apps.mailroom.inbox.mailboxes import WrongAccount, account_for
from apps.mailroom.models import Email, Mailbox
from apps.mailroom.roles import HANDLERS, READERS

APP_TITLES["mailroom"] = _("Mailroom")
SUBJECT = '<div style="min-width:16rem;white-space:normal;{}"><a href="{}">{}</a></div>'
REQUESTING = HANDLERS & REQUESTERS
LABELS = {
    Email.State.NEW: "warning",
    Email.State.MATCHED: "success",
    Email.State.FILED: "success",
    Email.State.DISMISSED: "info",
    Email.State.REFUSED: "danger",
}

add_page(
    Page("mail/", views.inbox, "mail-inbox", _("E-mail inbox"), "mark_email_unread", READERS, "work", 25)
)
add_page(Page("mail/<int:pk>/", views.email_page, "mail-email", roles=READERS))
add_page(Page("mail/<int:pk>/report/", views.report, "mail-report", roles=READERS))
add_page(Page("mail/<int:pk>/authorize/", views.authorize, "mail-authorize", roles=REQUESTING))
add_page(
    Page("mail/<int:pk>/authorize/check/", views.authorize_check, "mail-authorize-check", roles=REQUESTING)
)
add_page(Page("mail/<int:pk>/raw/", views.raw, "mail-raw", roles=READERS))
add_page(Page("mail/<int:pk>/files/<int:position>/", views.file, "mail-file", roles=READERS))
add_page(
    Page(
        "mail/<int:pk>/files/<int:position>/pages/<int:page>.png",
        views.file_page,
        "mail-file-page",
        roles=READERS,
    )
)


class UnreadFilter(admin.SimpleListFilter):
    title, parameter_name = pgettext_lazy("e-mail", "read"), "unread"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", pgettext_lazy("e-mail", "unread")), ("0", pgettext_lazy("e-mail", "read"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("0", "1"):
            return queryset
        return queryset.filter(opened_at__isnull=self.value() == "1")


@admin.register(Email, site=site)
class EmailAdmin(ReadOnlyAdmin):
    list_display = [
        "subject_link",
        "sender_masked",
        "mailbox",
        "received_at",
        "state_label",
        "what",
        "case_link",
        "count",
    ]
    list_display_links = None
    list_filter = [
        "state",
        UnreadFilter,
        "mailbox",
        "series",
        "automatic",
        ("received_at", admin.DateFieldListFilter),
    ]
    search_fields = ["subject", "case__number__exact", "suggested__number__exact", "message_id__exact"]
    search_help_text = _("Words of the subject, the sender's whole address, case number, Message-ID")
    list_select_related = ["mailbox", "case", "suggested"]
    ordering = ["-received_at"]
    sortable_by = ["received_at", "state_label", "mailbox"]
    excel = (
        (_("received at"), "received_at"), (_("mailbox"), "mailbox"), (_("sender"), "sender_masked"),
        (_("subject"), "subject"), (_("state"), "get_state_display"), (_("reason"), "reason_words"),
        (_("case"), "case__number"), (_("files"), "count"), (_("read by"), "opened_by"), (_("handled by"), "handled_by"),
        (_("handled at"), "handled_at"),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles & READERS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .defer("text", "sender", "sender_name", "subject_whole", "reply_to")
            .prefetch_related("files")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if "@" in search_term and not search_term.startswith("<"):
            return queryset.filter(pk__in=queries.from_sender(search_term).values("pk")), False
        return super().get_search_results(request, queryset, search_term)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """A message has one page, and it is not a change form."""
        if not object_id.isdigit() or not self.has_view_permission(request):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("admin:mail-email", args=[int(object_id)]))

    @admin.display(description=pgettext_lazy("e-mail", "subject"))
    def subject_link(self, email: Email) -> str:
        words = email.subject or _("(no subject)")
        link = reverse("admin:mail-email", args=[email.pk])
        if email.opened_at is None:
            return format_html(SUBJECT, "font-weight:600", link, f"● {words}")
        return format_html(SUBJECT, "", link, words)

    @display(description=_("state"), ordering="state", label=LABELS)  # type: ignore[untyped-decorator, unused-ignore]
    def state_label(self, email: Email) -> tuple[str, Any]:
        return email.state, email.get_state_display()

    @admin.display(description=_("reason"))
    def what(self, email: Email) -> Any:
        return self.reason_words(email) or "–"

    def reason_words(self, email: Email) -> Any:
        return reasons.words(email.reason) if email.reason else ""

    @admin.display(description=_("case"))
    def case_link(self, email: Email) -> Any:
        case = email.case or email.suggested
        if case is None:
            return "–"
        mark = "" if email.case_id else "? "
        return format_html(
            '{}<a href="{}">{}</a>', mark, reverse("admin:case", args=[case.number]), case.number
        )

    @admin.display(description=_("files"))
    def count(self, email: Email) -> int:
        return len(email.files.all())


@admin.register(Mailbox, site=site)
class MailboxAdmin(ReadOnlyAdmin):
    """RMB-26, RMB-38, PA-04: which addresses there are, and whether they are being read."""

    list_display = ["address", "rule", "series", "tpa", "connection", "read", "trouble"]
    list_display_links = None
    ordering = ["address"]
    excel = (
        (_("address"), "address"), (_("rule id"), "rule"), (_("series"), "series"), (_("TPA"), "tpa"),
        (_("last read"), "polled_at"), (_("error"), "error"),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles & READERS)

    @admin.display(description=_("last read"), ordering="polled_at")
    def read(self, mailbox: Mailbox) -> Any:
        return mailbox.polled_at

    @admin.display(description=_("connected"), boolean=True)
    def connection(self, mailbox: Mailbox) -> bool:
        try:
            return account_for(mailbox) is not None and not mailbox.failures
        except WrongAccount:
            return False

    @admin.display(description=_("error"))
    def trouble(self, mailbox: Mailbox) -> str:
        return f"{mailbox.error} (×{mailbox.failures})" if mailbox.failures else "–"


# --- The case page --------------------------------------------------------------------------------------


def timeline(case: CaseFile) -> Iterable[Entry]:
    """E-mails that came in for a case; one query."""
    for email in (
        Email.objects.filter(case=case.pk)
        .only("received_at", "subject", "sender_masked", "state", "why", "automatic")
        .order_by("pk")
    ):
        yield Entry(
            at=email.received_at,
            title=_("E-mail: %(subject)s") % {"subject": email.subject or "–"},
            kind="message",
            icon="mark_email_read",
            who=email.sender_masked,
            text=reasons.words(email.why) if email.why else "",
            state=email.get_automatic_display() if email.automatic else email.get_state_display(),
            link=reverse("admin:mail-email", args=[email.pk]),
            level="bad" if email.automatic == Email.Automatic.BOUNCE else "",
        )


add_timeline(timeline)
add_search(queries.find_by_sender)
