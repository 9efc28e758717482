"""What is done with an enquiry: recorded, answered, closed, reopened; forms sent; the wish to appeal.

Importing this module registers all actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.models import Team, User
from apps.accounts.roles import role_needed
from apps.accounts.visibility import visible_to
from apps.adjudication.handbook import Handbook, Service
from apps.cases.common import add_common_actions
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.inputs import parse_input
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.documents.letter_contexts import About
from apps.documents.letters import queue_letter
from apps.enquiries import forms_offered, guards
from apps.enquiries.inputs import (
    AnswerInput,
    AskInput,
    CloseInput,
    FormsInput,
    RecordInput,
    SendInput,
    TakenUpInput,
    WhyInput,
)
from apps.enquiries.models import Category, Enquiry, Sort
from apps.enquiries.roles import ANSWERERS, APPROVERS, DESK, FAMILY, LEADS, RECORDERS
from apps.enquiries.workflow import KIND, LIVE, EnquiryFlow
from apps.members.models import Policy
from apps.messaging.contacts import contact_of, mask_recipient
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_message
from apps.products.queries import handbook_for

Data = Mapping[str, object]
# By kind: what its clock hears first and last.
CLOCKS = {
    Sort.QUESTION: ("message_received", "message_answered"),
    Sort.SUGGESTION: ("message_received", "message_answered"),
    Sort.COMPLAINT: ("complaint_received", "complaint_answered"),
}
ONLINE = ("MINIPROGRAM", "ONLINE")


# --- Recording ------------------------------------------------------------------------------------


def record(actor: Actor, data: AskInput | Data, *, now: datetime | None = None) -> CaseFile:
    """Write down who asked what (APP-06, APP-22) or complained (APP-27, LAW-10); answered on the spot or open.

    Of a family's front end `AskInput`, of everybody else `RecordInput`. Raises NotAllowed, InvalidInputs,
    Blocked (APP-27, APL-01) for an appeal that is about no result, LAW-10 for a handler with an interest.
    """
    _authorize(actor)
    cls = AskInput if FAMILY in actor.roles else RecordInput
    given = data if isinstance(data, cls) else parse_input(cls, data)  # type: ignore[arg-type]
    about = _about(actor, given.about)
    policy = _policy(actor, given.member, about)
    case = _new_case(policy)
    row = Enquiry(
        case=case, sort=given.sort, asker=given.asker, text=given.text, about=about, appeal_wished=given.appeal,
        recorded_by=actor.label,
    )  # fmt: skip
    service = _service(case.handbook.handbook, given.sort)
    row.rule = service.rule if service else ""
    answer = ""
    if isinstance(given, RecordInput):
        row.channel, answer = given.channel, given.answer
        row.complained_of = _person(given.complained_of)
    else:
        channels = service.channels if service else ()
        row.channel = next((way for way in ONLINE if way in channels), ONLINE[1])
    if given.appeal:
        guards.refuse(guards.about_a_result(case.handbook.handbook, about, given.sort), "appeal")
    if answer:
        guards.refuse(guards.conflict_of(row, actor.user_id), "answer")

    def fill(ctx: Ctx[Any]) -> None:
        _fill(ctx, row)
        received, answered = CLOCKS[Sort(row.sort)]
        ctx.emit(received)
        if answer:
            _set_answer(ctx, row, answer)
            ctx.emit(answered)
        elif guards.conflict_of(row, actor.user_id) is None:
            ctx.case.assignee_id = actor.user_id if actor.roles & DESK else None

    state = "ANSWERED" if answer else "OPEN"
    return open_case(KIND.code, actor, case=case, state=state, fill=fill, event="enquiry_recorded", now=now)


def send_forms(actor: Actor, data: FormsInput | Data, *, now: datetime | None = None) -> CaseFile:
    """E-mail blank forms to the guardian on file, or with a reason to a given address (APP-05).

    The dispatch is an enquiry of its own, answered at once. Raises Blocked with the rule that closes the
    service (GEN-04) in a series without it.
    """
    _authorize(actor)
    given = data if isinstance(data, FormsInput) else parse_input(FormsInput, data)
    policy = _policy(actor, given.member, None)
    case = _new_case(policy)
    rule = forms_offered.check(case.handbook.handbook, given.forms)
    service = case.handbook.handbook.service(forms_offered.SERVICE)
    channels = service.channels if service else ()
    online = FAMILY in actor.roles
    row = Enquiry(
        case=case, sort=Sort.FORMS, rule=rule, asker=policy.policyholder.name if policy.policyholder else "",
        channel=next((way for way in channels if (way in ONLINE) == online), "HOTLINE"), recorded_by=actor.label,
        text=_named(given.forms),
    )  # fmt: skip

    def fill(ctx: Ctx[Any]) -> None:
        _fill(ctx, row)
        _send(ctx, row, given)
        _done(ctx)

    return open_case(KIND.code, actor, case=case, state="ANSWERED", fill=fill, event="forms_sent", now=now)


def _service(book: Handbook, sort: str) -> Service | None:
    """Under which service it is recorded. Suggestions go with complaints where the series prints both together."""
    complaint = book.service("complaint")
    together = complaint is not None and bool(complaint.channel_rule)
    if sort == Sort.COMPLAINT or (sort == Sort.SUGGESTION and together):
        return complaint
    return book.service("enquiry")


def _authorize(actor: Actor) -> None:
    if not actor.roles & RECORDERS:
        raise role_needed(actor, RECORDERS)


def _about(actor: Actor, number: str) -> CaseFile | None:
    if not number:
        return None
    related = ("policy__plan", "policy__member", "policy__policyholder")
    cases = visible_to(CaseFile.objects.filter(number=number.upper()), actor).select_related(*related)
    found = cases.first()
    if found is None:
        words = _("No such case: %(numbers)s") % {"numbers": number}
        raise InvalidInput(words, code="unknown_case", field="about")
    return found


def _policy(actor: Actor, number: str, about: CaseFile | None) -> Policy:
    if about is not None:
        policy = about.policy
        if number and number not in (policy.number, policy.member.number):
            words = _("%(case)s is about another child.") % {"case": about.number}
            raise InvalidInput(words, code="other_child", field="about")
        return policy
    return policy_named(actor, number)


def policy_named(actor: Actor, number: str) -> Policy:
    """The child's policy in force today, else the last one. Raises InvalidInput for none, several (C9)."""
    if not number:
        raise InvalidInput(_("Name the child or a case."), code="required", field="member")
    known = Policy.objects.filter(Q(member__number=number) | Q(number=number))
    found = list(
        visible_to(known, actor)
        .select_related("member", "plan", "policyholder")
        .order_by("-effective_on", "-id")
    )
    if not found:
        nobody = _("No insured child has this member or policy number.")
        raise InvalidInput(nobody, code="unknown_member", field="member")
    covering = [policy for policy in found if policy.in_force_on(timezone.localdate())]
    if len({policy.member_id for policy in found}) > 1 or len(covering) > 1:
        words = _("Several policies fit: %(numbers)s. Name one.") % {
            "numbers": ", ".join(f"{policy.number} ({policy.series})" for policy in covering or found)
        }
        raise InvalidInput(words, code="several_policies", field="member", rule="C9")
    return (covering or found)[0]


