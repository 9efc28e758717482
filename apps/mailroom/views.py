"""The page of one e-mail, its files, and the report of a claim from it. Adapters: parse, call, render."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from apps.accounts.actors import Actor, actor_of
from apps.authorizations.roles import REQUESTERS
from apps.authorizations.views import answer, filed, request_context
from apps.cases.forms import ActionForm, form_for, tidy
from apps.cases.views import failed, show
from apps.claims.views import report_context
from apps.core.errors import DomainError
from apps.documents.previews import can_render, render_page
from apps.documents.storage import open_stored
from apps.documents.views import SANDBOX
from apps.mailroom import queries, reasons
from apps.mailroom.actions.emails import DONE, STEPS, Step, act, mark_read, report_from, request_from
from apps.mailroom.answers import takes_claims
from apps.mailroom.forms import authorization_form, report_form
from apps.mailroom.inbox.matching import courier_number
from apps.mailroom.inbox.papers import candidates
from apps.mailroom.models import Email
from apps.mailroom.roles import HANDLERS

IN_PLACE = ("file", "report", "authorize", "sort")  # drawn where the files stand, or on a page of its own

PAGES = ("report", "authorize")  # filled in on a page of their own


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """What nobody has filed yet."""
    return redirect(reverse("admin:mailroom_email_changelist") + "?state__exact=NEW")


def email_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a message and decide what becomes of it. POST: one step, named by the button."""
    actor = actor_of(request)
    try:
        email = queries.email_for(actor, pk)
    except DomainError as error:
        return failed(request, error)
    if request.method == "POST":
        return _do(request, email, actor)
    if actor.roles & HANDLERS:
        mark_read(email, actor)
    return _show(request, email, actor)


def _do(request: HttpRequest, email: Email, actor: Actor) -> HttpResponse:
    name = request.POST.get("step", "")
    step = STEPS.get(name)
    data = tidy(request.POST)
    form = form_for(step.input)(data) if step is not None and name not in PAGES else None
    seen = request.POST.get("version", "")
    try:
        if form is None:
            raise DomainError(_("No such action: %(action)s") % {"action": name[:40]}, code="unknown_action")
        doing = act(email.pk, name, actor, version=int(seen) if seen.isdigit() else 0, **form.payload())
    except DomainError as error:
        if form is not None:
            form.take_error(error)
        fresh = queries.email_for(actor, email.pk)
        return _show(request, fresh, actor, opened=name, form=form, error=error, status=error.status)
    assert step is not None
    messages.success(request, _("%(action)s: done.") % {"action": step.label})
    if name == "file" and doing.email.case is not None:
        return redirect("admin:case", number=doing.email.case.number)
    return redirect("admin:mail-email", pk=email.pk)


