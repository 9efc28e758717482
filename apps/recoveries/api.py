"""Recoveries over the API: families see what is asked of their child, staff open one by hand.

Actions (record_refund, agree_plan …) stand under `cases/<number>/actions/`, like those of every kind.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cards.queries import cards_of_account
from apps.cases.api import CaseDetailSerializer
from apps.cases.inputs import parse_input
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import NUMBERED, ActorMixin, YuanField
from apps.core.errors import InvalidInput
from apps.documents.models import Letter
from apps.recoveries.actions import open_recovery
from apps.recoveries.forms import OpenInput
from apps.recoveries.models import Instalment, Plan, Reason, Recovery, RecoveryLine, Refund
from apps.recoveries.queries import visible_recoveries


class RecoveryLineSerializer(serializers.ModelSerializer[RecoveryLine]):
    amount = YuanField(source="amount_fen")

    class Meta:
        model = RecoveryLine
        fields = ["position", "reason", "name", "text", "rule", "amount"]


class RefundSerializer(serializers.ModelSerializer[Refund]):
    amount = YuanField(source="amount_fen")

    class Meta:
        model = Refund
        fields = ["received_on", "bank_reference", "amount", "undone_at"]


class InstalmentSerializer(serializers.ModelSerializer[Instalment]):
    amount = YuanField(source="amount_fen")
    paid = YuanField(source="paid_fen")

    class Meta:
        model = Instalment
        fields = ["number", "due_on", "amount", "paid"]


class InstalmentPlanSerializer(serializers.ModelSerializer[Plan]):
    instalments = InstalmentSerializer(many=True, read_only=True)

    class Meta:
        model = Plan
        fields = ["number", "state", "agreed_at", "instalments"]


class RecoveryLetterSerializer(serializers.ModelSerializer[Letter]):
    class Meta:
        model = Letter
        fields = ["number", "version", "state", "sha256", "created_at", "sent_at"]


class RecoveryFields(serializers.ModelSerializer[Recovery]):
    """amount = refunded − given back + written off + open, in yuan."""

    origin = serializers.CharField(source="origin.number", help_text=_("the claim it was paid on"))
    amount = YuanField(source="amount_fen")
    refunded = YuanField(source="refunded_fen")
    given_back = YuanField(source="given_back_fen")
    written_off = YuanField(source="written_off_fen")
    open = YuanField(source="open_fen")
    lines = RecoveryLineSerializer(many=True, read_only=True)
    refunds = RefundSerializer(many=True, read_only=True)
    plans = InstalmentPlanSerializer(many=True, read_only=True)

    class Meta:
        model = Recovery
        fields = [
            "origin", "reason", "rule", "payment", "amount", "refunded", "given_back", "written_off", "open",
            "contacted_at", "due_on", "lines", "refunds", "plans",
        ]  # fmt: skip


class RecoverySerializer(CaseDetailSerializer):
    """The case with what is particular to a recovery."""

    recovery = RecoveryFields(read_only=True)
    refund_letters = serializers.SerializerMethodField()

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "recovery", "refund_letters"]

    @extend_schema_field(RecoveryLetterSerializer(many=True))
    def get_refund_letters(self, case: CaseFile) -> Any:
        rows = [letter for letter in case.letters.all() if letter.kind == Letter.Kind.RECOVERY]
        return RecoveryLetterSerializer(rows, many=True).data


class RecoveryFilter(django_filters.FilterSet):
    origin = django_filters.CharFilter(field_name="recovery__origin__number")
    reason = django_filters.ChoiceFilter(field_name="recovery__reason", choices=Reason.choices)
    due_before = django_filters.DateFilter(field_name="recovery__due_on", lookup_expr="lt")

    class Meta:
        model = CaseFile
        fields = ["state", "series", "open"]


OF_ACCOUNT = OpenApiParameter(
    "account", str, description="Account at the front end: only children whose cards it holds."
)


@extend_schema_view(
    list=extend_schema(parameters=[OF_ACCOUNT]), retrieve=extend_schema(parameters=[OF_ACCOUNT])
)
class RecoveryViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """What was paid and is not covered: asked back, refunded, open (REC-03, REC-05)."""

    queryset = CaseFile.objects.none()
    serializer_class = RecoverySerializer
    filterset_class = RecoveryFilter
    filter_backends = NUMBERED
    search_fields = ["number", "recovery__origin__number"]
    ordering_fields = ["opened_at", "recovery__due_on"]
    ordering = ["-opened_at"]
    lookup_field = "number"
    lookup_value_regex = r"R\d{2}-\d{6,9}"
    required_scopes = {"read": "cases:read", "write": "cases:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        cases = visible_recoveries(self.actor).select_related(
            "member", "policy", "handbook", "recovery__origin"
        )
        if account := self.request.query_params.get("account", ""):
            cases = cases.filter(member__in=cards_of_account(self.actor, account).values("member"))
        return cases.prefetch_related(
            "recovery__lines", "recovery__refunds", "recovery__plans__instalments", "letters"
        )

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(request=serializer_for(OpenInput, "RecoveryOpening"), responses={201: RecoverySerializer})
    def create(self, request: Request) -> Response:
        """Ask back what was paid on a claim and is not covered. REC-04 when nothing was paid."""
        if not isinstance(request.data, dict):
            raise InvalidInput(_("A JSON object is expected."), code="type")
        given = parse_input(OpenInput, request.data)
        case = open_recovery(self.actor, given.case)
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)


def register(router: Any) -> None:
    router.register("recoveries", RecoveryViewSet, basename="recovery")
