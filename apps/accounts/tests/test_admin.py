"""The administrator's screens."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from apps.accounts.actions import log_read
from apps.accounts.keys import parse_key
from apps.accounts.models import AccessLog, ApiClient, Role, User
from apps.accounts.tests.factories import (
    ApiClientFactory,
    TeamFactory,
    UserFactory,
    know_parties,
    make_actor,
    make_machine,
    web_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _parties(monkeypatch):
    know_parties(monkeypatch)


LISTS = ["user", "role", "team", "apiclient", "accesslog"]


@pytest.fixture
def administrator():
    return UserFactory(is_superuser=True, username="root")


@pytest.fixture
def web(administrator):
    return web_of(administrator)


def url(name, *args):
    return reverse(f"admin:accounts_{name}", args=args)


@pytest.mark.parametrize("name", LISTS)
def test_lists_open_and_answer_to_search(web, name):
    make_actor("intake", team=TeamFactory())
    log_read(make_machine(), subject="member:M1", what="paper:INVOICE")
    assert web.get(url(f"{name}_changelist")).status_code == 200
    assert web.get(url(f"{name}_changelist"), {"q": "x"}).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_lists_cost_the_same_with_one_row_and_with_many(web, name, django_assert_max_num_queries):
    def fill(count):
        for _ in range(count):
            log_read(make_actor("intake", "mailroom", team=TeamFactory()), subject="member:M1", what="x")
            log_read(make_machine(), subject="member:M1", what="x")

    fill(1)
    web.get(url(f"{name}_changelist"))
    with django_assert_max_num_queries(20) as few:
        web.get(url(f"{name}_changelist"))
    fill(8)
    with django_assert_max_num_queries(len(few)):
        web.get(url(f"{name}_changelist"))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("roles", [[], ["manager", "final_approval", "supervisor"]])
def test_no_business_role_opens_the_administrators_screens(name, roles):
    assert web_of(UserFactory(roles=roles)).get(url(f"{name}_changelist")).status_code == 403


def test_a_user_is_made_with_roles_and_scope(web):
    role = Role.objects.get(code="first_review")
    page = web.get(url("user_add")).content.decode()
    assert "api_hospital" not in page
    answer = web.post(
        url("user_add"),
        {
            "username": "chen", "name": "陈晨", "password1": "Lichen-2026-x", "password2": "Lichen-2026-x",
            "roles": [role.pk], "series": "2024， 2026", "tpa": "T1", "is_staff": "on",
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    user = User.objects.get(username="chen")
    assert (list(user.roles.all()), user.series, user.tpa) == ([role], ["2024", "2026"], "T1")
    assert user.check_password("Lichen-2026-x")
    assert web.get(url("user_change", user.pk)).status_code == 200


def test_a_wrong_code_is_named_on_its_field(web):
    user = UserFactory()
    answer = web.post(url("user_change", user.pk), {"username": user.username, "series": "20 26!"})
    assert list(answer.context["adminform"].form.errors) == ["series"]
    user.refresh_from_db()
    assert user.series == []


def test_a_users_password_can_be_set_anew(web):
    user = UserFactory()
    answer = web.post(
        reverse("admin:auth_user_password_change", args=[user.pk]),
        {"password1": "Neu-2026-Passwort", "password2": "Neu-2026-Passwort", "usable_password": "true"},
    )
    user.refresh_from_db()
    assert answer.status_code == 302
    assert user.check_password("Neu-2026-Passwort")


def test_nobody_is_deleted(web):
    user, client = UserFactory(), ApiClientFactory()
    assert web.post(url("user_delete", user.pk), {"post": "yes"}).status_code == 403
    assert web.post(url("apiclient_delete", client.pk), {"post": "yes"}).status_code == 403


def test_only_a_superuser_makes_superusers(administrator):
    from django.contrib.auth.models import Permission

    helper = UserFactory()
    helper.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    web, target = web_of(helper), UserFactory()
    web.post(url("user_change", target.pk), {"username": target.username, "is_superuser": "on"})
    target.refresh_from_db()
    assert not target.is_superuser
    change = web.post(url("user_change", administrator.pk), {"username": "taken", "is_active": ""})
    assert change.status_code == 403


def test_a_form_of_the_administrator_asks_for_its_session_too(web):
    page = web.get(url("user_change", UserFactory().pk)).content.decode()
    assert re.search(r'src="[^"]+claimsadmin/session[^"]*\.js"', page)
    assert re.search(r'<meta name="session" content="/admin/session/" data-user="\d+">', page)
    assert re.findall(r'<template data-trouble="(\w+)">', page) == ["out", "other", "down"]


def test_a_lost_second_factor_is_removed_after_asking(web):
    user = UserFactory()
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    address = url("user_reset_factor", user.pk)
    assert web.get(address).status_code == 200
    assert Authenticator.objects.exists()
    assert web.post(address).status_code == 302
    assert not Authenticator.objects.exists()
    assert AccessLog.objects.get().what == "second factor removed"


def test_an_authority_limit_is_edited_in_yuan_and_logged_with_both_figures(web):
    role = Role.objects.get(code="first_review")
    answer = web.post(
        url("role_change", role.pk), {"name": role.name, "name_en": role.name_en, "authority": "8000.50"}
    )
    assert answer.status_code == 302
    role.refresh_from_db()
    assert (role.authority_fen, role.asked_fen, role.code) == (500_000, 800_050, "first_review")
    confirm = url("role_confirm_limit", role.pk)
    assert "8,000.50" in web.get(url("role_change", role.pk)).content.decode()
    web.post(confirm)  # who asked
    role.refresh_from_db()
    assert role.authority_fen == 500_000
    second = web_of(UserFactory(is_superuser=True, username="second"))
    assert "8,000.50" in second.get(confirm).content.decode()
    second.post(confirm)
    second.post(confirm)  # twice does no harm
    role.refresh_from_db()
    assert (role.authority_fen, role.asked_fen, role.asked_by) == (800_050, None, None)
    assert AccessLog.objects.filter(subject="role:first_review").count() == 2
    web.post(url("role_change", role.pk), {"name": role.name, "name_en": role.name_en, "authority": "100"})
    role.refresh_from_db()
    assert role.authority_fen == 100_00  # a lower limit holds at once
    assert "5000.00 → 8000.50" in LogEntry.objects.earliest("pk").change_message
    assert web.get(url("role_add")).status_code == 403
    assert web.post(url("role_delete", role.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("authority", ["-1", "1.001", "x", "99999999999999"])
def test_a_wrong_limit_is_refused(web, authority):
    role = Role.objects.get(code="first_review")
    web.post(url("role_change", role.pk), {"name": "x", "name_en": "", "authority": authority})
    role.refresh_from_db()
    assert (role.authority_fen, role.name) == (500_000, "初审")


def key_on(page):
    return parse_key(re.search(r'value="([a-z0-9]{8}\.[a-z0-9]{48})"', page.content.decode())[1])


def test_the_key_of_a_new_machine_is_shown_once_and_kept_out_of_caches(web):
    answer = web.post(
        url("apiclient_add"),
        {"name": "协和", "kind": "HOSPITAL", "hospital": "H1", "scopes": ["claims:read", "claims:write"]},
    )
    assert answer.status_code == 200
    client = ApiClient.objects.get()
    assert key_on(answer).proves(client.key_digest)
    assert client.scopes == ["claims:read", "claims:write"]
    assert "no-store" in answer["Cache-Control"]
    again = web.get(url("apiclient_change", client.pk)).content.decode()
    assert key_on(answer).secret not in again
    assert client.key_digest not in again


def test_a_machine_without_its_party_is_refused(web):
    web.post(url("apiclient_add"), {"name": "x", "kind": "TPA", "scopes": ["cases:read"]})
    assert not ApiClient.objects.exists()


@pytest.mark.parametrize(
    ("fields", "at", "words"),
    [({"kind": "HOSPITAL", "hospital": "H9"}, "hospital", "没有“H9”，现有：H001、H1。"),
     ({"kind": "TPA", "tpa": "WIND"}, "tpa", "没有“WIND”，现有：T1。"),
     ({"kind": "MEMBER_APP", "member": "M9", "series": "2026, 2031"}, "series", "没有“2031”，现有：2024、2026。")],
)  # fmt: skip
def test_a_machine_of_nobody_is_refused_and_the_form_says_who_there_is(web, fields, at, words):
    page = web.post(url("apiclient_add"), {"name": "x", "scopes": ["cases:read"], **fields})
    assert page.context["adminform"].form.errors[at] == [words]
    assert not ApiClient.objects.exists()
    person = UserFactory()
    kept = {key: value for key, value in fields.items() if key != "kind"}
    page = web.post(url("user_change", person.pk), {"username": person.username, **kept})
    assert page.context["adminform"].form.errors[at] == [words]


def test_a_key_is_rotated_after_asking(web):
    client = ApiClientFactory()
    address = url("apiclient_rotate_key", client.pk)
    assert web.get(address).status_code == 200
    client.refresh_from_db()
    assert parse_key(client.plain_key).proves(client.key_digest)
    answer = web.post(address)
    client.refresh_from_db()
    assert key_on(answer).proves(client.key_digest)


def test_editing_a_machine_leaves_its_key_and_its_use_alone(web):
    client = ApiClientFactory(name="协和")
    address = url("apiclient_change", client.pk)
    form = {
        "name": "协和医院",
        "kind": "HOSPITAL",
        "hospital": "H001",
        "scopes": "claims:read",
        "active": "on",
    }
    ApiClient.objects.update(last_used_at=timezone.now())
    assert web.post(address, form).status_code == 302
    changed = ApiClient.objects.get()
    assert (changed.name, changed.scopes) == ("协和医院", ["claims:read"])
    assert parse_key(client.plain_key).proves(changed.key_digest)
    assert changed.last_used_at is not None


@pytest.mark.parametrize("role", ["compliance", "auditor"])
def test_law_09_compliance_and_audit_read_the_access_log_and_change_nothing(role):
    log_read(make_machine(), subject="member:M1", what="paper:INVOICE")
    web, entry = web_of(UserFactory(roles=[role])), AccessLog.objects.get()
    assert "被保险人 M1" in web.get(url("accesslog_changelist")).content.decode()
    assert web.post(url("accesslog_change", entry.pk), {"what": "nothing"}).status_code == 403
    assert web.post(url("accesslog_delete", entry.pk), {"post": "yes"}).status_code == 403
    assert web.get(url("accesslog_add")).status_code == 403


def test_law_09_the_export_of_the_access_log_is_logged_and_harmless_in_a_spreadsheet(web):
    actor = make_actor("intake", name="=cmd|' /C calc'!A0")
    log_read(actor, subject="member:M1", what="paper:INVOICE")
    log_read(actor, subject="member:M2", what="paper:INVOICE")
    wanted = AccessLog.objects.filter(subject="member:M1").values_list("pk", flat=True)
    answer = web.post(url("accesslog_changelist"), {"action": "export", "_selected_action": list(wanted)})
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    assert "member:M1" in text
    assert "member:M2" not in text
    assert ",'=cmd" in text or ",\"'=cmd" in text
    assert AccessLog.objects.latest("pk").subject == "access_log"


def test_seeds_of_second_factors_and_unused_groups_have_no_screen(web):
    for app, model in (("mfa", "authenticator"), ("account", "emailaddress"), ("auth", "group")):
        assert web.get(f"/admin/{app}/{model}/").status_code == 404
