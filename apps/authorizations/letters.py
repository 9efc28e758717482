"""What an authorization writes: the guarantee letter, the hospital's messages, the family's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import translation
from django.utils.text import Truncator

from apps.adjudication.codes import BENEFIT_NAMES
from apps.adjudication.handbook import Title
from apps.authorizations.assess import trial_in
from apps.cases.context import Ctx
from apps.core.money import format_yuan
from apps.documents.letter_contexts import GuaranteeContext
from apps.documents.letters import queue_letter, void_letter
from apps.documents.models import Letter
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_message

MOST_ITEMS = 16  # named one by one; the rest is counted, so that the letter stays one page
MOST_CUTS = 4
MOST_TREATMENT = 220
VISIT_WORDS = {
    "INPATIENT": Title("住院", "inpatient stay"),
    "OBSERVATION_WARD": Title("留观（病房）", "ward observation"),
    "OUTPATIENT": Title("门诊", "outpatient"),
    "EMERGENCY": Title("急诊", "emergency"),
}
ROOMY = 520  # characters that stand on one page in the usual size, beside what every letter says
A_LINE = 26  # of an item or a cut, however short
CUTS = frozenset({"ITEM_EXCLUDED", "NOT_COVERED", "ITEM_LIMIT", "DEDUCTIBLE", "COINSURANCE", "EXCLUSION"})


def issue(ctx: Ctx[Any]) -> Letter:
    """Queue the letter as it stands now; a former one is superseded (its page says so at once)."""
    return queue_letter(ctx, guarantee(ctx))


def guarantee(ctx: Ctx[Any]) -> GuaranteeContext:
    case, given = ctx.case, ctx.subject
    member, hospital = case.member, case.hospital
    assert hospital is not None  # every authorization names one
    found = trial_in(ctx)
    lines = found.lines
    cuts = {
        finding.code: Title(finding.message_zh, finding.message_en)
        for finding in found.decision.findings
        if finding.code in CUTS
    }
    items, shown = [line.name for line in lines[:MOST_ITEMS]], tuple(cuts.values())[:MOST_CUTS]
    return GuaranteeContext(
        case=case.number,
        hospital=Title(hospital.name, hospital.name_en or hospital.name),
        place=" ".join(
            part for part in (given.campus.name if given.campus else "", given.department) if part
        ),
        child=member.masked_name,
        identity=member.id_masked,
        identity_kind=_both(member.get_id_type_display),
        born_in=member.birth_date.year,
        sex=Title("男", "male") if member.sex == "M" else Title("女", "female"),
        policy=case.policy.number,
        plan=case.policy.plan.name,
        diagnosis=given.diagnosis_name,
        diagnosis_code=given.diagnosis,
        treatment=Truncator(given.treatment).chars(MOST_TREATMENT),
        visit=VISIT_WORDS[given.visit_type],
        benefit=Title(
            BENEFIT_NAMES.get(given.benefit, given.benefit), given.benefit.replace("_", " ").lower()
        ),
        planned_on=given.planned_on,
        planned_days=given.planned_days,
        valid_from=given.valid_from,
        valid_until=given.valid_until,
        cap_fen=given.approved_fen,
        items=tuple(items),
        more_items=max(len(lines) - MOST_ITEMS, 0),
        cuts=shown,
        conditions=given.conditions,
        dense=_said(given, items, shown) > ROOMY,
    )


def _said(given: Any, items: Sequence[str], cuts: Sequence[Title]) -> int:
    """About how much stands on the letter, in Chinese characters; two Latin ones are as wide as one."""
    listed = [*items, *(f"{cut.zh}{cut.en[: len(cut.en) // 2]}" for cut in cuts)]
    written = len(given.diagnosis_name) + min(len(given.treatment), MOST_TREATMENT) + len(given.conditions)
    return written + A_LINE * given.conditions.count("\n") + sum(max(len(text), A_LINE) for text in listed)


def _both(display: Any) -> Title:
    with translation.override("zh-hans"):
        zh = str(display())
    with translation.override("en"):
        return Title(zh, str(display()))


# --- To the hospital --------------------------------------------------------------------------------


def send(ctx: Ctx[Any], letter: Letter) -> None:
    """To the hospital's contact, once a sending: the key counts them."""
    given = ctx.subject
    given.sends += 1
    ctx.update(given, "sends")
    queue_message(
        ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="guarantee", recipient=given.contact_email,
        context=_to_hospital(ctx) | {"letter": letter.number, "letter_version": letter.version},
        key=f"{ctx.case.number}:guarantee:{letter.version}:{given.sends}", letter=letter,
    )  # fmt: skip
    ctx.data |= {"letter": letter.number, "letter_version": letter.version, "sending": given.sends}


