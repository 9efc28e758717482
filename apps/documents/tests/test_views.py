"""Papers and letters on the web: seen by whom they concern, logged, private; letters checked by anyone."""

import pytest
from django.test import Client

from apps.accounts.models import AccessLog
from apps.accounts.tests.factories import UserFactory, make_actor, web_of
from apps.cases.engine import perform
from apps.documents.letters import queue_letter, void_letter
from apps.documents.public_views import REQUESTS_A_MINUTE
from apps.documents.queries import papers_of
from apps.documents.tasks import render_letter
from apps.documents.tests import letters_data as data
from apps.documents.tests.factories import make_case, pdf, picture, upload, within

pytestmark = pytest.mark.django_db


def paper(case, content=None, name="a.pdf"):
    clerk = make_actor("intake")
    perform(
        case.number, "attach_paper", clerk, kind="MEDICAL_RECORD", files=[upload(content or pdf(2), name)]
    )
    return papers_of(case)[-1]


@pytest.fixture
def reader():
    return web_of(UserFactory(roles=["first_review"]))


def test_stranger_is_sent_to_the_log_in():
    one = paper(make_case())
    for path in (f"/files/{one.pk}/", f"/files/{one.pk}/pages/1.png"):
        response = Client().get(path)
        assert response.status_code == 302
        assert "login" in response.url


def test_person_of_another_series_or_without_a_role_finds_nothing():
    one = paper(make_case("2026"))
    for user in (UserFactory(roles=["first_review"], series=["2024"]), UserFactory(roles=[])):
        assert web_of(user).get(f"/files/{one.pk}/").status_code == 404
        assert web_of(user).get(f"/files/{one.pk}/pages/1.png").status_code == 404
    assert AccessLog.objects.filter(what__startswith="paper").count() == 0


def test_reading_is_logged_once_for_all_pages_law_09(reader):
    case = make_case()
    one = paper(case)
    for page in (1, 2, 1):
        assert reader.get(f"/files/{one.pk}/pages/{page}.png?width=800").status_code == 200
    entry = AccessLog.objects.get(what__startswith="paper")
    assert (entry.subject, entry.what) == (f"member:{case.member.number}", f"paper:MEDICAL_RECORD:{one.pk}")


def test_scan_is_private_and_cannot_do_anything(reader):
    one = paper(make_case())
    response = reader.get(f"/files/{one.pk}/")
    assert b"".join(response.streaming_content) == pdf(2)
    assert response["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-cache"
    assert response["X-Content-Type-Options"] == "nosniff"
    again = reader.get(f"/files/{one.pk}/", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_picture_opens_in_the_page_and_can_be_downloaded(reader):
    one = paper(make_case(), picture(), "a.jpg")
    assert "attachment" not in reader.get(f"/files/{one.pk}/").get("Content-Disposition", "")
    assert "attachment" in reader.get(f"/files/{one.pk}/?download")["Content-Disposition"]


def test_page_that_is_not_there_and_bill_without_pictures(reader):
    assert reader.get(f"/files/{paper(make_case()).pk}/pages/9.png").status_code == 404
    xml = paper(make_case(), b'<?xml version="1.0"?><a/>', "a.xml")
    assert reader.get(f"/files/{xml.pk}/pages/1.png").status_code == 404


def test_only_reading_is_possible(reader):
    assert reader.post(f"/files/{paper(make_case()).pk}/").status_code == 405


def test_letter_is_downloaded_by_those_who_see_the_case(reader):
    letter = within(make_case(), lambda ctx: queue_letter(ctx, data.eob()))
    assert reader.get(f"/files/letters/{letter.pk}/").status_code == 404  # not rendered yet
    render_letter(letter.pk)
    response = reader.get(f"/files/letters/{letter.pk}/")
    assert b"".join(response.streaming_content)[:5] == b"%PDF-"
    assert reader.get(f"/files/letters/{letter.pk}/pages/1.png").status_code == 200
    other = web_of(UserFactory(roles=["first_review"], series=["2024"]))
    assert other.get(f"/files/letters/{letter.pk}/").status_code == 404


# --- Public verification --------------------------------------------------------------------------------


def check(token):
    return Client().get(f"/v/{token}/")


def test_letter_is_valid_superseded_or_void_and_says_nothing_about_the_child():
    case = make_case()
    first = within(case, lambda ctx: queue_letter(ctx, data.eob()))
    page = check(first.token).content.decode()
    assert "有效" in page
    assert first.number in page
    for secret in (case.number, case.member.name, "王", case.policy.number, "4,230.00"):
        assert secret not in page
    second = within(case, lambda ctx: queue_letter(ctx, data.eob()))
    assert "已被替换" in check(first.token).content.decode()
    within(case, lambda ctx: void_letter(ctx, second))
    assert "已作废" in check(second.token).content.decode()


def test_unknown_token_takes_the_same_path_as_a_known_one(django_assert_num_queries):
    letter = within(make_case(), lambda ctx: queue_letter(ctx, data.eob()))
    for token in (letter.token, "x" * 32, letter.token[:-1], "x" * 300):
        with django_assert_num_queries(1):
            response = check(token)
        assert response.status_code == 200
        assert [template.name for template in response.templates] == ["letters/verify.html"]
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "no-referrer"
    assert "查无此文书" in check("x" * 32).content.decode()


def test_nobody_tries_out_tokens(django_assert_num_queries):
    for _ in range(REQUESTS_A_MINUTE):
        assert check("guess").status_code == 200
    with django_assert_num_queries(0):
        response = check("guess")
    assert response.status_code == 429
    assert response["Retry-After"] == "60"
