"""What every response carries and what no request may do."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django_structlog.middlewares import RequestMiddleware

GetResponse = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicyMiddleware:
    """Send settings.CONTENT_SECURITY_POLICY unless the view set a policy of its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.policy = "; ".join(
            f"{name} {' '.join(sources)}" for name, sources in settings.CONTENT_SECURITY_POLICY.items()
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


class RequestSizeMiddleware:
    """Refuse a body over settings.MAX_REQUEST_BYTES before a byte of it is read.

    Files below that but over the limit of a scan are refused by the form, with a message that names it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.MAX_REQUEST_BYTES:
            message = _("The request is larger than %(limit)s.") % {
                "limit": filesizeformat(settings.MAX_REQUEST_BYTES)
            }
            refusal = {"code": "request_too_large", "message": message, "field": "", "rule": ""}
            return JsonResponse(refusal, status=413)
        return self.get_response(request)


class RequestIdHeaderMiddleware:
    """Name the request's id in the answer, so that a user can quote it and the log can be searched."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id:
            response.headers["X-Request-ID"] = request_id
        return response


class RequestLogMiddleware(RequestMiddleware):
    """One log line a request, without its query string: people search for names and identity numbers."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"
