"""Pages of quality: straight-through decisions, inspections and their results, replays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.actors import actor_of
from apps.cases.forms import CODE_WORDS, form_for, tidy
from apps.cases.inputs import parse_input
from apps.cases.templatetags.cases import said
from apps.cases.views import show
from apps.claims.models import Outcome
from apps.core.errors import DomainError
from apps.core.excel import Sheets, excel_sheets
from apps.core.money import to_yuan
from apps.core.queue import enqueue
from apps.quality import queries
from apps.quality.actions import replays, sampling, straight
from apps.quality.forms import DrawInput, ReplayInput, question_of
from apps.quality.models import Draw, InspectionError, QualityRule, Replay, Severity
from apps.quality.roles import DRAWERS, LEADS, MANAGERS
from apps.quality.tasks import run_replay

PAGE = 50

# --- Straight-through ------------------------------------------------------------------------------


def straight_page(request: HttpRequest) -> HttpResponse:
    """Rules by series, what they did, why claims were left to people; a manager changes a rule."""
    actor = actor_of(request)
    rules = straight.rules_in_force()
    form = form_for(straight.RuleInput)(initial=_shown(rules, request.GET.get("series", "")))
    status = 200
    if request.method == "POST":
        form = form_for(straight.RuleInput)(tidy(request.POST))
        try:
            rule = straight.set_rule(actor, form.payload())
        except DomainError as error:
            form.take_error(error)
            status = error.status
        else:
            messages.success(
                request, _("The rule of series %(series)s holds from now on.") % {"series": rule.series}
            )
            return redirect("admin:quality-straight")
    overview = queries.straight_overview(list(rules.values()))
    context = {
        "title": _("Straight-through decisions"),
        "form": form,
        "may_set": bool(actor.roles & MANAGERS) and not actor.restricted,
        "overview": overview,
        "left": _bars(queries.left_to_people()),
        "history": QualityRule.objects.select_related("set_by")[:20],
    }
    return show(request, "quality/straight.html", context, status=status)


def _shown(rules: dict[str, QualityRule], series: str) -> dict[str, Any]:
    rule = rules.get(series)
    if rule is None:
        return {"series": series}
    return {
        "series": rule.series, "straight": rule.straight, "ceiling": to_yuan(rule.ceiling_fen),
        "straight_percent": rule.straight_percent, "manual_percent": rule.manual_percent,
    }  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """A bar drawn in the page: its number and its width in percent of the longest."""

    label: Any
    number: int
    percent: float
    level: str = ""
    link: str = ""


def _bars(numbers: Iterable[tuple[Any, int]]) -> list[Bar]:
    rows = list(numbers)
    most = max((abs(n) for _label, n in rows), default=0) or 1
    return [Bar(label, n, round(100 * abs(n) / most, 1), "bad" if n < 0 else "") for label, n in rows]


@require_POST
def straight_run(request: HttpRequest) -> HttpResponse:
    """Decide what is clean now instead of waiting for the next run."""
    run = straight.run_straight(limit=200)
    messages.success(
        request,
        _("%(decided)d claims decided, %(left)d left to people.")
        % {"decided": run.decided, "left": run.left},
    )
    return redirect("admin:quality-straight")


# --- Inspections -----------------------------------------------------------------------------------


def inspections(request: HttpRequest) -> HttpResponse:
    """Results of a span by decider and by error; samples are drawn here."""
    actor = actor_of(request)
    since, until = _span(request)
    form = form_for(DrawInput)(initial={"since": since, "until": until, "stratum": "MANUAL", "percent": 5})
    status = 200
    if request.method == "POST":
        form = form_for(DrawInput)(tidy(request.POST))
        try:
            given = parse_input(DrawInput, form.payload())
            row = sampling.draw_by_hand(
                actor, given.series, given.stratum, given.since, given.until, given.percent
            )
        except DomainError as error:
            form.take_error(error)
            status = error.status
        else:
            words = _("%(drawn)d of %(population)d decisions are drawn for inspection.")
            messages.success(request, words % {"drawn": row.drawn, "population": row.population})
            return redirect("admin:quality-inspections")
    found = queries.results(actor, since, until)
    errors = queries.frequent_errors(actor, since, until)
    if request.GET.get("excel"):
        return _results_excel(found, errors, queries.each_error(actor, since, until))
    context = {
        "title": _("Quality inspection"),
        "since": since,
        "until": until,
        "form": form,
        "may_draw": bool(actor.roles & DRAWERS),
        "results": found,
        "total": _sum(found),
        "errors": errors,
        "bars": _bars((_code(row), row["n"]) for row in errors),
        "draws": Draw.objects.select_related("drawn_by")[:20],
    }
    return show(request, "quality/inspections.html", context, status=status)


def _span(request: HttpRequest) -> tuple[date, date]:
    """The days asked for, else the last thirty; what is not understood is left out."""
    today = timezone.localdate()
    since = parse_date_or(request.GET.get("since", ""), today - timedelta(days=30))
    until = parse_date_or(request.GET.get("until", ""), today)
    return min(since, until), max(since, until)


def parse_date_or(text: str, default: date) -> date:
    try:
        return parse_date(text) or default
    except ValueError:
        return default


def _sum(found: list[queries.Result]) -> queries.Result:
    numbers = zip(*((r.drawn, r.inspected, r.passed, r.reworked, r.off_fen) for r in found), strict=True)
    return queries.Result(_("Total"), *([sum(column) for column in numbers] or [0] * 5))


def _code(row: dict[str, Any]) -> str:
    from django.utils.translation import get_language

    english = (get_language() or "").startswith("en")
    return f"{row['code__code']} {row['code__name_en'] if english else row['code__name']}"


def _results_excel(
    found: list[queries.Result], errors: list[dict[str, Any]], each: Iterable[InspectionError]
) -> HttpResponse:
    severities = dict(Severity.choices)
    people = [
        (
            r.who or _("without a person"),
            r.drawn,
            r.inspected,
            r.passed,
            r.reworked,
            r.rate,
            to_yuan(r.off_fen),
        )
        for r in found
    ]
    sheets: Sheets = {
        _("By decider"): (
            [_("Decided by"), _("drawn"), _("inspected"), _("without error"), _("reworked"), _("pass rate, %"), _("off by, yuan")],
            people,
        ),
        _("By error"): (
            [_("Error"), _("Severity"), _("how often")],
            [(_code(row), severities[row["code__severity"]], row["n"]) for row in errors],
        ),
        _("Each error"): (
            [_("Quality inspection"), _("Claim"), _("Decided by"), _("Error"), _("Severity"), _("Place"), _("What is wrong"), _("Inspected by"), _("inspected at"), _("state")],
            map(_error_row, each),
        ),
    }  # fmt: skip
    return excel_sheets(_("Quality inspection"), sheets)


def _error_row(error: InspectionError) -> tuple[Any, ...]:
    inspection = error.inspection
    return (
        inspection.case.number, inspection.claim_case.number, inspection.decider or _("without a person"), str(error.code),
        error.code.get_severity_display(), error.place, error.note, inspection.inspected_by, inspection.inspected_at,
        inspection.case.get_state_display(),
    )  # fmt: skip


# --- Replays ---------------------------------------------------------------------------------------


def replay_list(request: HttpRequest) -> HttpResponse:
    """Ask stored decisions again, and the questions asked so far."""
    actor = actor_of(request)
    form, status = form_for(ReplayInput)(), 200
    if request.method == "POST":
        form = form_for(ReplayInput)(tidy(request.POST), request.FILES)
        try:
            replay = replays.ask_replay(actor, question_of(parse_input(ReplayInput, form.payload())))
        except DomainError as error:
            form.take_error(error)
            status = error.status
        else:
            transaction.on_commit(lambda: _start(replay.pk))
            return redirect("admin:quality-replay", pk=replay.pk)
    page = Paginator(Replay.objects.select_related("asked_by").defer("handbook_text", "plan_text"), PAGE)
    context = {
        "title": _("Replay and what-if"),
        "form": form,
        "may_ask": bool(actor.roles & LEADS) and not actor.restricted,
        "page": page.get_page(request.GET.get("page")),
    }
    return show(request, "quality/replays.html", context, status=status)


def _start(pk: int) -> None:
    """Give it to a worker; without a queue it runs here, so that nobody waits for nothing."""
    if not enqueue(run_replay, pk):
        replays.run_replay(pk)


@require_GET
def replay_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One replay: progress while it runs, then totals, a drawing, and the claims that differ."""
    replay = _replay(pk)
    if request.headers.get("HX-Request"):
        return render(request, "quality/parts/progress.html", _progress(replay))
    text, sort = request.GET.get("q", "")[:40], request.GET.get("sort", "size")
    found = queries.changes_of(replay, text=text, sort=sort)
    if request.GET.get("excel"):
        return _replay_excel(replay)
    context = {
        **_progress(replay),
        "title": _("Replay %(number)s") % {"number": replay},
        "slices": [] if replay.running else _benefit_bars(replay),
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "q": text,
        "sort": sort,
        "may_cancel": bool(actor_of(request).roles & LEADS),
    }
    return show(request, "quality/replay.html", context)