def take_back(ctx: Ctx[Any], letter: Letter | None, *, reason: str) -> None:
    """Void the letter, and tell the hospital when it was sent there."""
    if letter is None:
        return
    void_letter(ctx, letter)
    given = ctx.subject
    if given.sends:
        queue_message(
            ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="guarantee_void",
            recipient=given.contact_email, key=f"{ctx.case.number}:void:{letter.version}",
            context=_to_hospital(ctx) | {"letter": letter.number, "letter_version": letter.version, "reason": reason},
        )  # fmt: skip
    ctx.data |= {"letter": letter.number, "letter_version": letter.version}


def tell_hospital(ctx: Ctx[Any], letter: Letter, template: str) -> None:
    """That a letter it has is suspended, or serves again; why is the family's affair."""
    given = ctx.subject
    if given.sends:
        queue_message(
            ctx, case=ctx.case, channel=Message.Channel.EMAIL, template=template, recipient=given.contact_email,
            key=f"{ctx.case.number}:{template}:{ctx.case.version}",
            context=_to_hospital(ctx) | {"letter": letter.number, "letter_version": letter.version},
        )  # fmt: skip
    ctx.data |= {"letter": letter.number, "letter_version": letter.version}


def _to_hospital(ctx: Ctx[Any]) -> dict[str, Any]:
    given = ctx.subject
    return {
        "addressee": given.contact_name or str(ctx.case.hospital),
        "cap": format_yuan(given.approved_fen),
        "planned_on": given.planned_on,
        "valid_until": given.valid_until,
    }


# --- To the family and whoever asked ------------------------------------------------------------------


def tell_family(ctx: Ctx[Any], outcome: str, **more: Any) -> None:
    """What became of the request: approved, no_letter, rejected, not_required or expired."""
    given = _row(ctx)
    context = {
        "outcome": outcome, "hospital": str(ctx.case.hospital), "planned_on": given.planned_on,
        "cap": format_yuan(given.approved_fen), "valid_until": given.valid_until, **more,
    }  # fmt: skip
    key = f"{ctx.case.number}:{outcome}:{ctx.case.version}"
    notify_member(ctx, template="authorization", context=context, key=key)


def tell_requester(ctx: Ctx[Any], papers: Iterable[Title]) -> None:
    """Everything missing in one message: to the hospital when it asked and left an address, else home."""
    given = ctx.subject
    titles = list(papers)
    key = f"{ctx.case.number}:papers:{ctx.case.version}"
    context = {"missing": [title.zh for title in titles], "planned_on": given.planned_on}
    if given.submitter == given.Submitter.HOSPITAL and given.contact_email:
        queue_message(
            ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="authorization_papers",
            recipient=given.contact_email, context=context | {"addressee": given.contact_name}, key=key,
        )  # fmt: skip
    else:
        notify_member(ctx, template="authorization_papers", context=context, key=key)


def _row(ctx: Ctx[Any]) -> Any:
    """The row of a case that is being opened is queued, not saved."""
    return ctx.loaded.get("row") or ctx.subject
