"""A home test: ordered, recognized, sampled, reported, advised on (machine k; TST-01 to TST-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.actors import Actor
from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.care import guards
from apps.care.asking import Asked, Data, asked_for, authorize, end, late_by, to_the_desk
from apps.care.cities import city_in
from apps.care.entitlement import KEY, SERVICE, month_of, slots_taken, spec_of
from apps.care.guards import refuse_if
from apps.care.inputs import (
    AdviseInput,
    OrderInput,
    RecordOrderInput,
    ReportInput,
    SampleInput,
    WhyInput,
)
from apps.care.models import HomeTest, Recognition
from apps.care.roles import ADVISERS, ASKERS, DESK, FAMILY, PERFORMERS, TPA
from apps.care.workflow import HOME_TEST
from apps.cases.common import add_common_actions
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.inputs import parse_input
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.core.errors import InvalidInput
from apps.documents.actions import attach
from apps.ledger.actions import lock_limits
from apps.ledger.reservations import draw_down, release, reserve
from apps.members.models import Member, Policy, id_index
from apps.messaging.outbox import notify_member

REPORT = "EXAM_REPORT"


# --- Ordering -------------------------------------------------------------------------------------


def order_test(actor: Actor, data: OrderInput | Data, *, now: datetime | None = None) -> CaseFile:
    """Order a test for the insured child; a family gives `OrderInput`, everybody else `RecordOrderInput`.

    Raises NotAllowed, InvalidInputs, and Blocked with the rule that refuses it: GEN-04 where the series has
    none, TST-01, TST-02, TST-04 to TST-06, TST-09 to TST-11.
    """
    authorize(actor, ASKERS)
    cls = OrderInput if FAMILY in actor.roles else RecordOrderInput
    given = data if isinstance(data, cls) else parse_input(cls, data)  # type: ignore[arg-type]
    now = now or timezone.now()
    asked = asked_for(actor, HOME_TEST, given.member, SERVICE, now)
    _in_the_period(asked.policy, now)
    _insured_himself(asked.policy.member, given, asked.book)
    asked.case.provider = _provider(asked.book, getattr(given, "provider", ""))
    row = HomeTest(
        case=asked.case, member=asked.policy.member, month=month_of(now), ordered_at=now, visit_on=given.visit_on,
        channel=asked.service.channels[0], recorded_by=actor.label, address=given.address,
        recognized=getattr(given, "recognized", ""), city=city_in(given.address, asked.book.value("home_test.cities")),
    )  # fmt: skip
    row.flags = [*_address_flags(row), *_day_flags(row, asked.policy, now)]
    return open_case(
        HOME_TEST.code, actor, case=asked.case, state="ORDERED", fill=lambda ctx: _fill(ctx, row, asked),
        event="test_ordered", now=now,
    )  # fmt: skip


def _in_the_period(policy: Policy, now: datetime) -> None:
    """Ordered on a day of cover (TST-01); what is left after its end is forfeited (TST-02, DL-37)."""
    today = timezone.localdate(now)
    guards.refuse_if(
        today > policy.covered_until, "TST-02", _("The policy has ended; tests not used by then are forfeited."),
        code="forfeited", field="member",
    )  # fmt: skip
    guards.covered(policy, today, "TST-01")


def _insured_himself(member: Member, given: OrderInput, book: Handbook) -> None:
    """TST-01, TST-06: by the identity card of the insured child and of nobody else; no override."""
    allowed = book.value("home_test.id_types")
    words = _("A test is ordered with a resident identity card only; another paper cannot be used.")
    refuse_if(given.id_type not in allowed, "TST-06", words, code="id_type", field="id_type")
    other = _("The child is insured with another paper than an identity card and cannot use this service.")
    refuse_if(member.id_type not in allowed, "TST-06", other, code="insured_with", field="member")
    stranger = _("This is not the identity number of the insured child; the test is for the child only.")
    unlike = (
        id_index(given.id_number.upper()) != member.id_index and id_index(given.id_number) != member.id_index
    )
    refuse_if(unlike, "TST-01", stranger, code="another_person", field="id_number")


def _provider(book: Handbook, given: str) -> str:
    named: str = book.value("home_test.provider")
    words = _("Only %(provider)s performs the test; “%(given)s” does not.") % {
        "provider": named,
        "given": given,
    }
    refuse_if(bool(given) and given != named, "TST-11", words, code="provider", field="provider")
    return named


def _address_flags(row: HomeTest) -> list[dict[str, str]]:
    """The list of cities, and the recognition of the address, which has the last word (TST-09, TST-10)."""
    no = row.recognized == Recognition.NOT_COVERED
    words = _("The provider does not reach this address.")
    refuse_if(no, "TST-10", words, code="address_not_covered", field="address")
    if row.recognized == Recognition.COVERED:
        return [] if row.city else [{"rule": "TST-10", "code": "outside_the_cities"}]
    listed = _("The address lies in no city of the service, or does not begin with its city (北京市…).")
    refuse_if(not row.city, "TST-09", listed, code="city", field="address")
    return []


def _day_flags(row: HomeTest, policy: Policy, now: datetime) -> list[dict[str, str]]:
    """The order counts for the period; a sample after its end is only remarked on (TST-02)."""
    if row.visit_on and row.visit_on < timezone.localdate(now):
        raise InvalidInput(_("This day has passed."), code="past", field="visit_on")
    late = row.visit_on is not None and row.visit_on > policy.covered_until
    return [{"rule": "TST-02", "code": "sample_after_end"}] if late else []


def _fill(ctx: Ctx[Any], row: HomeTest, asked: Asked) -> None:
    """Under the lock of the account: the month, then the count (TST-05, TST-04)."""
    account = lock_limits(asked.policy.pk, [spec_of(asked.book)])
    taken = slots_taken(row.member_id, row.month)
    per_month = int(asked.book.value("home_test.per_month"))
    full = observe("DL-38", len(taken) >= per_month)
    refuse_if(full, "TST-05", guards.month_taken().message, code="month_taken", field="member")
    words = _("All %(maximum)s tests of this policy period are used or ordered.") % {
        "maximum": account[KEY].ceiling
    }
    refuse_if(account[KEY].left < 1, "TST-04", words, code="used_up", field="member")
    row.slot = min(set(range(1, per_month + 1)) - taken)
    reserve(account, 1, reference=f"{ctx.case.number}/ordered", service_date=timezone.localdate(ctx.now))
    to_the_desk(ctx)
    ctx.add(row)
    ctx.loaded["home_test"] = row
    ctx.data |= {"month": row.month, "city": row.city, "provider": ctx.case.provider, "flags": row.flags}


# --- Before the sample ----------------------------------------------------------------------------


def _confirm_address(ctx: Ctx[Any]) -> None:
    ctx.subject.recognized = Recognition.COVERED
    ctx.update(ctx.subject, "recognized")


def _cancel(ctx: Ctx[WhyInput]) -> None:
    """Before the sample is taken."""
    _give_back(ctx)


def _reject(ctx: Ctx[WhyInput]) -> None:
    """The provider does not reach the address, even in a city of the list (TST-10)."""
    observe("TST-10", True)
    ctx.subject.recognized = Recognition.NOT_COVERED
    _give_back(ctx)
    ctx.update(ctx.subject, "recognized")
    _tell(ctx)


def _give_back(ctx: Ctx[WhyInput]) -> None:
    """The use and the month are free again, as no sample was taken (TST-05)."""
    assert ctx.input is not None
    ctx.reason = ctx.subject.ended_why = ctx.input.reason
    ctx.subject.slot = None
    release(ctx.case.number, reference=f"{ctx.case.number}/released")
    ctx.update(ctx.subject, "slot", "ended_why")
    end(ctx)


def _sample(ctx: Ctx[SampleInput]) -> None:
    """From here on the use is spent and the month taken, whatever follows."""
    assert ctx.input is not None
    at = ctx.input.sampled_at or ctx.now
    if not ctx.subject.ordered_at <= at <= ctx.now:
        words = _("The sample is taken after the order and not in the future.")
        raise InvalidInput(words, code="out_of_order", field="sampled_at")
    ctx.subject.sampled_at = at
    reference = f"{ctx.case.number}/sampled"
    draw_down(ctx.case.number, 1, reference=reference, service_date=timezone.localdate(at))
    ctx.update(ctx.subject, "sampled_at")
    ctx.data["sampled_at"] = timezone.localtime(at).isoformat(timespec="minutes")


# --- Report and advice ----------------------------------------------------------------------------


def _report(ctx: Ctx[ReportInput]) -> None:
    assert ctx.input is not None
    ctx.subject.result, ctx.subject.reported_at = ctx.input.result, ctx.now
    if ctx.input.files:
        attach(ctx, kind=REPORT, files=ctx.input.files)
    ctx.update(ctx.subject, "result", "reported_at")
    _tell(ctx)


def _share(ctx: Ctx[Any]) -> None:
    """The family hands the report to the family doctor, whose time runs from now (TST-07, DL-39)."""
    ctx.subject.shared_at = ctx.now
    ctx.update(ctx.subject, "shared_at")


def _advise(ctx: Ctx[AdviseInput]) -> None:
    """That nothing is prescribed is a normal end and no breach (TST-08)."""
    assert ctx.input is not None
    row, given = ctx.subject, ctx.input
    row.outcome, row.advice, row.advised_by, row.advised_at = (
        given.outcome,
        given.advice,
        given.advised_by,
        ctx.now,
    )
    ctx.update(row, "outcome", "advice", "advised_by", "advised_at")
    ctx.data |= {"outcome": row.outcome, "late": late_by(ctx, "advice_given")}
    _tell(ctx)


def _close(ctx: Ctx[Any]) -> None:
    end(ctx)


def _tell(ctx: Ctx[Any]) -> None:
    """Tell the family where the test stands now; the state after this action."""
    row = ctx.subject
    notify_member(
        ctx, template="home_test", key=f"{ctx.case.number}:{ctx.action}",
        context={"what": ctx.action, "why": row.ended_why, "result": row.result, "advice": row.advice},
    )  # fmt: skip


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        "confirm_address", _("Address is covered"), PERFORMERS, _confirm_address, states=frozenset({"ORDERED"}),
        guards=(guards.address_unanswered,), event="address_recognized", order=10,
    ),
    Action(
        "sample", _("Sample taken"), PERFORMERS, _sample, transition="sample", input=SampleInput, event="sampled",
        style="primary", order=20,
    ),
    Action(
        "report", _("Record the report"), PERFORMERS, _report, transition="report", input=ReportInput,
        event="test_reported", style="primary", order=30,
    ),
    Action(
        "share", _("Share with the family doctor"), DESK | {FAMILY, TPA}, _share, states=frozenset({"REPORTED"}),
        guards=(guards.not_shared,), event="report_shared", style="primary", order=40,
    ),
    Action(
        "advise", _("Record the advice"), ADVISERS, _advise, transition="advise", input=AdviseInput,
        guards=(guards.shared,), event="advice_given", style="primary", order=50,
    ),
    Action(
        "close", pgettext_lazy("home test", "Close"), DESK, _close, transition="close", event="closed", order=60,
    ),
    Action(
        "reject_address", _("Address is not covered"), PERFORMERS, _reject, transition="reject", input=WhyInput,
        event="test_rejected", style="danger", order=80,
    ),
    Action(
        "cancel", pgettext_lazy("home test", "Cancel the order"), ASKERS, _cancel, transition="cancel", input=WhyInput,
        event="test_canceled", style="danger", order=90,
    ),
)  # fmt: skip
for one in ACTIONS:
    HOME_TEST.action(one)
add_common_actions(HOME_TEST)
