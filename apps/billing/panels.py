"""What the blocks of the case page show about a self-pay bill, and a line on the claim's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.billing.actions.notices import running_period
from apps.billing.actions.online import not_payable_online
from apps.billing.inputs import REASONS
from apps.billing.models import OnlinePayment, SelfPayBill
from apps.billing.money import asked_back
from apps.billing.terms import terms_of
from apps.cards.models import Card
from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.members.queries import spokesperson

Context = Mapping[str, Any]


def words_of(breakdown: list[list[Any]]) -> list[tuple[Any, int]]:
    return [(REASONS.get(reason, reason), fen) for reason, fen in breakdown]


def money(case: CaseFile, actor: Any) -> Context:
    """What is owed to whom and why, what was paid, what is open."""
    bill = case.self_pay
    return {
        "bill": bill, "parts": words_of(bill.breakdown), "whole_fen": sum(fen for _reason, fen in bill.breakdown),
        "payments": list(bill.payments.order_by("pk")), "history": list(bill.history.order_by("-number")),
        "asked_back_fen": asked_back(bill),
    }  # fmt: skip


def reminders(case: CaseFile, actor: Any) -> Context:
    """Each attempt, what counted, and what comes next on which day."""
    bill, terms = case.self_pay, terms_of(case.handbook.handbook)
    clock = None
    if bill.live and not bill.waiting and bill.reminders:
        clock = running_period(case.pk)
    greys = bool(terms.limit) and bill.reminders >= terms.limit
    return {
        "bill": bill, "terms": terms, "rows": list(bill.attempts.select_related("call").order_by("-number")),
        "clock": clock, "greys_next": greys and not bill.exhausted_at,
        "person": spokesperson(case.policy) if bill.waiting else None,
    }  # fmt: skip


def card(case: CaseFile, actor: Any) -> Context:
    today = timezone.localdate()
    cards = (
        Card.objects.filter(member=case.member_id).select_related("policy").order_by("-policy__effective_on")
    )
    return {"cards": [(one, one.state_on(today)) for one in cards if one.policy.covered_until >= today]}


def online(case: CaseFile, actor: Any) -> Context:
    bill: SelfPayBill = case.self_pay
    payments = (
        OnlinePayment.objects.filter(bill=bill.pk).prefetch_related("refunds", "notices").order_by("-pk")
    )
    return {
        "bill": bill, "payments": list(payments), "blocker": not_payable_online(bill, case.handbook.handbook),
    }  # fmt: skip


def of_claim(case: CaseFile, actor: Any) -> Context:
    """On the page of a direct-billing claim: the bills of its share."""
    bills = SelfPayBill.objects.filter(claim=case.pk).select_related("case").order_by("pk")
    return {"bills": list(bills)}


def add_panels(kind: Kind, claims: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        ("money", _("Amount and payments"), "billing/panels/money.html", money, "main"),
        ("reminders", _("Reminders"), "billing/panels/reminders.html", reminders, "main"),
        ("card", _("Electronic card"), "billing/panels/card.html", card, "aside"),
        ("online", _("Electronic payment"), "billing/panels/online.html", online, "aside"),
    ):
        kind.panels.append(Panel(name, title, template, fill, side))
    if all(panel.name != "self_pay" for panel in claims.panels):
        claims.panels.append(
            Panel("self_pay", _("Self-pay bill"), "billing/panels/of_claim.html", of_claim, "aside")
        )
