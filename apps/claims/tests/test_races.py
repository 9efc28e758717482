"""Lost races: two workers, one limit; two intakes, one bill. Nothing doubled, nothing exceeded."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection

from apps.cases.engine import perform
from apps.claims.actions import report_claim
from apps.claims.models import Decision
from apps.claims.tests.world import NOW, World
from apps.core.errors import DomainError
from apps.documents.models import BillRegister
from apps.ledger.models import LimitAccount, MoneyAccount
from apps.members.models import Policy
from apps.payments.models import PaymentOrder


@pytest.fixture
def shared(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("apps.documents.tasks.render_letters.apply_async", lambda *args, **options: None)
    with time_machine.travel(NOW, tick=True):
        yield World()


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run in threads of their own at the same moment; results or the errors that users would see."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(index: int, work: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=10)
            results[index] = work()
        except DomainError as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, work)) for index, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def test_two_decisions_at_once_never_exceed_a_limit(shared: World) -> None:
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    cases = []
    for number in range(2):
        line = shared.line("2500.00", kind="VACCINE", name="疫苗")
        visit = shared.visit([shared.bill(lines=[line])], benefit="VACCINE", department=f"接种{number}")
        cases.append(shared.review(visit, category="VACCINE"))
    people = [shared.actor("adjuster"), shared.actor("senior")]
    results = together(*[
        (lambda case=case, person=person: perform(case.number, "decide", person, now=shared.now))
        for case, person in zip(cases, people, strict=True)
    ])  # fmt: skip
    assert not [result for result in results if isinstance(result, DomainError)]
    assert sorted(Decision.objects.values_list("insurer_fen", flat=True)) == [50_000, 250_000]
    account = LimitAccount.objects.get(key="benefit:VACCINE:year")
    assert account.used == account.ceiling == 300_000


def test_one_bill_in_two_reports_at_once_is_registered_once(shared: World) -> None:
    bill = shared.bill()
    clerks = [shared.actor("intake"), shared.actor("adjuster")]
    results = together(*[
        (lambda clerk=clerk: report_claim(clerk, data=shared.report(shared.visit([bill])), now=shared.now)) for clerk in clerks
    ])  # fmt: skip
    refused = [result for result in results if isinstance(result, DomainError)]
    assert [(error.code, error.rule) for error in refused] == [("BILL_SEEN", "LAW-11")]
    assert BillRegister.objects.count() == 1


def test_one_claim_decided_twice_at_once_is_decided_once(shared: World) -> None:
    case = shared.review()
    people = [shared.actor("adjuster"), shared.actor("senior")]
    results = together(*[
        (lambda person=person: perform(case.number, "decide", person, version=case.version, now=shared.now)) for person in people
    ])  # fmt: skip
    refused = [result for result in results if isinstance(result, DomainError)]
    assert [error.code for error in refused] == ["stale"]
    assert Decision.objects.count() == PaymentOrder.objects.count() == MoneyAccount.objects.count() == 1
