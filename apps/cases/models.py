"""The case file: one row for everything people work on, its events and its clocks."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from apps.accounts.models import ApiClient, Team, User
from apps.cases.kinds import kind_of
from apps.core.models import Immutable
from apps.hospitals.models import Hospital
from apps.members.models import Member, Policy
from apps.products.models import HandbookVersion


def pressing() -> Coalesce:
    """When a case wants somebody: its next due; what is urgent and has none, since it was opened."""
    return Coalesce("next_due", models.Case(models.When(priority=1, then="opened_at")))


class CaseFile(models.Model):
    """Number, kind and the one place where a state is stored.

    Only `cases.engine` writes here. `version` grows with every action and guards against stale
    screens; `next_due` is the earliest due of its running clocks, kept for sorting.
    """

    VISIBILITY = {
        "series": "series",
        "tpa": "tpa",
        "hospital": "hospital__code",
        "provider": "provider",
        "member": "member__number",
    }
    # A visit that was refused by rule (a greyed card, no cover) never concerned the hospital.
    HIDDEN: ClassVar[dict[str, dict[str, str]]] = {"hospital": {"kind": "appointment", "state": "REJECTED"}}

    number = models.CharField(_("case number"), max_length=30, unique=True)
    kind = models.CharField(_("kind"), max_length=20)
    state = FSMField(_("state"), max_length=30)
    series = models.CharField(_("series"), max_length=10)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    provider = models.CharField(_("service provider"), max_length=40, blank=True)  # who performs a service
    handbook = models.ForeignKey(HandbookVersion, verbose_name=_("handbook"), on_delete=models.PROTECT)
    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="cases"
    )
    policy = models.ForeignKey(
        Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="cases"
    )
    hospital = models.ForeignKey(
        Hospital,
        verbose_name=_("hospital"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="cases",
    )
    assignee = models.ForeignKey(
        User,
        verbose_name=_("assignee"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="cases",
        db_index=False,  # of open cases only, below: SQLite prefers a plain one, which holds all history
    )
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=2)  # 1 urgent … 3 low
    amount_fen = models.BigIntegerField(_("amount (fen)"), default=0)
    next_due = models.DateTimeField(_("due"), null=True, blank=True)
    open = models.BooleanField(_("open"), default=True)
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        indexes = [
            models.Index(fields=["next_due", "id"], condition=models.Q(open=True), name="case_open_due"),
            models.Index(
                pressing(), "priority", "id", condition=models.Q(open=True), name="case_open_pressing"
            ),
            models.Index(
                fields=["assignee", "next_due"], condition=models.Q(open=True), name="case_assignee_due"
            ),
            models.Index(fields=["team", "next_due"], condition=models.Q(open=True), name="case_team_due"),
            models.Index(
                fields=["kind", "state", "next_due"], condition=models.Q(open=True), name="case_kind_state"
            ),
            models.Index(fields=["member", "-opened_at"], name="case_member_history"),
            models.Index(fields=["-opened_at"], name="case_recent"),
            models.Index(fields=["-opened_at"], condition=models.Q(open=True), name="case_open_recent"),
            models.Index(fields=["kind", "-opened_at"], name="case_kind_recent"),
            models.Index(fields=["-closed_at"], name="case_closed"),
            models.Index(
                fields=["provider", "-opened_at"],
                condition=~models.Q(provider=""),
                name="case_provider_recent",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_state_display(self) -> Any:
        """The state in words, as its kind calls it."""
        return kind_of(self.kind).states.get(self.state, self.state)

    def get_kind_display(self) -> Any:
        return kind_of(self.kind).label

    @cached_property
    def looked(self) -> dict[str, Any]:
        """What one page has read of the case so far: its guards, panels and timeline share it.

        It lives as long as this instance. An action reads anew, into its `Ctx.loaded`.
        """
        return {}


class ExternalNumber(models.Model):
    """The insurer's, TPA's or hospital's own number beside ours; all searchable."""

    case = models.ForeignKey(CaseFile, on_delete=models.CASCADE, related_name="external_numbers")
    system = models.CharField(_("system"), max_length=40)
    number = models.CharField(_("number"), max_length=80, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "number"], name="external_number_once")]

    def __str__(self) -> str:
        return f"{self.system} {self.number}"


