"""The log-in in a real browser: the page works under our Content-Security-Policy."""

import pytest
from django.contrib.auth import get_user_model

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_log_in_without_a_word_in_the_console(live_server, page) -> None:
    get_user_model().objects.create_superuser("boss", password="correct horse battery")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    page.goto(f"{live_server.url}/")
    page.get_by_label("用户名").fill("boss")
    page.get_by_label("密码").fill("correct horse battery")
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(f"{live_server.url}/admin/")

    assert complaints == []
