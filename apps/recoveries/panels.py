"""What the blocks of the case page show about a recovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.documents.queries import letters_on
from apps.members.queries import spokesperson
from apps.messaging.models import CallTask, Message
from apps.payments.models import PaymentOrder
from apps.payments.queries import unordered_fen
from apps.products.labels import words as words_of
from apps.recoveries.config import account_for
from apps.recoveries.demand import CLAIM, paid_to
from apps.recoveries.models import Recovery

Context = Mapping[str, Any]
BAR = 600  # width of the drawing


def amount(case: CaseFile, actor: Any) -> Context:
    """Where the money stands, and the amount line by line."""
    row = case.recovery
    return {
        "row": row, "lines": list(row.lines.order_by("position")), "bars": bars(row), "paid_to": words_of(paid_to(row.origin))[0],
        "late": bool(row.due_on and row.open_fen and row.due_on < timezone.localdate()),
        "waits": row.contacted_at is None and case.open, "today": timezone.localdate(),
        "account": account_for(case.series),
    }  # fmt: skip


def bars(row: Recovery) -> list[dict[str, Any]]:
    """Refunded, written off and open as parts of one bar; texts, so that no language puts a comma in."""
    found, x = [], 0.0
    for words, fen, color in (
        (_("refunded"), row.kept_fen, "--color-green-500"),
        (_("written off"), row.written_off_fen, "--color-base-400"),
        (_("to be refunded"), row.open_fen, "--color-orange-400"),
    ):
        width = BAR * fen / row.amount_fen if row.amount_fen else 0
        found.append(
            {
                "words": words,
                "fen": fen,
                "color": color,
                "x": f"{x:.1f}",
                "width": f"{width:.1f}" if fen else "",
            }
        )
        x += width
    return found


def money(case: CaseFile, actor: Any) -> Context:
    """Refunds, the plan, and what goes back."""
    row = case.recovery
    return {
        "row": row,
        "refunds": list(row.refunds.select_related("recorded_by").order_by("-received_on", "-pk")),
        "plans": list(row.plans.prefetch_related("instalments").order_by("-number")),
        "orders": list(PaymentOrder.objects.filter(case=case.pk).select_related("payee").order_by("-pk")),
        "back_fen": unordered_fen(case) if row.origin.kind != CLAIM else 0,
        "by_claim": row.origin.kind == CLAIM,
        "today": timezone.localdate(),
    }


def contacts(case: CaseFile, actor: Any) -> Context:
    """Letters, messages and calls: who was told what and when."""
    return {
        "letters": letters_on(case),
        "sendings": list(Message.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "calls": list(CallTask.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "person": spokesperson(case.policy) if case.open else None,
    }


def add_panels(kind: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        ("amount", _("To be refunded"), "recoveries/panels/amount.html", amount, "main"),
        ("money", _("Refunds and instalments"), "recoveries/panels/money.html", money, "main"),
        ("contacts", _("Letters and contacts"), "recoveries/panels/contacts.html", contacts, "aside"),
    ):
        kind.panels.append(Panel(name, title, template, fill, side))