def _person(user_id: int | None) -> User | None:
    if user_id is None:
        return None
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise InvalidInput(_("No such active user."), code="unknown_user", field="complained_of")
    return person


def _new_case(policy: Policy) -> EnquiryFlow:
    return EnquiryFlow(
        kind=KIND.code, series=policy.series, tpa=policy.tpa, member=policy.member, policy=policy,
        handbook=handbook_for(policy.series, timezone.localdate()),
    )  # fmt: skip


def _fill(ctx: Ctx[Any], row: Enquiry) -> None:
    row.received_at = ctx.now
    ctx.case.team = Team.objects.filter(tpa=ctx.case.tpa).order_by("code").first()
    ctx.add(row)
    ctx.loaded["enquiry"] = row
    ctx.data |= {"sort": row.sort, "channel": row.channel, "rule": row.rule}
    if row.about:
        ctx.data["about"] = row.about.number


def _done(ctx: Ctx[Any]) -> None:
    """Nothing is left to do for us."""
    ctx.case.open, ctx.case.closed_at = False, ctx.now


# --- Answers --------------------------------------------------------------------------------------


def _answer(ctx: Ctx[AnswerInput]) -> None:
    assert ctx.input is not None
    row = ctx.subject
    _set_answer(ctx, row, ctx.input.text)
    ctx.data["told"] = ctx.input.told
    ctx.update(row, "answer", "answered_by", "answered_at")
    if row.sort in CLOCKS:
        ctx.emit(CLOCKS[Sort(row.sort)][1])
    if ctx.input.told == "WRITTEN":
        with translation.override("zh-hans"):
            what = str(row.get_sort_display())
        notify_member(
            ctx, template="enquiry_answer", key=f"{ctx.case.number}:answer:{ctx.case.version}",
            context={
                "what": what, "text": row.text, "answer": row.answer,
                "received_on": timezone.localtime(row.received_at).date().isoformat(),
            },
        )  # fmt: skip


