"""The children whose histories are copied: made by the same actions as real ones, as the demo data are.

A history is a list of claims with days ago and how they went. Nobody shall be written to: letters and
messages are marked as sent before the transaction ends.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.cases.models import CaseFile, Clock
from apps.claims import demo
from apps.claims.seeding.people import identity
from apps.claims.subscriptions import ACTIONS
from apps.core.errors import Blocked
from apps.core.numbers import next_block
from apps.documents.models import Letter, StoredFile
from apps.documents.rendering import render_pdf
from apps.documents.storage import store_bytes
from apps.members.models import Guardian, Member, Policy
from apps.messaging.models import Message
from apps.products.models import Plan
from apps.products.queries import current_handbook

PERIODS = 3  # policies of a child, one a year
BEGAN = 240  # days ago, the current one
SOON = timedelta(minutes=2)

# What became of the claims of one child, by days ago; mostly paid, as it is.
HISTORIES: tuple[tuple[tuple[str, int], ...], ...] = (
    (("closed", 331), ("closed", 263), ("withdrawn", 204), ("closed", 152), ("closed", 97), ("closed", 31)),
    (("closed", 290), ("declined", 215), ("closed", 171), ("closed", 118), ("refused at intake", 64)),
    (("closed", 347), ("closed", 301), ("closed, papers never came", 195), ("closed", 83), ("closed", 45), ("closed", 22)),
    (("closed", 274), ("closed", 76)),
)  # fmt: skip
STAGES = {stage.name: stage for stage in demo.STAGES}
ENDED = {"closed", "declined", "refused at intake", "withdrawn", "closed, papers never came"}
WORKING = tuple((stage.name, day) for stage in demo.STAGES if stage.name not in ENDED for day in stage.days)


class Originals:
    """`history(series, n)` and `working(series)` make children; each call makes new ones."""

    def __init__(self, now: datetime | None = None):
        self.demo = demo.Demo(now or timezone.now())
        demo.find_hospitals(self.demo)
        with transaction.atomic():
            self.demo.numbers = itertools.count(next_block(["BILL"], 10_000, least=5_000_000_000))
        self._pdfs: dict[tuple[str, str], StoredFile] = {}

    def history(self, series: str, index: int) -> Member:
        """A child all of whose claims came to their end."""
        member = self._with_claims(series, HISTORIES[index % len(HISTORIES)])
        if CaseFile.objects.filter(member=member, open=True).exists():
            raise RuntimeError("A claim of a finished history is still open.")
        return member

    def working(self, series: str, stage: str, day: int) -> Member:
        """A child with a claim that waits for its next step, and one that was paid before."""
        return self._with_claims(series, (("closed", 80 + day), (stage, day)))

    def _with_claims(self, series: str, claims: tuple[tuple[str, int], ...]) -> Member:
        with transaction.atomic():
            member = self._child(series)
            self.demo.children[series] = [member]
            for name, day in claims:
                demo.make(self.demo, STAGES[name], series, day)
            self._send(member)
        return member

    def _child(self, series: str) -> Member:
        today = timezone.localtime(self.demo.now).date()
        serial = next_block(["M"], 1)
        born = date(today.year - 2 - serial % 8, 1 + serial % 12, 3 + serial % 20)
        member = Member.objects.create(
            number=f"M-{serial:06d}", name=f"种子{serial}", sex="MF"[serial % 2], birth_date=born, id_type="RESIDENT_ID",
            id_number=identity("RESIDENT_ID", serial, born, "MF"[serial % 2]), social_insurance=serial % 5 == 0,
        )  # fmt: skip
        parent = Guardian.objects.create(
            member=member, name=f"种子家长{serial}", relation="MOTHER", id_type="RESIDENT_ID", is_policyholder=True,
            id_number=identity("RESIDENT_ID", serial, date(1988, 4, 6), "F"), mobile=f"199{serial:08d}",
            email=f"parent{serial}@example.com",
        )  # fmt: skip
        plans = list(Plan.objects.filter(series=series).order_by("code"))
        for period in range(PERIODS):
            starts = today - timedelta(days=BEGAN + 365 * period)
            Policy.objects.create(
                number=f"GX{series}{starts:%y%m}{serial:07d}", certificate=f"CN{starts:%y%m}{serial:07d}", member=member, policyholder=parent,
                plan=plans[serial % len(plans)], series=series, tpa=current_handbook(series).handbook.tpa,
                status="IN_FORCE", effective_on=starts, expires_on=starts + timedelta(days=364),
                concluded_on=starts - timedelta(days=20), renewed=period < PERIODS - 1, riders=["VACCINE"],
                continuous_since=today - timedelta(days=BEGAN + 365 * PERIODS),
            )  # fmt: skip
        return member

    # --- Nothing goes out -----------------------------------------------------------------------------

    def _send(self, member: Member) -> None:
        """Letters and messages as they stand when all went well, and what follows from that (LAW-04)."""
        while waiting := list(
            Message.objects.filter(case__member=member, state=Message.State.QUEUED).order_by("pk")
        ):
            for message in waiting:
                sent: dict[str, Any] = {
                    "delivered_at": message.created_at + SOON,
                    "attempts": 1,
                    "next_attempt_at": None,
                }
                Message.objects.filter(pk=message.pk).update(
                    state=Message.State.DELIVERED, reported=True, **sent
                )
                self._delivered(message, sent["delivered_at"])
        for letter in Letter.objects.filter(case__member=member, file=None).select_related("case"):
            file = self._pdf(letter)
            state = Letter.State.SENT if letter.state == Letter.State.QUEUED else letter.state
            at = letter.created_at + SOON
            Letter.objects.filter(pk=letter.pk).update(
                file=file, sha256=file.sha256, state=state, rendered_at=at, sent_at=at, next_attempt_at=None
            )

    def _delivered(self, message: Message, at: datetime) -> None:
        action = ACTIONS.get(message.template)
        if action is None or message.case is None:
            return
        try:
            perform(message.case.number, action, SYSTEM, now=at, at=at, evidence=message.recipient_masked)
        except Blocked:  # the claim had gone on
            return

    def _pdf(self, letter: Letter) -> StoredFile:
        """One a kind and series: what it says is of no interest, that it can be opened is."""
        key = (letter.kind, letter.case.series)
        if key not in self._pdfs:
            content, _missing = render_pdf(letter)
            self._pdfs[key] = store_bytes(content, f"{letter.number}.pdf", "application/pdf")
        return self._pdfs[key]


def still_running(member: Member) -> int:
    """Clocks of closed cases that run on; none should."""
    return Clock.objects.filter(case__member=member, case__open=False, state=Clock.State.RUNNING).count()