def _replay(pk: int) -> Replay:
    replay = Replay.objects.select_related("asked_by").filter(pk=pk).first()
    if replay is None:
        raise Http404
    return replay


def _progress(replay: Replay) -> dict[str, Any]:
    percent = min(int(100 * replay.done / replay.total), 100) if replay.total else 0
    return {"replay": replay, "percent": percent, "change_fen": replay.after_fen - replay.before_fen}


def _benefit_bars(replay: Replay) -> list[tuple[queries.Slice, float, float]]:
    """Each benefit with the widths of its “less” and “more” in percent of the widest."""
    slices = queries.by_benefit(replay)
    most = max((max(one.more_fen, -one.less_fen) for one in slices), default=0) or 1
    return [
        (one, round(-100 * one.less_fen / most, 1), round(100 * one.more_fen / most, 1)) for one in slices
    ]


@require_POST
def replay_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        replays.cancel(actor_of(request), _replay(pk).pk)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("admin:quality-replay", pk=pk)


def _replay_excel(replay: Replay) -> HttpResponse:
    """Three sheets: the question and its totals, claims, lines."""
    summary = [
        (_("asked at"), timezone.localtime(replay.asked_at).strftime("%Y-%m-%d %H:%M")),
        (_("Series"), replay.series or _("all series")),
        (_("Decided from"), replay.since), (_("until"), replay.until),
        (_("handbook"), replay.handbook_name or _("as booked")), (_("plan"), replay.plan_name or _("as booked")),
        (_("compared"), replay.compared), (_("different"), replay.differing), (_("not decidable"), replay.problems),
        (_("as booked"), to_yuan(replay.before_fen)), (_("would be"), to_yuan(replay.after_fen)),
        (_("difference"), to_yuan(replay.after_fen - replay.before_fen)),
    ]  # fmt: skip
    claim_columns = [
        _("Claim"), _("version"), _("as booked"), _("would be"), _("difference"), _("outcome"), _("new rules"),
        _("rules gone"), _("problem"),
    ]  # fmt: skip
    line_columns = [
        _("Claim"), _("Line"), _("Item"), _("Benefit"), _("billed"), _("paid, as booked"), _("paid, would be"),
        _("not payable, as booked"), _("not payable, would be"), _("reasons, as booked"), _("reasons, would be"),
    ]  # fmt: skip
    sheets: Sheets = {
        _("Summary"): (["", ""], summary),
        _("Claims"): (claim_columns, _claim_rows(replay)),
        _("Lines"): (line_columns, _line_rows(replay)),
    }
    return excel_sheets(_("Replay %(number)s") % {"number": replay}, sheets)


