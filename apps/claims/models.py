"""A claim: visits, bills, lines, and its decisions. State lives on the case file."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.core.crypto import EncryptedTextField
from apps.core.models import Immutable
from apps.hospitals.models import Campus, DepartmentGroup, Hospital
from apps.payments.models import Payee


class Category(models.TextChoices):
    REIMBURSEMENT = "REIMBURSEMENT", _("reimbursement claim")
    VACCINE = "VACCINE", _("vaccine claim")
    INTERNET = "INTERNET", _("internet-hospital claim")
    HEALTH_CHECK = "HEALTH_CHECK", _("health-check claim")
    DIRECT = "DIRECT", _("direct-billing claim")


class Claim(models.Model):
    """The facts as reported. One to one with its case file, which is the primary key."""

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="claim")
    category = models.CharField(_("category"), max_length=14, choices=Category.choices)
    channel = models.CharField(
        _("channel"), max_length=20
    )  # of `report.channels` or `direct.inputs.CHANNELS`
    route = models.CharField(_("route"), max_length=8, blank=True)  # ONLINE | MAIL
    reported_at = models.DateTimeField(_("reported at"))
    reporter_name = models.CharField(_("reported by"), max_length=80)
    reporter_relation = models.CharField(_("relation"), max_length=20, blank=True)
    reporter_phone = EncryptedTextField(_("phone"), blank=True)
    reporter_phone_masked = models.CharField(max_length=20, blank=True)
    payee = models.ForeignKey(Payee, verbose_name=_("payee"), null=True, blank=True, on_delete=models.PROTECT)
    e_signed = models.BooleanField(_("e-signed"), default=False)
    assigned_to = models.ForeignKey(
        Payee,
        verbose_name=_("assigned to"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )  # who advanced the cost and is paid first (ADV-14)
    assigned_fen = models.BigIntegerField(_("assigned (fen)"), default=0)
    claimed_fen = models.BigIntegerField(
        _("claimed (fen)"), default=0
    )  # after third-party settlement (PR-12)
    decided_fen = models.BigIntegerField(_("insurer pays (fen)"), null=True)
    first_received_at = models.DateTimeField(
        _("claim and papers first received"), null=True, blank=True
    )  # LAW-02
    answers = models.PositiveSmallIntegerField(_("answered findings"), default=0)
    notices = models.PositiveSmallIntegerField(_("supplement notices"), default=0)  # LAW-01: one
    notice_at = models.DateTimeField(_("supplement notice of"), null=True, blank=True)
    notice_reached_at = models.DateTimeField(_("supplement notice reached"), null=True, blank=True)
    tracking_number = models.CharField(_("courier number"), max_length=40, blank=True, db_index=True)
    reminders = models.PositiveSmallIntegerField(_("reminders of papers"), default=0)  # since the last notice
    inquiries_open = models.PositiveSmallIntegerField(_("open inquiries"), default=0)
    knowledge_on = models.DateField(_("non-disclosure known since"), null=True, blank=True)  # LAW-12
    note = models.TextField(_("note"), blank=True)

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")

    def __str__(self) -> str:
        return self.case.number


class Visit(models.Model):
    """单次就诊: insured + hospital + department + date, or one admission (PR-13)."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="visits")
    position = models.PositiveSmallIntegerField()
    visit_type = models.CharField(_("visit type"), max_length=16)
    benefit = models.CharField(_("benefit"), max_length=30)
    hospital = models.ForeignKey(
        Hospital, verbose_name=_("hospital"), on_delete=models.PROTECT, related_name="visits"
    )
    campus = models.ForeignKey(
        Campus, verbose_name=_("campus"), null=True, blank=True, on_delete=models.PROTECT
    )
    department = models.CharField(_("department"), max_length=80)
    department_group = models.CharField(_("department group"), max_length=20, choices=DepartmentGroup.choices)
    doctor = models.CharField(_("doctor"), max_length=60, blank=True)
    record_number = models.CharField(_("outpatient/record number"), max_length=60, blank=True)
    admission_number = models.CharField(_("admission number"), max_length=60, blank=True)
    started_on = models.DateField(_("visit / admission date"))
    ended_on = models.DateField(_("discharge date"))
    admitted_at = models.DateTimeField(null=True, blank=True)
    discharged_at = models.DateTimeField(null=True, blank=True)
    diagnoses = models.JSONField(
        _("diagnoses"), default=list
    )  # [{"code": "J20.9", "name": …, "system": …}], main first
    procedures = models.JSONField(_("procedures"), default=list)
    conditions = models.JSONField(default=list)
    cause = models.CharField(_("cause"), max_length=10, default="ILLNESS")
    event_on = models.DateField(_("date of event"), null=True, blank=True)
    emergency = models.BooleanField(_("emergency"), default=False)
    surgery = models.BooleanField(_("surgery"), default=False)
    follow_up = models.BooleanField(_("follow-up"), default=False)
    prior_visit = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)
    prior_reference = models.CharField(_("earlier visit"), max_length=80, blank=True)  # INT-01, when not ours
    direct_billed = models.BooleanField(_("direct-billed"), default=False)
    claimed_fen = models.BigIntegerField(_("claimed (fen)"), default=0)  # for day totals (PR-15)
    used_social_insurance = models.BooleanField(_("social insurance used"), default=False)
    psychiatrist_diagnosed = models.BooleanField(default=False)
    psychiatrist_recommended = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["claim", "position"]
        constraints = [models.UniqueConstraint(fields=["claim", "position"], name="visit_position_once")]

    def __str__(self) -> str:
        return f"{self.started_on} {self.department}"


