"""What is open to the outside: the gateway's signed notices, and the sandbox's page in the family's browser."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from apps.billing import epay
from apps.billing.gateway import SandboxGateway, gateway
from apps.billing.models import SandboxCharge
from apps.core.errors import DomainError


@csrf_exempt
@require_POST
def notices(request: HttpRequest) -> HttpResponse:
    """One notice; 200 with its outcome whatever it was, so that it is not repeated for ever. 403 when the
    signature or the time does not hold, 400 for what is no notice."""
    try:
        outcome = epay.receive(request.headers, request.body)
    except DomainError as error:
        return JsonResponse({"code": error.code, "message": str(error.message)}, status=error.status)
    return JsonResponse({"outcome": outcome})


@require_http_methods(["GET", "POST"])
def sandbox_payment(request: HttpRequest, reference: str) -> HttpResponse:
    """Two buttons: pay, decline. What they do reaches our books as a signed notice only; with `silent` the
    notice is lost, as it may be outside, and the day's comparison finds the payment."""
    desk = gateway()
    if not isinstance(desk, SandboxGateway):
        raise Http404
    charge = SandboxCharge.objects.filter(reference=reference[:40]).first()
    if charge is None:
        raise Http404
    error: DomainError | None = None
    if request.method == "POST":
        try:
            headers, body = desk.decide(charge.reference, "pay" in request.POST)
            if "silent" not in request.POST:
                epay.receive(headers, body)
        except DomainError as refused:
            error = refused
        charge.refresh_from_db()
    response = render(
        request, "billing/sandbox.html", {"charge": charge, "error": error}, status=409 if error else 200
    )
    add_never_cache_headers(response)
    # Not "no-referrer": browsers then send the form with `Origin: null`, which the check against forgery refuses.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
