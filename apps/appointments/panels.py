"""What the blocks of the case page show about an appointment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.appointments.judging import CHECK_UP, booking_of, check_ups
from apps.appointments.models import HospitalBan
from apps.appointments.telling import arrive_by, cutoff_at
from apps.appointments.workflow import BEFORE, BOOKED, MISSED
from apps.cards.models import Card
from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.hospitals.models import Hospital
from apps.members.brands import lock_of, tied
from apps.messaging.models import CallTask, Message

Context = Mapping[str, Any]


def visit(case: CaseFile, actor: Any) -> Context:
    """When, where and for what; in time or late, and until when it may be canceled."""
    given, cutoff, now = case.appointment, cutoff_at(case), timezone.now()
    names = {hospital.code: hospital for hospital in Hospital.objects.filter(code__in=given.alternatives)}
    return {
        "given": given, "cutoff": cutoff, "passed": bool(cutoff and now >= cutoff.at),
        "booked": case.state in BOOKED, "ahead": case.state in BEFORE | BOOKED, "arrive_by": arrive_by(case),
        "alternatives": [names[code] for code in given.alternatives if code in names],
        "follows": getattr(case, "replaced_by", None),
        "before": CaseFile.objects.filter(pk=given.replaces_id).first() if given.replaces_id else None,
    }  # fmt: skip


def standing(case: CaseFile, actor: Any) -> Context:
    """What decides whether the child may come: card, brand, missed visits, list of the hospital, check-ups."""
    given, handbook = case.appointment, case.handbook.handbook
    card = Card.objects.filter(policy=case.policy_id).select_related("policy").first()
    at_house = CaseFile.objects.filter(kind="appointment", member=case.member_id, hospital=case.hospital_id)
    of_check_ups = given.benefit == CHECK_UP
    return {
        "given": given, "card": card, "card_state": card.state_on(given.visit_on) if card else None,
        "lock": lock_of(case.policy_id, given.benefit) if tied(handbook, given.benefit) else None,
        "tied": tied(handbook, given.benefit),
        "missed": at_house.filter(state__in=MISSED).count(),
        "ban": HospitalBan.objects.filter(member=case.member_id, hospital=case.hospital_id, lifted_at=None).first(),
        "check_ups": check_ups(booking_of(case)) if of_check_ups else None,
        "most": handbook.value("health_check.maximum") if of_check_ups else None,
    }  # fmt: skip


def told(case: CaseFile, actor: Any) -> Context:
    """Who was told what, and which calls wait."""
    return {
        "messages": list(Message.objects.filter(case=case.pk).order_by("-pk")[:12]),
        "calls": list(CallTask.objects.filter(case=case.pk).order_by("-pk")[:6]),
    }


def add_panels(kind: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        ("visit", _("The visit"), "appointments/panels/visit.html", visit, "main"),
        ("standing", _("Card and standing"), "appointments/panels/standing.html", standing, "aside"),
        ("told", _("Told"), "appointments/panels/told.html", told, "aside"),
    ):
        kind.panels.append(Panel(name, title, template, fill, side))