class Bill(models.Model):
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="bills")
    position = models.PositiveSmallIntegerField()
    bill_type = models.CharField(_("bill type"), max_length=14)
    code = models.CharField(_("bill code"), max_length=20, blank=True)
    number = models.CharField(_("bill number"), max_length=20)
    check_code = models.CharField(_("check code"), max_length=20, blank=True)
    identity = models.CharField(_("bill identity"), max_length=80, db_index=True)
    serial_number = models.CharField(_("business serial number"), max_length=60, blank=True)
    issued_on = models.DateField(_("issued on"))
    amount_fen = models.BigIntegerField(_("amount"))
    insurance_type = models.CharField(_("insurance type"), max_length=40, blank=True)
    insurance_number = models.CharField(_("insurance number"), max_length=40, blank=True)
    pooled_fund_fen = models.BigIntegerField(_("pooled fund"), default=0)
    serious_illness_fen = models.BigIntegerField(_("serious illness"), default=0)
    assistance_fen = models.BigIntegerField(_("assistance"), default=0)
    other_insurer_fen = models.BigIntegerField(_("other insurers"), default=0)
    personal_account_fen = models.BigIntegerField(_("personal account"), default=0)
    cash_fen = models.BigIntegerField(_("cash"), default=0)
    copay_fen = models.BigIntegerField(_("personal co-payment"), default=0)
    selfpay_fen = models.BigIntegerField(_("personal self-pay"), default=0)
    deposit_fen = models.BigIntegerField(_("deposit paid"), default=0)
    deposit_added_fen = models.BigIntegerField(_("deposit topped up"), default=0)
    deposit_returned_fen = models.BigIntegerField(_("deposit returned"), default=0)
    social_deductible_fen = models.BigIntegerField(_("social deductible"), default=0)
    state = models.CharField(_("state"), max_length=10, default="VALID")  # VALID VOID RED_LETTER EXCHANGED
    electronic = models.BooleanField(_("electronic"), default=False)
    verified = models.BooleanField(_("verified"), default=False)

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        ordering = ["visit", "position"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_fen__gte=0), name="bill_amount_positive"),
            models.UniqueConstraint(fields=["visit", "position"], name="bill_position_once"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def third_party_fen(self) -> int:
        """Settled by others, without the personal account (PR-11)."""
        return self.pooled_fund_fen + self.serious_illness_fen + self.assistance_fen + self.other_insurer_fen


class BillLine(models.Model):
    bill = models.ForeignKey(Bill, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("item"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16)
    code = models.CharField(_("code"), max_length=40, blank=True)
    category = models.CharField(_("category"), max_length=1, blank=True)  # A B C = 甲乙丙
    benefit = models.CharField(_("benefit"), max_length=30, blank=True)
    specification = models.CharField(_("specification"), max_length=80, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=10, decimal_places=3, default=1)
    unit_price_fen = models.BigIntegerField(_("unit price"), default=0)
    amount_fen = models.BigIntegerField(_("amount"))
    third_party_fen = models.BigIntegerField(_("third party"), default=0)
    procedure_categories = models.JSONField(default=list, blank=True)
    vaccine_approved = models.BooleanField(default=True)
    vaccine_experimental = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ["bill", "position"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_fen__gte=0), name="line_amount_positive"),
            models.UniqueConstraint(fields=["bill", "position"], name="line_position_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Outcome(models.TextChoices):
    APPROVE = "APPROVE", _("approve in full")
    PARTIAL = "PARTIAL", _("partial")
    DENY = "DENY", _("decline")
    EX_GRATIA = "EX_GRATIA", _("ex gratia")
    COMPROMISE = "COMPROMISE", _("compromise")
    UNDISPUTED = "UNDISPUTED", _("undisputed part first")
    RESCISSION = "RESCISSION", _("rescission of the contract")


class Decision(Immutable):
    """What was decided, with the canonical facts, so that `replay` can decide it again."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="decisions")
    version = models.PositiveSmallIntegerField(_("version"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    insurer_fen = models.BigIntegerField(_("insurer pays"))
    computed_fen = models.BigIntegerField(_("as computed"))
    result = models.JSONField()  # findings, totals, movements (serialize.decision_to_json without lines)
    facts = models.JSONField()
    engine = models.CharField(max_length=20)
    handbook_sha = models.CharField(max_length=64)
    plan_sha = models.CharField(max_length=64)
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(_("reason"), blank=True)
    member_text = models.TextField(_("text for the member"), blank=True)
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(fields=["claim", "version"], name="decision_version_once"),
            models.CheckConstraint(condition=models.Q(insurer_fen__gte=0), name="decision_positive"),
            models.CheckConstraint(
                condition=models.Q(signed_by__isnull=True) | ~models.Q(signed_by=models.F("proposed_by")),
                name="decision_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.version} {self.outcome}"


class DecisionLine(Immutable):
    """insurer + member + third party + disallowed + deductible = billed (CHECK)."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(BillLine, on_delete=models.PROTECT, related_name="+")
    billed_fen = models.BigIntegerField()
    third_party_fen = models.BigIntegerField()
    disallowed_fen = models.BigIntegerField()
    deductible_fen = models.BigIntegerField()
    member_fen = models.BigIntegerField()
    insurer_fen = models.BigIntegerField()
    reasons = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    billed_fen=models.F("third_party_fen")
                    + models.F("disallowed_fen")
                    + models.F("deductible_fen")
                    + models.F("member_fen")
                    + models.F("insurer_fen")
                ),
                name="decision_line_balances",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    third_party_fen__gte=0,
                    disallowed_fen__gte=0,
                    deductible_fen__gte=0,
                    member_fen__gte=0,
                    insurer_fen__gte=0,
                ),
                name="decision_line_not_negative",
            ),
        ]


