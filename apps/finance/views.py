"""Pages of finance. Adapters: parse, call one thing, render."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.accounts.actions import log_read
from apps.accounts.actors import Actor, actor_of
from apps.accounts.models import User
from apps.cases.kinds import KINDS
from apps.cases.views import failed, show
from apps.core.days import read_day
from apps.core.errors import Blocked, DomainError
from apps.core.excel import EXCEL, LIMIT, excel_response
from apps.core.money import to_yuan
from apps.documents.models import StoredFile
from apps.documents.storage import open_stored
from apps.finance import behind, charts, months, returns, statements, vouchers
from apps.finance.access import CLOSERS, VOUCHER_MAKERS, VOUCHER_RELEASERS
from apps.finance.config import return_meanings
from apps.finance.models import MonthClose, Voucher
from apps.finance.months import GROUPS, Month, parse_month
from apps.finance.reckoning import first_of_month, next_month
from apps.finance.words import COUNTS, GROUP_TITLES, HEADINGS, group_words
from apps.finance.workbooks import UNITS, month_workbook
from apps.products.queries import plan_names, series_codes

View = Callable[..., HttpResponse]
SHOWN = 200


def answers(view: View) -> View:
    """A refusal of the domain becomes a page in words, with the status that belongs to it."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            return failed(request, error)

    return answered


