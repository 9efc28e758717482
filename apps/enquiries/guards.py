"""Reasons why an action on an enquiry is not possible now."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.cases.kinds import Blocker
from apps.cases.models import CaseEvent, CaseFile
from apps.claims.models import Decision
from apps.core.errors import Blocked
from apps.enquiries.forms_offered import SERVICE, offered
from apps.enquiries.models import Category, Enquiry, Sort
from apps.messaging.models import Message

Found = Blocker | None
RULE = "LAW-10"
# Actions by which a person decides a claim or direct claim.
DECIDING = frozenset(
    {"decide", "sign", "decide_hold", "confirm_refusal", "decide_ex_gratia", "compromise", "pay_undisputed"}
)
ON_ITS_WAY = (Message.State.QUEUED, Message.State.SENDING)


def interested(row: Enquiry) -> set[int]:
    """Who may not handle a complaint: the person complained of, and whoever decided the case (LAW-10)."""
    if row.sort != Sort.COMPLAINT:
        return set()
    people = {row.complained_of_id}
    if row.about_id:
        people |= set(
            CaseEvent.objects.filter(case=row.about_id, action__in=DECIDING).values_list("user", flat=True)
        )
    return {person for person in people if person is not None}


def conflict_of(row: Enquiry, user_id: int | None) -> Found:
    if row.sort != Sort.COMPLAINT or user_id is None:
        return None
    if not observe(RULE, user_id in interested(row)):
        return None
    words = _(
        "Whoever is complained of or decided the case does not handle the complaint; give it to somebody else."
    )
    return Blocker("interested", words, RULE)


def disinterested(ctx: Any) -> Found:
    return conflict_of(ctx.subject, ctx.actor.user_id)


def complaint(ctx: Any) -> Found:
    if ctx.subject.sort == Sort.COMPLAINT:
        return None
    return Blocker("no_complaint", _("This is no complaint."), RULE)


def simple(ctx: Any) -> Found:
    return (
        None
        if ctx.subject.category == Category.SIMPLE
        else Blocker("complex", _("It is complex already."), RULE)
    )


def complex_(ctx: Any) -> Found:
    if ctx.subject.category == Category.COMPLEX:
        return None
    return Blocker("not_complex", _("Only a complex complaint is extended, and once."), RULE)


def about_a_result(handbook: Handbook, about: CaseFile | None, sort: str) -> Found:
    """Only a complaint about the result of a claim can become an appeal (APP-27; APL-01); a refusal at
    intake is one (PR-06)."""
    service = handbook.service("appeal")
    rule = service.rule if service else ""
    if service is None or not service.offered:
        return Blocker("no_appeal", _("This series knows no appeal."), rule)
    refused = about is not None and about.state == "REJECTED_INTAKE"
    decided = refused or (about is not None and Decision.objects.filter(claim=about.pk).exists())
    if sort == Sort.COMPLAINT and decided:
        return None
    words = _("Only a complaint about the result of a decided claim can be taken up as an appeal.")
    return Blocker("no_result", words, rule)


def appeal_possible(ctx: Any) -> Found:
    if ctx.subject.appeal_wished:
        return Blocker("wished", _("The wish is recorded already."))
    return about_a_result(ctx.handbook, ctx.subject.about, ctx.subject.sort)


def appeal_wished(ctx: Any) -> Found:
    return None if ctx.subject.appeal_wished else Blocker("not_wished", _("No appeal is wished."))


def forms_offered(ctx: Any) -> Found:
    if offered(ctx.handbook):
        return None
    service = ctx.handbook.service(SERVICE)
    words = _("The handbook of series %(series)s lists no sending of forms.") % {"series": ctx.case.series}
    return Blocker("not_offered", words, service.rule if service else "")


def nothing_on_its_way(ctx: Any) -> Found:
    """A new letter takes the place of the former; what is not delivered yet would be lost."""
    if not Message.objects.filter(case=ctx.case.pk, template="forms", state__in=ON_ITS_WAY).exists():
        return None
    return Blocker("on_its_way", _("Forms are on their way already; wait until they are delivered."))


def refuse(found: Found, field: str = "") -> None:
    """The same, for what is checked before a case is there."""
    if found:
        raise Blocked(found.message, code=found.code, rule=found.rule, field=field)
