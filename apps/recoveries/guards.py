"""Reasons why an action on a recovery is not possible now."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role
from apps.adjudication.trace import observe
from apps.cases.kinds import Blocker
from apps.core.money import format_yuan
from apps.payments.queries import unordered_fen
from apps.recoveries.models import Plan, Recovery
from apps.recoveries.roles import APPROVERS

Found = Blocker | None


def running_plan(row: Recovery) -> Plan | None:
    return row.plans.filter(state=Plan.State.RUNNING).prefetch_related("instalments").first()


def overdue(ctx: Any) -> Found:
    """DL-41: only after the last day in time; broken plans are due at once."""
    row, today = ctx.subject, timezone.localtime(ctx.now).date()
    late = row.due_on is not None and row.due_on < today and row.open_fen > 0
    for spec in ctx.handbook.clocks:
        if spec.key == "recovery.refund":
            observe(spec.id, late)
    if observe(row.rule, late):
        return None
    return Blocker("not_overdue", _("It is due until %(day)s.") % {"day": row.due_on}, row.rule)


def contact_late(ctx: Any) -> Found:
    """The family should have been told by now, and the lead was not reminded of it yet."""
    row, today = ctx.subject, timezone.localtime(ctx.now).date()
    if ctx.case.priority == 1:
        return Blocker("told", _("The lead knows already."), row.rule)
    if observe(row.rule, row.contacted_at is None and row.contact_by < today):
        return None
    return Blocker("not_late", _("To be contacted until %(day)s.") % {"day": row.contact_by}, row.rule)


def plan_running(ctx: Any) -> Found:
    if running_plan(ctx.subject) is not None:
        return None
    return Blocker("no_plan", _("There is no plan of instalments."))


def something_open(ctx: Any) -> Found:
    return None if ctx.subject.open_fen > 0 else Blocker("nothing_open", _("Nothing is open any more."))


def proposed(ctx: Any) -> Found:
    if ctx.subject.proposed_at:
        return None
    return Blocker("not_proposed", _("Somebody has to propose the write-off first."))


def not_proposed(ctx: Any) -> Found:
    if not ctx.subject.proposed_at:
        return None
    return Blocker("proposed", _("The write-off is proposed already and waits for its decision."))


def within_authority(ctx: Any) -> Found:
    """Whoever writes off may decide the amount."""
    open_fen = ctx.subject.open_fen
    if open_fen <= ctx.actor.authority_fen:
        return None
    who = Role.objects.filter(code__in=APPROVERS, authority_fen__gte=open_fen).order_by(
        "authority_fen", "code"
    )
    signers = "、".join(f"{role} ({format_yuan(role.authority_fen)})" for role in who) or "—"
    words = _("%(amount)s is above your authority of %(limit)s. It can be signed by: %(signers)s.")
    limit = format_yuan(ctx.actor.authority_fen)
    return Blocker("authority", words % {"amount": format_yuan(open_fen), "limit": limit, "signers": signers})


def not_the_proposer(ctx: Any) -> Found:
    """Four eyes for this proposal; a later one may come from somebody else."""
    if ctx.actor.user_id is None or ctx.subject.proposed_by_id != ctx.actor.user_id:
        return None
    return Blocker("four_eyes", _("You proposed the write-off; somebody else decides."))


def to_give_back(ctx: Any) -> Found:
    if unordered_fen(ctx.case) > 0:
        return None
    return Blocker("nothing_owed", _("Nothing is left to give back."))


def payee_known(ctx: Any) -> Found:
    payee = ctx.subject.payee
    if payee is None:
        return Blocker("no_payee", _("There is no payee yet; enter the account first."))
    if payee.screening != "CLEAR":
        return Blocker(
            "screening", _("The payee's list screening is “%(result)s”.") % {"result": payee.screening}
        )
    return None
