"""Appeals over the API: record one, read how it stands and the answer.

Actions (withdraw, attach_paper, assign, uphold …) stand under `cases/<number>/actions/`, like those of every kind.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.appeals.actions import open_appeal
from apps.appeals.inputs import RecordInput
from apps.appeals.models import Appeal, Result
from apps.appeals.queries import visible_appeals
from apps.appeals.target import compared
from apps.cases.api import CaseDetailSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import NUMBERED, ActorMixin, YuanField
from apps.core.errors import InvalidInput
from apps.documents.models import Letter

AFTER_THE_ANSWER = ("result", "reasons", "new_version", "paid_now", "difference")


class AppealReasonSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    text = serializers.CharField()


class AppealFields(serializers.ModelSerializer[Appeal]):
    """What is appealed and what became of it; the result is told with the answer. Amounts in yuan."""

    claim = serializers.CharField(source="origin.number", read_only=True)
    complaint = serializers.CharField(source="complaint.number", allow_null=True, read_only=True)
    lines = serializers.ListField(
        source="places", child=serializers.CharField(), help_text=_("empty: the whole decision")
    )
    paid_before = YuanField(source="former_fen")
    paid_now = YuanField(source="new_fen", allow_null=True)
    difference = YuanField(source="change_fen", allow_null=True)
    reasons = AppealReasonSerializer(many=True)

    class Meta:
        model = Appeal
        fields = [
            "claim", "version", "decided_at", "rule", "channel", "appellant", "text", "lines", "complaint", "received_at",
            "asked", "asked_at", "result", "reasons", "paid_before", "new_version", "paid_now", "difference", "answer",
            "answered_at",
        ]  # fmt: skip

    def to_representation(self, instance: Appeal) -> dict[str, Any]:
        told: dict[str, Any] = super().to_representation(instance)
        actor = self.context.get("actor")
        if actor is not None and actor.is_outside and instance.answered_at is None:
            told |= dict.fromkeys(AFTER_THE_ANSWER) | {"result": "", "reasons": []}
        return told


class AppealSerializer(CaseDetailSerializer):
    """The case with what is particular to an appeal."""

    appeal = AppealFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "appeal"]


class AppealLineSerializer(serializers.Serializer[Any]):
    """A line of the decision under appeal, and what the new decision pays for it; yuan."""

    place = serializers.CharField()
    name = serializers.CharField()
    contested = serializers.BooleanField()
    billed = serializers.SerializerMethodField()
    paid_before = YuanField(source="before.insurer_fen", allow_null=True, default=None)
    paid_now = YuanField(source="after.insurer_fen", allow_null=True, default=None)

    @extend_schema_field(serializers.DecimalField(max_digits=14, decimal_places=2))
    def get_billed(self, line: Any) -> Any:
        shown = line.after or line.before
        return YuanField().to_representation(shown.billed_fen)


class AppealLetterSerializer(serializers.ModelSerializer[Letter]):
    class Meta:
        model = Letter
        fields = ["id", "number", "version", "kind", "state", "sha256", "created_at", "sent_at"]


class AppealDetailSerializer(AppealSerializer):
    """The same with the lines of the decision, before and after, and the letters."""

    lines = serializers.SerializerMethodField()
    appeal_letters = AppealLetterSerializer(source="letters", many=True, read_only=True)

    class Meta(AppealSerializer.Meta):
        fields = [*AppealSerializer.Meta.fields, "lines", "appeal_letters"]

    @extend_schema_field(AppealLineSerializer(many=True))
    def get_lines(self, case: CaseFile) -> Any:
        return AppealLineSerializer(compared(case.appeal), many=True).data  # type: ignore[attr-defined]


class AppealFilter(django_filters.FilterSet):
    claim = django_filters.CharFilter(field_name="appeal__origin__number")
    result = django_filters.ChoiceFilter(field_name="appeal__result", choices=Result.choices)
    member = django_filters.CharFilter(field_name="member__number")

    class Meta:
        model = CaseFile
        fields = ["state", "series", "open"]


class AppealViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """Appeals against the result of a claim (APL-01, APP-27), also of a refusal at intake (PR-06)."""

    queryset = CaseFile.objects.none()
    serializer_class = AppealSerializer
    filterset_class = AppealFilter
    filter_backends = NUMBERED
    search_fields = ["number", "appeal__origin__number"]
    ordering_fields = ["opened_at"]
    ordering = ["-opened_at"]
    lookup_field = "number"
    lookup_value_regex = r"H\d{2}-\d{6,9}"
    required_scopes = {"read": "cases:read", "write": "cases:write"}

    def get_serializer_class(self) -> type[Any]:
        return AppealSerializer if self.action == "list" else AppealDetailSerializer

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        related = ("member", "policy", "handbook", "appeal__origin", "appeal__complaint")
        return visible_appeals(self.actor).select_related(*related)

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(
        request=serializer_for(RecordInput, "AppealRecording"), responses={201: AppealDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        """Record an appeal. A member front end leaves out channel, and takes up a complaint of its own (APP-27)."""
        if not isinstance(request.data, dict):
            raise InvalidInput(_("A JSON object is expected."), code="type")
        case = open_appeal(self.actor, request.data)
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)


def register(router: Any) -> None:
    router.register("appeals", AppealViewSet, basename="appeal")
