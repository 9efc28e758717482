"""Random samples of decisions, each opening inspections."""

from __future__ import annotations

import random
import secrets
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM, Actor
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.models import CaseFile
from apps.claims.models import Decision
from apps.core.days import end_of_day, start_of_day
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.quality.actions.straight import rules_in_force
from apps.quality.models import Draw, Inspection
from apps.quality.roles import DRAWERS
from apps.quality.workflow import KIND, InspectionFlow

LONGEST = 366  # days a sample drawn by hand may span


def population(series: str, stratum: str, since: datetime, until: datetime) -> QuerySet[Decision]:
    """Decisions of a span that nobody has inspected: since inclusive, until exclusive."""
    decisions = Decision.objects.filter(
        claim__case__series=series, decided_at__gte=since, decided_at__lt=until, inspection=None
    )
    return decisions.filter(proposed_by__isnull=stratum == Draw.Stratum.STRAIGHT)


def draw_yesterday(now: datetime | None = None) -> list[Draw]:
    """Every series by its rule, once a day however often it runs."""
    today = timezone.localtime(now or timezone.now()).date()
    since, until = start_of_day(today - timedelta(days=1)), start_of_day(today)
    drawn = []
    for series, rule in rules_in_force().items():
        for stratum, percent in (
            (Draw.Stratum.STRAIGHT, rule.straight_percent),
            (Draw.Stratum.MANUAL, rule.manual_percent),
        ):
            if not percent:
                continue
            try:
                drawn.append(draw(SYSTEM, series, stratum, since, until, percent))
            except Conflict:
                continue  # another worker was faster
    return drawn


def draw_by_hand(actor: Actor, series: str, stratum: str, since: date, until: date, percent: int) -> Draw:
    """A further sample: days inclusive, percent 1 to 100. Raises NotAllowed, InvalidInput."""
    if not actor.roles & DRAWERS:
        raise NotAllowed(_("Samples are drawn by quality check or a manager."), code="role")
    if actor.restricted and series not in actor.series:
        raise NotAllowed(_("This series is not yours."), code="series", field="series")
    if not 1 <= percent <= 100:
        raise InvalidInput(_("From 1 to 100."), code="range", field="percent")
    if not timedelta(0) <= until - since <= timedelta(days=LONGEST):
        raise InvalidInput(
            _("The last day lies on or after the first, at most a year later."), code="order", field="until"
        )
    return draw(actor, series, stratum, start_of_day(since), end_of_day(until), percent)


@transaction.atomic
def draw(actor: Actor, series: str, stratum: str, since: datetime, until: datetime, percent: int) -> Draw:
    """Draw `percent` of the population, rounded up, by a seed that is kept; raises Conflict when the
    day was drawn already."""
    keys = sorted(population(series, stratum, since, until).values_list("pk", flat=True))
    seed = secrets.token_hex(8)
    chosen = sorted(sample(keys, percent, seed))
    try:
        with transaction.atomic():
            row = Draw.objects.create(
                series=series, stratum=stratum, since=since, until=until, percent=percent, population=len(keys),
                drawn=len(chosen), seed=seed, drawn_by_id=actor.user_id, drawn_at=timezone.now(),
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(_("This day was drawn already."), code="drawn_already") from error
    related = ("claim__case__member", "claim__case__policy", "claim__case__handbook")
    for decision in Decision.objects.filter(pk__in=chosen).select_related(*related).order_by("pk"):
        open_inspection(actor, decision, row)
    return row


def sample(keys: list[int], percent: int, seed: str) -> list[int]:
    """The same keys, percent and seed give the same sample."""
    return random.Random(seed).sample(keys, -(-len(keys) * percent // 100))


def open_inspection(actor: Actor, decision: Decision, row: Draw | None) -> CaseFile:
    claim = decision.claim.case

    def fill(ctx: Ctx[object]) -> None:
        ctx.add(
            Inspection(
                case=ctx.case,
                claim_case=claim,
                decision=decision,
                draw=row,
                decider_id=decision.proposed_by_id,
            )
        )
        ctx.data |= {"claim": claim.number, "version": decision.version}

    case = InspectionFlow(
        series=claim.series, tpa=claim.tpa, handbook=claim.handbook, member=claim.member, policy=claim.policy,
        hospital_id=claim.hospital_id, amount_fen=decision.insurer_fen, priority=3,
    )  # fmt: skip
    return open_case(KIND.code, actor, case=case, state="DRAWN", fill=fill, event="drawn")
