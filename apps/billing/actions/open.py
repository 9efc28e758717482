"""How a bill arises: reported by the hospital, entered by staff, or left by a claim (BIL-01, BIL-20, BIL-22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.accounts.visibility import visible_to
from apps.adjudication.trace import observe
from apps.billing.actions.change import as_breakdown
from apps.billing.actions.notices import send
from apps.billing.inputs import ReportInput
from apps.billing.models import BillRevision, SelfPayBill
from apps.billing.money import Breakdown, charge
from apps.billing.roles import HOSPITAL, REPORTERS
from apps.billing.terms import terms_of
from apps.billing.workflow import KIND, BillFlow
from apps.cases.context import Ctx
from apps.cases.engine import open_case, perform
from apps.cases.inputs import parse_input
from apps.cases.models import CaseFile
from apps.core.errors import DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.core.money import to_fen
from apps.hospitals.models import Hospital
from apps.hospitals.queries import visible_hospitals
from apps.members.models import Policy
from apps.products.models import HandbookVersion
from apps.products.queries import current_handbook

Source, Cause = SelfPayBill.Source, BillRevision.Cause


# --- Reported ---------------------------------------------------------------------------------------


def report_bill(
    actor: Actor, *, data: ReportInput | Mapping[str, Any], now: datetime | None = None
) -> CaseFile:
    """Record a bill that stayed unpaid; only what was not collected on the spot is billed.

    Where the series bills when the claim is closed (BIL-20), the closed claim must be named. Raises
    NotAllowed, InvalidInputs, Blocked; nothing is stored then.
    """
    if not actor.roles & REPORTERS and not actor.is_system:
        raise role_needed(actor, REPORTERS)
    now = now or timezone.now()
    given = data if isinstance(data, ReportInput) else parse_input(ReportInput, data)
    hospital, policy, handbook, claim = _read(actor, given, now)
    rest = to_fen(given.amount) - to_fen(given.collected)
    return _open(
        actor,
        now,
        policy=policy,
        handbook=handbook,
        total=rest,
        breakdown=[(given.reason, to_fen(given.amount))],
        collected=to_fen(given.collected),
        row=SelfPayBill(
            claim=claim, hospital=hospital, reference=given.reference, visit_type=given.visit_type,
            visited_on=given.visited_on, department=given.department,
            source=Source.HOSPITAL if HOSPITAL in actor.roles else Source.STAFF,
        ),
    )  # fmt: skip


def _read(
    actor: Actor, given: ReportInput, now: datetime
) -> tuple[Hospital, Policy, HandbookVersion, CaseFile | None]:
    words: Any
    errors: list[DomainError] = []
    today = timezone.localtime(now).date()
    if given.visited_on > today:
        errors.append(InvalidInput(_("The visit lies in the future."), code="future", field="visited_on"))
    if actor.hospital and given.hospital != actor.hospital:
        raise NotAllowed(_("A hospital reports its own bills only."), code="hospital", field="hospital")
    hospital = visible_hospitals(actor).filter(code=given.hospital).first()
    if hospital is None:
        words = _("No hospital has the code “%(code)s”.") % {"code": given.hospital[:40]}
        errors.append(InvalidInput(words, code="unknown_hospital", field="hospital"))
    policy, wrong = _policy(actor, given)
    errors += wrong
    if hospital is None or policy is None:
        raise InvalidInputs(errors)
    handbook = current_handbook(policy.series)
    rule = terms_of(handbook.handbook).bill_rule
    if observe(rule, given.amount <= given.collected):
        words = _("All of it was collected on the spot; nothing is left to bill.")
        errors.append(InvalidInput(words, code="nothing_left", field="collected", rule=rule))
    errors += _seen_before(actor, hospital, given.reference)
    claim, wrong = _claim(actor, given, policy, hospital, handbook, rule)
    errors += wrong
    if errors:
        raise InvalidInputs(errors)
    return hospital, policy, handbook, claim


def _seen_before(actor: Actor, hospital: Hospital, reference: str) -> list[DomainError]:
    """The other bill's number is for those who may see it."""
    known = SelfPayBill.objects.filter(hospital=hospital, reference=reference).values_list("case", flat=True)
    if not known:
        return []
    number = visible_to(CaseFile.objects.filter(pk__in=known), actor).values_list("number", flat=True).first()
    words = (
        _("Bill %(reference)s of this hospital is recorded already: %(number)s.")
        % {"reference": reference, "number": number}
        if number
        else _("Bill %(reference)s of this hospital is recorded already.") % {"reference": reference}
    )
    return [InvalidInput(words, code="BILL_SEEN", field="reference", rule="LAW-11")]


