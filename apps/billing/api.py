"""Self-pay bills over the API: hospitals report what stayed unpaid, families see and pay.

Payments, corrections and reminders stand under `cases/<number>/actions/`, like those of every kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions import log_read
from apps.billing import epay
from apps.billing.actions import report_bill
from apps.billing.inputs import ReportInput
from apps.billing.models import BillPayment, BillReminder, OnlinePayment, SelfPayBill
from apps.billing.queries import VisitEntry, payment_of_account, visible_bills, visits_of_account
from apps.cards.api import ACCOUNT, AccountSerializer
from apps.cases.api import CaseDetailSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import NUMBERED, ActorMixin, YuanField
from apps.core.errors import InvalidInput, NotFound


class BillReminderSerializer(serializers.ModelSerializer[BillReminder]):
    class Meta:
        model = BillReminder
        fields = [
            "number", "counted_as", "channel", "result", "made_at", "result_at", "operator_label", "why_not", "rule",
        ]  # fmt: skip


class BillPaymentSerializer(serializers.ModelSerializer[BillPayment]):
    amount = YuanField(source="amount_fen")

    class Meta:
        model = BillPayment
        fields = ["id", "kind", "way", "amount", "reference", "paid_on", "at"]


class SharePartSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    amount = serializers.DecimalField(max_digits=14, decimal_places=2)


class SelfPayFields(serializers.ModelSerializer[SelfPayBill]):
    claim = serializers.CharField(source="claim.number", allow_null=True, default=None)
    hospital = serializers.CharField(source="hospital.code")
    total = YuanField(source="total_fen")
    collected = YuanField(source="collected_fen")
    paid = YuanField(source="paid_fen")
    open = YuanField(source="open_fen")
    credit = YuanField(source="credit_fen")
    parts = serializers.SerializerMethodField()
    attempts = BillReminderSerializer(many=True, read_only=True)
    payments = BillPaymentSerializer(many=True, read_only=True)

    class Meta:
        model = SelfPayBill
        fields = [
            "claim", "hospital", "source", "reference", "visit_type", "visited_on", "department", "total", "collected",
            "paid", "open", "credit", "parts", "reminders", "exhausted_at", "settled_at", "attempts", "payments",
        ]  # fmt: skip

    @extend_schema_field(SharePartSerializer(many=True))
    def get_parts(self, bill: SelfPayBill) -> Any:
        return [
            {"reason": reason, "amount": f"{fen // 100}.{fen % 100:02d}"} for reason, fen in bill.breakdown
        ]


class SelfPayBillSerializer(CaseDetailSerializer):
    """The case with what is particular to a bill."""

    self_pay = SelfPayFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "self_pay"]


class BillViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """Report an unpaid self-pay bill; read bills with their reminders and payments."""

    queryset = CaseFile.objects.none()
    serializer_class = SelfPayBillSerializer
    lookup_field = "number"
    lookup_value_regex = r"B\d{2}-\d{6,9}"
    filter_backends = NUMBERED
    filterset_fields = ["state", "series", "open"]
    search_fields = ["number", "self_pay__reference"]
    ordering_fields = ["opened_at", "amount_fen", "number"]
    required_scopes = {"read": "claims:read", "write": "claims:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        related = ("member", "policy", "handbook", "self_pay__hospital", "self_pay__claim")
        cases = visible_bills(self.actor).select_related(*related)
        return cases.prefetch_related("self_pay__attempts", "self_pay__payments").order_by("-pk")

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(request=serializer_for(ReportInput, "BillReport"), responses={201: SelfPayBillSerializer})
    def create(self, request: Request) -> Response:
        """Report what a family owes and did not pay on the spot (BIL-01); reminders begin at once.

        A hospital names the child by number, name and date of birth, and reports for itself only. Where the
        series bills when the claim is closed, the closed claim is named (BIL-20).
        """
        if not isinstance(request.data, dict):
            raise InvalidInput(_("A JSON object is expected."), code="type")
        case = report_bill(self.actor, data=dict(request.data))
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)


# --- The family's front end -------------------------------------------------------------------------


@dataclass(frozen=True)
class Why:
    code: str
    words: Any
    rule: str


class PayBlockerSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    words = serializers.CharField()
    rule = serializers.CharField()


class VisitRecordSerializer(serializers.Serializer[Any]):
    """One visit record; `payable` says that “pay” stands beside the hospital (EPY-02)."""

    visited_on = serializers.DateField()
    hospital = serializers.CharField()
    visit_type = serializers.CharField()
    department = serializers.CharField()
    child = serializers.CharField()
    claim = serializers.CharField()
    bill = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True)
    state_label = serializers.CharField(allow_blank=True)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, allow_null=True)
    open = serializers.DecimalField(max_digits=14, decimal_places=2, allow_null=True)
    payable = serializers.BooleanField()
    why_not = PayBlockerSerializer(allow_null=True)
    pending_payment = serializers.CharField(allow_blank=True)


class OnlinePaymentSerializer(serializers.ModelSerializer[OnlinePayment]):
    """What became of an electronic payment. Only the gateway's notice makes it PAID: ask here after the
    family comes back, whatever its browser says."""

    bill = serializers.CharField(source="bill.case.number")
    amount = YuanField(source="amount_fen")
    refunded = YuanField(source="refunded_fen")
    page = serializers.SerializerMethodField()

    class Meta:
        model = OnlinePayment
        fields = [
            "number",
            "bill",
            "amount",
            "state",
            "page",
            "started_at",
            "expires_at",
            "paid_at",
            "refunded",
        ]

    def get_page(self, payment: OnlinePayment) -> str:
        request: Any = self.context.get("request")
        return request.build_absolute_uri(payment.page) if request and payment.page else payment.page


def visit_row(entry: VisitEntry) -> dict[str, Any]:
    bill = entry.bill
    shown: dict[str, Any] = {
        "visited_on": entry.visited_on, "hospital": entry.hospital, "visit_type": entry.visit_type,
        "department": entry.department, "child": entry.child, "claim": entry.claim, "bill": "", "state": "",
        "state_label": "", "amount": None, "open": None, "payable": entry.payable, "why_not": None,
        "pending_payment": entry.pending.number if entry.pending else "",
    }  # fmt: skip
    if bill is not None:
        yuan = YuanField().to_representation
        shown |= {
            "bill": bill.case.number, "state": bill.case.state, "state_label": bill.case.get_state_display(),
            "amount": yuan(bill.total_fen), "open": yuan(bill.open_fen),
        }  # fmt: skip
        if bill.live and entry.blocker:
            shown["why_not"] = Why(entry.blocker.code, entry.blocker.message, entry.blocker.rule)
    return shown


class VisitRecordViewSet(ActorMixin, viewsets.ViewSet):
    """Visit records of the children whose cards an account holds, with “pay” where it is possible (EPY-02)."""

    required_scopes = {"read": "cards:read", "write": "cards:write"}
    lookup_field = "number"
    lookup_value_regex = r"B\d{2}-\d{6,9}"

    def _account(self) -> str:
        asked = AccountSerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        return str(asked.validated_data["account"])

    @extend_schema(parameters=[ACCOUNT], responses=VisitRecordSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The visits, the newest first (at most 100)."""
        account = self._account()
        rows = [visit_row(entry) for entry in visits_of_account(self.actor, account)]
        log_read(self.actor, subject=f"account:{account}", what="visit records")
        return Response(VisitRecordSerializer(rows, many=True).data)

    @extend_schema(
        request=AccountSerializer,
        parameters=[OpenApiParameter("number", OpenApiTypes.STR, OpenApiParameter.PATH)],
        responses={201: OnlinePaymentSerializer},
    )
    @action(detail=True, methods=["post"])
    def pay(self, request: Request, number: str) -> Response:
        """Start paying a bill; open `page` in the family's browser. Asked again, the same payment comes back
        until it is over. Refused with the rule where electronic payment is not possible (EPY-01)."""
        asked = AccountSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        payment = epay.start(self.actor, number, account=asked.validated_data["account"])
        body = OnlinePaymentSerializer(payment, context={"request": request}).data
        return Response(body, status=status.HTTP_201_CREATED)


class OnlinePaymentViewSet(ActorMixin, viewsets.ViewSet):
    """Electronic payments of an account."""

    required_scopes = {"read": "cards:read", "write": "cards:write"}
    lookup_field = "number"
    lookup_value_regex = r"E\d{2}-\d{6,9}"

    @extend_schema(
        parameters=[ACCOUNT, OpenApiParameter("number", OpenApiTypes.STR, OpenApiParameter.PATH)],
        responses=OnlinePaymentSerializer,
    )
    def retrieve(self, request: Request, number: str) -> Response:
        """What became of a payment."""
        asked = AccountSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        payment = payment_of_account(self.actor, asked.validated_data["account"], number)
        if payment is None:
            raise NotFound(_("There is nothing at this address, or it is not yours to see."))
        return Response(OnlinePaymentSerializer(payment, context={"request": request}).data)


def register(router: Any) -> None:
    router.register("bills", BillViewSet, basename="bill")
    router.register("visit-records", VisitRecordViewSet, basename="visit-record")
    router.register("online-payments", OnlinePaymentViewSet, basename="online-payment")
