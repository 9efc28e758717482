"""What is offered is what is accepted: kinds × states × roles, in states reached by real walks."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import Role
from apps.accounts.roles import CATALOGUE, MACHINES
from apps.accounts.tests.factories import UserFactory, make_actor, make_machine
from apps.cases.engine import Availability, available, perform
from apps.cases.kinds import KINDS
from apps.cases.models import CaseEvent, CaseFile
from apps.claims.tests.world import PAYEE, World
from apps.core.errors import Blocked, DomainError, NotAllowed
from apps.payments.models import PaymentOrder

ROLES = sorted(spec.code for spec in CATALOGUE)
MACHINE_KINDS = {f"api_{kind.lower()}": kind for kind in ("HOSPITAL", "TPA", "PROVIDER", "MEMBER_APP")}
SCOPES = {"HOSPITAL": {"hospital": "PUB"}, "MEMBER_APP": {"member": "M2026"}, "PROVIDER": {"provider": ""}, "TPA": {"tpa": ""}}

# --- A claim in every state a claim can rest in -----------------------------------------------


def after_decision(world: World, series: str) -> CaseFile:
    return world.do(world.review(series=series), "decide")


def second_review(world: World, series: str) -> CaseFile:
    world.authority("first_review", 1)
    return after_decision(world, series)


def failed_payment(world: World, series: str) -> CaseFile:
    case = world.closed(series=series)
    order = PaymentOrder.objects.get(case=case)
    return world.do(case, "payment_returned", by="finance", order=order.number, reason="account closed")


def no_papers(world: World, series: str) -> CaseFile:
    case = world.do(world.claim(series=series), "check_materials", by="intake")
    return world.do(case, "close_no_papers", by="supervisor", now=world.later(days=400))


def on_hold(world: World, series: str) -> CaseFile:
    return world.claim(world.visit(emergency=True, visit_type="EMERGENCY", benefit="EMERGENCY", hospital="PRI"), series=series)


STATES: dict[str, Callable[[World, str], CaseFile]] = {
    "REFUSAL_PENDING": lambda w, s: w.claim(w.visit(started_on="2024-03-01"), series=s),
    "ONLINE_SUBMITTED": lambda w, s: w.claim(series=s),
    "MATERIALS_PENDING": lambda w, s: w.do(w.claim(series=s), "check_materials", by="intake"),
    "MATERIALS_CHECK": lambda w, s: w.do(STATES["MATERIALS_PENDING"](w, s), "papers_arrived", by="intake"),
    "COMPLETE": lambda w, s: w.complete(series=s),
    "UNDER_REVIEW": lambda w, s: w.review(series=s),
    "DISPUTED": lambda w, s: w.do(w.review(series=s), "open_dispute", by="senior", reason="who pays?"),
    "SECOND_REVIEW": second_review,
    "APPROVED": lambda w, s: w.do(w.review(series=s, payee=None), "decide"),
    "PAYMENT_PENDING": after_decision,
    "PAYMENT_FAILED": failed_payment,
    "CLOSED": lambda w, s: w.closed(series=s),
    "DENIED": lambda w, s: w.do(w.review(w.visit(cause="SUICIDE"), series=s), "decide"),
    "REJECTED_INTAKE": lambda w, s: w.do(STATES["REFUSAL_PENDING"](w, s), "confirm_refusal", by="intake"),
    "WITHDRAWN": lambda w, s: w.do(w.claim(series=s), "withdraw", reason="reported twice"),
    "CLOSED_NO_PAPERS": no_papers,
}


@pytest.mark.parametrize("series", ["2024", "2026"])
@pytest.mark.parametrize("state", STATES)
def test_states(world, state, series):
    assert STATES[state](world, series).state == state
def test_hold(world):
    print(on_hold(world,"2026").state)
    from apps.adjudication.codes import CAUSES
    print(CAUSES)
    c=world.claim(world.visit([world.bill("60000.00")]))
    print(c.state, c.claim.route)
    for ch in ("MAIL","API","HOTLINE","EMAIL"):
      try:
        for s in ("2026","2024"):
            c=world.claim(channel=ch, series=s); print(ch,s,c.state)
      except Exception as e: print(ch,s, getattr(e,'errors',e), [ (x.field,str(x.message)) for x in getattr(e,'errors',[])])
    assert 0