def _download(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def _stored(file: StoredFile) -> HttpResponse:
    with open_stored(file) as handle:
        return _download(handle.read(), file.name, file.content_type)


# --- The month ---------------------------------------------------------------------------------------


@answers
def month(request: HttpRequest) -> HttpResponse:
    """One month: the waterfall, the tables by group, and closing it."""
    actor, now = actor_of(request), timezone.now()
    chosen = _month_of(request, first_of_month(now))
    if request.method == "POST":
        close = months.close_month(actor, chosen, now=now)
        messages.success(
            request, _("%(month)s is closed. Its report will not change any more.") % {"month": close}
        )
        return redirect(f"{reverse('admin:finance-month')}?month={close}")
    report = months.month_report(actor, chosen)
    context = {
        "title": _("Outstanding claims %(month)s") % {"month": f"{chosen:%Y-%m}"},
        "report": report,
        "month_key": f"{chosen:%Y-%m}",
        "before": f"{months.back(chosen, 1):%Y-%m}",
        "after": f"{next_month(chosen):%Y-%m}" if next_month(chosen) <= first_of_month(now) else "",
        "total": report.total,
        "chart": charts.waterfall(report.total),
        "headings": HEADINGS,
        "counts": COUNTS,
        "groups": [_group(report, name) for name in GROUPS],
        "closes": MonthClose.objects.order_by("-month")[:24],
        "may_close": bool(CLOSERS & actor.roles) and not actor.series and months.closable(chosen, now),
        "intact": report.close is None or months.intact(report.close),
        "cases_url": reverse("admin:finance-cases"),
    }
    return show(request, "finance/month.html", context)


def _month_of(request: HttpRequest, default: date) -> date:
    given = request.POST.get("month") or request.GET.get("month")
    return parse_month(given) if given else default


def _group(report: Month, name: str) -> dict[str, Any]:
    unit = UNITS[name]
    names = plan_names() if name == "product" else {}
    rows = []
    for value, cell in report.grouped(name):
        query = urlencode({name: value})
        rows.append(
            {
                "title": names.get(value) or group_words(name, value),
                "query": query,
                "money": [(key, getattr(cell, f"{key}_fen")) for key, _title in HEADINGS],
                "counts": [(key, getattr(cell, f"{key}_{unit}")) for key, _title in COUNTS],
            }
        )
    total = report.total
    return {
        "name": name,
        "title": GROUP_TITLES[name],
        "unit": unit,
        "rows": rows,
        "money": [(key, getattr(total, f"{key}_fen")) for key, _title in HEADINGS],
        "counts": [(key, getattr(total, f"{key}_claims")) for key, _title in COUNTS],
    }


@require_GET
@answers
def month_file(request: HttpRequest) -> HttpResponse:
    """The Excel: of a closed month always the one made at its closing."""
    actor = actor_of(request)
    chosen = _month_of(request, first_of_month(timezone.now()))
    report = months.month_report(actor, chosen)
    if report.close is not None and not actor.series:
        return _stored(report.close.excel)
    return _download(month_workbook(report), f"{_('Outstanding claims')}-{chosen:%Y-%m}.xlsx", EXCEL)


@require_GET
@answers
def month_cases(request: HttpRequest) -> HttpResponse:
    """The claims behind one number of a month."""
    actor = actor_of(request)
    chosen = _month_of(request, first_of_month(timezone.now()))
    wanted = behind.asked(chosen, request.GET.dict())
    rows = behind.cases_behind(actor, wanted)
    title = dict(HEADINGS + COUNTS).get(wanted.measure, wanted.measure)
    plans = plan_names()
    if request.GET.get("excel"):
        table = (
            [
                row["case__number"], row["series"], plans.get(row["product"], row["product"]), row["case__opened_at"], _state(row),
                to_yuan(row["amount"]) if wanted.unit == "fen" else row["amount"],
            ]
            for row in rows[:LIMIT]
        )  # fmt: skip
        columns = [_("Case"), _("Series"), _("Product"), _("Opened at"), _("State"), title]
        return excel_response(f"{title}-{chosen:%Y-%m}", columns, table)
    found = [
        {**row, "state": _state(row), "product": plans.get(row["product"], row["product"])}
        for row in rows[: SHOWN + 1]
    ]
    context = {
        "title": f"{title} · {chosen:%Y-%m}",
        "rows": found[:SHOWN],
        "more": len(found) > SHOWN,
        "sum": sum(row["amount"] for row in found[:SHOWN]),
        "money": wanted.unit == "fen",
        "wanted": wanted,
        "group": " · ".join(_group_words(wanted)),
        "query": request.GET.urlencode(),
        "month_key": f"{chosen:%Y-%m}",
    }
    return show(request, "finance/cases.html", context)


def _state(row: dict[str, Any]) -> str:
    return str(KINDS[row["case__kind"]].states.get(row["case__state"], row["case__state"]))


def _group_words(wanted: behind.Behind) -> list[str]:
    chosen = ((name, getattr(wanted, name)) for name in GROUPS)
    return [group_words(name, value) for name, value in chosen if value not in ("", None)]


# --- Bank returns ------------------------------------------------------------------------------------


@require_GET
@answers
def bank_returns(request: HttpRequest) -> HttpResponse:
    """Payments the bank sent back, oldest first."""
    actor = actor_of(request)
    filters = returns.filters_of(request.GET)
    rows = returns.worklist(actor, filters)
    if request.GET.get("excel"):
        return _returns_excel(rows)
    everything = returns.worklist(
        actor, returns.Filters(filters.state, series=filters.series, assignee=filters.assignee)
    )
    bands = returns.aging(everything)
    context = {
        "title": _("Bank returns"),
        "rows": rows,
        "filters": filters,
        "query": _without(request, "band"),
        "here": request.GET.urlencode(),
        "chart": charts.age_bars(bands),
        "total": sum(row.order.amount_fen for row in rows),
        "meanings": [(one.key, _said(one)) for one in return_meanings()],
        "people": User.objects.filter(pk__in={row.case.assignee_id for row in everything if row.case}),
        "series": series_codes(),
        "lang": "en" if (get_language() or "").startswith("en") else "zh",
    }
    return show(request, "finance/returns.html", context)


def _without(request: HttpRequest, name: str) -> str:
    query = request.GET.copy()
    query.pop(name, None)
    return query.urlencode()


def _said(meaning: Any) -> str:
    return meaning.en if (get_language() or "").startswith("en") else meaning.zh


def _returns_excel(rows: list[returns.Return]) -> HttpResponse:
    columns = [
        _("Payment order"), _("Case"), _("Series"), _("Payee"), _("Account"), _("Amount"), _("Returned at"),
        _("Days"), _("Attempt"), _("The bank's words"), _("Meaning"), _("Next step"), _("Asked at"), _("Assignee"),
    ]  # fmt: skip
    steps = {
        "ACCOUNT": _("ask for another account"),
        "RETRY": _("pay again"),
        "ASK": _("ask the bank"),
        "": "",
    }
    table = (
        [
            row.order.number, row.order.about, row.order.series, row.order.payee.name,
            row.order.payee.account_masked, to_yuan(row.order.amount_fen), row.order.returned_at, row.days,
            row.order.attempt, row.order.return_reason, _said(row.meaning), steps[row.next], row.asked_at,
            (row.case.assignee or "") if row.case else "",
        ]
        for row in rows
    )  # fmt: skip
    return excel_response(_("Bank returns"), columns, table)


# --- Vouchers ----------------------------------------------------------------------------------------


@answers
def voucher_batches(request: HttpRequest) -> HttpResponse:
    """What waits for vouchers, preparing them, and every batch."""
    actor = actor_of(request)
    batches = vouchers.batches_visible_to(actor)
    if request.method == "POST":
        batch = vouchers.prepare(actor, request.POST.get("series", ""), _month_of(request, date.min))
        messages.success(
            request, _("%(number)s is prepared. Somebody else must release it.") % {"number": batch.number}
        )
        return redirect("admin:finance-voucher-batch", number=batch.number)
    waiting = [row for row in vouchers.waiting_counts() if not actor.series or row["series"] in actor.series]
    context = {
        "title": _("Vouchers"),
        "batches": batches.order_by("-made_at", "-pk")[:100],
        "waiting": waiting,
        "may_prepare": bool(VOUCHER_MAKERS & actor.roles),
    }
    return show(request, "finance/vouchers.html", context)


@answers
def voucher_batch(request: HttpRequest, number: str) -> HttpResponse:
    """One batch: its vouchers as they will be or as they are, and what the person may do with it."""
    actor = actor_of(request)
    batch = get_object_or_404(vouchers.batches_visible_to(actor), number=number)
    if request.method == "POST":
        try:
            done = _voucher_action(request, actor, number)
            return redirect("admin:finance-voucher-batch", number=done)
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("admin:finance-voucher-batch", number=number)
    draft = batch.state == "DRAFT"
    written = batch.items.prefetch_related("lines").order_by("number")[:SHOWN]
    context = {
        "title": batch.number,
        "batch": batch,
        "items": vouchers.preview(batch)[:SHOWN] if draft else written,
        "draft": draft,
        "is_maker": batch.made_by_id == actor.user_id,
        "may_release": bool(VOUCHER_RELEASERS & actor.roles),
        "may_prepare": bool(VOUCHER_MAKERS & actor.roles),
        "reversals": batch.reversals.exclude(state="CANCELLED"),
        "this_month": f"{max(first_of_month(timezone.now()), batch.month):%Y-%m}",
        "shown": SHOWN,
        "plans": plan_names(),
    }
    return show(request, "finance/voucher_batch.html", context)


def _voucher_action(request: HttpRequest, actor: Actor, number: str) -> str:
    if "release" in request.POST:
        vouchers.release(actor, number)
        messages.success(request, _("Released. The files are ready for the accounting system."))
    elif "cancel" in request.POST:
        vouchers.cancel(actor, number)
        messages.success(request, _("Canceled; its entries are free again."))
    elif "reverse" in request.POST:
        red = vouchers.prepare_reversal(
            actor, number, _month_of(request, date.min), reason=request.POST.get("reason", "")
        )
        messages.success(
            request, _("%(number)s is prepared. Somebody else must release it.") % {"number": red.number}
        )
        return red.number
    return number


@require_GET
@answers
def voucher_file(request: HttpRequest, number: str, kind: str) -> HttpResponse:
    """The file as it was made at release; reading it is logged."""
    actor = actor_of(request)
    batch = get_object_or_404(
        vouchers.batches_visible_to(actor).select_related("excel", "csv"), number=number
    )
    stored = {"xlsx": batch.excel, "csv": batch.csv}.get(kind)
    if stored is None:
        raise Blocked(_("This file does not exist (yet)."), code="no_file")
    log_read(actor, subject=f"voucher_batch:{batch.number}", what=kind)
    return _stored(stored)


@require_GET
@answers
def voucher(request: HttpRequest, pk: int) -> HttpResponse:
    """One voucher and the cases it comes from."""
    visible = vouchers.batches_visible_to(actor_of(request)).values("pk")
    found = get_object_or_404(
        Voucher.objects.select_related("batch", "reverses").prefetch_related("lines"),
        pk=pk,
        batch__in=visible,
    )
    context = {
        "title": str(found),
        "voucher": found,
        "sources": vouchers.sources_of(found)[:SHOWN],
        "reversed_by": Voucher.objects.filter(reverses=found).first(),
        "plans": plan_names(),
    }
    return show(request, "finance/voucher.html", context)


# --- Statements --------------------------------------------------------------------------------------


@answers
def member_statements(request: HttpRequest) -> HttpResponse:
    """Make a statement of a policy, and the latest ones."""
    actor = actor_of(request)
    today = timezone.localdate()
    given = {
        "policy": request.POST.get("policy") or request.GET.get("policy", ""),
        "since": request.POST.get("since") or today.replace(month=1, day=1).isoformat(),
        "until": request.POST.get("until") or today.isoformat(),
        "language": request.POST.get("language") or "zh-hans",
    }
    rows = statements.statements_visible_to(actor)
    error: DomainError | None = None
    if request.method == "POST":
        try:
            made = statements.make_statement(
                actor,
                given["policy"],
                read_day(given["since"], "since"),
                read_day(given["until"], "until"),
                language=given["language"],
            )
            messages.success(request, _("Statement %(number)s is being printed.") % {"number": made.number})
            return redirect("admin:finance-statements")
        except DomainError as refusal:
            error = refusal
    context = {
        "title": _("Member statements"),
        "rows": rows.order_by("-pk")[:100],
        "given": given,
        "error": error,
    }
    return show(request, "finance/statements.html", context, status=error.status if error else 200)


@require_GET
@answers
def statement_file(request: HttpRequest, number: str, kind: str) -> HttpResponse:
    """The PDF or the Excel of a statement; reading it is logged (LAW-09)."""
    actor = actor_of(request)
    found = get_object_or_404(statements.statements_visible_to(actor), number=number)
    log_read(actor, subject=f"statement:{found.number}", what=kind)
    if kind == "xlsx":
        return _download(statements.statement_workbook(found), f"{found.number}.xlsx", EXCEL)
    if found.file is None:
        raise Blocked(_("The letter is still being printed; try again in a moment."), code="not_ready")
    return _stored(found.file)
