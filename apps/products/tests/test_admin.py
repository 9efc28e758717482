"""The pages of the handbook and the calendar: readable, searchable, for those who may."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from openpyxl import load_workbook

from apps.accounts.models import Role, User
from apps.adjudication.handbook import RuleClass
from apps.products.actions import load_calendar
from apps.products.labels import ZH
from apps.products.models import CalendarDay
from apps.products.tests.helpers import load

pytestmark = pytest.mark.django_db


def login(client: Client, *roles: str, language: str = "en", **scope: object) -> User:
    user = User.objects.create_user("someone", password="x", is_staff=True, **scope)  # type: ignore[arg-type]
    for code in roles:
        user.roles.add(Role.objects.get_or_create(code=code, defaults={"name": code})[0])
    client.force_login(user)
    client.cookies["django_language"] = language
    return user


def test_the_handbook_reads_from_front_to_back_in_chinese_first(client: Client) -> None:
    (version,) = load("2026")
    login(client, "first_review", language="zh-hans")
    page = client.get(reverse("admin:products_handbook_read", args=[version.pk])).content.decode()
    assert page.index("超过一万元邮寄") < page.index("Mail above 10,000 yuan")
    assert 'id="RMB-22"' in page
    assert "26:362,364" in page
    for area in ("事先授权与担保函", "住院垫付", "通用约定"):
        assert area in page


def test_the_basis_of_every_rule_is_shown(client: Client) -> None:
    """What is not printed is never shown as a promise of the handbook."""
    (version,) = load("2026")
    login(client, "first_review")
    page = client.get(reverse("admin:products_handbook_read", args=[version.pk])).content.decode()
    for basis in ("hb-printed", "hb-law", "hb-practice", "hb-config", "hb-assumed"):
        assert f"hb-badge {basis}" in page


def test_the_handbook_can_be_searched(client: Client) -> None:
    (version,) = load("2026")
    login(client, "first_review")
    url = reverse("admin:products_handbook_read", args=[version.pk])
    page = client.get(url, {"q": "brand closes"}).content.decode()
    assert "VAC-05" in page
    assert "RMB-22" not in page
    assert "Nothing in this handbook" in client.get(url, {"q": "zeppelin"}).content.decode()


def test_a_citation_leads_to_the_current_handbook_of_its_series(client: Client) -> None:
    load("2024")
    login(client, "first_review")
    assert b'id="PA-25"' in client.get(reverse("admin:products_handbook_current", args=["2024"])).content
    assert client.get(reverse("admin:products_handbook_current", args=["1999"])).status_code == 404


def test_the_list_leads_to_the_pages_and_has_no_form(client: Client) -> None:
    (version,) = load("2026")
    login(client, "first_review")
    page = client.get(reverse("admin:products_handbookversion_changelist")).content.decode()
    assert reverse("admin:products_handbook_read", args=[version.pk]) in page
    assert reverse("admin:products_handbook_differences") in page
    change = client.get(reverse("admin:products_handbookversion_change", args=[version.pk])).content
    assert b'id="RMB-22"' in change
    assert client.get(reverse("admin:products_handbookversion_add")).status_code == 403


def test_the_two_series_stand_side_by_side(client: Client) -> None:
    load("2024", "2026")
    login(client, "first_review")
    page = client.get(reverse("admin:products_handbook_differences")).content.decode()
    assert "2026 v1" in page
    assert "2024 v1" in page
    assert "routing.online_maximum" in page


def test_differences_are_filtered_and_exported(client: Client) -> None:
    old, new = load("2024", "2026")
    login(client, "first_review")
    url = reverse("admin:products_handbook_differences")
    chosen = {"left": old.pk, "right": new.pk, "section": "parameters", "kind": "CHANGED", "q": "cancel"}
    page = client.get(url, chosen).content.decode()
    assert "appointment.cancel_cutoff" in page
    assert "routing.basis" not in page
    response = client.get(url, {**chosen, "format": "xlsx"})
    sheet = load_workbook(BytesIO(response.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert any(
        row[1] == "appointment.cancel_cutoff" and row[5] == "16:00" and row[7] == "14:00" for row in rows
    )
    assert not any(row[1] == "routing.basis" for row in rows)


def test_an_unknown_version_in_the_address_is_not_found(client: Client) -> None:
    load("2026")
    login(client, "first_review")
    assert client.get(reverse("admin:products_handbook_differences"), {"left": "999"}).status_code == 404
    assert client.get(reverse("admin:products_handbook_read", args=[999])).status_code == 404


def test_without_any_handbook_the_page_says_so(client: Client) -> None:
    login(client, "first_review")
    page = client.get(reverse("admin:products_handbook_differences"))
    assert page.status_code == 200
    assert "No handbook is loaded yet" in page.content.decode()


def test_staff_of_one_series_read_only_theirs(client: Client) -> None:
    old, new = load("2024", "2026")
    login(client, "first_review", series=["2024"])
    assert client.get(reverse("admin:products_handbook_read", args=[old.pk])).status_code == 200
    assert client.get(reverse("admin:products_handbook_read", args=[new.pk])).status_code == 404


def test_staff_of_a_tpa_read_the_handbook_it_runs(client: Client) -> None:
    old, new = load("2024", "2026")
    login(client, "first_review", tpa="WINDSTONE")
    assert client.get(reverse("admin:products_handbook_read", args=[old.pk])).status_code == 200
    assert client.get(reverse("admin:products_handbook_read", args=[new.pk])).status_code == 404


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    (version,) = load("2027")
    for name, args in (
        ("products_handbook_read", [version.pk]),
        ("products_handbook_differences", []),
        ("products_calendar_this_year", []),
    ):
        assert client.get(reverse(f"admin:{name}", args=args)).status_code == 302


def test_the_year_shows_days_off_and_make_up_days(client: Client) -> None:
    load_calendar([2026])
    login(client, "first_review")
    page = client.get(reverse("admin:products_calendar_year", args=[2026])).content.decode()
    assert page.count('class="cal-WORK"') == 6 + 1  # and the legend
    assert "published table" in page
    assert "provisional" in client.get(reverse("admin:products_calendar_year", args=[2031])).content.decode()
    assert client.get(reverse("admin:products_calendar_year", args=[9999])).status_code == 404


def test_managers_edit_days_and_others_only_read(client: Client) -> None:
    add = reverse("admin:products_calendarday_add")
    data = {"date": "2026-11-18", "kind": "OFF", "note": "x"}
    login(client, "first_review")
    assert client.post(add, data).status_code == 403
    User.objects.get().roles.add(Role.objects.get_or_create(code="manager", defaults={"name": "m"})[0])
    assert client.post(add, data).status_code == 302
    assert CalendarDay.objects.get(date=date(2026, 11, 18)).source == "MANUAL"


def test_plans_are_listed_and_never_edited(client: Client) -> None:
    load("2026", plans=True)
    login(client, "first_review")
    assert b"BEIJING" in client.get(reverse("admin:products_plan_changelist")).content
    assert client.get(reverse("admin:products_plan_add")).status_code == 403


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_master_data_of_every_rule_is_read_back_from_the_handbook_page(
    client: Client, series: str, rulebook: Any
) -> None:
    """Contacts, lists and figures that only stand there to be read: id, title, line and value are shown."""
    (version,) = load(series)
    login(client, "first_review", language="zh-hans")
    page = client.get(reverse("admin:products_handbook_read", args=[version.pk])).content.decode()
    handbook = version.handbook
    for rule in handbook.rules.values():
        if rule.rule_class is not RuleClass.MASTER:
            continue
        article = page.split(f'id="{rule.id}"', 1)[1].split("</article>", 1)[0]
        assert escape(rule.title.zh) in article, rule.id
        assert rule.source in article, rule.id
        values = [contact.value for contact in handbook.contacts.values() if contact.rule == rule.id]
        lists = [
            parameter.value for parameter in handbook.parameters.values()
            if parameter.rule == rule.id and isinstance(parameter.value, tuple)
        ]  # fmt: skip
        for value in (*values, *(entry for entries in lists for entry in entries)):
            assert escape(ZH.get(value, value)) in page, (rule.id, value)
        if values or lists:  # a rule without figures is proven where it works
            rulebook.read_back(rule.id, (values, lists))