def _outcome_words(outcome: str) -> str:
    return str(dict(Outcome.choices).get(outcome, outcome))


def _claim_rows(replay: Replay) -> Iterator[tuple[Any, ...]]:
    for change in queries.changes_of(replay).iterator(chunk_size=500):
        yield (
            change.case.number, change.version, to_yuan(change.before_fen), to_yuan(change.after_fen),
            to_yuan(change.difference_fen), _outcome_words(change.outcome), " ".join(change.appeared),
            " ".join(change.vanished), change.problem,
        )  # fmt: skip


def _line_rows(replay: Replay) -> Iterator[tuple[Any, ...]]:
    for change in queries.changes_of(replay, sort="case").iterator(chunk_size=500):
        for line in change.lines:
            before, after = line["before"], line["after"]
            yield (
                change.case.number, line["ref"], line["name"], str(CODE_WORDS.get(line["benefit"], line["benefit"])), to_yuan(before["billed"]),
                to_yuan(before["insurer"]), to_yuan(after["insurer"]), to_yuan(before["disallowed"]),
                to_yuan(after["disallowed"]), _reason_words(line["reasons_before"]), _reason_words(line["reasons_after"]),
            )  # fmt: skip


def _reason_words(reasons: list[dict[str, str] | str]) -> str:
    """Rules and words; replays from before kept the refs of the findings only."""
    texts = (one if isinstance(one, str) else f"{one['rule']} {said(one, 'message')}" for one in reasons)
    return " ".join(text.strip() for text in texts)
