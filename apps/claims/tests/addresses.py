"""The pages that people and machines ask for, with the role whose daily work they are."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from django.utils import timezone

from apps.cases.models import CaseFile
from apps.claims.models import Bill
from apps.members.models import Guardian, Member, Policy

ADMIN = "admin"  # a superuser with the role of a supervisor


def addresses(old: CaseFile, current: CaseFile) -> dict[str, tuple[str, str]]:
    """By what it is: role and address. `old` is a closed case, `current` one under review."""
    policy, child = Policy.objects.get(pk=old.policy_id), Member.objects.get(pk=old.member_id)
    bill = Bill.objects.filter(visit__claim=old.pk).order_by("pk")[:1].get()
    mobile = Guardian.objects.get(member=current.member_id).mobile
    tomorrow = quote((timezone.now() + timedelta(days=1)).isoformat())
    lead, desk, money = "supervisor", "first_review", "finance"
    return {
        "my work": (desk, "/admin/"),
        "my work of a lead": (lead, "/admin/?scope=all"),
        "my work, late only": (lead, "/admin/?scope=all&due=late"),
        "my work as Excel": (lead, "/admin/work/export/?scope=all"),
        "search: policy number": (lead, f"/admin/find/?q={policy.number}"),
        "search: bill number": (lead, f"/admin/find/?q={bill.number}"),
        "search: child's name": (lead, f"/admin/find/?q={quote(child.name)}"),
        "search: mobile": (lead, f"/admin/find/?q={mobile}"),
        "case page, open": (desk, f"/admin/case/{current.number}/"),
        "case page, closed": (desk, f"/admin/case/{old.number}/"),
        "dashboard": ("manager", "/admin/dashboard/"),
        "API: cases": (lead, f"/api/v1/cases/?opened_before={tomorrow}"),
        "API: open cases": (lead, "/api/v1/cases/?open=true"),
        "API: case by number": (lead, f"/api/v1/cases/?search={old.number}"),
        "API: papers": (lead, "/api/v1/papers/"),
        "API: papers of a case": (lead, f"/api/v1/papers/?case__number={old.number}"),
        "API: letters": (lead, "/api/v1/letters/"),
        "API: limits of a child": (lead, f"/api/v1/limits/?policy__member__number={child.number}"),
        "API: children": (lead, f"/api/v1/members/?q={child.number}"),
        "list: cases": (lead, "/admin/cases/casefile/"),
        "list: cases, page 4": (lead, "/admin/cases/casefile/?p=4"),
        "list: cases by number": (lead, f"/admin/cases/casefile/?q={old.number}"),
        "list: open cases": (lead, "/admin/cases/casefile/?open__exact=1"),
        "list: clocks": (lead, "/admin/cases/clock/"),
        "list: late clocks": (lead, "/admin/cases/clock/?state__exact=late"),
        "list: events": (lead, "/admin/cases/caseevent/"),
        "list: events of a name": (lead, "/admin/cases/caseevent/?name__exact=decide"),
        "list: children": (lead, "/admin/members/member/"),
        "list: children by number": (lead, f"/admin/members/member/?q={child.number}"),
        "list: policies": (lead, "/admin/members/policy/"),
        "list: policies by number": (lead, f"/admin/members/policy/?q={policy.number}"),
        "list: policies in force": (lead, "/admin/members/policy/?today=yes"),
        "list: letters": (ADMIN, "/admin/documents/letter/"),
        "list: failed letters": (ADMIN, "/admin/documents/letter/?state__exact=FAILED"),
        "list: bill register": (ADMIN, "/admin/documents/billregister/"),
        "list: messages": (ADMIN, "/admin/messaging/message/"),
        "list: failed messages": (ADMIN, "/admin/messaging/message/?state__exact=FAILED"),
        "list: calls": (ADMIN, "/admin/messaging/calltask/"),
        "list: payments": (money, "/admin/payments/paymentorder/"),
        "list: payments, pending": (money, "/admin/payments/paymentorder/?state__exact=ORDERED"),
        "list: payments by number": (money, f"/admin/payments/paymentorder/?q={old.number}"),
        "list: payment files": (money, "/admin/payments/paymentfile/"),
        "list: access log": ("compliance", "/admin/accounts/accesslog/"),
    }  # fmt: skip
