"""Reasons why an action is not possible now; each cites the rule the series has for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.appointments.judging import LATE, as_of, booking_of, first_rule, gather, today
from apps.authorizations.models import Authorization
from apps.cases.kinds import Blocker
from apps.cases.models import CaseFile

Found = Blocker | None
PROMISED = frozenset({"APPROVED", "LETTER_ISSUED", "LETTER_SENT", "IN_USE"})


def still_possible(ctx: Any) -> Found:
    """Cover, network, card, list of the hospital and brand, as they are now."""
    against = ctx.loaded.get("against")
    if against is None:
        against = ctx.loaded["against"] = as_of(ctx.case)
    return Blocker(against[0].code, against[0].words, against[0].rule) if against else None


def not_asked_again(ctx: Any) -> Found:
    """What had ended lives again only when the visit was not asked for anew meanwhile."""
    known = gather(booking_of(ctx.case)).twin
    words = _("This visit is asked for already: %(number)s.")
    return Blocker("BOOKED", words % {"number": known}) if known else None


def not_over(ctx: Any) -> Found:
    if ctx.subject.visit_on >= today(ctx.now):
        return None
    return Blocker("over", _("The day of the visit, %(day)s, has passed.") % {"day": ctx.subject.visit_on})


def only_late(ctx: Any) -> Found:
    """What other rules refused stays refused; lateness is a soft block (APT-07 … APT-09)."""
    codes = {reason["code"] for reason in ctx.subject.reasons}
    return (
        None if codes == {LATE} else Blocker("refused", _("It was refused for other reasons than lateness."))
    )


def authorized(ctx: Any) -> Found:
    """A stay is confirmed on an approved authorization only, or in an emergency (PA-01, DBI-02)."""
    given = ctx.subject
    if given.visit_type != "INPATIENT" or given.emergency:
        return None
    rule = first_rule(ctx.handbook, "PA-01", "DBI-02")
    if observe(rule, not authorization_for(ctx.case, given.visit_on)):
        return Blocker(
            "authorization", _("A stay needs an approved prior authorization for this hospital."), rule
        )
    return None


def authorization_for(case: CaseFile, day: date) -> str:
    """The number of an approved authorization of the child at this hospital, valid on the day; "" for none."""
    found = Authorization.objects.filter(
        case__member=case.member_id, case__policy=case.policy_id, case__hospital=case.hospital_id,
        case__state__in=PROMISED, visit_type="INPATIENT", valid_from__lte=day, valid_until__gte=day,
    )  # fmt: skip
    return found.order_by("-case").values_list("case__number", flat=True).first() or ""


def on_the_day(ctx: Any) -> Found:
    """APT-05: the confirmed day; the card shows it, too (CRD-02)."""
    given = ctx.subject
    rule = first_rule(ctx.handbook, "APT-05", "APT-20")
    if observe(rule, given.visit_on != today(ctx.now)):
        return Blocker("other_day", _("The appointment is on %(day)s.") % {"day": given.visit_on}, rule)
    return None


def day_passed(ctx: Any) -> Found:
    """The sweep may call at any time: nobody has missed a visit whose day is not over."""
    if ctx.subject.visit_on < today(ctx.now):
        return None
    return Blocker("not_over", _("The day of the visit is not over."))


def unseen(ctx: Any) -> Found:
    return None if ctx.subject.flagged else Blocker("seen", _("It was looked at already."))
