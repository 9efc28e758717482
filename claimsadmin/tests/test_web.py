"""The front door: log-in, languages, headers, limits, health, metrics, API pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from claimsadmin.middleware import RequestLogMiddleware, RequestSizeMiddleware

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return get_user_model().objects.create_superuser("boss", password="correct horse battery")


def test_a_stranger_is_led_from_the_root_to_the_log_in(client: Client) -> None:
    answer = client.get("/", follow=True)

    assert [address for address, _ in answer.redirect_chain] == [
        "/admin/",
        "/admin/login/?next=/admin/",
        "/accounts/login/?next=%2Fadmin%2F",
    ]
    assert "登录" in answer.content.decode()


@pytest.mark.slow
def test_the_log_in_shows_before_static_files_were_collected(tmp_path: Path) -> None:
    """A fresh checkout: `manage.py migrate && manage.py runserver`, and no manifest of static files."""
    script = (
        "import django; django.setup(); from django.test import Client; "
        "page = Client().get('/accounts/login/'); style = Client().get('/static/accounts/entrance.css'); "
        "print(page.status_code, '/static/accounts/entrance.css' in page.content.decode(), style.status_code)"
    )
    place = {
        "CLAIMS_ENV": "development",
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db",
    }
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | place | {"DJANGO_SETTINGS_MODULE": "claimsadmin.settings", "LOG_LEVEL": "ERROR"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert told.stdout.split() == ["200", "True", "200"]


def test_logging_in_leads_to_the_admin(client: Client, staff) -> None:
    answer = client.post(
        "/accounts/login/?next=/admin/", {"login": "boss", "password": "correct horse battery"}
    )

    assert answer.status_code == 302
    assert answer["Location"] == "/admin/"


def test_the_admin_asks_for_the_second_factor_of_who_has_one(client: Client, staff) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(staff, generate_totp_secret())

    answer = client.post(
        "/accounts/login/?next=/admin/", {"login": "boss", "password": "correct horse battery"}
    )

    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302


def test_the_own_log_in_of_the_admin_takes_no_password(client: Client, staff) -> None:
    answer = client.post("/admin/login/", {"username": "boss", "password": "correct horse battery"})

    assert answer["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("path", ["signup", "password/reset", "email", "social/connections"])
def test_nobody_signs_up(client: Client, path: str) -> None:
    assert client.get(f"/accounts/{path}/").status_code == 404


@pytest.mark.parametrize("path", ["password/change/", "2fa/", "2fa/totp/activate/", "reauthenticate/"])
def test_the_pages_of_the_own_account_render(client: Client, staff, path: str) -> None:
    client.post("/accounts/login/", {"login": "boss", "password": "correct horse battery"})
    client.post("/accounts/reauthenticate/", {"password": "correct horse battery"})

    assert client.get(f"/accounts/{path}").status_code == 200


def test_every_answer_carries_the_security_headers_and_a_request_id(client: Client) -> None:
    answer = client.get("/accounts/login/")

    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"].split("script-src")[1].split(";")[0]
    assert answer["X-Frame-Options"] == "DENY"
    assert len(answer["X-Request-ID"]) == 36


def test_a_request_over_the_limit_is_refused_unread() -> None:
    request = RequestFactory().post("/", CONTENT_LENGTH=str(settings.MAX_REQUEST_BYTES + 1))

    answer = RequestSizeMiddleware(lambda request: HttpResponse())(request)

    assert answer.status_code == 413
    assert b"request_too_large" in answer.content


def test_a_scan_of_the_largest_size_passes() -> None:
    request = RequestFactory().post("/", CONTENT_LENGTH=str(settings.MAX_SCAN_BYTES + 100_000))

    assert RequestSizeMiddleware(lambda request: HttpResponse())(request).status_code == 200


def test_the_log_does_not_repeat_what_people_search_for() -> None:
    request = RequestFactory().get("/admin/search/?q=310101201801011234")

    assert RequestLogMiddleware.format_request(request) == "GET /admin/search/"


def test_the_language_can_be_changed(client: Client) -> None:
    client.post("/i18n/setlang/", {"language": "en", "next": "/accounts/login/"})

    assert "Log in" in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    ("token", "header", "status"), [("", "", 403), ("s", "", 403), ("s", "Bearer s", 200)]
)
def test_metrics_need_the_token(client: Client, token: str, header: str, status: int) -> None:
    with override_settings(METRICS_TOKEN=token):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == status


def test_metrics_are_open_to_staff(client: Client, staff) -> None:
    client.force_login(staff)

    assert b"django_http_requests" in client.get("/metrics").content


def test_schema_and_offline_docs(client: Client, staff) -> None:
    assert client.get("/api/schema/").status_code in {401, 403}
    client.force_login(staff)

    assert client.get("/api/schema/").status_code == 200
    page = client.get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "//cdn" not in page


@pytest.mark.parametrize("path", ["/nothing", "/admin/nothing/"])
def test_a_wrong_address_gets_a_page_of_ours(client: Client, staff, path: str) -> None:
    client.force_login(staff)

    answer = client.get(path)

    assert answer.status_code == 404
    assert "理赔管理系统" in answer.content.decode()
