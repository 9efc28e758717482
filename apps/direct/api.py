"""Direct billing over the API: submit one, a batch or a workbook, admit a child, read what became of it.

Actions (discharge, report_costs, attach_paper …) stand under `cases/<number>/actions/`, like those of every kind.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cases.api import CaseDetailSerializer, CaseSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.claims.api import (
    TOLD_FINDINGS,
    DecisionSerializer,
    FindingSerializer,
    OutstandingSerializer,
    VisitSerializer,
)
from apps.claims.assess import assessment_of
from apps.claims.originals import outstanding
from apps.core.api import ActorMixin, YuanField
from apps.core.errors import InvalidInput
from apps.direct.actions import admit_child, submit_direct
from apps.direct.batches import submit_many
from apps.direct.importer import import_claims
from apps.direct.inputs import AdmissionInput, SubmitInput
from apps.direct.models import DirectClaim, HospitalPayment
from apps.direct.queries import self_pay, visible_direct
from apps.direct.workflow import AT_INTAKE, BEFORE_DECISION

API = DirectClaim.Source.API


class HospitalPaymentSerializer(serializers.ModelSerializer[HospitalPayment]):
    amount = YuanField(source="amount_fen")

    class Meta:
        model = HospitalPayment
        fields = ["statement", "reference", "amount", "paid_at", "ahead"]


class DirectFields(serializers.ModelSerializer[DirectClaim]):
    authorization = serializers.CharField(source="authorization.case.number", read_only=True, default="")
    collected = YuanField(source="collected_fen")
    paid = YuanField(source="paid_fen")
    out_of_letter = YuanField(source="drawn_fen")
    reported = YuanField(source="reported_fen")
    payments = HospitalPaymentSerializer(many=True, read_only=True)

    class Meta:
        model = DirectClaim
        fields = [
            "source", "authorization", "appointment", "emergency_at", "id_type", "id_photo", "contact_name",
            "contact_email", "department", "diagnosis", "admitted_on", "discharged_on", "reported", "out_of_letter",
            "collected", "paid", "flags", "payments",
        ]  # fmt: skip


class ShareSerializer(serializers.Serializer[Any]):
    """What the decision leaves to the family, to be paid to the hospital."""

    total = YuanField(source="total_fen")
    collected = YuanField(source="collected_fen")
    open = YuanField(source="open_fen")


class DirectSerializer(CaseDetailSerializer):
    """The case with what is particular to direct billing: each decided line with its reasons (REC-04)."""

    claimed = YuanField(source="claim.claimed_fen")
    direct = DirectFields(read_only=True)
    visits = VisitSerializer(source="claim.visits", many=True, read_only=True)
    decisions = DecisionSerializer(source="claim.decisions", many=True, read_only=True)
    self_pay = serializers.SerializerMethodField()

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "claimed", "direct", "visits", "decisions", "self_pay"]

    @extend_schema_field(ShareSerializer(allow_null=True))
    def get_self_pay(self, case: CaseFile) -> Any:
        return ShareSerializer(self_pay(case)).data if case.claim.decided_fen is not None else None


class DirectDetailSerializer(DirectSerializer):
    """With what is missing before the review can begin; empty once it has begun."""

    missing = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField(
        help_text=_("what is open before the decision, for the desk and the administrator")
    )

    class Meta(DirectSerializer.Meta):
        fields = [*DirectSerializer.Meta.fields, "missing", "findings"]

    @extend_schema_field(OutstandingSerializer(many=True))
    def get_missing(self, case: CaseFile) -> Any:
        if case.state not in AT_INTAKE or not case.claim.visits.all():
            return []
        return OutstandingSerializer(outstanding(assessment_of(case)), many=True).data

    @extend_schema_field(FindingSerializer(many=True))
    def get_findings(self, case: CaseFile) -> Any:
        told = self.context["actor"].roles & TOLD_FINDINGS
        if not told or case.state not in BEFORE_DECISION or not case.claim.visits.all():
            return []
        return FindingSerializer(assessment_of(case).open_findings, many=True).data


class BatchAnswerSerializer(serializers.Serializer[Any]):
    claims = CaseSerializer(many=True)


class WorkbookSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text=_("Excel workbook (.xlsx)"))
    dry_run = serializers.BooleanField(default=False)


class RowErrorSerializer(serializers.Serializer[Any]):
    sheet = serializers.CharField()
    row = serializers.IntegerField()
    column = serializers.CharField()
    value = serializers.CharField()
    expected = serializers.CharField()


class WorkbookAnswerSerializer(serializers.Serializer[Any]):
    """`stored` is False for a trial, and whenever a row is wrong: then nothing was stored."""

    stored = serializers.BooleanField()
    rows = serializers.IntegerField()
    claims = serializers.IntegerField()
    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]


class DirectViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """Submit what a hospital bills directly, and read it whole. A hospital sees and sends its own only."""

    queryset = CaseFile.objects.none()
    serializer_class = DirectSerializer
    lookup_field = "number"
    lookup_value_regex = r"D\d{2}-\d{6,9}"
    filter_backends = []
    required_scopes = {"read": "claims:read", "write": "claims:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        cases = visible_direct(self.actor).select_related(
            "member", "policy__plan", "handbook", "hospital", "claim", "direct__authorization__case"
        )
        related = (
            "claim__visits__hospital", "claim__visits__bills__lines", "claim__decisions__lines", "direct__payments",
        )  # fmt: skip
        return cases.prefetch_related(*related).order_by("-pk")

    def get_serializer_class(self) -> Any:
        return DirectSerializer if self.action == "list" else DirectDetailSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(
        request=serializer_for(SubmitInput, "DirectSubmission"), responses={201: DirectDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        """Submit one visit, or one stay after its discharge. Every wrong value is named by its path; nothing
        is stored then. A greyed card (BIL-03), another clinic brand (VAC-04) or a bill claimed before (LAW-11)
        answers 409."""
        case = submit_direct(self.actor, data=_object(request.data), source=API)
        return self._answer(case)

    @extend_schema(
        request=serializer_for(AdmissionInput, "DirectAdmission"), responses={201: DirectDetailSerializer}
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def admissions(self, request: Request) -> Response:
        """A child comes to stay, on a guarantee letter that was sent or as an emergency (PA-06). Its bills come
        with the action `discharge`."""
        case = admit_child(self.actor, data=_object(request.data), source=API)
        return self._answer(case)

    @extend_schema(
        request={
            "application/json": {
                "type": "object",
                "properties": {"claims": {"type": "array", "items": {"type": "object"}}},
            }
        },
        responses={201: BatchAnswerSerializer},
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def batch(self, request: Request) -> Response:
        """Up to 200 claims, all or nothing; errors are named `claims.<index>.<path>`, all at once."""
        claims = _object(request.data).get("claims")
        if not isinstance(claims, list):
            raise InvalidInput(_("A list is expected."), code="type", field="claims")
        cases = submit_many(self.actor, claims, source=API)
        return Response(BatchAnswerSerializer({"claims": cases}).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request={"multipart/form-data": WorkbookSerializer},
        responses={200: WorkbookAnswerSerializer, 201: WorkbookAnswerSerializer},
    )
    @action(detail=False, methods=["post"], pagination_class=None, parser_classes=[MultiPartParser])
    def workbook(self, request: Request) -> Response:
        """A batch as an Excel workbook, tried (`dry_run`) or stored, all or nothing. Wrong rows answer 400 with
        row, column, value and what is expected of each."""
        body = WorkbookSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        trial = body.validated_data["dry_run"]
        file = body.validated_data["file"]
        report = import_claims(self.actor, file, dry_run=trial, name=file.name)
        answer = WorkbookAnswerSerializer(
            {
                "stored": not trial and not report.errors, "rows": report.rows,
                "claims": sum(sum(counts.values()) for counts in report.entities.values()), "errors": report.errors,
            }
        )  # fmt: skip
        wrong, made = status.HTTP_400_BAD_REQUEST, status.HTTP_201_CREATED
        return Response(answer.data, status=wrong if report.errors else status.HTTP_200_OK if trial else made)

    def _answer(self, case: CaseFile) -> Response:
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidInput(_("A JSON object is expected."), code="type")
    return dict(data)


def register(router: Any) -> None:
    router.register("direct-claims", DirectViewSet, basename="direct-claim")
