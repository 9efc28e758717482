"""`manage.py seed`: copies are as complete and as valid as their originals, and nothing real is in their way."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from apps.accounts.roles import CATALOGUE, MACHINES
from apps.accounts.tests.factories import UserFactory
from apps.cases.models import CaseFile, Clock
from apps.claims.models import Bill, Claim, Decision
from apps.claims.seeding.copies import Copies
from apps.claims.seeding.seed import seed
from apps.claims.tests.world import World
from apps.core.numbers import next_number
from apps.documents.models import BillRegister, Letter
from apps.ledger.models import LimitAccount, MoneyAccount
from apps.members.identity import check_identity
from apps.members.models import Guardian, Member, Policy, id_index, mobile_index
from apps.members.queries import find_members
from apps.messaging.models import Message
from apps.payments.models import PaymentFile, PaymentOrder
from apps.products.actions import load_calendar

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def house(settings: Any) -> World:
    """Handbooks, plans, hospitals, and a user for each role, named after it."""
    world = World()
    load_calendar(range(2024, 2028))
    for spec in CATALOGUE:
        if spec.code not in MACHINES:
            UserFactory(username=spec.code, roles=[spec.code], email=f"{spec.code}@example.com")
    return world


@pytest.mark.volume
def test_a_history_is_complete_and_valid(house: World) -> None:
    made = seed(40, 6)
    assert made.closed >= 40
    assert made.open >= 6
    closed = CaseFile.objects.filter(open=False)
    assert closed.count() == made.closed
    assert CaseFile.objects.filter(open=True).count() == made.open
    connection.check_constraints()
    states = Counter(closed.values_list("state", flat=True))
    assert states["CLOSED"] > made.closed / 2
    assert {"WITHDRAWN", "DENIED", "REJECTED_INTAKE"} <= set(states)
    assert set(closed.values_list("series", flat=True)) == {"2024", "2026"}
    assert not Clock.objects.filter(case__open=False).exclude(state=Clock.State.STOPPED).exists()
    assert Clock.objects.filter(case__open=True, state=Clock.State.RUNNING, next_at__isnull=False).exists()
    assert closed.filter(closed_at__gt=timezone.now()).count() == 0


@pytest.mark.volume
def test_nothing_is_sent_and_books_agree(house: World) -> None:
    seed(30, 4)
    assert set(Message.objects.values_list("state", "reported")) == {("DELIVERED", True)}
    assert not Letter.objects.filter(state=Letter.State.QUEUED).exists()
    assert not Letter.objects.filter(file=None).exists()
    for limit in LimitAccount.objects.annotate(sum=Sum("entries__used"), kept=Sum("entries__reserved")):
        assert (limit.used, limit.reserved) == (limit.sum or 0, limit.kept or 0)
    for account in MoneyAccount.objects.annotate(sum=Sum("entries__amount")):
        assert account.balance == account.sum
        assert CaseFile.objects.filter(number=account.reference, open__in=[True, False]).count() == 1
    for order in PaymentOrder.objects.filter(file__isnull=False).select_related("file"):
        assert order.file.orders == 1
        assert order.file.total_fen == order.amount_fen
    assert BillRegister.objects.filter(released_at=None).exists()
    registered = set(BillRegister.objects.values_list("case", "number"))
    assert registered <= set(Bill.objects.values_list("visit__claim", "number"))


@pytest.mark.volume
def test_copied_people_pass_every_check_and_can_be_found(house: World) -> None:
    seed(30, 0)
    lead, today = house.actor("supervisor"), timezone.localdate()
    children = list(
        Member.objects.exclude(pk__in=Member.objects.filter(id_type="PASSPORT")).order_by("-pk")[:8]
    )
    assert len({child.id_number for child in children}) == len(children)
    for child in children:
        found = check_identity(
            id_type=child.id_type,
            number=child.id_number,
            today=today,
            birth_date=child.birth_date,
            sex=child.sex,
        )
        assert found.number == child.id_number
        assert child.id_index == id_index(child.id_number)
        parent = Guardian.objects.get(member=child)
        assert parent.mobile_index == mobile_index(parent.mobile)
        assert Claim.objects.filter(case__member=child).exclude(reporter_name=parent.name).count() == 0
        policy = Policy.objects.filter(member=child).order_by("-effective_on")[:1].get()
        for text in (child.id_number, parent.mobile, policy.number, child.number):
            assert [one.pk for one in find_members(lead, text)] == [child.pk], text


@pytest.mark.volume
def test_numbers_run_on_and_a_second_call_adds(house: World) -> None:
    first, second = seed(12, 2), seed(12, 2)
    assert CaseFile.objects.count() == first.closed + first.open + second.closed + second.open
    numbers = set(CaseFile.objects.values_list("number", flat=True))
    case = house.claim()
    assert case.number not in numbers
    year = f"{timezone.localtime(house.now):%y}"
    assert next_number(f"C{year}") > max(number for number in numbers if number.startswith(f"C{year}"))
    for model in (Letter, PaymentFile, PaymentOrder, Member):
        assert model._default_manager.filter(number__contains="种").count() == 0
    years = {number[1:3] for number in numbers}
    assert years == {
        f"{timezone.localtime(opened):%y}" for opened in CaseFile.objects.values_list("opened_at", flat=True)
    }


def test_copies_name_themselves_in_texts_and_references(house: World) -> None:
    house.child("ONE", "2026")
    case = house.pay(house.do(house.review(member={"number": "ONE"}), "decide"))
    (child,) = Copies(case.member, weeks=10, least=10).make(1)
    copy = CaseFile.objects.get(member=child)
    assert (case.opened_at - copy.opened_at).days == 70
    assert copy.number != case.number
    assert MoneyAccount.objects.get(reference=copy.number).key == f"payable:{copy.number}:MEMBER"
    assert case.number not in "".join(Message.objects.filter(case=copy).values_list("body", flat=True))
    keys = Message.objects.filter(case=copy).values_list("idempotency_key", flat=True)
    assert keys
    assert not any(case.number in key for key in keys)
    tokens = set(Letter.objects.filter(case=copy).values_list("token", flat=True))
    assert (
        set(Message.objects.filter(case=copy).exclude(letter_token="").values_list("letter_token", flat=True))
        <= tokens
    )
    decided = Decision.objects.get(claim=copy.pk)
    assert (
        decided.lines.filter(line__bill__visit__claim=F("decision__claim")).count()
        == decided.lines.count()
        > 0
    )


def test_it_asks_back_in_production_and_wants_sensible_numbers(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="--yes"):
        call_command("seed", claims=1)
    settings.PRODUCTION = False
    for wrong in ({"claims": -1}, {"open": -1}, {"years": 0}, {"years": 11}):
        with pytest.raises(CommandError, match="count from 0"):
            call_command("seed", **wrong)
    assert not CaseFile.objects.exists()


def test_it_tells_what_it_made(house: World) -> None:
    told, progress = StringIO(), StringIO()
    call_command("seed", claims=6, open=1, stdout=told, stderr=progress)
    assert "claims of the past and 1 open ones made" in told.getvalue()
    assert "claims of the past: 6 of 6" in progress.getvalue()
