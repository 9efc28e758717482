"""What claims cost: movements of case reserves, closed months, vouchers, statements.

Integer fen. Movements, closed months and released vouchers are append-only: a correction is a further
row, never a change.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.core.models import Immutable
from apps.documents.models import StoredFile
from apps.members.models import Policy


class Book(models.Model):
    """One row that says which months are closed. Posting shares its lock, closing takes it alone."""

    closed_through = models.DateField(_("closed through"), null=True)  # first day of the last closed month

    def __str__(self) -> str:
        return f"{self.closed_through or '-'}"


class Movement(Immutable):
    """One change of what a claim is expected to cost, for one part of it.

    A part is what the claim has under one benefit, visit type and year of visit (accident year); most
    claims have one. `reserve_fen` moves the outstanding estimate (未决估损), `due_fen` what was decided,
    `paid_fen` what was paid less what came back. `provision_fen` is the share of the reserve that no
    decision has turned into a debt yet: the books carry it as a provision, the rest as money owed.
    `parts` and `claims` are +1 and -1 where a part or the whole claim opens or closes, so that every
    number of a report, past or present, is a sum of movements.
    """

    class Kind(models.TextChoices):
        OPENING = "OPENING", pgettext_lazy("reserve", "newly reported")
        CHANGE = "CHANGE", pgettext_lazy("reserve", "change of estimate")
        REOPENING = "REOPENING", pgettext_lazy("reserve", "reopened")
        RELEASE = "RELEASE", pgettext_lazy("reserve", "released")
        PAYMENT = "PAYMENT", pgettext_lazy("reserve", "paid out")
        RETURN = "RETURN", pgettext_lazy("reserve", "returned by the bank")
        RECOVERY = "RECOVERY", pgettext_lazy("reserve", "asked back")

    class Basis(models.TextChoices):
        RULE = "RULE", pgettext_lazy("basis of a reserve", "estimation rule")
        PROPOSAL = "PROPOSAL", pgettext_lazy("basis of a reserve", "proposed amount")
        DECISION = "DECISION", pgettext_lazy("basis of a reserve", "decided, not yet paid")
        MANUAL = "MANUAL", pgettext_lazy("basis of a reserve", "set by a person")
        ENDED = "ENDED", pgettext_lazy("basis of a reserve", "nothing outstanding")

    VISIBILITY = {
        "series": "series",
        "tpa": "tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    case = models.ForeignKey(
        CaseFile, verbose_name=_("case"), on_delete=models.PROTECT, related_name="reserve_movements"
    )
    seq = models.PositiveIntegerField()
    event = models.CharField(_("event"), max_length=40)
    event_seq = models.PositiveIntegerField()  # CaseEvent.seq of the case
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    basis = models.CharField(_("basis"), max_length=10, choices=Basis.choices)
    rule = models.CharField(_("estimation rule"), max_length=60, blank=True)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    who = models.CharField(_("who"), max_length=80)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))
    month = models.DateField(_("accounting month"))  # its first day; never a closed month
    series = models.CharField(_("series"), max_length=10)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    product = models.CharField(_("product"), max_length=60)
    benefit = models.CharField(_("benefit"), max_length=30)
    visit_type = models.CharField(_("visit type"), max_length=16)
    visit_year = models.PositiveSmallIntegerField(_("year of visit"))
    reported_month = models.DateField(_("month of report"))
    before_fen = models.BigIntegerField(_("before"))
    reserve_fen = models.BigIntegerField(_("change of reserve"))
    after_fen = models.BigIntegerField(_("outstanding"))
    provision_fen = models.BigIntegerField(_("change of provision"), default=0)
    due_fen = models.BigIntegerField(_("decided"), default=0)
    paid_fen = models.BigIntegerField(_("paid"), default=0)
    # Of a recovery (kind RECOVERY), which has no reserve: claimed from the family, refunded, not pursued.
    receivable_fen = models.BigIntegerField(_("claimed back"), default=0)
    refunded_fen = models.BigIntegerField(_("refunded"), default=0)
    written_off_fen = models.BigIntegerField(_("written off"), default=0)
    parts = models.SmallIntegerField(default=0)
    claims = models.SmallIntegerField(default=0)
    payment = models.CharField(_("payment order"), max_length=30, blank=True)

    class Meta:
        verbose_name = _("reserve movement")
        verbose_name_plural = _("reserve movements")
        ordering = ["case", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["case", "seq"], name="reserve_seq_once"),
            models.CheckConstraint(
                condition=Q(after_fen__gte=0, before_fen__gte=0), name="reserve_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(after_fen=F("before_fen") + F("reserve_fen")), name="reserve_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(parts__range=(-1, 1), claims__range=(-1, 1)), name="reserve_counts_by_one"
            ),
        ]
        indexes = [
            models.Index(fields=["month", "series"], name="reserve_month"),
            # What was outstanding on a day is summed from the index alone.
            models.Index(fields=["at", "series", "reserve_fen"], name="reserve_as_of"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.seq}"


class MonthClose(Immutable):
    """A month that finance has closed: its report for ever. Later postings fall into the next month."""

    month = models.DateField(_("month"), unique=True)
    closed_at = models.DateTimeField(_("closed at"))
    closed_by = models.ForeignKey(
        User, verbose_name=_("closed by"), on_delete=models.PROTECT, related_name="+"
    )
    cells = models.PositiveIntegerField(_("lines"))
    sha256 = models.CharField("SHA-256", max_length=64)  # of the cells in canonical form
    excel = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("closed month")
        verbose_name_plural = _("closed months")

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class MonthCell(Immutable):
    """The finest line of a closed month. Signed effects on the outstanding amount; counts of parts and claims."""

    VISIBILITY = {"series": "series", "tpa": "tpa"}

    close = models.ForeignKey(MonthClose, on_delete=models.PROTECT, related_name="lines")
    series = models.CharField(max_length=10)
    tpa = models.CharField(max_length=40, blank=True)
    product = models.CharField(max_length=60)
    benefit = models.CharField(max_length=30)
    visit_type = models.CharField(max_length=16)
    visit_year = models.PositiveSmallIntegerField()
    reported_month = models.DateField()
    opening_fen = models.BigIntegerField()
    reported_fen = models.BigIntegerField()
    changed_fen = models.BigIntegerField()
    reopened_fen = models.BigIntegerField()
    released_fen = models.BigIntegerField()
    paid_fen = models.BigIntegerField()  # net of returns; lowers what is outstanding
    closing_fen = models.BigIntegerField()
    due_fen = models.BigIntegerField()
    opening_parts = models.IntegerField()
    reported_parts = models.IntegerField()
    reopened_parts = models.IntegerField()
    closed_parts = models.IntegerField()
    closing_parts = models.IntegerField()
    opening_claims = models.IntegerField()
    reported_claims = models.IntegerField()
    reopened_claims = models.IntegerField()
    closed_claims = models.IntegerField()
    closing_claims = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "close", "series", "tpa", "product", "benefit", "visit_type", "visit_year", "reported_month",
                ],
                name="month_cell_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    closing_fen=F("opening_fen") + F("reported_fen") + F("changed_fen") + F("reopened_fen")
                    + F("released_fen") - F("paid_fen")
                ),
                name="month_cell_rolls_forward",
            ),
            models.CheckConstraint(
                condition=Q(
                    closing_parts=F("opening_parts") + F("reported_parts") + F("reopened_parts") - F("closed_parts"),
                    closing_claims=F("opening_claims") + F("reported_claims") + F("reopened_claims")
                    - F("closed_claims"),
                ),
                name="month_cell_counts_roll_forward",
            ),
            models.CheckConstraint(condition=Q(closing_fen__gte=0), name="month_cell_not_negative"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.close_id} {self.series} {self.benefit}"


# --- Vouchers ------------------------------------------------------------------------------------


class Aspect(models.TextChoices):
    """The entries of a movement that the books take over."""

    PROVISION = "PROVISION", pgettext_lazy("voucher", "change of the provision")
    DUE = "DUE", pgettext_lazy("voucher", "claims decided")
    PAID = "PAID", pgettext_lazy("voucher", "claims paid")
    RETURNED = "RETURNED", pgettext_lazy("voucher", "bank return")
    RECEIVABLE = "RECEIVABLE", pgettext_lazy("voucher", "asked back")
    REFUND = "REFUND", pgettext_lazy("voucher", "refund of a family")
    WRITE_OFF = "WRITE_OFF", pgettext_lazy("voucher", "written off")


class VoucherBatch(models.Model):
    """Vouchers of a month, prepared by one person and released by another; then they never change."""

    VISIBILITY = {"series": "series"}

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("to be released")
        RELEASED = "RELEASED", _("released")
        CANCELLED = "CANCELLED", _("canceled")

    number = models.CharField(_("number"), max_length=30, unique=True)
    series = models.CharField(_("series"), max_length=10)
    month = models.DateField(_("accounting month"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    reverses = models.ForeignKey(
        "self", verbose_name=_("reverses"), null=True, on_delete=models.PROTECT, related_name="reversals"
    )
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    made_by = models.ForeignKey(User, verbose_name=_("made by"), on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("made at"))
    released_by = models.ForeignKey(
        User, verbose_name=_("released by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    released_at = models.DateTimeField(_("released at"), null=True)
    vouchers = models.PositiveIntegerField(_("vouchers"))
    total_fen = models.BigIntegerField(_("total (fen)"))
    digest = models.CharField("SHA-256", max_length=64)  # of the vouchers as the maker saw them
    excel = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    csv = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("voucher batch")
        verbose_name_plural = _("voucher batches")
        constraints = [
            models.CheckConstraint(
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("made_by")),
                name="vouchers_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(state="RELEASED")
                | Q(released_by__isnull=False, excel__isnull=False, csv__isnull=False),
                name="vouchers_released_whole",
            ),
            models.UniqueConstraint(
                fields=["reverses"], condition=~Q(state="CANCELLED"), name="vouchers_reversed_once"
            ),
        ]
        indexes = [models.Index(fields=["series", "month"], name="voucher_batch_month")]

    def __str__(self) -> str:
        return self.number


class VoucherSource(models.Model):
    """An entry taken into a batch. While the row lives nobody can take the entry a second time."""

    movement = models.ForeignKey(Movement, on_delete=models.PROTECT, related_name="voucher_sources")
    aspect = models.CharField(max_length=10, choices=Aspect.choices)
    batch = models.ForeignKey(VoucherBatch, on_delete=models.PROTECT, related_name="sources")
    key = models.CharField(max_length=80)  # of the voucher within its batch
    live = models.BooleanField(default=True)  # False once the voucher was reversed

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["movement", "aspect"], condition=Q(live=True), name="entry_exported_once"
            )
        ]
        indexes = [models.Index(fields=["batch", "key"], name="voucher_source_key")]

    def __str__(self) -> str:
        return f"{self.movement_id} {self.aspect}"


class Voucher(Immutable):
    """A balanced voucher (会计凭证), numbered without gaps within series and month."""

    batch = models.ForeignKey(VoucherBatch, on_delete=models.PROTECT, related_name="items")
    series = models.CharField(_("series"), max_length=10)
    month = models.DateField(_("accounting month"))
    number = models.PositiveIntegerField(_("voucher number"))
    word = models.CharField(_("voucher word"), max_length=10)
    date = models.DateField(_("date"))
    aspect = models.CharField(_("kind"), max_length=10, choices=Aspect.choices)
    key = models.CharField(max_length=80)
    summary = models.CharField(_("summary"), max_length=200)
    debit_fen = models.BigIntegerField(_("debit"))
    credit_fen = models.BigIntegerField(_("credit"))
    reverses = models.OneToOneField(
        "self", verbose_name=_("reverses"), null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        ordering = ["series", "month", "number"]
        constraints = [
            models.UniqueConstraint(fields=["series", "month", "number"], name="voucher_number_once"),
            models.UniqueConstraint(fields=["batch", "key"], name="voucher_key_once"),
            models.CheckConstraint(condition=Q(debit_fen=F("credit_fen")), name="voucher_balances"),
            models.CheckConstraint(condition=Q(number__gte=1), name="voucher_number_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.word}-{self.month:%Y%m}-{self.number:04d}"


class VoucherLine(Immutable):
    """One line: either debit or credit; negative (红字) only in reversals."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    summary = models.CharField(_("summary"), max_length=200)
    account = models.CharField(_("account code"), max_length=30)
    account_name = models.CharField(_("account name"), max_length=80)
    items = models.JSONField(_("auxiliary items"), default=dict)  # {"product": …, "benefit": …, "case": …}
    debit_fen = models.BigIntegerField(_("debit"), default=0)
    credit_fen = models.BigIntegerField(_("credit"), default=0)

    class Meta:
        ordering = ["voucher", "position"]
        constraints = [
            models.UniqueConstraint(fields=["voucher", "position"], name="voucher_position_once"),
            models.CheckConstraint(
                condition=(Q(debit_fen=0) & ~Q(credit_fen=0)) | (~Q(debit_fen=0) & Q(credit_fen=0)),
                name="voucher_line_one_side",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.debit_fen or -self.credit_fen}"


# --- Statements ----------------------------------------------------------------------------------


class Statement(models.Model):
    """An account of a policy's claims over a period. The context is kept, so a re-print is the same."""

    VISIBILITY = {"series": "policy__series", "tpa": "policy__tpa", "member": "policy__member__number"}

    number = models.CharField(_("number"), max_length=30, unique=True)
    policy = models.ForeignKey(
        Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="statements"
    )
    since = models.DateField(_("from"))
    until = models.DateField(_("until"))  # inclusive
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    context = models.JSONField()
    made_by = models.ForeignKey(User, verbose_name=_("made by"), on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("made at"))
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("member statement")
        verbose_name_plural = _("member statements")
        constraints = [models.CheckConstraint(condition=Q(until__gte=F("since")), name="statement_period")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(file__isnull=True), name="statement_to_render"
            )
        ]

    def __str__(self) -> str:
        return self.number
