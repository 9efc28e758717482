"""*My work*, the case page and what can be done there. Adapters: parse, call one thing, render."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import actions as accounts
from apps.accounts.actors import Actor, actor_of
from apps.accounts.models import Team
from apps.accounts.roles import role_names
from apps.cases import casepage, queries
from apps.cases.common import DESK_ROLES, LEADS
from apps.cases.engine import perform, perform_many
from apps.cases.forms import assignable, tidy
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile, SavedFilter
from apps.cases.queries import Filters, filters_of
from apps.cases.rows import rows_of
from apps.cases.timeleft import due_words
from apps.core.errors import Conflict, DomainError, NotAllowed, NotFound
from apps.core.excel import LIMIT, excel_response
from apps.core.money import to_yuan
from apps.members.queries import spokesperson

PAGE_SIZE = 50
REVEALERS = DESK_ROLES | LEADS | {"compliance", "auditor", "collections", "service_lead", "recovery_lead"}
SPOKESPERSON = "contact_mobile"  # of whom one calls about the child
REVEALED = {
    "id_number": "id_number", "mobile": "mobile", "name": "name", "birth_date": "birth_date", SPOKESPERSON: "mobile",
}  # fmt: skip


def show(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page in the frame of the admin site."""
    from apps.cases.site import site

    request.current_app = site.name
    return render(request, template, {**site.each_context(request), **context}, status=status)


def refused(request: HttpRequest, roles: Iterable[str]) -> HttpResponse:
    message = _("This page is for: %(roles)s.") % {"roles": role_names(roles)}
    return failed(request, NotAllowed(message, code="role"))


def failed(request: HttpRequest, error: DomainError) -> HttpResponse:
    """An error that leaves nothing to show but itself."""
    titles = {403: _("Not allowed"), 404: _("Not found")}
    context = {"title": titles.get(error.status, _("Not possible")), "error": error}
    return show(request, "cases/failed.html", context, status=error.status)


# --- My work ---------------------------------------------------------------------------------


