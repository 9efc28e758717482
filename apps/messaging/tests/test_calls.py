"""Phone calls that people make: recorded on the case, tried again, up to three times."""

import pytest

from apps.accounts.tests.factories import make_actor
from apps.cases.engine import perform
from apps.cases.models import CaseEvent
from apps.core.errors import InvalidInput, InvalidInputs
from apps.documents.tests.factories import make_case, make_member, within
from apps.messaging.models import CallTask
from apps.messaging.outbox import queue_call

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk():
    return make_actor("intake")


def task_on(case, key="c1"):
    return within(case, lambda ctx: queue_call(ctx, case=case, purpose="decision", script="请告知", key=key))


def test_answered_call_is_closed_with_who_and_what(clerk):
    case = make_case()
    task = task_on(case)
    perform(case.number, "record_call", clerk, task=task.pk, outcome="ANSWERED", note="母亲已知悉")
    task.refresh_from_db()
    assert (task.outcome, task.operator_label, task.note) == ("ANSWERED", clerk.label, "母亲已知悉")
    event = CaseEvent.objects.get(case=case, action="record_call")
    assert (event.reason, event.data["outcome"]) == ("母亲已知悉", "ANSWERED")


def test_unanswered_call_is_tried_three_times(clerk):
    case = make_case()
    task_on(case)
    for attempt in (1, 2, 3):
        task = CallTask.objects.get(outcome="OPEN")
        assert task.attempt == attempt
        perform(case.number, "record_call", clerk, task=task.pk, outcome="UNANSWERED")
    assert not CallTask.objects.filter(outcome="OPEN").exists()
    assert sorted(CallTask.objects.values_list("idempotency_key", flat=True)) == ["c1", "c1#2", "c1#3"]


def test_call_of_another_case_or_made_already_is_refused(clerk):
    case, other = make_case(), make_case(member=make_member("M000002"))
    task = task_on(other)
    with pytest.raises(InvalidInput) as caught:
        perform(case.number, "record_call", clerk, task=task.pk, outcome="ANSWERED")
    assert caught.value.field == "task"
    with pytest.raises(InvalidInputs):
        perform(other.number, "record_call", clerk, task=task.pk, outcome="OPEN")
