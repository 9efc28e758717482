"""TOML text → `Plan`: the amounts that no handbook prints, checked like a handbook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from apps.adjudication import codes
from apps.adjudication.errors import HandbookError
from apps.adjudication.handbook import Title
from apps.adjudication.plan import BenefitPlan, Coinsurance, Limit, Plan, WaitingPeriod
from apps.adjudication.reading import HandbookErrors, Table, read_toml

PERIODS = ("YEAR", "VISIT", "DAY", "COUNT_YEAR")


@dataclass(frozen=True, slots=True)
class PlanText:
    """A plan with what only people and the catalog need: its name and its scheme (GEN-02)."""

    plan: Plan
    title: Title
    scheme: str


def parse_plan(text: str) -> PlanText:
    """The plan of a text; raises HandbookErrors listing everything that is wrong with it."""
    problems: list[HandbookError] = []
    root = Table(read_toml(text), "", problems)
    head = root.table("plan")
    benefits = tuple(_benefit(table) for table in root.tables("benefits", "code", optional=False))
    root.done()
    title = head.table("title")
    result = PlanText(
        plan=Plan(
            code=head.text("code"),
            series=head.text("series"),
            version=head.text("version"),
            annual_maximum=head.yuan("annual_maximum") or Decimal(0),
            benefits=benefits,
            priced_net_of_social=head.flag("priced_net_of_social", False),
            excluded_diagnoses=head.texts("excluded_diagnoses", ()),
            excluded_items=head.texts("excluded_items", ()),
            stay_belongs_to_admission=head.flag("stay_belongs_to_admission", True),
            health_check_needs_rider=head.flag("health_check_needs_rider", True),
            sample=head.flag("sample", False),
        ),
        title=Title(zh=title.text("zh"), en=title.text("en")),
        scheme=head.text("scheme", ""),
    )
    title.done()
    head.done()
    _check_benefits(benefits, problems)
    if problems:
        raise HandbookErrors(problems)
    return result


def _benefit(table: Table) -> BenefitPlan:
    benefit = BenefitPlan(
        code=table.choice("code", codes.BENEFITS),
        rider=table.text("rider", ""),
        limits=tuple(_limits(table, "limits")),
        deductible_visit=table.yuan("deductible_visit", Decimal("0.00")) or Decimal("0.00"),
        deductible_year=table.yuan("deductible_year", Decimal("0.00")) or Decimal("0.00"),
        coinsurance=_coinsurance(table),
        full_pay_visits=table.integer("full_pay_visits", None, least=0),
        waiting=tuple(_waiting(entry) for entry in table.tables("waiting", "cause")),
        item_limits=tuple(_item_limits(table)),
        excluded_items=table.texts("excluded_items", ()),
        shares_deductible_with=table.text("shares_deductible_with", ""),
    )
    table.done()
    return benefit


def _limits(table: Table, key: str) -> Iterator[Limit]:
    seen: set[str] = set()
    for entry in table.tables(key, "per"):
        limit = _limit(entry)
        if limit.per in seen:
            entry.refuse("per", limit.per, "one limit of each kind")
        seen.add(limit.per)
        entry.done()
        yield limit


def _limit(entry: Table) -> Limit:
    per = entry.choice("per", PERIODS)
    value = entry.decimal("value") or Decimal(0)
    if per.startswith("COUNT") and value != value.to_integral_value():
        entry.refuse("value", str(value), "a whole count")
    return Limit(per=per, value=value)


def _item_limits(table: Table) -> Iterator[tuple[str, Limit]]:
    for entry in table.tables("item_limits", "kind"):
        kind = entry.choice("kind", codes.LINE_KINDS)
        limit = _limit(entry)
        entry.done()
        yield kind, limit


def _waiting(entry: Table) -> WaitingPeriod:
    waiting = WaitingPeriod(
        cause=entry.choice("cause", codes.CAUSES),
        days=entry.integer("days", least=0),
        renewed_days=entry.integer("renewed_days", 0, least=0),
    )
    entry.done()
    return waiting


def _coinsurance(table: Table) -> Coinsurance:
    if not table.has("coinsurance"):
        return Coinsurance()
    inner = table.table("coinsurance")
    coinsurance = Coinsurance(
        standard=inner.decimal("standard", Decimal(1)) or Decimal(0),
        unused_social=inner.decimal("unused_social", None),
        after_full_visits=inner.decimal("after_full_visits", None),
    )
    for name in ("standard", "unused_social", "after_full_visits"):
        share: Decimal | None = getattr(coinsurance, name)
        if share is not None and share > 1:
            inner.refuse(name, str(share), "a share from 0 to 1")
    inner.done()
    return coinsurance


def _check_benefits(benefits: tuple[BenefitPlan, ...], problems: list[HandbookError]) -> None:
    found = [benefit.code for benefit in benefits]
    for code in sorted({code for code in found if found.count(code) > 1}):
        problems.append(HandbookError("benefits", code, "every benefit once"))
    for benefit in benefits:
        shared = benefit.shares_deductible_with
        if shared and (shared not in found or shared == benefit.code):
            problems.append(
                HandbookError(
                    f"benefits[{benefit.code}].shares_deductible_with", shared, "another benefit of the plan"
                )
            )
        if benefit.full_pay_visits is None and benefit.coinsurance.after_full_visits is not None:
            problems.append(
                HandbookError(
                    f"benefits[{benefit.code}].full_pay_visits", None, "a number, since a share follows it"
                )
            )
