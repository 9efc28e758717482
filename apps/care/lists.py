"""The lists of home tests and of requests: filters, rows, columns of the Excel file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.care.catalog import OFFERS
from apps.care.models import HomeTest, ServiceRequest
from apps.care.panels import flags_of
from apps.care.queries import rows_of, searched
from apps.care.workflow import SERVICE_FINAL, SERVICE_STATES, TEST_FINAL, TEST_STATES

R = TypeVar("R", HomeTest, ServiceRequest)
LIVE, ALL = "live", "all"


@dataclass(frozen=True)
class Filters:
    state: str = LIVE  # live | all | a state
    sort: str = ""
    series: str = ""
    who: str = ""  # mine | nobody
    q: str = ""

    def given(self) -> dict[str, str]:
        """Those that narrow the list."""
        usual = asdict(Filters())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}


@dataclass(frozen=True)
class Listing(Generic[R]):
    model: type[R]
    template: str
    states: Mapping[str, Any]
    final: frozenset[str]
    sorts: Mapping[str, Any]
    recent: str  # the column by which the newest stand first
    head: Callable[[], Sequence[str]]
    tail: Callable[[R], Sequence[Any]]

    def filters_of(self, params: Mapping[str, str]) -> Filters:
        """Filters from an address; what is not understood is left out."""
        state, sort, who = params.get("state", LIVE), params.get("sort", ""), params.get("who", "")
        return Filters(
            state=state if state in (LIVE, ALL, *self.states) else LIVE,
            sort=sort if sort in self.sorts else "",
            series=params.get("series", "")[:10],
            who=who if who in ("mine", "nobody") else "",
            q=params.get("q", "").replace("\x00", "").strip()[:60],
        )

    def found(self, actor: Actor, filters: Filters) -> QuerySet[R]:
        """What is searched for by number is found in every state."""
        rows = rows_of(self.model, actor)
        if filters.q:
            rows = searched(rows, filters.q)
        elif filters.state == LIVE:
            rows = rows.exclude(case__state__in=self.final)
        if filters.state in self.states:
            rows = rows.filter(case__state=filters.state)
        if filters.sort:
            rows = rows.filter(**{"code": filters.sort})
        if filters.series:
            rows = rows.filter(case__series=filters.series)
        if filters.who:
            rows = rows.filter(case__assignee=actor.user_id if filters.who == "mine" else None)
        return rows.order_by(self.recent, "-pk")

    def columns(self) -> list[str]:
        shared: list[str] = [
            _("Case"),
            _("Series"),
            _("Child"),
            _("Policy"),
            _("State"),
            _("Due"),
            _("Assignee"),
            _("Provider"),
        ]
        return [*shared, *self.head(), _("Remarks")]

    def cells(self, row: R) -> list[Any]:
        case = row.case
        shared: list[Any] = [
            case.number, case.series, case.member.masked_name, case.policy.number, case.get_state_display(), case.next_due,
            str(case.assignee or ""), case.provider,
        ]  # fmt: skip
        return [*shared, *self.tail(row), "；".join(f"{words} {rule}" for words, rule in flags_of(row))]


TESTS = Listing(
    HomeTest, "care/tests.html", TEST_STATES, TEST_FINAL, {}, "-ordered_at",
    lambda: [
        _("Month"), _("Ordered at"), _("City"), _("Address recognition"), _("Sampled at"), _("Reported at"), _("Outcome"),
        _("Why it ended"),
    ],
    lambda row: [
        row.month, row.ordered_at, row.city, str(row.get_recognized_display()), row.sampled_at, row.reported_at,
        str(row.get_outcome_display()) if row.outcome else "", row.ended_why,
    ],
)  # fmt: skip
SERVICES = Listing(
    ServiceRequest, "care/requests.html", SERVICE_STATES, SERVICE_FINAL,
    {code: offer.words for code, offer in OFFERS.items()}, "-received_at",
    lambda: [
        _("Service"), _("Rule"), _("Channel"), _("Who asked"), _("Text"), _("Received at"), _("Specialist"),
        _("Who answered"), _("Answered at"), _("Why it ended"),
    ],
    lambda row: [
        str(OFFERS[row.code].words), row.rule, row.channel, row.asker, row.text, row.received_at, row.specialist,
        row.responder, row.answered_at, row.ended_why,
    ],
)  # fmt: skip