def _policy(actor: Actor, given: ReportInput) -> tuple[Policy | None, list[DomainError]]:
    """The policy of the day of the visit (C9). A hospital names the child by number, name and date of
    birth, and learns nothing else when one of them is wrong."""
    words: Any
    found: QuerySet[Policy] = Policy.objects.filter(Q(member__number=given.member) | Q(number=given.member))
    if HOSPITAL in actor.roles:
        if not given.name or given.birth_date is None:
            words = _("A hospital names the child by number, name and date of birth.")
            field = "name" if not given.name else "birth_date"
            return None, [InvalidInput(words, code="required", field=field)]
        found = found.filter(series__in=sorted(actor.series)) if actor.series else found
    else:
        found = visible_to(found, actor)
    named = [
        policy
        for policy in found.select_related("member", "plan", "policyholder").order_by("-effective_on", "-id")
        if _is_named(policy, given)
    ]
    covering = [policy for policy in named if policy.in_force_on(given.visited_on)]
    if len({policy.pk for policy in covering}) > 1:
        numbers = ", ".join(f"{policy.number} ({policy.series})" for policy in covering)
        words = _("Several policies cover %(day)s: %(numbers)s. Name one.") % {
            "day": given.visited_on, "numbers": numbers,
        }  # fmt: skip
        return None, [InvalidInput(words, code="several_policies", field="member", rule="C9")]
    if covering:
        return covering[0], []
    if named:
        words = _("No policy of the child covers %(day)s.") % {"day": given.visited_on}
        return None, [InvalidInput(words, code="not_in_force", field="visited_on", rule="C9")]
    words = _("No insured child is found with these data; compare number, name and date of birth.")
    return None, [InvalidInput(words, code="unknown_member", field="member")]


def _is_named(policy: Policy, given: ReportInput) -> bool:
    member = policy.member
    same = not given.name or given.name.replace(" ", "") == member.name.replace(" ", "")
    return same and (given.birth_date is None or given.birth_date == member.birth_date)


def _claim(
    actor: Actor, given: ReportInput, policy: Policy, hospital: Hospital, handbook: HandbookVersion, rule: str
) -> tuple[CaseFile | None, list[DomainError]]:
    """The direct-billing claim the bill belongs to; for a series that bills at closing, a closed one."""
    words: Any
    when_closed = terms_of(handbook.handbook).when_closed
    if not given.claim:
        if observe(rule, when_closed):
            words = _(
                "Series %(series)s bills the own share when the claim is closed: name the closed claim."
            )
            refused = words % {"series": policy.series}
            return None, [InvalidInput(refused, code="claim_needed", field="claim", rule=rule)]
        return None, []
    claims = visible_to(CaseFile.objects.filter(kind="direct"), actor)
    claim = claims.filter(number=given.claim, member=policy.member_id, hospital=hospital.pk).first()
    if claim is None:
        words = _("The child has no direct-billing claim %(number)s at this hospital.") % {
            "number": given.claim
        }
        return None, [InvalidInput(words, code="unknown_claim", field="claim")]
    if observe(rule, when_closed and claim.state != "CLOSED"):
        words = _("Claim %(number)s is not closed yet.") % {"number": claim.number}
        return None, [InvalidInput(words, code="not_closed", field="claim", rule=rule)]
    known = SelfPayBill.objects.filter(claim=claim.pk, live=True).select_related("case").first()
    if known is not None:
        words = _("The share of this claim is billed already: %(number)s.") % {"number": known.case.number}
        return None, [InvalidInput(words, code="billed_before", field="claim", rule=rule)]
    return claim, []


