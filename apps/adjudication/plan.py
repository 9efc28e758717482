"""A plan: the amounts that no handbook prints, as data."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Limit:
    """A ceiling. `per` is YEAR | VISIT | DAY | COUNT_YEAR; `value` yuan, or a count for COUNT_*."""

    per: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Coinsurance:
    """Share of the eligible amount that the insurer bears (1 = all), by use of social insurance.

    `unused_social` applies to a member insured with social insurance who did not use it (PR-11);
    `after_full_visits` applies once the fully paid visits are used up (EPY-01).
    """

    standard: Decimal = Decimal(1)
    unused_social: Decimal | None = None
    after_full_visits: Decimal | None = None


@dataclass(frozen=True, slots=True)
class WaitingPeriod:
    """Days from the start of continuous cover in which a cause is not covered (PR-16)."""

    cause: str  # ILLNESS | ACCIDENT
    days: int
    renewed_days: int = 0


@dataclass(frozen=True, slots=True)
class BenefitPlan:
    """One benefit of a plan. `code`: OUTPATIENT, EMERGENCY, INPATIENT, VACCINE, DENTAL, EYE,
    HEALTH_CHECK, MENTAL_HEALTH, …; `rider` names the rider that must be bought ("" = always)."""

    code: str
    rider: str = ""
    limits: tuple[Limit, ...] = ()
    deductible_visit: Decimal = Decimal(0)
    deductible_year: Decimal = Decimal(0)
    coinsurance: Coinsurance = Coinsurance()
    full_pay_visits: int | None = None
    waiting: tuple[WaitingPeriod, ...] = ()
    item_limits: tuple[tuple[str, Limit], ...] = ()  # item kind (BED, …) → limit
    excluded_items: tuple[str, ...] = ()  # item kinds or codes outside cover
    shares_deductible_with: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    code: str
    series: str
    version: str
    annual_maximum: Decimal
    benefits: tuple[BenefitPlan, ...]
    priced_net_of_social: bool = False  # PR-11: only then is absence of settlement penalised
    excluded_diagnoses: tuple[str, ...] = ()  # ICD-10 prefixes
    excluded_items: tuple[str, ...] = ()
    stay_belongs_to_admission: bool = True  # PR-14
    health_check_needs_rider: bool = True  # PR-17
    sample: bool = False

    def benefit(self, code: str) -> BenefitPlan | None:
        return next((benefit for benefit in self.benefits if benefit.code == code), None)