def _show(
    request: HttpRequest,
    email: Email,
    actor: Actor,
    *,
    opened: str = "",
    form: ActionForm | None = None,
    error: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    may = bool(actor.roles & HANDLERS)
    possible = [step for step in STEPS.values() if email.state in step.states] if may else []
    handbook = queries.handbook_of(email)
    papers = {row.pk for row in candidates(email)}
    files = [
        _file_row(row, row.pk in papers)
        for row in email.files.select_related("file", "paper").order_by("position")
    ]
    context = {
        "title": _("E-mail #%(pk)d") % {"pk": email.pk},
        "email": email,
        "files": files,
        "readable": any(one["href"] for one in files),
        "kinds": queries.paper_kinds(handbook),
        "forms": [
            (step, _form_of(step, email, opened, form)) for step in possible if step.name not in IN_PLACE
        ],
        "possible": {step.name for step in possible},
        "may_authorize": bool(actor.roles & REQUESTERS),
        "is_authorizations_mailbox": email.mailbox.key == "authorization_mailbox",
        "opened": opened,
        "error": error,
        "case_number": request.POST.get("case", "")[:30]
        or (email.suggested.number if email.suggested else ""),
        "events": email.events.order_by("-pk")[:50],
        "answers": email.answers.select_related("message").order_by("-pk")[:20],
        "reason": reasons.words(email.reason) if email.reason else "",
        "found": reasons.words(email.why) if email.why else "",
        "defects": [reasons.words(code.partition(":")[0]) for code in email.defects],
        "takes_claims": takes_claims(handbook) if handbook else False,
        "is_claims_mailbox": email.mailbox.key == "claims_mailbox",
        "in_case": email.state in DONE,
    }
    return show(request, "mailroom/email.html", context, status=status)


def _form_of(step: Step, email: Email, opened: str, form: ActionForm | None) -> ActionForm:
    if step.name == opened and form is not None:
        return form
    initial: dict[str, Any] = {}
    if step.name == "tracking":
        initial = {"tracking_number": courier_number(f"{email.subject_whole}\n{email.text}")}
    if step.name == "answer":
        bad = email.state == Email.State.REFUSED or email.files.filter(file=None).exists()
        initial = {"template": "mail_files" if bad else "mail_received" if email.case_id else "mail_who"}
    return form_for(step.input)(initial=initial)


def _file_row(row: Any, usable: bool) -> dict[str, Any]:
    shown = row.file is not None and can_render(row.file)
    return {
        "row": row,
        "usable": usable,
        "words": reasons.words(row.reason) if row.reason else "",
        "src": reverse("admin:mail-file-page", args=[row.email_id, row.position, 1]) if shown else "",
        "href": reverse("admin:mail-file", args=[row.email_id, row.position]) if row.file is not None else "",
    }


def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The claim report, filled in as far as the message tells; its files become the claim's papers."""
    actor = actor_of(request)
    try:
        email = queries.email_for(actor, pk)
        if request.method != "POST":
            return _show_report(request, email, report_form(email))
        form = report_form(email, tidy(request.POST), request.FILES)
    except DomainError as error:
        return failed(request, error)
    try:
        case = report_from(email.pk, actor, version=_version(request), **form.payload())
    except DomainError as error:
        form.take_error(error)
        return _show_report(request, email, form, status=error.status)
    messages.success(
        request,
        _("%(number)s is reported. Now: %(state)s.")
        % {"number": case.number, "state": case.get_state_display()},
    )
    return redirect("admin:case", number=case.number)


def _show_report(request: HttpRequest, email: Email, form: ActionForm, status: int = 200) -> HttpResponse:
    member = email.member.number if email.member else ""
    handbook = queries.handbook_of(email)
    context = report_context(request, form, member=member) | {
        "email": email,
        "files": [_file_row(row, True) for row in candidates(email)],
        "kinds": dict(queries.paper_kinds(handbook)),
        "takes_claims": takes_claims(handbook) if handbook else False,
    }
    return show(request, "mailroom/report.html", context, status=status)


# --- An authorization asked for by e-mail ----------------------------------------------------------------


def authorize(request: HttpRequest, pk: int) -> HttpResponse:
    """The request, filled in as far as the message tells; its files become papers (PA-04)."""
    actor = actor_of(request)
    try:
        email = queries.email_for(actor, pk)
    except DomainError as error:
        return failed(request, error)
    if request.method != "POST":
        return _show_request(request, email, authorization_form(email))
    form = authorization_form(email, tidy(request.POST), request.FILES)
    try:
        case = request_from(email.pk, actor, version=_version(request), **form.payload())
    except DomainError as error:
        form.take_error(error)
        return _show_request(request, email, form, status=error.status)
    return filed(request, case)


@require_POST
def authorize_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether it is needed and in time, as of the arrival of the message; nothing is saved."""
    try:
        email = queries.email_for(actor_of(request), pk)
    except DomainError as error:
        return failed(request, error)
    return answer(request, now=email.received_at)


def _show_request(request: HttpRequest, email: Email, form: ActionForm, status: int = 200) -> HttpResponse:
    context = request_context(request, form) | {
        "email": email,
        "files": [_file_row(row, True) for row in candidates(email)],
        "check_url": reverse("admin:mail-authorize-check", args=[email.pk]),
    }
    number = email.member.number if email.member else ""
    if context["child"] is None and number and not form.is_bound:
        context["child"] = email.member
    return show(request, "mailroom/authorize.html", context, status=status)


def _version(request: HttpRequest) -> int | None:
    """The report's form carries the version in its address."""
    seen = request.GET.get("version", "")
    return int(seen) if seen.isdigit() else 0


# --- Files ----------------------------------------------------------------------------------------------


@require_safe
def file(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """A file as it came, always as a download."""
    try:
        row = queries.file_for(actor_of(request), pk, position)
    except DomainError as error:
        return failed(request, error)
    assert row.file is not None
    response = FileResponse(
        open_stored(row.file), as_attachment=True, filename=row.name, content_type=row.file.content_type
    )
    return _private(response)


@require_safe
def file_page(request: HttpRequest, pk: int, position: int, page: int) -> HttpResponse:
    """One page as a picture; nothing of the file itself reaches the browser."""
    try:
        row = queries.file_for(actor_of(request), pk, position)
        assert row.file is not None
        width = request.GET.get("width", "")
        png = render_page(row.file, page, int(width) if width.isdigit() and len(width) < 6 else 1400)
    except DomainError as error:
        return HttpResponse(str(error.message), status=404, content_type="text/plain; charset=utf-8")
    return _private(HttpResponse(png, content_type="image/png"))


@require_safe
def raw(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole message as it came, to be opened elsewhere; never shown here."""
    try:
        email = queries.email_for(actor_of(request), pk)
    except DomainError as error:
        return failed(request, error)
    response = FileResponse(
        open_stored(email.raw),
        as_attachment=True,
        filename=f"email-{email.pk}.eml",
        content_type="application/octet-stream",
    )
    return _private(response)


def _private(response: Any) -> HttpResponse:
    response["Cache-Control"] = "private, no-cache"
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    answered: HttpResponse = response
    return answered
