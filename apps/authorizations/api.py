"""Authorizations over the API: ask whether one is needed, request, read with letter and reservation.

Actions (withdraw, admit, report_costs …) stand under `cases/<number>/actions/`, like those of every kind.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.authorizations.actions import ask_whether, request_authorization
from apps.authorizations.actions.request import as_json
from apps.authorizations.inputs import PlanInput, RequestInput
from apps.authorizations.models import Authorization, PlannedLine, Supplement
from apps.authorizations.queries import visible_authorizations
from apps.cases.api import CaseDetailSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import ActorMixin, YuanField
from apps.core.errors import InvalidInput
from apps.documents.models import Letter


class PlannedSerializer(serializers.ModelSerializer[PlannedLine]):
    amount = YuanField(source="amount_fen")
    unit_price = YuanField(source="unit_price_fen")

    class Meta:
        model = PlannedLine
        fields = ["supplement", "position", "name", "kind", "code", "quantity", "unit_price", "amount"]


class SupplementSerializer(serializers.ModelSerializer[Supplement]):
    asked = YuanField(source="asked_fen")
    granted = YuanField(source="granted_fen")

    class Meta:
        model = Supplement
        fields = [
            "number",
            "state",
            "asked",
            "asked_until",
            "granted",
            "reason",
            "answer",
            "asked_at",
            "decided_at",
        ]


class GuaranteeLetterSerializer(serializers.ModelSerializer[Letter]):
    class Meta:
        model = Letter
        fields = ["number", "version", "state", "valid_until", "sha256", "created_at", "sent_at"]


class AuthorizationFields(serializers.ModelSerializer[Authorization]):
    estimate = YuanField(source="estimate_fen")
    approved = YuanField(source="approved_fen")
    incurred = YuanField(source="incurred_fen")
    billed = YuanField(source="drawn_fen")
    lines = PlannedSerializer(many=True, read_only=True)
    supplements = SupplementSerializer(many=True, read_only=True)

    class Meta:
        model = Authorization
        fields = [
            "channel", "submitter", "visit_type", "benefit", "department", "department_group", "diagnosis",
            "diagnosis_name", "treatment", "planned_on", "planned_days", "latest_on", "late", "emergency_at",
            "notify_by", "waived", "triggers", "estimate", "approved", "valid_from", "valid_until", "conditions",
            "received_at", "admitted_on", "discharged_on", "incurred", "billed", "lines", "supplements",
        ]  # fmt: skip


class AuthorizationSerializer(CaseDetailSerializer):
    """The case with what is particular to an authorization."""

    authorization = AuthorizationFields(read_only=True)
    guarantee_letters = serializers.SerializerMethodField()

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "authorization", "guarantee_letters"]

    @extend_schema_field(GuaranteeLetterSerializer(many=True))
    def get_guarantee_letters(self, case: CaseFile) -> Any:
        rows = [letter for letter in case.letters.all() if letter.kind == Letter.Kind.GUARANTEE]
        return GuaranteeLetterSerializer(rows, many=True).data


class TriggerSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    rule = serializers.CharField()
    level = serializers.CharField()
    amount = serializers.DecimalField(max_digits=14, decimal_places=2)
    zh = serializers.CharField()
    en = serializers.CharField()
    lines = serializers.ListField(child=serializers.CharField(), help_text=_("0.1 = the first planned item"))


class UncoveredSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    zh = serializers.CharField(source="message_zh")
    en = serializers.CharField(source="message_en")


class AnswerSerializer(serializers.Serializer[Any]):
    needed = serializers.BooleanField()
    triggers = TriggerSerializer(many=True)
    ask_until = serializers.DateField(allow_null=True, help_text=_("last day of asking in time"))
    notify_by = serializers.DateTimeField(
        allow_null=True,
        help_text=_("last instant of notifying an emergency; empty where no series prints one"),
    )
    late = serializers.BooleanField()
    covered = serializers.BooleanField()
    not_covered_because = UncoveredSerializer(many=True)
    expected = serializers.DecimalField(max_digits=14, decimal_places=2)
    direct_billing = serializers.BooleanField()
    no_letter_because = serializers.CharField(
        allow_blank=True, help_text=_("why the hospital does not bill this directly; empty where it does")
    )


class AuthorizationViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """Ask whether authorization is needed, request it, read it whole."""

    queryset = CaseFile.objects.none()
    serializer_class = AuthorizationSerializer
    lookup_field = "number"
    lookup_value_regex = r"A\d{2}-\d{6,9}"
    filter_backends = []
    required_scopes = {"check": "claims:read", "read": "claims:read", "write": "claims:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        cases = visible_authorizations(self.actor).select_related(
            "member", "policy", "handbook", "authorization"
        )
        related = ("authorization__lines", "authorization__supplements", "letters", "clocks")
        return cases.prefetch_related(*related).order_by("-pk")

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(
        request=serializer_for(RequestInput, "AuthorizationRequest"), responses={201: AuthorizationSerializer}
    )
    def create(self, request: Request) -> Response:
        """Request an authorization, or notify an emergency (`emergency_at`). A late request is taken.

        A hospital names the child by number, name and date of birth, and asks for itself only.
        """
        case = request_authorization(self.actor, data=_object(request.data))
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializer_for(PlanInput, "AuthorizationPlan"), responses=AnswerSerializer)
    @action(detail=False, methods=["post"], pagination_class=None)
    def check(self, request: Request) -> Response:
        """Is authorization needed for this plan, until when, and is it covered? Nothing is stored."""
        _read, found = ask_whether(self.actor, _object(request.data))
        body = {
            "needed": found.required,
            "triggers": [as_json(finding) for finding in found.triggers],
            "ask_until": found.timing.day if found.timing and not found.plan.emergency_at else None,
            "notify_by": found.timing.by if found.timing and found.plan.emergency_at else None,
            "late": bool(found.timing and found.timing.late),
            "covered": not found.outside,
            "not_covered_because": found.outside,
            "expected": found.decision.insurer,
            "direct_billing": found.billing.direct,
            "no_letter_because": "" if found.billing.direct else str(found.billing.why),
        }
        return Response(AnswerSerializer(body).data)


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidInput(_("A JSON object is expected."), code="type")
    return dict(data)


def register(router: Any) -> None:
    router.register("authorizations", AuthorizationViewSet, basename="authorization")
