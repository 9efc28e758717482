"""Who read what about which child (LAW-09). Read only; reading it out is logged, too."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter
from unfold.decorators import display

from apps.accounts.actions import log_read
from apps.accounts.actors import actor_of
from apps.accounts.admin.common import AccountsAdmin
from apps.accounts.models import AccessLog
from apps.accounts.roles import READERS_OF_THE_ACCESS_LOG
from apps.core.lists import InfinitePaginator, NumberSearch


class Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


SEEN = {
    "member": _("insured child"), "members": _("insured children"), "payment_file": _("payment file"), "user": _("user"),
    "api_client": _("API client"), "access_log": _("access log"), "paper": _("paper"), "email": _("email"),
    "name": pgettext_lazy("person", "name"), "id_number": _("identity number"), "mobile": _("mobile"),
    "account": _("account number"), "export": _("Excel export"), "export (masked)": _("Excel export, masked"),
    "second factor removed": _("second factor removed"),
}  # fmt: skip


def _in_words(text: str) -> str:
    """'member:M000123' → '被保险人 M000123': the kind of thing in words, its number as it is."""
    kind, _colon, rest = text.partition(":")
    return f"{SEEN.get(kind, kind)} {rest.replace(':', ' ')}".strip()


@admin.register(AccessLog)
class AccessLogAdmin(NumberSearch, AccountsAdmin):
    list_display = ("at", "who", "about", "seen", "reason", "request_id")
    list_display_links = None
    list_select_related = ("user", "client")
    list_filter = (
        ("at", RangeDateTimeFilter),
        ("what", FieldTextFilter),
        ("user__username", FieldTextFilter),
    )
    list_filter_submit = True
    search_fields = ("subject__exact",)
    search_help_text = _("Subject, e.g. member:M000123")
    ordering = ("-pk",)
    paginator = InfinitePaginator
    actions = ["export"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may_read(request)

    def has_view_permission(self, request: HttpRequest, obj: AccessLog | None = None) -> bool:
        return self._may_read(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessLog | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AccessLog | None = None) -> bool:
        return False

    @display(description=_("who"))
    def who(self, entry: AccessLog) -> str:
        return str(entry.user or entry.client or gettext("system"))

    @display(description=_("about"), ordering="subject")
    def about(self, entry: AccessLog) -> str:
        return _in_words(entry.subject)

    @display(description=_("what was seen"), ordering="what")
    def seen(self, entry: AccessLog) -> str:
        return _in_words(entry.what)

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, entries: QuerySet[AccessLog]) -> StreamingHttpResponse:
        log_read(actor_of(request), subject="access_log", what="export")
        rows = entries.select_related("user", "client").order_by("pk")
        response = StreamingHttpResponse(_csv(self, rows), content_type="text/csv; charset=utf-8")
        name = f"access-log-{timezone.localdate():%Y%m%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _may_read(self, request: HttpRequest) -> bool:
        actor = actor_of(request)
        return request.user.is_superuser or bool(actor.roles & READERS_OF_THE_ACCESS_LOG)


def _csv(model_admin: AccessLogAdmin, rows: QuerySet[AccessLog]) -> Iterator[str]:
    """With the mark that lets Excel read Chinese."""
    writer = csv.writer(Echo())
    heads = [
        gettext("at"), gettext("who"), pgettext("access log", "subject"), gettext("what"), gettext("reason"),
        gettext("request id"),
    ]  # fmt: skip
    yield "\ufeff" + writer.writerow(heads)
    for entry in rows.iterator(chunk_size=1000):
        at = timezone.localtime(entry.at).isoformat(sep=" ", timespec="seconds")
        words = [model_admin.who(entry), entry.subject, entry.what, entry.reason, entry.request_id]
        yield writer.writerow([at, *map(_harmless, words)])


def _harmless(text: str) -> str:
    """A cell that a spreadsheet would take for a formula is marked as text."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
