"""The browser of these tests keeps styles and scripts from page to page, as it does in production."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


@pytest.fixture(scope="session", autouse=True)
def kept_static_files() -> Iterator[None]:
    serve = StaticFilesHandler.serve

    def served_for_a_year(self: StaticFilesHandler, request: HttpRequest) -> HttpResponseBase:
        response = serve(self, request)
        response["Cache-Control"] = (
            "max-age=31536000"  # less would be over: the clock of the tests runs behind
        )
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "serve", served_for_a_year)
        yield
