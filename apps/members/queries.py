"""Reads about children and policies that others may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.core.errors import Conflict, NotFound
from apps.core.imports.cells import CellError, fold, phone
from apps.core.imports.pinyin import typed
from apps.core.look_ups import union
from apps.members.models import FormerIdentity, Guardian, Member, Policy, id_index, mobile_index

# --- Finding a child ----------------------------------------------------------------------------------


def find_members(actor: Actor, text: str, *, limit: int = 50) -> list[Member]:
    """Children by name, pinyin, initials, policy, certificate, member, identity or mobile number.

    Two queries: the children, and their policies that the actor may see. Numbers must be complete
    (they are encrypted), names and readings may be beginnings.
    """
    condition = search(text)
    if condition is None:
        return []
    policies = visible_to(Policy.objects.select_related("plan").order_by("-effective_on", "-id"), actor)
    members = visible_members(actor).filter(condition)
    return list(
        members.order_by("name", "id").prefetch_related(Prefetch("policies", queryset=policies))[:limit]
    )


def unless_member(number: str) -> list[str] | None:
    """None when there is such a child; others are nobody's to read here."""
    return None if Member.objects.filter(number=number).exists() else []


def visible_members(actor: Actor) -> QuerySet[Member]:
    """Children the actor may see, each once; nobody without a role in the business (LAW-09)."""
    return visible_to(Member.objects.all(), actor)


def search(text: str) -> Q | None:
    """The condition for what somebody typed; None when it is too short to mean anything."""
    found = fold(text)
    if len(found) < 2 and not _is_han(found):
        return None
    if any(character.isdigit() for character in found):
        return _by_number(found.replace(" ", "").upper())
    if _is_han(found):
        return starts("name", found.replace(" ", ""))
    reading = typed(found)
    condition = starts("pinyin", reading) if reading else Q(pk__in=[])
    condition |= starts("name", found)  # a name in Latin letters as it stands
    if len(reading) <= 4:
        condition |= Q(initials=reading)
    return condition


def _is_han(text: str) -> bool:
    return any(character >= "\u2e80" for character in text)


def _by_number(number: str) -> Q:
    """One look-up by index for each number it may be."""
    identity = id_index(number)
    found = [
        Member.objects.filter(number=number).values("pk"),
        Member.objects.filter(id_index=identity).values("pk"),
        FormerIdentity.objects.filter(id_index=identity).values("member_id"),
        Policy.objects.filter(number=number).values("member_id"),
        Policy.objects.filter(certificate=number).values("member_id"),
    ]
    try:
        mobile = mobile_index(phone(number))
    except CellError:
        return Q(pk__in=union(found))
    found.append(Member.objects.filter(mobile_index=mobile).values("pk"))
    found.append(Guardian.objects.filter(mobile_index=mobile).values("member_id"))
    return Q(pk__in=union(found))


def starts(field: str, prefix: str) -> Q:
    """`field` begins with `prefix`, in the form in which each database uses the column's index."""
    if connection.vendor == "sqlite":  # its LIKE ignores the index; its order is that of code points
        return Q(**{f"{field}__gte": prefix, f"{field}__lt": prefix[:-1] + chr(ord(prefix[-1]) + 1)})
    return Q(**{f"{field}__startswith": prefix})


# --- The policy of a date (C9, PR-14) -------------------------------------------------------------------


def policies_on(member: Member, day: date) -> list[Policy]:
    """All policies covering the day, the latest begun first. One query, plans included."""
    return list(
        Policy.objects.filter(member=member)
        .in_force_on(day)
        .select_related("plan")
        .order_by("-effective_on", "-id")
    )


def policy_on(member: Member, day: date, *, series: str = "") -> Policy:
    """The one policy covering the service date; its series governs the case (C9).

    Raises NotFound when none does (saying what is nearest), Conflict when several do: `data` lists
    their ids, and a person or the `series` chooses.
    """
    found = [policy for policy in policies_on(member, day) if not series or policy.series == series]
    if len(found) > 1:
        raise Conflict(
            _("Several policies cover %(day)s: %(numbers)s. Choose one.")
            % {"day": day, "numbers": "、".join(f"{policy.number} ({policy.series})" for policy in found)},
            code="several_policies",
            field="policy",
            rule="C9",
            data={"policies": [policy.pk for policy in found]},
        )
    if not found:
        raise _none_on(member, day)
    return found[0]


def _none_on(member: Member, day: date) -> NotFound:
    periods = [
        f"{policy.number}: {policy.effective_on} – {policy.covered_until} ({policy.status_on(day).label})"
        for policy in Policy.objects.filter(member=member).order_by("-effective_on")[:5]
    ]
    return NotFound(
        _("No policy covers %(day)s. Known: %(periods)s")
        % {"day": day, "periods": "; ".join(periods) or "–"},
        code="no_policy_in_force",
        field="service_date",
        rule="C9",
        data={"periods": periods},
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of a stay under one policy; `policy` None where nothing covers them. Both ends inclusive."""

    policy: Policy | None
    first: date
    last: date


def stretches_of_stay(member: Member, admitted_on: date, discharged_on: date) -> list[Stretch]:
    """A stay cut by policy periods, for plans whose parameter says that each period bears its days.

    The default of PR-14 (the period of admission bears the whole stay) is `policy_on(member, admitted_on)`.
    """
    policies = list(
        Policy.objects.filter(member=member, effective_on__lte=discharged_on, expires_on__gte=admitted_on)
        .select_related("plan")
        .order_by("-effective_on", "-id")
    )
    found: list[Stretch] = []
    for offset in range((discharged_on - admitted_on).days + 1):
        day = admitted_on + timedelta(days=offset)
        policy = next((policy for policy in policies if policy.in_force_on(day)), None)
        if found and found[-1].policy == policy:
            found[-1] = Stretch(policy, found[-1].first, day)
        else:
            found.append(Stretch(policy, day, day))
    return found


def spokesperson(policy: Policy) -> Guardian | None:
    """Whom to call about the child: the policyholder, else another guardian with a number. At most one query, none
    where the guardians are loaded."""
    people = [policy.policyholder] if policy.policyholder else list(policy.member.guardians.all())
    return next((person for person in people if person.mobile_masked), None)
