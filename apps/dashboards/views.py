"""The manager's page and its tables as Excel."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.accounts.actors import Actor, actor_of
from apps.adjudication.clocks import last_day
from apps.appeals import queries as appeals
from apps.cases.queries import end_of_week
from apps.cases.views import show
from apps.core.excel import excel_response
from apps.dashboards import charts, queries
from apps.dashboards.queries import Cross


@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """Late → late by Friday → where it stuck → who can take more → trend. Every number opens its cases."""
    actor, now = actor_of(request), timezone.now()
    wanted = request.GET.get("excel")
    if wanted:
        return _excel(wanted, actor)
    stages, loads = queries.stages(actor), queries.loads(actor, now)
    weeks = queries.trend(actor, timezone.localdate())
    load_bars = charts.load_bars(loads)
    this_year = timezone.localdate().replace(month=1, day=1)
    context = {
        "title": _("Dashboard"),
        "now": now,
        "friday": last_day(end_of_week(now)),
        "overdue": queries.overdue(actor, now),
        "soon": queries.due_soon(actor, now),
        "kinds": charts.stages_by_kind(stages),
        "loads": loads,
        "load_bars": load_bars,
        "load_height": charts.height(load_bars),
        "unassigned": queries.unassigned(actor),
        "weeks": weeks,
        "chart": charts.trend_lines(weeks),
        "open": sum(stage.total for stage in stages),
        "paused": sum(stage.paused for stage in stages),
        "appeals": appeals.total(appeals.within(appeals.rows_visible_to(actor), this_year, None), now),
        "appeals_since": this_year,
        "appeals_query": f"state=all&since={this_year}",
    }
    return show(request, "dashboards/dashboard.html", context)


def _excel(section: str, actor: Actor) -> HttpResponse:
    now = timezone.now()
    if section == "overdue":
        return _cross_excel(_("Overdue"), queries.overdue(actor, now))
    if section == "soon":
        return _cross_excel(_("Due by Friday"), queries.due_soon(actor, now))
    tables: dict[str, tuple[str, list[Any], Any]] = {
        "stages": (
            _("Stages"), [_("Kind"), _("State"), _("in work"), _("paused")],
            lambda: [(s.kind_label, s.label, s.running, s.paused) for s in queries.stages(actor)],
        ),
        "loads": (
            _("Load"), [_("Person"), _("Team"), _("open"), _("overdue"), _("due this week"), _("weekly pace")],
            lambda: [(x.user, x.user.team or "", x.open, x.late, x.week, x.pace) for x in queries.loads(actor, now)],
        ),
        "trend": (
            _("Trend"), [_("Week of"), _("cases opened"), _("cases closed"), _("cases opened, last year"), _("cases closed, last year")],
            lambda: [
                (week.start, week.opened, week.closed, week.opened_before, week.closed_before)
                for week in queries.trend(actor, timezone.localdate())
            ],
        ),
    }  # fmt: skip
    if section not in tables:
        raise Http404
    name, columns, rows = tables[section]
    return excel_response(name, columns, rows())


def _cross_excel(name: str, cross: Cross) -> HttpResponse:
    columns = [_("Clock"), *(team for _pk, team in cross.teams), _("Total")]
    rows = [[title, *(number for _team, number in cells), total] for _key, title, cells, total in cross.rows]
    return excel_response(name, columns, rows)
