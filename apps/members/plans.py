"""Which plan a roster means: by the plan's own code or name, or by the version it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.adjudication.handbook import Handbook
from apps.core.errors import InvalidInput
from apps.hospitals.series import SeriesBook, plain
from apps.products.models import Plan


@dataclass(frozen=True, slots=True)
class PlanChoice:
    plan_id: int
    code: str
    series: str
    scheme: str
    tpa: str


class PlanBook:
    """All plans and handbooks, read once an import; no query later."""

    def __init__(self) -> None:
        self.book = SeriesBook()
        self.plans: dict[tuple[str, str], list[Plan]] = {}
        self.codes: dict[int, str] = dict(Plan.every.values_list("pk", "code"))
        for plan in Plan.objects.all():
            version = (
                self.book.handbooks[plan.series].versions.get(plan.version) if self._known(plan) else None
            )
            words = [plan.code, plan.version, plan.name, plan.name_en]
            words += [version.title.zh, version.title.en] if version else []
            for name in {plain(word) for word in words if word}:
                self.plans.setdefault((plan.series, name), []).append(plan)

    def _known(self, plan: Plan) -> bool:
        return plan.series in self.book.handbooks

    def code_of(self, plan_id: int | None) -> str:
        return self.codes.get(plan_id or 0, "")

    def choose(self, series: str, plan: str, scheme: str, riders: list[str]) -> PlanChoice:
        """The plan of a row. Raises InvalidInput when it is not one of the series (GEN-01, GEN-02, GEN-03)."""
        handbook = self.book.series(series)
        found = self.plans.get((handbook.series, plain(plan)), [])
        if len(found) != 1:
            raise self._unknown(handbook, found)
        chosen = found[0]
        self._check_riders(handbook, chosen, riders)
        return PlanChoice(
            chosen.pk,
            chosen.code,
            handbook.series,
            self._scheme(handbook, scheme) or chosen.scheme,
            handbook.tpa,
        )

    def _unknown(self, handbook: Handbook, found: list[Plan]) -> InvalidInput:
        plans = found or [
            plan
            for (series, _name), plans in self.plans.items()
            if series == handbook.series
            for plan in plans
        ]
        known = " / ".join(dict.fromkeys(f"{plan.name} ({plan.code})" for plan in plans)) or "–"
        rule = handbook.rule("intake.versions")
        return InvalidInput(
            _("one plan of series %(series)s: %(known)s") % {"series": handbook.series, "known": known},
            code="plan",
            field="plan",
            rule=rule.id if rule else "",
        )

    def _scheme(self, handbook: Handbook, words: str) -> str:
        """Scheme and plan are two fields (GEN-02); a scheme has no network group of its own."""
        if not words:
            return ""
        version = self.book.version(handbook, words)
        if version is None:
            known = " / ".join(version.title.zh for version in handbook.versions.values())
            raise InvalidInput(
                _("a scheme of series %(series)s: %(known)s") % {"series": handbook.series, "known": known},
                code="scheme",
                field="scheme",
            )
        return version.code

    def _check_riders(self, handbook: Handbook, plan: Plan, riders: list[str]) -> None:
        offered = {benefit.rider for benefit in plan.terms.benefits if benefit.rider}
        unknown = sorted(set(riders) - offered)
        if unknown:
            raise InvalidInput(
                _("optional benefits of this plan: %(offered)s")
                % {"offered": " / ".join(sorted(offered)) or "–"},
                code="rider",
                field="riders",
            )