class Proposal(models.Model):
    """A decision waiting for its second signature; at most one a claim."""

    claim = models.OneToOneField(Claim, on_delete=models.CASCADE, related_name="proposal")
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    insurer_fen = models.BigIntegerField(_("insurer pays"))
    reason = models.TextField(blank=True)
    member_text = models.TextField(blank=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.claim_id} {self.outcome}"


class Override(Immutable):
    """A person's answer to a finding the text leaves to discretion, with the reason."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="overrides")
    finding = models.CharField(max_length=120)
    rule = models.CharField(max_length=12)
    accept = models.BooleanField()
    reason = models.TextField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    round = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim", "finding", "round"], name="override_once_a_round")
        ]


# --- Originals by mail (RMB-22 … RMB-26, RMB-39) --------------------------------------------------


class Parcel(models.Model):
    """A parcel of a claim: announced by the member, brought to the mailroom, or refused at the door."""

    class State(models.TextChoices):
        ANNOUNCED = "ANNOUNCED", pgettext_lazy("state of a parcel", "on its way")
        RECEIVED = "RECEIVED", pgettext_lazy("state of a parcel", "received")
        REFUSED = "REFUSED", pgettext_lazy("state of a parcel", "refused: collect on delivery")

    class Arrival(models.TextChoices):
        COURIER = "COURIER", _("courier")
        POST = "POST", _("post")
        COUNTER = "COUNTER", _("handed in")

    VISIBILITY = {
        "series": "claim__case__series",
        "tpa": "claim__case__tpa",
        "member": "claim__case__member__number",
    }

    claim = models.ForeignKey(
        Claim, verbose_name=_("claim"), on_delete=models.PROTECT, related_name="parcels"
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    tracking_number = models.CharField(_("courier number"), max_length=40, blank=True, db_index=True)
    arrival = models.CharField(_("arrived by"), max_length=8, choices=Arrival.choices, blank=True)
    sent_on = models.DateField(_("sent on"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("arrived at"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    announced_by = models.CharField(_("announced by"), max_length=80, blank=True)
    announced_at = models.DateTimeField(_("announced at"), null=True, blank=True)
    logged_by = models.CharField(_("logged by"), max_length=80, blank=True)
    logged_at = models.DateTimeField(_("logged at"), null=True, blank=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="ANNOUNCED") | models.Q(arrived_at__isnull=False),
                name="parcel_arrived_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["claim", "tracking_number"],
                condition=~models.Q(tracking_number="") & ~models.Q(state="REFUSED"),
                name="parcel_number_once_a_claim",
            ),
        ]
        indexes = [models.Index(fields=["-arrived_at"], name="parcel_recent")]

    def __str__(self) -> str:
        return self.tracking_number or f"#{self.pk}"


class Original(models.Model):
    """One kind of paper out of a parcel, as the clerk found it; where it lies and whether it went back."""

    class Condition(models.TextChoices):
        GOOD = "GOOD", pgettext_lazy("condition of a paper", "good")
        DAMAGED = "DAMAGED", pgettext_lazy("condition of a paper", "damaged, readable")
        UNREADABLE = "UNREADABLE", pgettext_lazy("condition of a paper", "unreadable")

    VISIBILITY = Parcel.VISIBILITY

    claim = models.ForeignKey(
        Claim, verbose_name=_("claim"), on_delete=models.PROTECT, related_name="originals"
    )
    parcel = models.ForeignKey(
        Parcel, verbose_name=_("parcel"), on_delete=models.PROTECT, related_name="originals"
    )
    paper = models.OneToOneField(
        "documents.Paper", verbose_name=_("paper"), on_delete=models.PROTECT, related_name="original"
    )
    kind = models.CharField(_("kind"), max_length=40)  # a document key of the handbook
    place = models.CharField(_("about"), max_length=60, blank=True)  # "" or bill:<ref>
    is_original = models.BooleanField(_("original"), default=True)  # False: only a copy came
    sheets = models.PositiveSmallIntegerField(_("sheets"), default=1)
    condition = models.CharField(_("condition"), max_length=10, choices=Condition.choices)
    shelf = models.CharField(_("shelf"), max_length=40, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    logged_by = models.CharField(_("logged by"), max_length=80)
    logged_at = models.DateTimeField(_("logged at"))
    returned_at = models.DateTimeField(_("returned at"), null=True, blank=True)
    returned_by = models.CharField(_("returned by"), max_length=80, blank=True)
    returned_with = models.CharField(_("returned with"), max_length=40, blank=True)  # courier number
    return_reason = models.CharField(_("reason of the return"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("original")
        verbose_name_plural = _("originals")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(sheets__gte=1), name="original_has_sheets"),
        ]
        indexes = [models.Index(fields=["-logged_at"], name="original_recent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.place}".strip()


# --- Questions to others during the review --------------------------------------------------------


class Inquiry(models.Model):
    """A question somebody answers while a claim is reviewed: an investigation, a medical opinion, or a
    dispute with the member or the hospital. The answer stands beside the decision; it decides nothing."""

    class Kind(models.TextChoices):
        INVESTIGATION = "INVESTIGATION", _("investigation")
        MEDICAL = "MEDICAL", _("medical review")
        MEMBER = "MEMBER", _("dispute with the member")
        HOSPITAL = "HOSPITAL", _("dispute with the hospital")

    class State(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("state of an inquiry", "open")
        ANSWERED = "ANSWERED", pgettext_lazy("state of an inquiry", "answered")
        CANCELED = "CANCELED", pgettext_lazy("state of an inquiry", "canceled")

    class Opinion(models.TextChoices):
        SUPPORTED = "SUPPORTED", _("supported")
        PARTLY = "PARTLY", _("supported in part")
        UNSUPPORTED = "UNSUPPORTED", _("not supported")
        UNCLEAR = "UNCLEAR", _("cannot be told")

    VISIBILITY = Parcel.VISIBILITY

    claim = models.ForeignKey(
        Claim, verbose_name=_("claim"), on_delete=models.PROTECT, related_name="inquiries"
    )
    kind = models.CharField(_("kind"), max_length=14, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    question = models.TextField(_("question"))
    places = models.JSONField(_("lines in dispute"), default=list)  # "1.1.2", or "1.1" for a whole bill
    assignee = models.ForeignKey(
        User, verbose_name=_("given to"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    due_on = models.DateField(_("answer wanted by"), null=True, blank=True)
    opinion = models.CharField(_("opinion"), max_length=12, choices=Opinion.choices, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    ordered_by = models.CharField(_("ordered by"), max_length=80)
    ordered_at = models.DateTimeField(_("ordered at"))
    answered_by = models.CharField(_("answered by"), max_length=80, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("inquiry")
        verbose_name_plural = _("inquiries")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="OPEN") | models.Q(answered_at__isnull=False),
                name="inquiry_ended_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["assignee"], condition=models.Q(state="OPEN"), name="inquiry_open")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"
