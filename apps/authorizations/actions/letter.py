"""The guarantee letter (PA-01, PA-21): issued, sent, sent again, issued anew, voided, expired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from apps.authorizations import guards
from apps.authorizations.actions.review import ReasonInput
from apps.authorizations.assess import trial_in
from apps.authorizations.letters import issue, send, take_back, tell_family, tell_hospital
from apps.authorizations.promises import give_back
from apps.authorizations.roles import DECIDERS, DESK, SUPERVISORS
from apps.authorizations.workflow import AT_HOSPITAL, KIND, LETTER_OUT
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.core.errors import Blocked, InvalidInput
from apps.documents.models import Letter
from apps.documents.queries import letters_in


@dataclass(frozen=True, kw_only=True)
class SendInput:
    email: str = ask(_("Email of the hospital"), default="", max_length=200, help=_("empty = as it stands"))


@dataclass(frozen=True, kw_only=True)
class ReissueInput:
    valid_until: date = ask(_("Valid until"))
    conditions: str = ask(_("Conditions"), default="", widget="textarea", max_length=600)
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True, kw_only=True)
class DeliveredInput:
    at: datetime = ask(_("Reached the hospital at"))
    evidence: str = ask(_("Evidence"), max_length=200)


def _issue_letter(ctx: Ctx[NoInput]) -> None:
    letter = _written(ctx)
    if ctx.subject.contact_email:
        send(ctx, letter)
    tell_family(ctx, "approved")


def _written(ctx: Ctx[Any]) -> Letter:
    """PA-21: only for a place that bills directly on the planned day, whoever asks for it."""
    found = trial_in(ctx).billing
    if not found.direct:
        raise Blocked(
            _("No letter for this hospital: %(why)s") % {"why": found.why}, code="no_network", rule=found.rule
        )
    return issue(ctx)


def _send(ctx: Ctx[SendInput]) -> None:
    assert ctx.input is not None
    given = ctx.subject
    if ctx.input.email:
        try:
            validate_email(ctx.input.email)
        except ValidationError as error:
            words = _("This is no e-mail address.")
            raise InvalidInput(words, code="email", field="email") from error
        given.contact_email = ctx.input.email
        ctx.update(given, "contact_email")
    if not given.contact_email:
        raise InvalidInput(_("Nobody knows yet where to send the letter."), code="required", field="email")
    letter = guards.newest(letters_in(ctx.loaded, ctx.case))
    assert letter is not None  # guarded
    send(ctx, letter)


def _delivered(ctx: Ctx[DeliveredInput]) -> None:
    assert ctx.input is not None
    given = ctx.subject
    given.received_at = ctx.input.at
    ctx.update(given, "received_at")
    ctx.data["evidence"] = ctx.input.evidence


def _reissue(ctx: Ctx[ReissueInput]) -> None:
    """Version n + 1 replaces the letter; the public page says so at once."""
    assert ctx.input is not None
    given, until = ctx.subject, ctx.input.valid_until
    if not given.planned_on <= until <= ctx.case.policy.covered_until:
        words = _("Between %(first)s and %(last)s is expected.") % {
            "first": given.planned_on, "last": ctx.case.policy.covered_until,
        }  # fmt: skip
        raise InvalidInput(words, code="range", field="valid_until", rule="PA-02")
    given.valid_until, given.conditions = until, ctx.input.conditions
    ctx.update(given, "valid_until", "conditions")
    ctx.reason = ctx.input.reason
    letter = _written(ctx)
    if given.contact_email:
        send(ctx, letter)


def _suspend(ctx: Ctx[NoInput]) -> None:
    """BIL-03, BIL-21: the hospital has a letter on a card that no longer serves, and is told before it admits."""
    letter, card = guards.newest(letters_in(ctx.loaded, ctx.case)), guards.greyed_in(ctx)
    assert letter is not None  # a letter is out
    assert card is not None  # guarded
    ctx.data["rule"] = guards.stopping_rule(ctx.handbook, card)
    tell_hospital(ctx, letter, "guarantee_suspended")


def _resume(ctx: Ctx[NoInput]) -> None:
    letter = guards.newest(letters_in(ctx.loaded, ctx.case))
    assert letter is not None  # a letter is out
    tell_hospital(ctx, letter, "guarantee_resumed")


def _void(ctx: Ctx[ReasonInput]) -> None:
    """Not for an admitted child: the state forbids it."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    take_back(ctx, guards.newest(letters_in(ctx.loaded, ctx.case)), reason=ctx.input.reason)
    give_back(ctx)
    ctx.case.open, ctx.case.closed_at = False, ctx.now


def _expire(ctx: Ctx[NoInput]) -> None:
    """Start and validity passed unused: the reservation goes back (the page says expired by its date)."""
    give_back(ctx)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    tell_family(ctx, "lapsed" if ctx.case.state == "APPROVED" else "expired")


def _as_it_stands(ctx: Ctx[Any]) -> dict[str, Any]:
    return {"valid_until": ctx.subject.valid_until, "conditions": ctx.subject.conditions}


for action in (
    Action("issue_letter", _("Issue the letter"), DESK, _issue_letter, transition="issue_letter",
           states=frozenset({"APPROVED"}), guards=(guards.card_serves, guards.valid_today), event="letter_issued",
           system=True, style="primary", order=10),
    Action("send_letter", _("Send the letter"), DESK, _send, states=LETTER_OUT | AT_HOSPITAL, input=SendInput,
           guards=(guards.not_on_its_way, guards.card_serves_or_admitted), event="letter_queued", order=20),
    Action("letter_delivered", _("Letter delivered"), frozenset(), _delivered,
           transition=lambda ctx: "deliver_letter" if ctx.case.state == "LETTER_ISSUED" else "",
           states=LETTER_OUT | AT_HOSPITAL, input=DeliveredInput, event="letter_sent", system=True, manual=False),
    Action("reissue", _("Issue the letter anew"), DECIDERS, _reissue, transition="issue_letter", states=LETTER_OUT,
           input=ReissueInput, initial=_as_it_stands, guards=(guards.card_serves,), event="letter_issued", order=40),
    Action("suspend_letter", _("Letter suspended"), frozenset(), _suspend, states=LETTER_OUT,
           guards=(guards.card_stopped,), event="letter_suspended", system=True, manual=False),
    Action("resume_letter", _("Letter serves again"), frozenset(), _resume, states=LETTER_OUT,
           guards=(guards.card_serves, guards.is_suspended), event="letter_resumed", system=True, manual=False),
    Action("void", _("Void the letter"), SUPERVISORS | DECIDERS, _void, transition="void", input=ReasonInput,
           event="letter_voided", style="danger", order=90),
    Action("expire", _("Expired unused"), frozenset(), _expire, transition="expire", guards=(guards.unused_and_over,),
           event="letter_expired", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
