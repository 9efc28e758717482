"""Statements: what a policy's claims came to over a period, as a PDF letter and as Excel.

The context is gathered once and kept with the statement; rendering happens in a worker. A statement of
a payee or a hospital will be another gatherer over the same table.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.roles import role_needed
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.claims.limits import limit_title
from apps.claims.models import Decision, DecisionLine, Visit
from apps.core.days import end_of_day, start_of_day
from apps.core.errors import InvalidInput, NotFound
from apps.core.excel import workbook_bytes
from apps.core.money import format_yuan, to_yuan
from apps.core.numbers import next_number
from apps.core.queue import enqueue
from apps.documents.fonts import rare_characters, rare_font, without
from apps.documents.rendering import STRAIGHT_QUOTES, write_pdf
from apps.documents.series import series_block
from apps.documents.storage import store_bytes
from apps.finance.access import STATEMENT_DESK
from apps.finance.models import Statement
from apps.ledger.queries import limits_of
from apps.members.models import Policy
from apps.payments.models import PaymentOrder
from apps.products.queries import current_handbook

log = logging.getLogger(__name__)
LONGEST = 1100  # days of a period
LEASE = timedelta(minutes=5)
GIVE_UP_AFTER = 10


def statements_visible_to(actor: Actor) -> QuerySet[Statement]:
    _need(actor)
    rows = Statement.objects.select_related("policy__member", "made_by", "file")
    return visible_to(rows, actor)


def _need(actor: Actor) -> None:
    if not STATEMENT_DESK & actor.roles:
        raise role_needed(actor, STATEMENT_DESK)


# --- Making one --------------------------------------------------------------------------------------


def make_statement(
    actor: Actor,
    policy_number: str,
    since: date,
    until: date,
    *,
    language: str = "zh-hans",
    now: datetime | None = None,
) -> Statement:
    """Gather and number a statement of the claims reported from `since` to `until` (both inclusive).

    The PDF follows after the commit. Raises NotFound for a policy the actor may not see.
    """
    _need(actor)
    now = now or timezone.now()
    if until < since:
        raise InvalidInput(_("The period ends before it begins."), field="until", code="period")
    if (until - since).days > LONGEST:
        raise InvalidInput(_("At most three years are possible."), field="until", code="too_long")
    if language not in ("zh-hans", "en"):
        raise InvalidInput(_("Expected zh-hans or en."), field="language", code="unknown_code")
    policies = Policy.objects.select_related("member", "plan")
    policy = visible_to(policies, actor).filter(number=policy_number.strip()).first()
    if policy is None:
        raise NotFound(_("No such policy: %(number)s") % {"number": policy_number[:40]}, field="policy")
    with transaction.atomic():
        statement = Statement.objects.create(
            number=next_number(f"S{timezone.localtime(now):%y}"),
            policy=policy,
            since=since,
            until=until,
            language=language,
            context=gather(policy, since, until, language),
            made_by_id=actor.person_id,
            made_at=now,
            next_attempt_at=now,
        )
        transaction.on_commit(lambda: _start_rendering(statement.pk))
    return statement


def _start_rendering(pk: int) -> None:
    from apps.finance.tasks import render_statement

    if not enqueue(render_statement, pk):
        log.debug("statement waits for the sweep", extra={"statement": pk})


def gather(policy: Policy, since: date, until: date, language: str) -> dict[str, Any]:
    """Everything a statement says, in plain JSON; amounts in fen. Six queries."""
    handbook = current_handbook(policy.series).handbook
    with translation.override("en" if language == "en" else "zh-hans"):
        claims = _claims(policy, since, until)
        return {
            "series": series_block(handbook),
            "policy": policy.number,
            "plan": policy.plan.name
            if language != "en"
            else getattr(policy.plan, "name_en", "") or policy.plan.name,
            "child": policy.member.masked_name,
            "effective_on": policy.effective_on.isoformat(),
            "expires_on": policy.expires_on.isoformat(),
            "since": since.isoformat(),
            "until": until.isoformat(),
            "claims": claims,
            "total": {
                name: sum(row[name] or 0 for row in claims)
                for name in ("billed_fen", "third_party_fen", "own_fen", "decided_fen", "paid_fen")
            },
            "payments": _payments(policy, since, until),
            "limits": _limits(policy),
        }


def _claims(policy: Policy, since: date, until: date) -> list[dict[str, Any]]:
    start, end = start_of_day(since), end_of_day(until)
    cases = CaseFile.objects.filter(policy=policy, kind="claim", opened_at__gte=start, opened_at__lt=end)
    cases = cases.select_related("claim").order_by("opened_at", "pk")
    ids = [case.pk for case in cases]
    visits: dict[int, list[Visit]] = defaultdict(list)
    for visit in Visit.objects.filter(claim__in=ids).select_related("hospital").order_by("started_on", "pk"):
        visits[visit.claim_id].append(visit)
    billed = _billed(ids)
    decided = _decided(ids)
    paid = dict(
        PaymentOrder.objects.filter(case__in=ids, state=PaymentOrder.State.PAID)
        .order_by()
        .values_list("case")
        .annotate(fen=Sum("amount_fen"))
    )
    return [
        {
            "case": case.number,
            "reported_on": timezone.localtime(case.opened_at).date().isoformat(),
            "visited_on": visits[case.pk][0].started_on.isoformat() if visits[case.pk] else "",
            "hospital": "、".join(dict.fromkeys(visit.hospital.name for visit in visits[case.pk])),
            "state": str(case.get_state_display()),
            "billed_fen": billed.get(case.pk, 0),
            "paid_fen": paid.get(case.pk, 0),
            **_shares(case, decided.get(case.pk)),
        }
        for case in cases
    ]


def _billed(ids: Iterable[int]) -> dict[int, int]:
    rows = (
        Visit.objects.filter(claim__in=list(ids)).exclude(bills__state__in=["VOID", "RED_LETTER"]).order_by()
    )
    return dict(rows.values_list("claim").annotate(fen=Sum("bills__amount_fen")))


def _decided(ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """The lines of the decision in force, added up by claim."""
    latest = Decision.objects.filter(claim=OuterRef("decision__claim")).order_by("-version").values("pk")[:1]
    lines = DecisionLine.objects.filter(decision__claim__in=list(ids), decision=Subquery(latest)).order_by()
    sums = lines.values("decision__claim").annotate(
        third=Sum("third_party_fen"), own=Sum(F("disallowed_fen") + F("deductible_fen") + F("member_fen"))
    )
    return {row["decision__claim"]: {"third": row["third"], "own": row["own"]} for row in sums}


def _shares(case: CaseFile, sums: dict[str, int] | None) -> dict[str, int | None]:
    """Of a decided claim: others' share, the family's own, ours. Nothing of one that is open."""
    decided = case.claim.decided_fen
    if sums is None or decided is None:
        return {"third_party_fen": None, "own_fen": None, "decided_fen": None}
    return {"third_party_fen": sums["third"], "own_fen": sums["own"], "decided_fen": decided}


def _payments(policy: Policy, since: date, until: date) -> list[dict[str, Any]]:
    start, end = start_of_day(since), end_of_day(until)
    rows = PaymentOrder.objects.filter(
        Q(case__policy=policy), state=PaymentOrder.State.PAID, paid_at__gte=start, paid_at__lt=end
    )
    return [
        {
            "on": timezone.localtime(row.paid_at).date().isoformat(),
            "order": row.number,
            "case": row.about,
            "bank": row.payee.bank,
            "account": row.payee.account_masked,
            "amount_fen": row.amount_fen,
        }
        for row in rows.select_related("case", "payee").order_by("paid_at", "pk")
        if row.paid_at is not None
    ]


def _limits(policy: Policy) -> list[dict[str, str]]:
    """Only limits that stand for a year; those of a visit or a day say nothing about what is left."""
    return [
        {
            "title": str(limit_title(row.key)),
            "limit": _shown(row.unit, row.ceiling),
            "used": _shown(row.unit, row.used + row.reserved),
            "left": _shown(row.unit, row.left),
        }
        for row in limits_of(policy.pk)
        if row.key == "annual" or row.key.endswith((":year", ":count"))
    ]


def _shown(unit: str, value: int) -> str:
    return format_yuan(value) if unit == "FEN" else str(value)


# --- PDF and Excel -----------------------------------------------------------------------------------


def render_html(statement: Statement) -> str:
    """The letter as HTML, in its language."""
    english = statement.language == "en"
    with translation.override("en" if english else "zh-hans"):
        html = render_to_string(
            "finance/statement.html",
            statement.context
            | {
                "statement": statement,
                "lang": "en" if english else "zh",
                "dated": timezone.localtime(statement.made_at).date(),
            },
        )
    return html.translate(STRAIGHT_QUOTES) if english else html


def render_pdf(statement: Statement) -> bytes:
    """PDF/A with the fonts and style of our letters. Workers only."""
    html = render_html(statement)
    rare = rare_characters(html)
    font, missing = rare_font(rare) if rare else (None, "")
    return write_pdf(without(html, missing), str(font or ""))


def claim_statement(pk: int) -> Statement | None:
    """The statement if nobody renders it now (compare-and-set on the lease)."""
    now = timezone.now()
    mine = Statement.objects.filter(pk=pk, file=None, next_attempt_at__lte=now).update(
        attempts=F("attempts") + 1, next_attempt_at=now + LEASE
    )
    return Statement.objects.get(pk=pk) if mine else None


def keep_pdf(statement: Statement, pdf: bytes) -> None:
    with transaction.atomic():
        stored = store_bytes(pdf, f"{statement.number}.pdf", "application/pdf")
        Statement.objects.filter(pk=statement.pk, file=None).update(
            file=stored, next_attempt_at=None, error=""
        )


def put_off(statement: Statement, error: Exception) -> None:
    """Later again, each time longer; after GIVE_UP_AFTER tries a person must look."""
    pause = min(timedelta(minutes=2 ** (statement.attempts - 1)), timedelta(hours=1))
    later = None if statement.attempts >= GIVE_UP_AFTER else timezone.now() + pause
    Statement.objects.filter(pk=statement.pk, file=None).update(
        next_attempt_at=later, error=f"{type(error).__name__}: {error}"[:2000]
    )


# By name: a database may give the members of a JSON object back in any order.
SUMS = ("billed_fen", "third_party_fen", "own_fen", "decided_fen", "paid_fen")


def statement_workbook(statement: Statement) -> bytes:
    """The same figures as sheets: claims, payments, limits."""
    context = statement.context
    with translation.override("en" if statement.language == "en" else "zh-hans"):
        claims = [
            [
                row["case"], row["reported_on"], row["visited_on"], row["hospital"], row["state"],
                *(_yuan(row[name]) for name in SUMS),
            ]
            for row in context["claims"]
        ]  # fmt: skip
        claims.append([_("Total"), "", "", "", "", *(_yuan(context["total"][name]) for name in SUMS)])
        columns = [
            _("Case"), _("Reported on"), _("Visit"), _("Hospital"), _("State"), _("Billed"), _("Third party"),
            _("Own share"), _("Insurer pays"), _("Paid"),
        ]  # fmt: skip
        payments = [
            [row["on"], row["order"], row["case"], row["bank"], row["account"], _yuan(row["amount_fen"])]
            for row in context["payments"]
        ]
        limits = [[row["title"], row["limit"], row["used"], row["left"]] for row in context["limits"]]
        return workbook_bytes(
            {
                _("Claims"): (columns, claims),
                _("Payments"): (
                    [_("Date"), _("Payment order"), _("Case"), _("Bank"), _("Account"), _("Amount")], payments
                ),
                _("Limits"): ([_("Limit"), _("Full amount"), _("Used"), _("Left")], limits),
            }
        )  # fmt: skip


def _yuan(fen: int | None) -> Any:
    return None if fen is None else to_yuan(fen)
