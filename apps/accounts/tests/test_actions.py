import io

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from structlog.contextvars import bound_contextvars

from apps.accounts.actions import create_api_client, log_read, reset_second_factor, reveal, rotate_api_key
from apps.accounts.actors import NOBODY, SYSTEM
from apps.accounts.keys import parse_key
from apps.accounts.models import AccessLog, ApiClient
from apps.accounts.tests.factories import (
    ApiClientFactory,
    UserFactory,
    know_parties,
    make_actor,
    make_machine,
)
from apps.core.errors import InvalidInput, InvalidInputs, NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _parties(monkeypatch):
    know_parties(monkeypatch)


def test_law_09_revealing_is_logged_with_who_what_and_why():
    actor = make_actor("first_review")
    with bound_contextvars(request_id="r-1"):
        reveal(actor, subject="member:M000123", what="id_number", reason=" 家长  来电核对 ")
    entry = AccessLog.objects.get()
    assert (entry.user_id, entry.client_id, entry.subject, entry.what) == (
        actor.user_id, None, "member:M000123", "id_number",
    )  # fmt: skip
    assert (entry.reason, entry.request_id) == ("家长 来电核对", "r-1")


@pytest.mark.parametrize("reason", ["", "   ", "abc", " a b", "x" * 201])
def test_law_09_without_a_reason_nothing_is_revealed(reason):
    with pytest.raises(InvalidInput) as refusal:
        reveal(make_actor("intake"), subject="member:M1", what="mobile", reason=reason)
    assert (refusal.value.rule, refusal.value.field) == ("LAW-09", "reason")
    assert not AccessLog.objects.exists()


def test_law_09_opening_a_medical_paper_is_logged_for_machines_too():
    machine = make_machine()
    log_read(machine, subject="member:M1", what="paper:INVOICE")
    assert AccessLog.objects.get().client_id == machine.client_id


def test_law_09_nobody_reveals_nothing():
    with pytest.raises(NotAllowed):
        log_read(NOBODY, subject="member:M1", what="paper:INVOICE")


def test_a_new_machine_gets_a_key_that_is_not_stored():
    client, plain = create_api_client(
        make_actor("manager"), name="协和", kind="HOSPITAL", scopes=["claims:read"], hospital="H1"
    )
    key = parse_key(plain)
    assert key.prefix == client.prefix
    assert key.proves(client.key_digest)
    stored = " ".join(str(value) for value in ApiClient.objects.values().get().values())
    assert key.secret not in stored
    assert AccessLog.objects.get().what == "key created"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "HOSPITAL"}, "hospital"),
        ({"kind": "TPA"}, "tpa"),
        ({"kind": "PROVIDER"}, "provider"),
        ({"kind": "ROBOT"}, "kind"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["claims read"]}, "scopes"),
        ({"scopes": "claims:read"}, "scopes"),
        ({"series": ["2026", "2026"]}, "series"),
        ({"name": ""}, "name"),
    ],
)
def test_a_machine_with_a_mistake_is_not_made(changes, field):
    fields = {"name": "x", "kind": "MEMBER_APP", "scopes": ["claims:read"], **changes}
    with pytest.raises(InvalidInputs) as refusal:
        create_api_client(SYSTEM, **fields)
    assert [error.field for error in refusal.value.errors] == [field]
    assert not ApiClient.objects.exists()


def test_a_rotated_key_ends_the_old_one():
    client = ApiClientFactory()
    old = parse_key(client.plain_key)
    new = parse_key(rotate_api_key(SYSTEM, client))
    client.refresh_from_db()
    assert client.prefix == new.prefix != old.prefix
    assert new.proves(client.key_digest)
    assert not old.proves(client.key_digest)
    assert AccessLog.objects.get().what == "key rotated"


def test_a_lost_second_factor_is_taken_away_and_that_is_logged():
    user = UserFactory()
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    reset_second_factor(SYSTEM, user)
    assert not Authenticator.objects.exists()
    assert AccessLog.objects.get().subject == f"user:{user.pk}"


def test_the_command_prints_the_key_alone_on_its_output():
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "create_api_client", "协和", "--kind=HOSPITAL", "--hospital=H1", "--scope=claims:read",
        "--series=2026", "--expires=2030-12-31", stdout=out, stderr=err,
    )  # fmt: skip
    client = ApiClient.objects.get()
    assert parse_key(out.getvalue().strip()).proves(client.key_digest)
    assert client.series == ["2026"]
    assert f"{client.expires_at:%Y-%m-%d}" == "2030-12-31"
    assert "协和" in err.getvalue()


@pytest.mark.parametrize("mistake", [{"hospital": ""}, {"expires": "2030-02-31"}, {"expires": "soon"}])
def test_the_command_names_the_mistake(mistake):
    options = {"kind": "HOSPITAL", "hospital": "H1", "scopes": ["a:read"], **mistake}
    with pytest.raises(CommandError, match=next(iter(mistake))):
        call_command("create_api_client", "x", **options)
