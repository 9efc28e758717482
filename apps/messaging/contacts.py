"""Whom a message goes to, and how an address is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.core.crypto import mask
from apps.members.models import Guardian


@dataclass(frozen=True, slots=True)
class Contact:
    """The person who speaks for the child."""

    name: str = ""
    email: str = ""
    mobile: str = ""


def mask_recipient(recipient: str) -> str:
    """'z***@example.com', '138****1234'."""
    name, at, domain = recipient.partition("@")
    return f"{name[:1]}***@{domain}" if at else mask(recipient)


def contact_of(ctx: Any, case: CaseFile) -> Contact:
    """The policyholder, else another guardian, else what the child's row holds.

    No query when the policyholder, who comes with the case, has an address; else one for all cases of
    an action's batch.
    """
    holder = case.policy.policyholder if ctx else None
    if holder and holder.email:
        return Contact(name=holder.name, email=holder.email, mobile=holder.mobile)
    people = _guardians(ctx, case)
    name = people[0].name if people else ""
    email = next((person.email for person in people if person.email), case.member.email)
    mobile = next((person.mobile for person in people if person.mobile), case.member.mobile)
    return Contact(name=name, email=email or "", mobile=mobile or "")


def _guardians(ctx: Any, case: CaseFile) -> list[Guardian]:
    if ctx is None:
        return list(Guardian.objects.filter(member=case.member_id).order_by("-is_policyholder", "pk"))
    shared = ctx.batch.shared
    if "guardians" not in shared:
        members = {other.case.member_id for other in ctx.batch.contexts} | {case.member_id}
        found: dict[int, list[Guardian]] = {}
        for person in Guardian.objects.filter(member__in=members).order_by("-is_policyholder", "pk"):
            found.setdefault(person.member_id, []).append(person)
        shared["guardians"] = found
    people: list[Guardian] = shared["guardians"].get(case.member_id, [])
    return people


def staff_for(to: str, case: CaseFile, shared: dict[str, Any] | None = None) -> list[User]:
    """People told by a clock step: the assignee, or those who hold a role and may see the case. With the
    `shared` of a batch, who holds a role is asked once for all its cases."""
    if to == "ASSIGNEE":
        return [case.assignee] if case.assignee and case.assignee.is_active else []
    holders: dict[str, list[User]] = {} if shared is None else shared.setdefault("holders", {})
    if to not in holders:
        people = User.objects.filter(is_active=True, roles__code=to).distinct().order_by("pk")
        holders[to] = list(people)
    return [person for person in holders[to] if _may_see(person, case)]


def _may_see(person: User, case: CaseFile) -> bool:
    """The dimensions of visibility that staff are restricted on."""
    return (not person.series or case.series in person.series) and (not person.tpa or person.tpa == case.tpa)