def _set_answer(ctx: Ctx[Any], row: Enquiry, text: str) -> None:
    row.answer, row.answered_by, row.answered_at = text, ctx.actor.label, ctx.now
    ctx.reason = text
    _done(ctx)


def _close(ctx: Ctx[CloseInput]) -> None:
    """Without an answer only with a reason; a complaint only when the family takes it back (LAW-10)."""
    assert ctx.input is not None
    row, given = ctx.subject, ctx.input
    ctx.reason = given.reason
    if ctx.case.state in LIVE:
        if row.sort == Sort.COMPLAINT and not given.withdrawn:
            words = _("A complaint is answered before it is closed, unless the family withdraws it.")
            raise Blocked(words, code="unanswered", field="withdrawn", rule=guards.RULE)
        if not given.reason:
            raise InvalidInput(_("Not answered: say why it is closed."), code="required", field="reason")
        if row.sort in CLOCKS:
            ctx.emit(CLOCKS[Sort(row.sort)][1])
    ctx.data["withdrawn"] = given.withdrawn
    _done(ctx)


def _reopen(ctx: Ctx[WhyInput]) -> None:
    """Asked again: the days begin anew."""
    assert ctx.input is not None
    row = ctx.subject
    ctx.reason = ctx.input.reason
    ctx.case.open, ctx.case.closed_at = True, None
    row.category = Category.SIMPLE
    ctx.update(row, "category")
    if row.sort in CLOCKS:
        ctx.emit(CLOCKS[Sort(row.sort)][0])


def _lengthen(category: Category) -> Callable[[Ctx[WhyInput]], None]:
    def handler(ctx: Ctx[WhyInput]) -> None:
        """The longer promise takes the place of the shorter, from the day the complaint came (LAW-10)."""
        assert ctx.input is not None
        row = ctx.subject
        ctx.reason = ctx.input.reason
        clock = ctx.case.clocks.filter(key="law.complaint").exclude(state="STOPPED").first()
        row.category = category
        ctx.update(row, "category")
        ctx.emit("complaint_answered", ctx.now)
        ctx.emit("complaint_received", clock.started_at if clock else row.received_at)

    return handler


# --- Forms ----------------------------------------------------------------------------------------


def _send_more(ctx: Ctx[SendInput]) -> None:
    assert ctx.input is not None
    row = ctx.subject
    _send(ctx, row, ctx.input)
    ctx.update(row, "forms", "sent_to", "sent_why")


def _send(ctx: Ctx[Any], row: Enquiry, given: SendInput) -> None:
    """One letter with all that was chosen, attached to one e-mail; who, what and where to are kept."""
    rule = forms_offered.check(ctx.handbook, given.forms)
    person = contact_of(ctx, ctx.case)
    to = person.email
    if given.address:
        to = _given_address(ctx.actor, given, person.email, rule)
    if not to:
        words = _("No e-mail address is on file; give one and say why.")
        raise InvalidInput(words, code="no_address", field="address", rule=rule)
    policy = ctx.case.policy
    about = About(
        addressee=person.name or "", child=ctx.case.member.masked_name, policy=policy.number, case="",
        plan=policy.plan.name, reported_on=timezone.localtime(ctx.now).date(),
    )  # fmt: skip
    letter = queue_letter(ctx, forms_offered.context_of(ctx.handbook, about, given.forms, ctx.case.number))
    queue_message(
        ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="forms", recipient=to, letter=letter,
        key=f"{ctx.case.number}:forms:{letter.version}",
        context={"addressee": person.name, "forms": _named(given.forms)},
    )  # fmt: skip
    row.forms, row.sent_to = list(given.forms), mask_recipient(to)
    row.sent_why = given.reason if given.address else ""
    ctx.reason = row.sent_why
    ctx.data |= {"forms": row.forms, "sent_to": row.sent_to, "letter": letter.number, "form_rule": rule}


def _given_address(actor: Actor, given: SendInput, on_file: str, rule: str) -> str:
    if given.address.lower() == on_file.lower():
        return on_file
    if FAMILY in actor.roles:
        words = _("Forms go to the address on file; the hotline sends them elsewhere.")
        raise NotAllowed(words, code="other_address", field="address", rule=rule)
    if not given.reason:
        why = _("Say why the forms go to another address than the one on file.")
        raise InvalidInput(why, code="required", field="reason", rule=rule)
    try:
        validate_email(given.address)
    except ValidationError as error:
        wrong = _("“%(address)s” is no e-mail address.") % {"address": given.address[:60]}
        raise InvalidInput(wrong, code="email", field="address", rule=rule) from error
    return given.address


