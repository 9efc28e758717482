"""Claims over the API: report one, read one with its decisions, check coverage."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.visibility import visible_to
from apps.adjudication.checklist import Requirement
from apps.adjudication.decision import Finding
from apps.adjudication.handbook import Title
from apps.adjudication.serialize import decision_to_json
from apps.cases.api import CaseDetailSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.claims.actions import coverage_check, report_claim
from apps.claims.assess import assess, assessment_of
from apps.claims.inputs import ReportInput
from apps.claims.models import (
    Bill,
    BillLine,
    Claim,
    Decision,
    DecisionLine,
    Inquiry,
    Original,
    Parcel,
    Visit,
)
from apps.claims.originals import mailing, missing_originals, originals_of, outstanding, parcels_of
from apps.claims.roles import COMPLIANCE, DESK
from apps.claims.undisputed import part_of
from apps.claims.workflow import BEFORE_DECISION, COLLECTING
from apps.core.api import ActorMixin, YuanField
from apps.core.errors import InvalidInput, NotAllowed
from apps.payments.models import PaymentOrder

PAPERS_WANTED = COLLECTING | {"REPORTED", "EMERGENCY_HOLD"}
TOLD_FINDINGS = DESK | COMPLIANCE | {"api_tpa"}


class LineSerializer(serializers.ModelSerializer[BillLine]):
    amount = YuanField(source="amount_fen")
    unit_price = YuanField(source="unit_price_fen")
    third_party = YuanField(source="third_party_fen")

    class Meta:
        model = BillLine
        fields = [
            "id",
            "name",
            "kind",
            "code",
            "category",
            "benefit",
            "quantity",
            "unit_price",
            "amount",
            "third_party",
        ]


class BillSerializer(serializers.ModelSerializer[Bill]):
    lines = LineSerializer(many=True, read_only=True)
    amount = YuanField(source="amount_fen")
    third_party = YuanField(source="third_party_fen")

    class Meta:
        model = Bill
        fields = [
            "bill_type",
            "code",
            "number",
            "issued_on",
            "amount",
            "third_party",
            "state",
            "electronic",
            "lines",
        ]


class VisitSerializer(serializers.ModelSerializer[Visit]):
    bills = BillSerializer(many=True, read_only=True)
    hospital = serializers.CharField(source="hospital.code", read_only=True)
    hospital_name = serializers.CharField(source="hospital.name", read_only=True)

    class Meta:
        model = Visit
        fields = [
            "visit_type", "benefit", "hospital", "hospital_name", "department", "department_group", "started_on",
            "ended_on", "diagnoses", "cause", "emergency", "bills",
        ]  # fmt: skip


class DecisionLineSerializer(serializers.ModelSerializer[DecisionLine]):
    billed = YuanField(source="billed_fen")
    third_party = YuanField(source="third_party_fen")
    disallowed = YuanField(source="disallowed_fen")
    deductible = YuanField(source="deductible_fen")
    member = YuanField(source="member_fen")
    insurer = YuanField(source="insurer_fen")

    class Meta:
        model = DecisionLine
        fields = ["line", "billed", "third_party", "disallowed", "deductible", "member", "insurer", "reasons"]


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    insurer = YuanField(source="insurer_fen")
    lines = DecisionLineSerializer(many=True, read_only=True)
    findings = serializers.JSONField(source="result.findings", read_only=True)

    class Meta:
        model = Decision
        fields = ["version", "outcome", "insurer", "reason", "member_text", "decided_at", "findings", "lines"]


class OutstandingSerializer(serializers.Serializer[Any]):
    """One paper or check that is still to come: what it is, what is wrong, and what would do."""

    paper = serializers.CharField(source="key", help_text=_("the kind, as `papers` takes it"))
    title = serializers.SerializerMethodField()
    bill = serializers.SerializerMethodField(help_text=_("which bill it is about, such as 1.1"))
    why = serializers.SerializerMethodField()
    remedy = serializers.SerializerMethodField()
    rule = serializers.CharField()

    def get_title(self, entry: Requirement) -> str:
        return _said(entry.title)

    def get_bill(self, entry: Requirement) -> str:
        return entry.place.removeprefix("bill:")

    def get_why(self, entry: Requirement) -> str:
        return _said(entry.why)

    def get_remedy(self, entry: Requirement) -> str:
        return _said(entry.remedy)


def _said(title: Title) -> str:
    return title.en if (get_language() or "").startswith("en") else title.zh


class FindingSerializer(serializers.Serializer[Any]):
    """What holds the claim until a person answers it (`answer_finding`) or something arrives."""

    ref = serializers.CharField(help_text=_("as `finding` of the action answer_finding takes it"))
    level = serializers.CharField(source="level.value")
    message = serializers.SerializerMethodField()
    remedy = serializers.SerializerMethodField()
    rule = serializers.CharField()
    answerable = serializers.BooleanField(source="discretion", help_text=_("the text leaves it to a person"))

    def get_message(self, finding: Finding) -> str:
        return _said(Title(finding.message_zh, finding.message_en))

    def get_remedy(self, finding: Finding) -> str:
        return _said(Title(finding.remedy_zh, finding.remedy_en))


class PaymentSerializer(serializers.ModelSerializer[PaymentOrder]):
    """An order of money for a decision; one the bank sent back has another after it."""

    amount = YuanField(source="amount_fen")
    payee = serializers.CharField(source="payee.name")
    account = serializers.CharField(source="payee.account_masked", help_text=_("its last digits"))

    class Meta:
        model = PaymentOrder
        fields = [
            "number", "decision_version", "attempt", "state", "amount", "payee", "account", "ordered_at", "paid_at",
            "returned_at", "return_reason",
        ]  # fmt: skip


class ClaimSerializer(CaseDetailSerializer):
    """The case with what is particular to a claim."""

    category = serializers.CharField(source="claim.category", read_only=True)
    channel = serializers.CharField(source="claim.channel", read_only=True)
    route = serializers.CharField(source="claim.route", read_only=True)
    claimed = YuanField(source="claim.claimed_fen")
    visits = VisitSerializer(source="claim.visits", many=True, read_only=True)
    decisions = DecisionSerializer(source="claim.decisions", many=True, read_only=True)
    payments = PaymentSerializer(source="payment_orders", many=True, read_only=True)
    missing = serializers.SerializerMethodField(
        help_text=_("papers still to be sent while papers are collected; empty afterwards")
    )
    findings = serializers.SerializerMethodField(
        help_text=_("what is open before the decision, for the desk and the administrator")
    )

    class Meta(CaseDetailSerializer.Meta):
        fields = [
            *CaseDetailSerializer.Meta.fields,
            "category",
            "channel",
            "route",
            "claimed",
            "visits",
            "decisions",
            "payments",
            "missing",
            "findings",
        ]

    @extend_schema_field(OutstandingSerializer(many=True))
    def get_missing(self, case: CaseFile) -> Any:
        if case.state not in PAPERS_WANTED:
            return []
        return OutstandingSerializer(outstanding(assessment_of(case)), many=True).data

    @extend_schema_field(FindingSerializer(many=True))
    def get_findings(self, case: CaseFile) -> Any:
        if case.state not in BEFORE_DECISION or not self.context["actor"].roles & TOLD_FINDINGS:
            return []
        return FindingSerializer(assessment_of(case).open_findings, many=True).data


class MailingSerializer(serializers.Serializer[Any]):
    address = serializers.CharField()
    postcode = serializers.CharField()
    recipient = serializers.CharField()
    phone = serializers.CharField()
    originals = serializers.ListField(child=serializers.CharField())
    others = serializers.ListField(child=serializers.CharField())
    mark = serializers.CharField(help_text=_("written on the parcel or on a note inside"))
    own_postage = serializers.BooleanField()
    tracking_to = serializers.CharField()
    rules = serializers.ListField(child=serializers.CharField())


class ParcelSerializer(serializers.ModelSerializer[Parcel]):
    class Meta:
        model = Parcel
        fields = [
            "id", "state", "tracking_number", "arrival", "sent_on", "arrived_at", "note", "announced_by",
            "announced_at", "logged_by", "logged_at",
        ]  # fmt: skip


class OriginalSerializer(serializers.ModelSerializer[Original]):
    class Meta:
        model = Original
        fields = [
            "id", "parcel", "kind", "place", "is_original", "sheets", "condition", "shelf", "note", "logged_by",
            "logged_at", "returned_at", "returned_by", "returned_with", "return_reason",
        ]  # fmt: skip


class MissingSerializer(serializers.Serializer[Any]):
    ref = serializers.CharField()
    title = serializers.CharField(source="title.zh")
    status = serializers.CharField()
    why = serializers.CharField(source="why.zh")
    rule = serializers.CharField()


class OriginalsSerializer(serializers.Serializer[Any]):
    mailing = MailingSerializer(allow_null=True)
    parcels = ParcelSerializer(many=True)
    originals = OriginalSerializer(many=True)
    missing = MissingSerializer(many=True)


class UndisputedSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    amount = serializers.DecimalField(max_digits=14, decimal_places=2)
    disputed = serializers.ListField(child=serializers.CharField(), help_text=_("lines left out"))
    refused = serializers.ListField(child=serializers.CharField(), help_text=_("findings taken as refused"))


class InquirySerializer(serializers.ModelSerializer[Inquiry]):
    assignee = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = Inquiry
        fields = [
            "id", "kind", "state", "question", "places", "assignee", "due_on", "opinion", "answer", "ordered_by",
            "ordered_at", "answered_by", "answered_at",
        ]  # fmt: skip


class ClaimViewSet(ActorMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]):
    """Report a claim, read it whole. Lists and actions of all cases stand under `cases`."""

    queryset = CaseFile.objects.none()
    serializer_class = ClaimSerializer
    lookup_field = "number"
    lookup_value_regex = r"C\d{2}-\d{6,9}"
    filter_backends = []
    required_scopes = {"coverage": "claims:read", "read": "claims:read", "write": "claims:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        claims = CaseFile.objects.filter(kind="claim").select_related("member", "policy", "handbook", "claim")
        whole = claims.prefetch_related(
            "claim__visits__hospital", "claim__visits__bills__lines", "claim__decisions__lines",
            Prefetch("payment_orders", PaymentOrder.objects.select_related("payee").order_by("pk")),
        )  # fmt: skip
        return visible_to(whole, self.actor)

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(request=serializer_for(ReportInput, "ClaimReport"), responses={201: ClaimSerializer})
    def create(self, request: Request) -> Response:
        """Report a claim. Every wrong value is named by its path; nothing is stored then.

        A report the series refuses is stored as a registered refusal for a person to confirm (PR-06)
        and answers 201 with state REFUSAL_PENDING.
        """
        case = report_claim(self.actor, data=_object(request.data))
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=OriginalsSerializer)
    @action(detail=True)
    def originals(self, request: Request, number: str) -> Response:
        """How originals are sent, which parcels came, what lies on the shelf and what is still missing. Without
        `mailing` nothing is to be mailed; pictures that are missing stand in the claim."""
        case = self.get_object()
        found = assess(case, timezone.now())
        how = mailing(found) if case.claim.route == "MAIL" else None
        body = {
            "mailing": how.as_json() if how else None,
            "parcels": parcels_of(case.pk),
            "originals": originals_of(case.pk),
            "missing": missing_originals(found) if how else (),
        }
        return Response(OriginalsSerializer(body).data)

    @extend_schema(responses=UndisputedSerializer)
    @action(detail=True)
    def undisputed(self, request: Request, number: str) -> Response:
        """What is beyond dispute now (LAW-05); amount 0.00 when nothing is."""
        case = self.get_object()
        part = part_of(case, assess(case, timezone.now()), case.claim.inquiries.all())
        body = {
            "rule": "LAW-05",
            "amount": part.decision.insurer if part else Decimal("0.00"),
            "disputed": part.disputed if part else (),
            "refused": part.refused if part else (),
        }
        return Response(UndisputedSerializer(body).data)

    @extend_schema(responses=InquirySerializer(many=True))
    @action(detail=True, pagination_class=None)
    def inquiries(self, request: Request, number: str) -> Response:
        """Disputes, investigations and medical reviews of the claim, oldest first; for the desk and the
        administrator."""
        if self.actor.is_outside:
            message = _("What is investigated is for the desk and the administrator.")
            raise NotAllowed(message, code="house_only")
        rows = Inquiry.objects.filter(claim=self.get_object().pk).select_related("assignee").order_by("pk")
        return Response(InquirySerializer(rows, many=True).data)

    @extend_schema(request=serializer_for(ReportInput, "ClaimReport"), responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["post"])
    def coverage(self, request: Request) -> Response:
        """What would be decided (coverage check); nothing is stored."""
        checked = coverage_check(self.actor, _object(request.data))
        return Response(decision_to_json(checked))


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidInput(_("A JSON object is expected."), code="type")
    return dict(data)


def register(router: Any) -> None:
    router.register("claims", ClaimViewSet, basename="claim")


__all__ = ["Claim", "ClaimViewSet", "register"]
