"""Payment of hospitals: terms and accounts, statements of direct claims, and what differs from a hospital's own list.

A statement is no case file: it has no child, no policy and no handbook, and pays the claims of many. So it
has a row with a state and a version of its own and append-only events; what happens to a claim happens
through an action of the claim, in the same transaction. Integer fen.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.core.models import Immutable
from apps.documents.models import StoredFile
from apps.hospitals.models import Hospital
from apps.payments.models import Payee, PaymentOrder

TOKEN = "HS:"  # begins the token of a statement, so that the outbox knows whose paper it attaches


def _token() -> str:
    return TOKEN + secrets.token_urlsafe(24)


class Proposed(models.Model):
    """Contract data that one person enters and another confirms; rows stay as the history."""

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", pgettext_lazy("contract data", "to be confirmed")
        IN_FORCE = "IN_FORCE", pgettext_lazy("contract data", "confirmed")
        REFUSED = "REFUSED", pgettext_lazy("contract data", "refused")
        REPLACED = "REPLACED", pgettext_lazy("contract data", "replaced")

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED)
    reason = models.CharField(_("reason"), max_length=200)
    proposed_by = models.ForeignKey(
        User, verbose_name=_("entered by"), on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("entered at"))
    confirmed_by = models.ForeignKey(
        User, verbose_name=_("confirmed by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)

    class Meta:
        abstract = True


class PaymentTerms(Proposed):
    """When a hospital is paid (账期), by contract, for one series; valid between dates (PR-25).

    `days` are counted after the base: the day on which the complete claim was received, or for MONTHLY the
    cut-off day of its month. `ends_on` inclusive, empty = open.
    """

    VISIBILITY = {"series": "series", "tpa": "tpa", "hospital": "hospital__code"}

    class Kind(models.TextChoices):
        DAYS = "DAYS", pgettext_lazy("payment terms", "days after the complete claim")
        MONTHLY = "MONTHLY", pgettext_lazy("payment terms", "monthly, with a cut-off day")
        ON_RECEIPT = "ON_RECEIPT", pgettext_lazy("payment terms", "on receipt, before the review")

    class Unit(models.TextChoices):
        CALENDAR = "CALENDAR", _("calendar days")
        WORKING = "WORKING", _("working days")

    hospital = models.ForeignKey(
        Hospital, verbose_name=_("hospital"), on_delete=models.PROTECT, related_name="payment_terms"
    )
    series = models.CharField(_("series"), max_length=10)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    days = models.PositiveSmallIntegerField(_("days"))
    unit = models.CharField(_("counted in"), max_length=8, choices=Unit.choices)
    cutoff_day = models.PositiveSmallIntegerField(_("cut-off day"), null=True, blank=True)
    contract = models.CharField(_("contract"), max_length=60)
    contact_name = models.CharField(_("contact"), max_length=80, blank=True)
    contact_email = models.EmailField(_("email"), blank=True)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment terms")
        verbose_name_plural = _("payment terms")
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("proposed_by")),
                name="terms_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(state="IN_FORCE") | Q(confirmed_by__isnull=False), name="terms_confirmed"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="terms_dates"
            ),
            models.CheckConstraint(
                condition=Q(kind="MONTHLY", cutoff_day__range=(1, 31))
                | ~Q(kind="MONTHLY") & Q(cutoff_day__isnull=True),
                name="terms_cutoff_day",
            ),
            models.UniqueConstraint(
                fields=["hospital", "series", "starts_on"], condition=Q(state="IN_FORCE"), name="terms_once"
            ),
            models.UniqueConstraint(
                fields=["hospital", "series"],
                condition=Q(state="IN_FORCE", ends_on__isnull=True),
                name="terms_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hospital} {self.series} {self.contract}"


class HospitalAccount(Proposed):
    """The account a hospital is paid to. A corrected account is a new row; one is in force."""

    VISIBILITY = {"hospital": "hospital__code"}

    hospital = models.ForeignKey(
        Hospital, verbose_name=_("hospital"), on_delete=models.PROTECT, related_name="accounts"
    )
    payee = models.OneToOneField(
        Payee, verbose_name=_("account"), on_delete=models.PROTECT, related_name="hospital_account"
    )

    class Meta:
        verbose_name = _("hospital account")
        verbose_name_plural = _("hospital accounts")
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("proposed_by")),
                name="hospital_account_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(state="IN_FORCE") | Q(confirmed_by__isnull=False),
                name="hospital_account_confirmed",
            ),
            models.UniqueConstraint(
                fields=["hospital"], condition=Q(state="IN_FORCE"), name="one_account_of_a_hospital"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hospital} {self.payee.account_masked}"


class Statement(models.Model):
    """批量结算单: the direct claims of one hospital and series that one payment order pays (PR-25).

    `due_on` is the earliest day by which one of its claims must be paid: the clock of the terms, swept once
    a day. Totals are those of its living lines.
    """

    VISIBILITY = {"series": "series", "tpa": "tpa", "hospital": "hospital__code"}

    class State(models.TextChoices):
        DRAFT = "DRAFT", pgettext_lazy("statement", "to be checked")
        ORDERED = "ORDERED", pgettext_lazy("statement", "payment ordered")
        PAID = "PAID", pgettext_lazy("statement", "paid")
        RETURNED = "RETURNED", pgettext_lazy("statement", "returned by the bank")
        STOPPED = "STOPPED", pgettext_lazy("statement", "stopped")
        CANCELLED = "CANCELLED", pgettext_lazy("statement", "canceled")

    number = models.CharField(_("number"), max_length=30, unique=True)
    hospital = models.ForeignKey(
        Hospital, verbose_name=_("hospital"), on_delete=models.PROTECT, related_name="statements"
    )
    series = models.CharField(_("series"), max_length=10)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    until = models.DateField(_("claims complete until"))  # inclusive
    terms = models.ForeignKey(
        PaymentTerms, verbose_name=_("payment terms"), on_delete=models.PROTECT, related_name="statements"
    )
    due_on = models.DateField(_("to be paid by"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    version = models.PositiveIntegerField(default=1)
    claims = models.PositiveIntegerField(_("claims"))
    billed_fen = models.BigIntegerField(_("billed"))
    total_fen = models.BigIntegerField(_("insurer pays"))
    made_by = models.ForeignKey(User, verbose_name=_("made by"), on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("made at"))
    checked_by = models.ForeignKey(
        User, verbose_name=_("checked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    checked_at = models.DateTimeField(_("checked at"), null=True)
    order = models.ForeignKey(
        PaymentOrder, verbose_name=_("payment order"), null=True, on_delete=models.PROTECT, related_name="+"
    )  # the latest
    paid_at = models.DateTimeField(_("paid at"), null=True)
    token = models.CharField(max_length=40, unique=True, default=_token, editable=False)
    letter_version = models.PositiveSmallIntegerField(default=0)  # 0: nothing to print yet
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)  # lease of a renderer, then back-off
    error = models.TextField(_("error"), blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    reminded_on = models.DateField(_("reminded on"), null=True)
    escalated_on = models.DateField(_("escalated on"), null=True)

    class Meta:
        verbose_name = _("settlement statement")
        verbose_name_plural = _("settlement statements")
        constraints = [
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("made_by")),
                name="settlement_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["DRAFT", "CANCELLED"])
                | Q(checked_by__isnull=False, order__isnull=False),
                name="settlement_checked",
            ),
        ]
        indexes = [
            models.Index(fields=["-made_at"], name="settlement_recent"),
            models.Index(fields=["state", "-made_at"], name="settlement_state"),
            models.Index(
                fields=["due_on"],
                condition=Q(state__in=["DRAFT", "ORDERED", "RETURNED"]),
                name="settlement_due",
            ),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(file__isnull=True),
                name="settlement_to_render",
            ),
        ]

    def __str__(self) -> str:
        return self.number


OPEN_STATES = (Statement.State.DRAFT, Statement.State.ORDERED, Statement.State.RETURNED)
SENT_STATES = (
    Statement.State.ORDERED,
    Statement.State.PAID,
    Statement.State.RETURNED,
)  # the hospital sees them


class StatementLine(models.Model):
    """One claim of a statement, as it stood when it was taken. While a line lives, the same decision of the
    claim can stand in no other statement.

    `insurer_fen` is what the decision owes in all, `before_fen` what was paid for the claim already,
    `amount_fen` what this statement pays; below 0 where it sets off what the hospital was paid too much. A claim
    that is paid before its review has decision version 0.
    """

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    case = models.ForeignKey(
        CaseFile, verbose_name=_("case"), on_delete=models.PROTECT, related_name="settlement_lines"
    )
    decision_version = models.PositiveSmallIntegerField()
    living = models.BooleanField(default=True)
    settled = models.BooleanField(default=False)  # its money reached the hospital
    child = models.CharField(_("child"), max_length=80)  # masked
    visited_on = models.DateField(_("visit"))
    visited_until = models.DateField(null=True)
    visit = models.JSONField(default=dict)  # {"type": "OUTPATIENT", "department": …, "campus": …}
    hospital_number = models.CharField(_("hospital's number"), max_length=80, blank=True)
    bills = models.JSONField(_("bills"), default=list)  # numbers
    billed_fen = models.BigIntegerField(_("billed"))
    third_party_fen = models.BigIntegerField(_("third party"))
    not_covered_fen = models.BigIntegerField(_("not covered"))
    member_fen = models.BigIntegerField(_("member's share"))
    insurer_fen = models.BigIntegerField(_("insurer pays"))
    before_fen = models.BigIntegerField(_("paid before"), default=0)
    amount_fen = models.BigIntegerField(_("to be paid"))
    received_on = models.DateField(_("complete claim received"))
    due_on = models.DateField(_("to be paid by"))
    dropped = models.CharField(_("taken out because"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("statement line")
        verbose_name_plural = _("statement lines")
        ordering = ["statement", "position"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "position"], name="settlement_position_once"),
            models.UniqueConstraint(
                fields=["case", "decision_version"], condition=Q(living=True), name="claim_settled_once"
            ),
            models.CheckConstraint(condition=~Q(amount_fen=0), name="settlement_line_moves_money"),
            models.CheckConstraint(
                condition=Q(insurer_fen=F("before_fen") + F("amount_fen")), name="settlement_line_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.position}"


class StatementEvent(Immutable):
    """One thing that happened to a statement, append-only."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    name = models.CharField(_("event"), max_length=40)
    who = models.CharField(_("who"), max_length=80)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["statement", "seq"]
        constraints = [models.UniqueConstraint(fields=["statement", "seq"], name="settlement_event_once")]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.seq} {self.name}"