@require_GET
def my_work(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    filters = filters_of(request.GET, actor)
    number = _page_number(request)
    start = (number - 1) * PAGE_SIZE
    found = list(queries.with_row_data(queries.worklist(actor, filters, now))[start : start + PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "title": _("My work"),
        "filters": filters,
        "rows": rows_of(shown, now),
        "counts": queries.counts(actor, filters.scope, now),
        "choices": _choices(actor, filters),
        "saved": list(SavedFilter.objects.filter(user=actor.user_id).order_by("name")),
        "query": filters.query(),
        "page": number,
        "first": start + 1,
        "last": start + len(shown),
        "has_next": len(found) > PAGE_SIZE,
        "may_assign": bool(actor.roles & LEADS),
        "coming": None if shown else _coming(actor, filters),
    }
    return show(request, "cases/work.html", context)


def _page_number(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return min(max(int(given), 1), 400) if given.isdigit() else 1


def _coming(actor: Actor, filters: Filters) -> dict[str, Any]:
    """For the empty list: what is due next elsewhere, and in which scope."""
    for scope in ("mine", "team", "all"):
        wider = Filters(scope=scope)
        if wider == filters:
            continue
        case = queries.with_row_data(queries.worklist(actor, wider)).first()
        if case is not None:
            return {"row": rows_of([case])[0], "scope": scope}
    return {}


def _choices(actor: Actor, filters: Filters) -> dict[str, Any]:
    """What the filters offer: kinds, their states, teams and people the actor may see."""
    kinds = [KINDS[filters.kind]] if filters.kind in KINDS else list(KINDS.values())
    teams = Team.objects.filter(tpa=actor.tpa) if actor.tpa else Team.objects.all()
    return {
        "kinds": [(kind.code, kind.label) for kind in KINDS.values()],
        "states": [(kind.label, list(kind.states.items())) for kind in kinds],
        "teams": [(str(team.pk), team.name) for team in teams.order_by("name")],
        "people": assignable([actor.tpa]) if actor.tpa else _everybody(),
        "sorts": SORT_NAMES,
    }


def _everybody() -> list[tuple[str, str]]:
    tpas = Team.objects.exclude(tpa="").values_list("tpa", flat=True).distinct()
    return assignable(tpas)


SORT_NAMES = ("due", "-opened", "opened", "-amount", "amount", "state")


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Search over everything that identifies a case; a single hit by its number opens it."""
    actor, text = actor_of(request), request.GET.get("q", "").strip()[:80]
    cases = queries.search(actor, text)
    if len(cases) == 1 and cases[0].number == text.upper():
        return redirect("admin:case", number=cases[0].number)
    context = {
        "title": _("Search"),
        "q": text,
        "rows": rows_of(cases),
        "limit": queries.SEARCH_LIMIT,
        "searching": True,
    }
    return show(request, "cases/find.html", context)


@require_GET
def next_case(request: HttpRequest) -> HttpResponse:
    """The first case of the list that is not the one just done."""
    actor = actor_of(request)
    cases = queries.worklist(actor, filters_of(request.GET, actor))
    number = cases.exclude(number=request.GET.get("after", "")).values_list("number", flat=True).first()
    if number is None:
        messages.info(request, _("Nothing else to do here."))
        return redirect("admin:index")
    return redirect("admin:case", number=number)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The list as Excel, names masked as on the screen."""
    actor, now = actor_of(request), timezone.now()
    cases = queries.with_row_data(queries.worklist(actor, filters_of(request.GET, actor), now))[:LIMIT]
    columns = [
        _("Number"), _("Kind"), _("Child"), _("Age"), _("Series"), _("State"), _("Amount"), _("Due"),
        _("Time left"), _("How counted"), _("Next step"), _("Team"), _("Assignee"), _("Opened"),
    ]  # fmt: skip
    lines = (
        [
            row.case.number, row.kind, row.child, row.age, row.case.series, row.state, to_yuan(row.case.amount_fen),
            due_words(row.case.next_due), row.left.text, row.left.how, row.step, row.case.team or "", row.case.assignee or "",
            row.case.opened_at,
        ]
        for row in rows_of(list(cases), now)
    )  # fmt: skip
    return excel_response(_("My work"), columns, lines)


@require_POST
def assign(request: HttpRequest) -> HttpResponse:
    """Give several cases to one person: all or none."""
    actor, chosen = actor_of(request), [pick.partition(":") for pick in request.POST.getlist("case")]
    numbers: dict[str, list[str]] = defaultdict(list)
    for number, _colon, _version in chosen:
        numbers[number[:1]].append(number)
    versions = {number: int(version) for number, _colon, version in chosen if version.isdigit()}
    try:
        if not chosen:
            raise Conflict(_("Choose at least one case."), code="nothing_chosen")
        with transaction.atomic():
            for _prefix, group in sorted(numbers.items()):
                perform_many(
                    group,
                    "assign",
                    actor,
                    versions=versions,
                    data={"assignee": request.POST.get("assignee") or "0"},
                )
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("%(n)d cases were assigned.") % {"n": len(chosen)})
    return _back(request)


@require_GET
def session(request: HttpRequest) -> JsonResponse:
    """Whose session it still is: a form that stood open asks before it sends what was typed."""
    return JsonResponse({"user": str(request.user.pk)})


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """To where the form stood; only within this house."""
    target = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None) or not target.startswith("/"):
        target = reverse("admin:index")
    return HttpResponseRedirect(target)


@require_POST
def save_filter(request: HttpRequest) -> HttpResponse:
    name = " ".join(request.POST.get("name", "").split())[:60]
    if not name:
        messages.error(request, _("Give the filter a name."))
        return _back(request)
    actor = actor_of(request)
    query = filters_of(QueryDict(request.POST.get("query", "")[:500]), actor).query()
    SavedFilter.objects.update_or_create(user_id=actor.person_id, name=name, defaults={"query": query})
    messages.success(request, _("Filter “%(name)s” is saved.") % {"name": name})
    return _back(request)


@require_POST
def delete_filter(request: HttpRequest, pk: int) -> HttpResponse:
    SavedFilter.objects.filter(pk=pk, user=actor_of(request).user_id).delete()
    return _back(request)


# --- The case page ---------------------------------------------------------------------------


@require_GET
def case_page(request: HttpRequest, number: str) -> HttpResponse:
    actor = actor_of(request)
    try:
        case = queries.case_for(actor, number)
    except NotFound as error:
        return failed(request, error)
    return _show_case(request, case, actor)


def _show_case(
    request: HttpRequest,
    case: CaseFile,
    actor: Actor,
    *,
    opened: casepage.OpenForm | None = None,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    context = casepage.context(case, actor, opened=opened)
    return show(request, "cases/case.html", {**context, **extra, "title": case.number}, status=status)


def act(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """GET: the form of one action, alone for htmx or within its page. POST: do it."""
    actor = actor_of(request)
    try:
        case = queries.case_for(actor, number)
        opened = casepage.open_form(case, actor, name)
    except DomainError as error:
        return failed(request, error)
    if request.method == "POST":
        return _do(request, case, actor, opened)
    if request.headers.get("HX-Request"):
        return render(request, opened.template, {"case": case, "opened": opened, "form": opened.form})
    return _show_case(request, case, actor, opened=opened)


def _do(request: HttpRequest, case: CaseFile, actor: Actor, opened: casepage.OpenForm) -> HttpResponse:
    data, action = tidy(request.POST), opened.action
    version = data.get("version", "")
    form = opened.filled(data, request.FILES)
    try:
        done = perform(
            case.number,
            action.name,
            actor,
            version=int(version) if version.isdigit() else 0,
            **form.payload(),
        )
    except Conflict as error:
        changed = (
            casepage.changed_since(case, int(version) if version.isdigit() else 0)
            if error.code == "stale"
            else []
        )
        if not changed:
            form.take_error(error)
        extra = {"conflict": error, "changed": changed} if changed else {}
        return _show_case(request, case, actor, opened=opened.with_form(form), status=409, **extra)
    except DomainError as error:
        form.take_error(error)
        return _show_case(request, case, actor, opened=opened.with_form(form), status=error.status)
    messages.success(request, _("%(number)s: %(action)s done. Now: %(state)s.") % {
        "number": case.number, "action": action.label, "state": done.get_state_display(),
    })  # fmt: skip
    back = request.POST.get("back", "")
    if back.startswith(("#", "?")):
        return HttpResponseRedirect(reverse("admin:case", kwargs={"number": case.number}) + back[:200])
    done_query = "" if action.order >= 800 else f"?done={action.name}"
    return HttpResponseRedirect(reverse("admin:case", kwargs={"number": case.number}) + done_query)


@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Show one masked value of the child, or the number of who is called about it, in full, with a reason that is
    logged (LAW-09)."""
    actor, what = actor_of(request), request.POST.get("what", "")
    try:
        case = queries.case_for(actor, number)
        if not actor.roles & REVEALERS:
            raise NotAllowed(_("Your role may not see this in full."), rule="LAW-09")
        if what not in REVEALED:
            raise NotFound(_("There is nothing to reveal."))
        accounts.reveal(
            actor, subject=f"member:{case.member.number}", what=what, reason=request.POST.get("reason", "")
        )
    except DomainError as error:
        context = {"number": number, "what": what, "error": error}
        return render(
            request,
            "cases/parts/reveal.html",
            context,
            status=200 if request.headers.get("HX-Request") else error.status,
        )
    person = spokesperson(case.policy) if what == SPOKESPERSON else None
    value = person.mobile if person else getattr(case.member, REVEALED[what])
    response = render(request, "cases/parts/revealed.html", {"value": value, "what": what})
    response["Cache-Control"] = "no-store"
    return response
