"""Demo enquiries: a question, a complaint about a result with the wish to appeal, a suggestion, forms sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from apps.accounts.actors import actor_of_user
from apps.accounts.models import User
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.enquiries.actions import record, send_forms
from apps.enquiries.forms_offered import offered
from apps.enquiries.models import Enquiry
from apps.members.models import Policy
from apps.products.queries import current_handbook


def build(now: datetime | None = None) -> int:
    """Make the demo enquiries; returns how many (0 when they are there, or no demo children)."""
    now = now or timezone.now()
    if Enquiry.objects.exists():
        return 0
    actor = actor_of_user(User.objects.get(username="service_specialist"))
    before = Enquiry.objects.count()
    children = {series: _child(series) for series in ("2024", "2026")}
    if child := children["2026"]:
        asked = {"member": child, "asker": "母亲", "text": "私立医院的门诊费用可以事后理赔吗？需要哪些材料？"}
        record(actor, asked, now=now - timedelta(hours=3))
        if forms := [form.key for form in offered(current_handbook("2026").handbook)]:
            send_forms(actor, {"member": child, "forms": forms}, now=now)
    if child := children["2024"]:
        told = {
            "member": child,
            "asker": "父亲",
            "sort": "SUGGESTION",
            "channel": "EMAIL",
            "text": "建议增加周末的预约时段。",
        }
        case = record(actor, told, now=now - timedelta(days=2))
        perform(case, "answer", actor, text="感谢您的建议，已转预约组研究。", now=now - timedelta(days=1))
    decided = (
        CaseFile.objects.filter(kind="claim", series="2024", state="CLOSED").order_by("-closed_at").first()
    )
    if decided:
        wish = {
            "about": decided.number, "asker": "母亲", "sort": "COMPLAINT", "appeal": True,
            "text": "对不予赔付的检查费不认可，要求复核。",
        }  # fmt: skip
        record(actor, wish, now=now - timedelta(days=4))
    return Enquiry.objects.count() - before


def _child(series: str) -> str | None:
    """A child with a single policy in force whose guardian has an e-mail address."""
    rows = Policy.objects.filter(series=series, policyholder__isnull=False).in_force_on(timezone.localdate())
    for policy in rows.select_related("member", "policyholder").order_by("pk")[:50]:
        if policy.policyholder and policy.policyholder.email:
            return policy.number
    return None
