"""The clinic brand a benefit is tied to (VAC-04, VAC-22), and going on at another (VAC-05).

A series that prints the closing of a brand as a reason lets claims review grant the transfer, to a
brand the insurer named. A series that prints no exception leaves it to a manager.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed
from apps.hospitals.models import BrandClosure, Hospital
from apps.members.models import BrandLock, BrandTransfer
from apps.products.queries import current_handbook

ASKERS = frozenset(
    {"service_specialist", "service_lead", "booking_lead", "intake", "supervisor", "adjuster_lead"}
)
REVIEWERS = frozenset({"second_review", "senior_adjuster", "final_approval", "adjuster_lead", "supervisor"})
MANAGERS = frozenset({"manager", "tpa_manager", "supervisor"})


def tied(handbook: Handbook, benefit: str) -> bool:
    """Whether the series ties this benefit to the brand of the first visit."""
    return benefit in handbook.value("brand_lock.benefits", ())


def lock_rule(handbook: Handbook) -> str:
    parameter = handbook.parameters.get("brand_lock.benefits")
    return parameter.rule if parameter else ""


def lock_of(policy_id: int, benefit: str) -> BrandLock | None:
    """One query."""
    return BrandLock.objects.filter(policy=policy_id, benefit=benefit).first()


def elsewhere(handbook: Handbook, lock: BrandLock | None, benefit: str, hospital: Hospital) -> bool:
    """Is the house of another brand than the one the benefit is tied to? Another branch is not."""
    if not tied(handbook, benefit):
        return False
    other = lock is not None and lock.brand != hospital.own_brand
    return observe(lock_rule(handbook), other)


def successors(handbook: Handbook, lock: BrandLock, closure: BrandClosure | None) -> list[str] | None:
    """To which brands the rest may be asked to go: those designated when the brand closed (VAC-05), none
    while it is open; None where the series prints no exception and any brand may be named (VAC-22)."""
    if not handbook.value("brand_lock.closure_transfer"):
        return None
    return list(closure.designated) if closure and closure.closed_on <= timezone.localdate() else []


def may_decide(actor: Actor, handbook: Handbook) -> bool:
    by_review = bool(handbook.value("brand_lock.closure_transfer"))
    return bool(actor.roles & (REVIEWERS if by_review else MANAGERS))


def ask_transfer(
    actor: Actor, lock: BrandLock, *, to_brand: str, reason: str, now: datetime | None = None
) -> BrandTransfer:
    """Ask that the rest of a benefit goes to another brand.

    Raises NotAllowed; Blocked while the brand has not closed (VAC-05; one branch is not the brand);
    InvalidInput for a brand that was not designated; Conflict when one is asked for already.
    """
    if not actor.roles & ASKERS:
        raise NotAllowed(_("A transfer is asked for by the service desk or claims."), code="role")
    now = now or timezone.now()
    handbook = current_handbook(lock.policy.series).handbook
    printed = handbook.parameters.get("brand_lock.closure_transfer")
    rule = printed.rule if printed else lock_rule(handbook)
    if not reason.strip():
        raise InvalidInput(_("A reason is needed."), field="reason", code="required", rule=rule)
    if printed and printed.value:
        _check_closure(lock, to_brand, rule, now)
    elif to_brand == lock.brand or not _known(to_brand):
        words = _("No other brand “%(brand)s” is known.") % {"brand": to_brand[:40]}
        raise InvalidInput(words, field="to_brand", code="unknown_brand", rule=rule)
    row = BrandTransfer(
        lock=lock, from_brand=lock.brand, to_brand=to_brand, rule=rule, reason=reason.strip()[:400],
        asked_by=actor.label[:80], asked_key=actor.key, asked_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("A transfer is asked for already."), code="asked", rule=rule) from error
    return row


def _known(brand: str) -> bool:
    return (
        Hospital.objects.filter(brand=brand).exists()
        or Hospital.objects.filter(name=brand, brand="").exists()
    )


def _check_closure(lock: BrandLock, to_brand: str, rule: str, now: datetime) -> None:
    closure = BrandClosure.objects.filter(brand=lock.brand).first()
    closed = closure is not None and closure.closed_on <= timezone.localdate(now)
    if observe(rule, not closed):
        words = _("The brand “%(brand)s” has not closed; another branch of it serves.") % {
            "brand": lock.brand
        }
        raise Blocked(words, code="brand_open", rule=rule)
    assert closure is not None
    if to_brand not in closure.designated:
        words = _("Designated instead of “%(brand)s”: %(names)s.") % {
            "brand": lock.brand, "names": "、".join(closure.designated) or "–",
        }  # fmt: skip
        raise InvalidInput(words, field="to_brand", code="not_designated", rule=rule)


def decide_transfer(
    actor: Actor, transfer: BrandTransfer, *, grant: bool, answer: str, now: datetime | None = None
) -> BrandTransfer:
    """Grant or refuse; granted, the lock moves to the other brand and the limits stay as they are.

    Raises NotAllowed (role, or the one who asked), InvalidInput, Conflict when it is decided already.
    """
    handbook = current_handbook(transfer.lock.policy.series).handbook
    if not may_decide(actor, handbook):
        raise NotAllowed(_("You may not decide this transfer."), code="role", rule=transfer.rule)
    if actor.key == transfer.asked_key:
        words = _("You asked for it; somebody else decides.")
        raise NotAllowed(words, code="four_eyes", rule=transfer.rule)
    if not answer.strip():
        raise InvalidInput(_("A reason is needed."), field="answer", code="required", rule=transfer.rule)
    state = BrandTransfer.State.GRANTED if grant else BrandTransfer.State.REFUSED
    with transaction.atomic():
        done = BrandTransfer.objects.filter(pk=transfer.pk, state=BrandTransfer.State.ASKED).update(
            state=state,
            answer=answer.strip()[:400],
            decided_by=actor.label[:80],
            decided_at=now or timezone.now(),
        )
        if not done:
            raise Conflict(_("This transfer was decided meanwhile."), code="decided", rule=transfer.rule)
        if grant:
            BrandLock.objects.filter(pk=transfer.lock_id).update(brand=transfer.to_brand)
    return BrandTransfer.objects.select_related("lock__policy__member").get(pk=transfer.pk)
