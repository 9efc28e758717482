"""The world of claims, bills in it, and days that pass.

world.bill()                        reported by the desk; the first reminder goes out by e-mail
world.deliver()                     the outbox delivers what is due
world.at("2026-09-21 09:30")        the clock moves there, and the sweep runs
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any, Self

from apps.accounts.actors import Actor
from apps.accounts.tests.factories import ApiClientFactory, UserFactory, make_actor, make_machine
from apps.billing.actions import Share, follow_claim, report_bill
from apps.billing.models import BillReminder, SelfPayBill
from apps.billing.tasks import sweep
from apps.billing.workflow import BillFlow
from apps.cards.models import Card, CardLink
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.tests.world import SHANGHAI, World
from apps.claims.workflow import ClaimFlow
from apps.core.errors import NotFound
from apps.hospitals.models import Hospital
from apps.members.models import Guardian, Member, Policy
from apps.messaging.delivery import deliver_due
from apps.messaging.models import CallTask, Message
from apps.products.actions import load_calendar

NOW = datetime(2026, 9, 14, 10, 0, tzinfo=SHANGHAI)  # Mon
_references = itertools.count(1)


class Bills(World):
    people = World.people | {
        "caller": ("collections",),
        "desk": ("service_specialist",),
        "boss": ("service_lead",),
    }

    clock: Any = None  # the frozen one of the test, for `at`

    def __init__(self, *series: str, now: datetime = NOW) -> None:
        super().__init__(*series, now=now)
        load_calendar([2026])

    def under(self, clock: Any) -> Self:
        self.clock = clock
        return self

    def bill(
        self, amount: str = "350.00", *, series: str = "2026", by: str | Actor = "desk", **fields: Any
    ) -> CaseFile:
        """As the desk enters it; a series that bills at closing gets a closed claim to it."""
        given = {
            "member": f"M{series}", "hospital": "PRI", "visited_on": "2026-09-10", "visit_type": "OUTPATIENT",
            "amount": amount, "reference": f"H{next(_references):05d}",
        } | fields  # fmt: skip
        if series == "2024" and "claim" not in given:
            given["claim"] = self.direct(series, hospital=given["hospital"], member=given["member"]).number
        actor = self.actor(by) if isinstance(by, str) else by
        return self.look(report_bill(actor, data=given, now=self.now))

    def direct(
        self, series: str = "2024", *, hospital: str = "PRI", member: str = "", state: str = "CLOSED"
    ) -> CaseFile:
        """The case file of a direct-billing claim, as far as bills look at it."""
        policy = self.policy_of(series)
        child = Member.objects.get(number=member or f"M{series}")
        number = f"D26-{next(_references):06d}"
        return ClaimFlow.objects.create(
            number=number, kind="direct", state=state, series=series, tpa=policy.tpa, handbook=self.handbook(series),
            member=child, policy=child.policies.get(), hospital=Hospital.objects.get(code=hospital), opened_at=self.now,
        )  # fmt: skip

    def share(
        self, claim: CaseFile, fen: int, *, closed: bool = True, collected: int = 0, **fields: Any
    ) -> CaseFile | None:
        """The claim was decided or closed and leaves so much open."""
        values: dict[str, Any] = {
            "total_fen": fen + collected, "collected_fen": collected, "open_fen": fen,
            "breakdown": [("NOT_COVERED", fen + collected)] if fen + collected else [], "hospital": claim.hospital,
            "visit_type": "OUTPATIENT", "visited_on": self.now.date() - timedelta(days=4),
        } | fields  # fmt: skip
        made = follow_claim(claim, Share(**values), closed=closed, now=self.now)
        return self.look(made) if made else None

    def epay(self, fen: int = 12000, **fields: Any) -> CaseFile:
        """A 2024 bill over the share after the fully paid visits at a public hospital."""
        made = self.share(self.direct("2024", hospital="PUB"), fen, full_visits_used=True, **fields)
        assert made is not None
        return made

    # --- Looking --------------------------------------------------------------------------------

    def look(self, case: CaseFile) -> CaseFile:
        related = ("handbook", "member", "policy__plan", "self_pay__hospital", "hospital")
        return BillFlow.objects.select_related(*related).get(pk=case.pk)

    def row(self, case: CaseFile) -> SelfPayBill:
        return SelfPayBill.objects.get(pk=case.pk)

    def state(self, case: CaseFile) -> str:
        return CaseFile.objects.get(pk=case.pk).state

    def card(self, series: str = "2026", member: str = "") -> Card:
        return Card.objects.get(policy__series=series, member__number=member or f"M{series}")

    def old_card(self, member: str) -> Card:
        return Card.objects.filter(member__number=member).order_by("pk")[0]

    def renewed(self, member: str) -> Policy:
        """The policy of the next period, as an import writes it."""
        former = Policy.objects.filter(member__number=member).latest("expires_on")
        start = former.expires_on + timedelta(days=1)
        values = {
            field.attname: getattr(former, field.attname) for field in Policy._meta.concrete_fields if not field.primary_key
        }  # fmt: skip
        policy = Policy(**values | {"number": f"{former.number}-R", "effective_on": start})
        policy.expires_on = start + timedelta(days=364)
        policy.save()
        return policy

    def reminders(self, case: CaseFile) -> list[tuple[str, str, int | None]]:
        rows = BillReminder.objects.filter(bill=case.pk).order_by("number")
        return list(rows.values_list("channel", "result", "counted_as"))

    def call(self, case: CaseFile) -> CallTask:
        return CallTask.objects.get(case=case.pk, outcome="OPEN")

    # --- Walking --------------------------------------------------------------------------------

    def act(self, case: CaseFile, action: str, *, by: str = "caller", **data: Any) -> CaseFile:
        perform(case.number, action, self.actor(by), now=self.now, **data)
        return self.look(case)

    def pay(self, case: CaseFile, amount: str, *, by: str = "caller", **fields: Any) -> CaseFile:
        given = {
            "amount": amount,
            "paid_on": self.now.date(),
            "reference": f"R{next(_references):05d}",
        } | fields
        return self.act(case, "record_payment", by=by, **given)

    def pay_as(self, actor: Actor, case: CaseFile, amount: str) -> CaseFile:
        given = {"amount": amount, "paid_on": self.now.date(), "reference": f"R{next(_references):05d}"}
        perform(case.number, "record_payment", actor, now=self.now, **given)
        return self.look(case)

    def machine(self, hospital: str) -> Actor:
        return make_machine(hospital=hospital)

    def hospital_machine(self, code: str) -> Any:
        scopes = ["claims:read", "claims:write", "cases:read", "cases:write"]
        return ApiClientFactory(kind="HOSPITAL", hospital=code, scopes=scopes)

    def user(self, *roles: str) -> Any:
        return UserFactory(roles=roles)

    def other_tpa_sees_nothing(self, case: CaseFile) -> None:
        stranger = make_actor("collections", tpa="OTHER")
        try:
            perform(
                case.number,
                "record_payment",
                stranger,
                amount="1.00",
                paid_on=self.now.date(),
                reference="XX",
            )
        except NotFound:
            return
        raise AssertionError("seen by another TPA")

    def answer(self, case: CaseFile, outcome: str = "ANSWERED", note: str = "") -> CaseFile:
        return self.act(case, "record_call", task=self.call(case).pk, outcome=outcome, note=note)

    def deliver(self) -> list[Message]:
        deliver_due(self.now)
        return list(Message.objects.filter(case__kind="bill").order_by("pk"))

    def at(self, text: str, *, sweeps: int = 1) -> int:
        """Move the clock and let the sweep run."""
        self.now = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
        if self.clock is not None:
            self.clock.move_to(self.now)
        return sum(sweep(self.now) for _turn in range(sweeps))

    def reminded(self, *, series: str = "2026", **fields: Any) -> CaseFile:
        """All reminders that the series gives, by e-mail, the last one Mon 2026-09-28 (2024: 14 September)."""
        case = self.bill(series=series, **fields)
        self.deliver()
        if series == "2026":
            for day in ("2026-09-21 09:30", "2026-09-28 09:30"):
                self.at(day)
                self.deliver()
        return self.look(case)

    def exhausted(self, *, series: str = "2026", **fields: Any) -> CaseFile:
        case = self.reminded(series=series, **fields)
        self.at("2026-10-09 00:01" if series == "2026" else "2026-09-22 00:01")
        return self.look(case)

    def no_address(self, series: str = "2026") -> None:
        Guardian.objects.filter(member__number=f"M{series}").update(email="")

    def front_end(self, *accounts: str, series: str = "2024") -> Any:
        """A member front end whose accounts hold the child's card."""
        client = ApiClientFactory(
            kind="MEMBER_APP",
            hospital="",
            scopes=["cards:read", "cards:write", "claims:read"],
            series=[series],
        )
        for account in accounts:
            CardLink.objects.create(
                client=client, account=account, card=self.card(series), relation="FATHER", bound_at=self.now
            )
        return client
