"""Deciding what is clean, up to the amount managers set; everything else is left to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from apps.accounts.actors import SYSTEM, Actor
from apps.cases.engine import perform_each
from apps.cases.inputs import ask, parse_input
from apps.cases.models import CaseFile
from apps.claims.actions.straight import why_not
from apps.claims.assess import adjudicate_many
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.money import to_fen, to_yuan
from apps.products.queries import series_codes
from apps.quality.models import QualityRule, StraightLook
from apps.quality.roles import MANAGERS

BATCH = 50


def one_series(ctx: Any) -> list[tuple[Any, Any]]:
    """Series with a published handbook, as choices."""
    return [(code, code) for code in series_codes()]


@dataclass(frozen=True, kw_only=True)
class RuleInput:
    """How a series is decided without people and inspected; percent are whole numbers."""

    series: str = ask(_("Series"), choices=one_series, widget="select")
    straight: bool = ask(_("Decide clean claims without a person"), default=False)
    ceiling: Decimal = ask(
        _("Up to (yuan the insurer pays, inclusive)"), widget="money", minimum=0, default=Decimal(0)
    )
    straight_percent: int = ask(_("Inspected of these, %"), minimum=0, maximum=100, default=10)
    manual_percent: int = ask(_("Inspected of people's decisions, %"), minimum=0, maximum=100, default=3)
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class Run:
    """What one run did: claims decided, and claims left to people."""

    decided: int = 0
    left: int = 0

    def __add__(self, other: Run) -> Run:
        return Run(self.decided + other.decided, self.left + other.left)


def set_rule(actor: Actor, data: RuleInput | dict[str, object]) -> QualityRule:
    """A new rule for a series; the former one stays in the history. Raises NotAllowed, InvalidInputs."""
    if not actor.roles & MANAGERS or actor.restricted:
        raise NotAllowed(_("Only a manager sets how far claims are decided without a person."), code="role")
    given = data if isinstance(data, RuleInput) else parse_input(RuleInput, data)
    if given.series not in series_codes():
        raise InvalidInput(
            _("No handbook of series %(series)s is published.") % {"series": given.series},
            code="unknown_series",
            field="series",
        )
    if given.straight and not given.straight_percent:
        raise InvalidInput(
            _("What no person decides must be inspected: at least 1 %."),
            code="not_inspected",
            field="straight_percent",
        )
    return QualityRule.objects.create(
        series=given.series, straight=given.straight, ceiling_fen=to_fen(given.ceiling),
        straight_percent=given.straight_percent, manual_percent=given.manual_percent,
        set_by_id=actor.person_id, set_at=timezone.now(), reason=given.reason,
    )  # fmt: skip


def rules_in_force() -> dict[str, QualityRule]:
    """The newest rule of each series; one query."""
    newest = QualityRule.objects.order_by().values("series").annotate(newest=Max("pk")).values("newest")
    rules = QualityRule.objects.filter(pk__in=newest).select_related("set_by").order_by("-series")
    return {rule.series: rule for rule in rules}


def waiting(rule: QualityRule) -> QuerySet[CaseFile]:
    """Claims with complete papers that this rule has not looked at as they stand now."""
    looked = StraightLook.objects.filter(case=OuterRef("pk"), version=OuterRef("version"), rule=rule)
    cases = CaseFile.objects.filter(kind="claim", state="COMPLETE", open=True, series=rule.series)
    return cases.filter(~Exists(looked)).order_by("pk")


def run_straight(*, limit: int = 2000) -> Run:
    """Decide what is clean in every series that allows it. Repeating it does no harm."""
    total = Run()
    for rule in rules_in_force().values():
        if rule.straight:
            numbers = list(waiting(rule).values_list("pk", flat=True)[:limit])
            for start in range(0, len(numbers), BATCH):
                total += _decide_batch(rule, numbers[start : start + BATCH])
    return total


def _decide_batch(rule: QualityRule, keys: Sequence[int]) -> Run:
    now = timezone.now()
    related = ("claim__payee", "member", "policy__plan", "handbook")
    cases = list(
        CaseFile.objects.filter(pk__in=keys, state="COMPLETE").select_related(*related).order_by("pk")
    )
    found = adjudicate_many(cases, now)
    reasons = {case.pk: why_not(found[case.pk], rule.ceiling_fen) for case in cases}
    clean = [case for case in cases if reasons[case.pk] is None]
    versions = {case.number: case.version for case in clean}
    data = {"ceiling": to_yuan(rule.ceiling_fen)}
    # Looked at again on the locked limits: another claim may have used them up meanwhile.
    refusals = perform_each(versions, "straight_through", SYSTEM, data=data, now=now) if clean else {}
    for case in clean:
        refusal = refusals[case.number]
        reasons[case.pk] = refusal.message if refusal is not None else None
    left = [(case, reasons[case.pk]) for case in cases if reasons[case.pk] is not None]
    _remember(rule, left, now)
    return Run(len(cases) - len(left), len(left))


def _remember(rule: QualityRule, left: Sequence[tuple[CaseFile, object]], now: datetime) -> None:
    with override("zh-hans"):
        rows = [
            StraightLook(case_id=case.pk, version=case.version, rule=rule, reason=str(reason)[:200], at=now)
            for case, reason in left
        ]
    StraightLook.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["case"], update_fields=["version", "rule", "reason", "at"]
    )
