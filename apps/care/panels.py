"""What the blocks of the case page show about a home test or a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.care.catalog import OFFERS
from apps.care.entitlement import entitlement_of
from apps.care.models import HealthManager
from apps.care.requesting import words_of_flag
from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseEvent, CaseFile
from apps.documents.models import Paper
from apps.members.queries import spokesperson
from apps.messaging.models import CallTask, Message

Context = Mapping[str, Any]


def order(case: CaseFile, actor: Any) -> Context:
    row = case.home_test  # type: ignore[attr-defined]
    papers = list(Paper.objects.filter(case=case.pk).select_related("file").order_by("-pk"))
    return {"row": row, "flags": flags_of(row), "papers": papers}


def uses(case: CaseFile, actor: Any) -> Context:
    return {"entitlement": entitlement_of(case.policy)}


def request(case: CaseFile, actor: Any) -> Context:
    row = case.service  # type: ignore[attr-defined]
    offer = OFFERS[row.code]
    contacts = CaseEvent.objects.filter(case=case.pk, name="manager_contacted").order_by("-seq")
    return {
        "row": row, "offer": offer, "flags": flags_of(row), "contacts": list(contacts) if offer.by_family_doctor else [],
        "manager": HealthManager.objects.filter(member=case.member_id).first() if offer.by_family_doctor else None,
    }  # fmt: skip


def sent(case: CaseFile, actor: Any) -> Context:
    return {
        "sendings": list(Message.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "calls": list(CallTask.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "person": spokesperson(case.policy),
    }


def flags_of(row: Any) -> list[tuple[Any, str]]:
    return [(words_of_flag(flag), flag["rule"]) for flag in row.flags]


def add_panels(home_test: Kind, service: Kind) -> None:
    if home_test.panels:
        return
    sendings = Panel("sent", _("Messages and calls"), "care/panels/sent.html", sent, "aside")
    home_test.panels += [
        Panel("order", _("Order, report and advice"), "care/panels/order.html", order),
        Panel("uses", pgettext_lazy("home tests", "Entitlement"), "care/panels/uses.html", uses, "aside"),
        sendings,
    ]
    service.panels += [
        Panel("request", _("Request and answer"), "care/panels/request.html", request),
        sendings,
    ]