# --- Reconciliation ------------------------------------------------------------------------------


class HospitalList(models.Model):
    """The hospital's own list for one of our statements, as it was read (PR-25)."""

    VISIBILITY = {
        "series": "statement__series",
        "tpa": "statement__tpa",
        "hospital": "statement__hospital__code",
    }

    statement = models.ForeignKey(
        Statement, verbose_name=_("statement"), on_delete=models.PROTECT, related_name="lists"
    )
    name = models.CharField(_("file name"), max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    rows = models.PositiveIntegerField(_("rows"))
    matched = models.PositiveIntegerField(_("claims that agree"))
    total_fen = models.BigIntegerField(_("total (fen)"))
    read_by = models.ForeignKey(User, verbose_name=_("read by"), on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField(_("read at"))
    superseded = models.BooleanField(default=False)  # a newer list took its place

    class Meta:
        verbose_name = _("list of a hospital")
        verbose_name_plural = _("lists of hospitals")
        constraints = [
            models.UniqueConstraint(
                fields=["statement"], condition=Q(superseded=False), name="one_list_a_statement"
            )
        ]

    def __str__(self) -> str:
        return f"{self.statement} {self.name}"


class Difference(models.Model):
    """One thing in which a hospital's list and our statement differ; resolved by a person, with a reason."""

    VISIBILITY = {
        "series": "hospital_list__statement__series",
        "tpa": "hospital_list__statement__tpa",
        "hospital": "hospital_list__statement__hospital__code",
    }

    class Kind(models.TextChoices):
        AMOUNT = "AMOUNT", pgettext_lazy("difference", "amount differs")
        ONLY_OURS = "ONLY_OURS", pgettext_lazy("difference", "only in our statement")
        ONLY_THEIRS = "ONLY_THEIRS", pgettext_lazy("difference", "only in the hospital's list")
        CHILD = "CHILD", pgettext_lazy("difference", "another child")
        DATE = "DATE", pgettext_lazy("difference", "another date")
        PAID = "PAID", pgettext_lazy("difference", "paid already")

    class Outcome(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("difference", "open")
        OURS = "OURS", pgettext_lazy("difference", "our figures stand")
        THEIRS = "THEIRS", pgettext_lazy("difference", "the hospital is right: the claim is corrected")
        NEXT = "NEXT", pgettext_lazy("difference", "goes into a later statement")
        WITHDRAWN = "WITHDRAWN", pgettext_lazy("difference", "the hospital takes it back")

    hospital_list = models.ForeignKey(HospitalList, on_delete=models.PROTECT, related_name="differences")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    case = models.ForeignKey(
        CaseFile, verbose_name=_("case"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    rows = models.JSONField(_("rows of the list"), default=list)
    about = models.CharField(_("number"), max_length=120)
    ours_fen = models.BigIntegerField(_("ours"), null=True)
    theirs_fen = models.BigIntegerField(_("the hospital's"), null=True)
    ours = models.CharField(_("ours says"), max_length=200, blank=True)
    theirs = models.CharField(_("the hospital says"), max_length=200, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    resolved_by = models.ForeignKey(
        User, verbose_name=_("resolved by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    resolved_at = models.DateTimeField(_("resolved at"), null=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="OPEN", resolved_by__isnull=True)
                | ~Q(outcome="OPEN") & ~Q(reason="") & Q(resolved_by__isnull=False),
                name="difference_resolved_with_reason",
            )
        ]
        indexes = [
            models.Index(fields=["hospital_list", "outcome"], name="difference_of_list"),
            models.Index(fields=["id"], condition=Q(outcome="OPEN"), name="difference_open"),
        ]

    def __str__(self) -> str:
        return f"{self.hospital_list_id} {self.kind} {self.about}"
