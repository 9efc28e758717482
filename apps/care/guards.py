"""Reasons why something is not possible: before a case is there (`refuse_if`), and on one (Blocker)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook, Service, Title
from apps.adjudication.trace import observe
from apps.care.catalog import ASSISTANCE, OFFERS, PHONE
from apps.cases.kinds import Blocker
from apps.core.errors import Blocked, Conflict
from apps.members.models import Policy

Found = Blocker | None


def refuse_if(fired: bool, rule: str, words: Any, *, code: str, field: str = "") -> None:
    """One rule, looked at: Blocked with its id when it fires."""
    if observe(rule, fired):
        raise Blocked(words, code=code, rule=rule, field=field)


def in_language(title: Title | None) -> str:
    if title is None:
        return ""
    return title.zh if (get_language() or "zh").startswith("zh") else title.en


def offered(book: Handbook, key: str, *, field: str = "member") -> Service:
    """The service as the series offers it. Blocked with the rule that closes it, and what to do instead."""
    service = book.service(key)
    rule = service.rule if service else ""
    closed = service is None or not service.offered
    for shut in {one.rule for one in book.services.values() if not one.offered}:
        observe(shut, closed and shut == rule)
    if closed or service is None:
        words = _("The handbook of series %(series)s does not offer “%(service)s”. %(instead)s") % {
            "series": book.series,
            "service": in_language(service.title) if service else key,
            "instead": in_language(service.redirect) if service else "",
        }
        raise Blocked(str(words).strip(), code="not_offered", rule=rule, field=field)
    return service


def covered(policy: Policy, day: date, rule: str) -> None:
    words = _("Policy %(policy)s is not in force on %(day)s.") % {"policy": policy.number, "day": day}
    refuse_if(not policy.in_force_on(day), rule, words, code="not_in_force", field="member")


def month_taken() -> Conflict:
    words = _("This child has ordered a test in this calendar month already.")
    return Conflict(words, code="month_taken", rule="TST-05", field="member")


# --- On a home test -------------------------------------------------------------------------------


def address_unanswered(ctx: Any) -> Found:
    if ctx.subject.recognized:
        return Blocker("recognized", _("The address was recognized already."), "TST-10")
    return None


def not_shared(ctx: Any) -> Found:
    return Blocker("shared", _("The report is shared already."), "TST-07") if ctx.subject.shared_at else None


def shared(ctx: Any) -> Found:
    if observe("TST-07", ctx.subject.shared_at is not None):
        return None
    words = _("The family has not shared the report with the family doctor.")
    return Blocker("not_shared", words, "TST-07")


# --- On a service ---------------------------------------------------------------------------------


def assistance(ctx: Any) -> Found:
    if ctx.subject.code == ASSISTANCE:
        return None
    return Blocker("no_assistance", _("Nobody goes on site for this service."), ctx.subject.rule)


def no_assistance(ctx: Any) -> Found:
    if ctx.subject.code != ASSISTANCE:
        return None
    return Blocker(
        "assistance", _("On-site assistance is not answered; somebody is on site."), ctx.subject.rule
    )


def family_doctor(ctx: Any) -> Found:
    if OFFERS[ctx.subject.code].by_family_doctor:
        return None
    return Blocker("no_family_doctor", _("This is no service of the family doctor."), "FD-10")


def consult(ctx: Any) -> Found:
    """Only a phone consult falls due, once its clock is breached."""
    due = ctx.subject.code == PHONE and ctx.case.next_due is not None and ctx.case.next_due < ctx.now
    return None if due else Blocker("not_due", _("The answer is not overdue."), "VAS-10")
