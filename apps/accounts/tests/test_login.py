"""Log-in, language, second factor."""

import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from apps.accounts.tests.factories import PASSWORD, ApiClientFactory, UserFactory, api_of, web_of

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"


def code_now():
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(SECRET, counter))


def log_in(web, user, password=PASSWORD, **kwargs):
    return web.post(reverse("account_login"), {"login": user.username, "password": password}, **kwargs)


def test_the_log_in_page_is_chinese_first_and_can_be_turned_to_english(client):
    page = client.get(reverse("account_login"))
    assert '<html lang="zh-hans">' in page.content.decode()
    client.post(reverse("set_language"), {"language": "en", "next": reverse("account_login")})
    page = client.get(reverse("account_login")).content.decode()
    assert '<html lang="en">' in page
    assert "Log in" in page
    assert not re.search(r"<script>[^<]", page), "the content security policy forbids scripts in the page"


def test_the_admin_sends_strangers_to_the_one_log_in(client):
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_the_right_password_leads_to_work_and_a_wrong_one_says_so(client):
    user = UserFactory()
    wrong = log_in(client, user, "wrong")
    assert wrong.status_code == 200
    assert "errors" in wrong.content.decode()
    assert log_in(client, user).status_code == 302
    assert client.get(reverse("account_change_password")).status_code == 200


def test_who_left_cannot_log_in(client):
    log_in(client, UserFactory(is_active=False))
    assert "_auth_user_id" not in client.session


def test_guessing_is_slowed_down(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/m/key"}
    cache.clear()
    user = UserFactory()
    for _ in range(3):
        log_in(client, user, "wrong")
    log_in(client, user)
    assert "_auth_user_id" not in client.session
    cache.clear()


def test_a_second_factor_is_asked_for_where_it_is_set_up(client):
    user = UserFactory()
    TOTP.activate(user, SECRET)
    answer = log_in(client, user)
    assert answer.url.startswith(reverse("mfa_authenticate"))
    assert client.get(answer.url).status_code == 200
    assert "_auth_user_id" not in client.session
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "_auth_user_id" not in client.session
    client.post(reverse("mfa_authenticate"), {"code": code_now()})
    assert client.session["_auth_user_id"] == str(user.pk)


def test_every_page_of_the_second_factor_opens(client):
    user = UserFactory()
    log_in(client, user)
    assert client.get(reverse("mfa_activate_totp")).url.startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert "data:image/svg" in client.get(reverse("mfa_activate_totp")).content.decode()
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    for name in ("mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_deactivate_totp",
                 "account_reauthenticate", "account_logout"):  # fmt: skip
        assert client.get(reverse(name)).status_code == 200, name


@pytest.fixture
def required(settings):
    settings.REQUIRE_MFA = True


def test_where_it_is_required_staff_without_one_are_led_to_its_set_up(required):
    web = web_of(UserFactory(is_superuser=True))
    answer = web.get(reverse("admin:index"))
    assert answer.url == reverse("mfa_activate_totp")
    assert web.get(reverse("account_change_password")).status_code == 200
    assert web.post(reverse("set_language"), {"language": "en"}).status_code == 302
    assert web.get(reverse("mfa_index")).status_code == 200


def test_where_it_is_required_the_api_refuses_the_session_and_not_the_machine(required):
    refused = web_of(UserFactory()).get(reverse("schema"))
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert api_of(ApiClientFactory()).get(reverse("schema")).status_code == 200


def test_with_a_second_factor_the_way_is_free(required):
    user = UserFactory(is_superuser=True)
    TOTP.activate(user, SECRET)
    assert web_of(user).get(reverse("admin:index")).status_code == 200
    assert Client().get(reverse("account_login")).status_code == 200