def _named(keys: tuple[str, ...]) -> str:
    with translation.override("zh-hans"):
        return "、".join(str(forms_offered.WORDS.get(key, key)) for key in keys)


# --- The wish to appeal ---------------------------------------------------------------------------


def _wish(wished: bool) -> Callable[[Ctx[WhyInput]], None]:
    def handler(ctx: Ctx[WhyInput]) -> None:
        """It stands in the list “to be taken up as appeal” with its claim (APP-27)."""
        assert ctx.input is not None
        ctx.reason = ctx.input.reason
        ctx.subject.appeal_wished = wished
        ctx.update(ctx.subject, "appeal_wished")
        if ctx.subject.about:
            ctx.data["about"] = ctx.subject.about.number

    return handler


def _taken_up(ctx: Ctx[TakenUpInput]) -> None:
    """The wish is settled; what is still open is answered by the appeal (APP-27)."""
    assert ctx.input is not None
    row, number = ctx.subject, ctx.input.appeal
    row.appeal_wished = False
    ctx.update(row, "appeal_wished")
    ctx.data["appeal"] = number
    if ctx.case.state in LIVE:
        with translation.override("zh-hans"):
            words = gettext("Taken up as appeal %(number)s; the answer to it is the answer.")
        _set_answer(ctx, row, words % {"number": number})
        ctx.update(row, "answer", "answered_by", "answered_at")
        ctx.emit(CLOCKS[Sort(row.sort)][1])


def _answered_if_open(ctx: Ctx[Any]) -> str:
    return "answer" if ctx.case.state in LIVE else ""


# --- Registration ---------------------------------------------------------------------------------

DONE = frozenset({"ANSWERED", "CLOSED"})
ALL = LIVE | DONE
ACTIONS: tuple[Action[Any], ...] = (
    Action(
        "answer", pgettext_lazy("enquiry", "Answer"), ANSWERERS, _answer, transition="answer", input=AnswerInput, event="answered",
        guards=(guards.disinterested,), style="primary", order=10,
    ),
    Action(
        "wish_appeal", _("Record the wish to appeal"), ANSWERERS, _wish(True), states=ALL, input=WhyInput,
        guards=(guards.appeal_possible,), event="appeal_wished", order=20,
    ),
    Action(
        "drop_appeal", _("No appeal after all"), ANSWERERS, _wish(False), states=ALL, input=WhyInput,
        guards=(guards.appeal_wished,), event="appeal_dropped", order=25,
    ),
    Action(
        "take_up", _("Taken up as appeal"), frozenset(), _taken_up, transition=_answered_if_open, states=ALL,
        input=TakenUpInput, guards=(guards.appeal_wished,), event="appeal_taken_up", system=True, manual=False,
    ),
    Action(
        "mark_complex", _("Complex: thirty days"), LEADS, _lengthen(Category.COMPLEX), states=LIVE,
        input=WhyInput, guards=(guards.complaint, guards.simple), order=30,
    ),
    Action(
        "extend", _("Approve thirty days more"), APPROVERS, _lengthen(Category.EXTENDED), states=LIVE,
        input=WhyInput, guards=(guards.complaint, guards.complex_), four_eyes=("mark_complex",),
        event="extended", order=35,
    ),
    Action(
        "send_forms", _("Send forms by e-mail"), DESK, _send_more, states=ALL, input=SendInput,
        guards=(guards.forms_offered, guards.nothing_on_its_way), event="forms_sent", order=40,
    ),
    Action(
        "close", _("Close"), ANSWERERS, _close, transition="close", input=CloseInput, event="enquiry_closed",
        order=60,
    ),
    Action(
        "reopen", _("Reopen"), ANSWERERS, _reopen, transition="reopen", input=WhyInput,
        event="enquiry_reopened", order=70,
    ),
)  # fmt: skip
for one in ACTIONS:
    KIND.action(one)
add_common_actions(KIND)


def _assign_disinterested(ctx: Ctx[Any]) -> None:
    ASSIGN.handler(ctx)
    guards.refuse(guards.conflict_of(ctx.subject, ctx.case.assignee_id), "assignee")


ASSIGN = KIND.actions["assign"]
KIND.actions["assign"] = replace(ASSIGN, handler=_assign_disinterested)
KIND.actions["take"] = replace(KIND.actions["take"], guards=(guards.disinterested,))