# --- Left by a claim --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """What a direct-billing claim leaves to the family now: `open_fen` was not collected on the spot.

    The visit is that of the claim; `full_visits_used` as in `SelfPayBill`.
    """

    total_fen: int
    collected_fen: int
    open_fen: int
    breakdown: Breakdown
    hospital: Hospital
    visit_type: str
    visited_on: date
    department: str = ""
    full_visits_used: bool = False
    reason: str = ""


def follow_claim(claim: CaseFile, share: Share, *, closed: bool, now: datetime) -> CaseFile | None:
    """Make, change or cancel the bill of a claim so that all its bills together ask for what is open.

    A first bill is made when the series says so: at closing (BIL-20), or as soon as something is open
    (BIL-01). What earlier bills of the claim took stays taken: a later, higher share is a further bill
    over the difference, a lower one makes credit. Repeating it changes nothing.
    """
    terms = terms_of(claim.handbook.handbook)
    bills = SelfPayBill.objects.filter(claim=claim.pk)
    live = bills.filter(live=True).select_related("case").first()
    settled = bills.filter(live=False).exclude(total_fen=0).select_related("case").order_by("-pk")
    taken = settled.aggregate(sum=Sum("total_fen"))["sum"] or 0
    wanted = share.open_fen - taken
    if wanted < 0 and settled:
        _change(settled[0], share, settled[0].total_fen + wanted, now)
    if live is not None:
        return _change(live, share, max(wanted, 0), now)
    observe(terms.bill_rule, wanted > 0)
    if wanted <= 0 or (terms.when_closed and not closed):
        return None
    return _open(
        SYSTEM,
        now,
        policy=claim.policy,
        handbook=claim.handbook,
        total=wanted,
        breakdown=share.breakdown,
        collected=share.collected_fen,
        row=SelfPayBill(
            claim=claim, hospital=share.hospital, visit_type=share.visit_type, visited_on=share.visited_on,
            department=share.department[:80], full_visits_used=share.full_visits_used,
            source=Source.CLOSURE if closed else Source.DECISION,
        ),
    )  # fmt: skip


def _change(bill: SelfPayBill, share: Share, total: int, now: datetime) -> CaseFile:
    total = max(total, 0)
    if total == bill.total_fen:
        return bill.case
    return perform(
        bill.case.number, "change", SYSTEM, now=now, total_fen=total, collected_fen=share.collected_fen,
        breakdown=as_breakdown(share.breakdown), full_visits_used=share.full_visits_used, reason=share.reason[:500],
    )  # fmt: skip


# --- Both -------------------------------------------------------------------------------------------


def _open(
    actor: Actor, now: datetime, *, policy: Policy, handbook: HandbookVersion, row: SelfPayBill, total: int,
    breakdown: Breakdown, collected: int,
) -> CaseFile:  # fmt: skip
    case = BillFlow(
        kind=KIND.code, series=policy.series, tpa=policy.tpa, handbook=handbook, member=policy.member, policy=policy,
        hospital=row.hospital,
    )  # fmt: skip

    def fill(ctx: Ctx[Any]) -> None:
        ctx.case.team = (
            Team.objects.filter(tpa=policy.tpa, code__startswith="claims").order_by("code").first()
        )
        row.case = ctx.case
        row.total_fen = 0
        ctx.add(row)
        charge(ctx, row, total, cause=Cause.OPENED, breakdown=breakdown, collected=collected)
        send(ctx, row)
        ctx.data |= {"hospital": row.hospital.code, "source": row.source}

    return open_case(KIND.code, actor, case=case, state="OPEN", fill=fill, event="bill_opened", now=now)