class CaseEvent(Immutable):
    """One thing that happened to a case, append-only (C11)."""

    case = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()  # the case's version after the event
    name = models.CharField(_("event"), max_length=40)
    action = models.CharField(_("action"), max_length=40)
    from_state = models.CharField(max_length=30, blank=True)
    to_state = models.CharField(max_length=30)
    actor_label = models.CharField(_("who"), max_length=80)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    client = models.ForeignKey(ApiClient, null=True, on_delete=models.PROTECT)
    at = models.DateTimeField(_("at"))
    reason = models.TextField(_("reason"), blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["case", "seq"]
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="event_seq_once")]
        # The list by name reads it backwards; the dashboard tells from it alone who moved what.
        indexes = [models.Index(fields=["name", "at", "id", "user", "case"], name="event_name_at")]


class Clock(models.Model):
    """A running promise on a case. What it counts stands in the handbook (`spec_key`).

    A running clock stores its next moment of action in `next_at`, the only thing the sweep reads.
    """

    class State(models.TextChoices):
        RUNNING = "RUNNING", _("running")
        PAUSED = "PAUSED", _("paused")
        STOPPED = "STOPPED", _("stopped")

    case = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="clocks")
    key = models.CharField(_("clock"), max_length=40)
    spec_id = models.CharField(_("rule id"), max_length=12)
    variant = models.PositiveSmallIntegerField(default=0)  # which of the specs that share key and id
    statutory = models.BooleanField(_("statutory"), default=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField(_("started at"))
    due_at = models.DateTimeField(_("due at"))
    target_at = models.DateTimeField(_("target"), null=True)
    day = models.DateField(_("last day in time"))
    act_by = models.DateField(_("act by"), null=True)  # PR-22
    schedule = models.JSONField(default=list)  # [{"key", "kind", "to", "at"}], by instant
    position = models.PositiveSmallIntegerField(default=0)  # next entry of the schedule
    next_at = models.DateTimeField(null=True)
    provisional = models.BooleanField(_("provisional calendar"), default=False)
    stopped_at = models.DateTimeField(_("stopped at"), null=True)
    breached = models.BooleanField(_("overdue"), default=False)

    class Meta:
        verbose_name = _("clock")
        verbose_name_plural = _("clocks")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "key"], condition=~models.Q(state="STOPPED"), name="one_open_clock_of_a_key"
            )
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(state="RUNNING"), name="clock_next"),
            models.Index(fields=["case", "state"], name="clock_case"),
            models.Index(
                fields=["due_at", "-id"], condition=~models.Q(state="STOPPED"), name="clock_open_due"
            ),
            models.Index(
                fields=["provisional"], condition=models.Q(provisional=True), name="clock_provisional"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.spec_id})"


class ClockPause(models.Model):
    """A stretch in which a clock did not count, with its evidence (PR-04, LAW-02)."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="pauses")
    reason = models.CharField(_("reason"), max_length=30)
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"), null=True)
    evidence = models.CharField(_("evidence"), max_length=200, blank=True)
    paper = models.CharField(_("because of"), max_length=80, blank=True)  # the notice or order, by number
    reached = models.CharField(_("reached"), max_length=120, blank=True)  # whom, and by what way
    end_evidence = models.CharField(_("evidence of the end"), max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.reason}: {self.started_at} – {self.ended_at or ''}"


class ClockStep(Immutable):
    """A reminder or escalation that was carried out; written once per clock and step."""

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    to = models.CharField(max_length=40)
    due_at = models.DateTimeField()  # the due it referred to; a moved due may remind again
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clock", "step", "due_at"], name="clock_step_once")]


class SavedFilter(models.Model):
    """A named filter of *My work*, private to its user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_filter_once")]

    def __str__(self) -> str:
        return self.name
