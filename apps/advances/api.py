"""Advances over the API: apply, list, read whole.

Actions (verify, record_checks, settle …) stand under `cases/<number>/actions/`, like those of every kind.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.advances.actions import apply_for_advance
from apps.advances.inputs import ApplyInput
from apps.advances.models import Advance, AdvanceLine, DifferenceRefund
from apps.advances.queries import visible_advances
from apps.cases.api import CaseDetailSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import NUMBERED, ActorMixin, YuanField
from apps.core.errors import InvalidInput


class ExpectedCostSerializer(serializers.ModelSerializer[AdvanceLine]):
    amount = YuanField(source="amount_fen")

    class Meta:
        model = AdvanceLine
        fields = ["position", "name", "kind", "amount"]


class DifferenceRefundSerializer(serializers.ModelSerializer[DifferenceRefund]):
    amount = YuanField(source="amount_fen")

    class Meta:
        model = DifferenceRefund
        fields = ["amount", "received_on", "bank_reference", "recorded_at"]


class AdvanceFields(serializers.ModelSerializer[Advance]):
    stay = serializers.CharField(source="stay.case.number", default=None, read_only=True)
    claim = serializers.CharField(source="claim.number", default=None, read_only=True)
    provider = serializers.CharField(source="provider.name", default=None, read_only=True)
    estimate = YuanField(source="estimate_fen")
    expected = YuanField(source="expected_fen")
    approved = YuanField(source="approved_fen")
    advanced = YuanField(source="advanced_fen")
    adjudicated = YuanField(source="adjudicated_fen")
    difference = YuanField(source="refund_fen")
    refunded = YuanField(source="refunded_fen")
    lines = ExpectedCostSerializer(many=True, read_only=True)
    refunds = DifferenceRefundSerializer(many=True, read_only=True)

    class Meta:
        model = Advance
        fields = [
            "stay", "channel", "caller", "need", "consent", "department", "department_group", "visit_type", "cost",
            "cause", "diagnosis", "diagnosis_name", "admitted_on", "admitted", "admission_number", "planned_days",
            "estimate", "expected", "network", "redirect", "ended_for", "ended_text", "complete_at", "approved",
            "provider", "signed_at", "advanced", "advanced_on", "bank_reference", "discharged_on", "noticed_at",
            "notice_late", "claim", "adjudicated", "difference", "refunded", "refund_due_on", "lines", "refunds",
        ]  # fmt: skip


class AdvanceSerializer(CaseDetailSerializer):
    """The case with what is particular to an advance."""

    advance = AdvanceFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "advance"]


class AdvanceFilter(django_filters.FilterSet):
    member = django_filters.CharFilter(field_name="member__number")
    hospital = django_filters.CharFilter(field_name="hospital__code")
    claim = django_filters.CharFilter(field_name="advance__claim__number")

    class Meta:
        model = CaseFile
        fields = ["state", "series", "open"]


class AdvanceViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """Inpatient advances (ADV-01 … ADV-21): apply, list, read whole."""

    queryset = CaseFile.objects.none()
    serializer_class = AdvanceSerializer
    filterset_class = AdvanceFilter
    filter_backends = NUMBERED
    search_fields = ["number", "advance__claim__number"]
    ordering_fields = ["opened_at"]
    ordering = ["-opened_at"]
    lookup_field = "number"
    lookup_value_regex = r"V\d{2}-\d{6,9}"
    required_scopes = {"read": "cases:read", "write": "cases:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        related = (
            "member",
            "policy",
            "handbook",
            "advance__claim",
            "advance__provider",
            "advance__stay__case",
        )
        rows = visible_advances(self.actor).select_related(*related)
        return rows.prefetch_related("advance__lines", "advance__refunds", "clocks")

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(
        request=serializer_for(ApplyInput, "AdvanceApplication"), responses={201: AdvanceSerializer}
    )
    def create(self, request: Request) -> Response:
        """File an application heard on the service line (ADV-04); the verification says whether there is one.

        A series without advances is refused with its rule and the way that is left (ADV-22).
        """
        if not isinstance(request.data, dict):
            raise InvalidInput(_("A JSON object is expected."), code="type")
        case = apply_for_advance(self.actor, data=dict(request.data))
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)


def register(router: Any) -> None:
    router.register("advances", AdvanceViewSet, basename="advance")
