"""Home tests, services and the health archive over the API.

Actions (sample, report, advise, respond, cancel …) stand under `cases/<number>/actions/`. A front end of a family
orders and asks for its own child; the machine of a provider sees and serves the cases it performs, and no others.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.roles import role_needed
from apps.care.actions import (
    add_record,
    order_test,
    read_archive,
    record_given,
    request_service,
    withdraw_plan,
)
from apps.care.catalog import OFFERS
from apps.care.entitlement import entitlement_of
from apps.care.inputs import HealthRecordInput, RecordOrderInput, ServiceInput
from apps.care.models import HealthRecord, HomeTest, Outcome, ServiceRequest
from apps.care.offered import services_of
from apps.care.panels import flags_of
from apps.care.queries import cases_of
from apps.care.roles import ASKERS, READERS
from apps.care.workflow import HOME_TEST, SERVICE
from apps.cases.api import CaseDetailSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import NUMBERED, ActorMixin
from apps.core.errors import InvalidInput
from apps.enquiries.actions import policy_named
from apps.products.queries import handbook_for

MEMBER = OpenApiParameter("member", str, required=True, description=_("member or policy number"))


class RemarkSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    words = serializers.CharField()
    rule = serializers.CharField()


class Remarked(serializers.ModelSerializer[Any]):
    remarks = serializers.SerializerMethodField()

    @extend_schema_field(RemarkSerializer(many=True))
    def get_remarks(self, row: Any) -> list[dict[str, str]]:
        pairs = zip(row.flags, flags_of(row), strict=True)
        return [{"code": flag["code"], "words": str(words), "rule": rule} for flag, (words, rule) in pairs]


class HomeTestFields(Remarked):
    class Meta:
        model = HomeTest
        fields = [
            "month", "ordered_at", "address", "city", "recognized", "visit_on", "remarks", "ended_why", "sampled_at",
            "result", "reported_at", "shared_at", "outcome", "advice", "advised_by", "advised_at",
        ]  # fmt: skip


class HomeTestSerializer(CaseDetailSerializer):
    home_test = HomeTestFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "provider", "home_test"]


class ServiceFields(Remarked):
    recommended = serializers.CharField(source="recommended.code", allow_null=True, read_only=True)
    appointment = serializers.CharField(source="appointment.number", allow_null=True, read_only=True)

    class Meta:
        model = ServiceRequest
        fields = [
            "code", "rule", "channel", "entry", "asker", "text", "site", "visit_type", "visit_on", "vaccine", "topic",
            "way", "remarks", "received_at", "specialist", "responder", "expert", "reached", "answer", "answered_at",
            "recommended", "appointment", "ended_why",
        ]  # fmt: skip


class ServiceSerializer(CaseDetailSerializer):
    service = ServiceFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "provider", "service"]


class EntitlementSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["AVAILABLE", "EXHAUSTED", "FORFEITED", "NOT_OFFERED"])
    rule = serializers.CharField()
    maximum = serializers.IntegerField()
    used = serializers.IntegerField()
    ordered = serializers.IntegerField(help_text=_("ordered, not sampled yet"))
    left = serializers.IntegerField()
    until = serializers.DateField(allow_null=True)
    this_month = serializers.IntegerField()
    per_month = serializers.IntegerField()


class PartSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text=_("what is given as “service” of a request"))
    words = serializers.CharField()
    rule = serializers.CharField()


class OfferedSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    offered = serializers.BooleanField()
    rule = serializers.CharField()
    channels = serializers.ListField(child=serializers.CharField())
    opens = serializers.CharField(help_text=_("hours of every day; empty: none are printed"))
    closed_now = serializers.BooleanField()
    redirect = serializers.CharField()
    parts = PartSerializer(many=True)


class HealthRecordSerializer(serializers.ModelSerializer[HealthRecord]):
    member = serializers.CharField(source="member.number", read_only=True)

    class Meta:
        model = HealthRecord
        fields = ["id", "member", "kind", "title", "text", "due_on", "done_on", "recorded_at"]


class GivenSerializer(serializers.Serializer[Any]):
    done_on = serializers.DateField()


class HomeTestFilter(django_filters.FilterSet):
    outcome = django_filters.ChoiceFilter(field_name="home_test__outcome", choices=Outcome.choices)
    month = django_filters.CharFilter(field_name="home_test__month")
    member = django_filters.CharFilter(field_name="member__number")

    class Meta:
        model = CaseFile
        fields = ["state", "series", "open"]


class ServiceFilter(django_filters.FilterSet):
    service = django_filters.ChoiceFilter(
        field_name="service__code", choices=[(code, offer.words) for code, offer in OFFERS.items()]
    )
    member = django_filters.CharFilter(field_name="member__number")

    class Meta:
        model = CaseFile
        fields = ["state", "series", "open"]


class CareViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """What both kinds share: found by number, the newest first."""

    kind = ""
    related: tuple[str, ...] = ()
    queryset = CaseFile.objects.none()
    filter_backends = NUMBERED
    search_fields = ["number"]
    ordering_fields = ["opened_at"]
    ordering = ["-opened_at"]
    lookup_field = "number"
    required_scopes = {"read": "cases:read", "write": "cases:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return (
            cases_of(self.actor, self.kind)
            .select_related("member", "policy", "handbook", *self.related)
            .prefetch_related("clocks")
        )

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    def _shown(self, case: CaseFile) -> Response:
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)


class HomeTestViewSet(CareViewSet):
    """Home tests: ordered, sampled, reported, advised on (TST-01 to TST-12)."""

    kind = HOME_TEST.code
    related = ("home_test",)
    serializer_class = HomeTestSerializer
    filterset_class = HomeTestFilter
    lookup_value_regex = r"T\d{2}-\d{6,9}"

    @extend_schema(
        request=serializer_for(RecordOrderInput, "HomeTestOrder"), responses={201: HomeTestSerializer}
    )
    def create(self, request: Request) -> Response:
        """Order a test for the insured child. A member front end leaves out provider and recognized."""
        return self._shown(order_test(self.actor, _object(request)))

    @extend_schema(parameters=[MEMBER], responses=EntitlementSerializer)
    @action(detail=False, methods=["get"], filter_backends=[], pagination_class=None)
    def entitlement(self, request: Request) -> Response:
        """How many tests a child has left in its policy period and in this month (TST-02, TST-04, TST-05)."""
        if not self.actor.roles & (ASKERS | READERS):
            raise role_needed(self.actor, ASKERS | READERS)
        found = entitlement_of(policy_named(self.actor, request.query_params.get("member", "")[:60]))
        return Response(EntitlementSerializer({**asdict(found), "left": found.left}).data)


class ServiceViewSet(CareViewSet):
    """Assistance, consults, triage, vaccination coordination, family doctor (VAS-01 to VAS-16, FD-01 to FD-10)."""

    kind = SERVICE.code
    related = ("service__recommended", "service__appointment")
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilter
    lookup_value_regex = r"S\d{2}-\d{6,9}"

    @extend_schema(
        request=serializer_for(ServiceInput, "ServiceRequesting"), responses={201: ServiceSerializer}
    )
    def create(self, request: Request) -> Response:
        """Request a service. What is asked beside the text depends on it; what is missing is named."""
        return self._shown(request_service(self.actor, _object(request)))

    @extend_schema(parameters=[MEMBER], responses=OfferedSerializer(many=True))
    @action(detail=False, methods=["get"], filter_backends=[], pagination_class=None)
    def offered(self, request: Request) -> Response:
        """The services of the child's series: offered or not, over which channels, open now, under which rule."""
        policy = policy_named(self.actor, request.query_params.get("member", "")[:60])
        now = timezone.now()
        rows = services_of(handbook_for(policy.series, timezone.localdate(now)).handbook, now)
        shown = [
            asdict(row)
            | {
                "parts": [
                    {"code": code, "words": str(words), "rule": rule} for words, rule, code in row.parts
                ]
            }
            for row in rows
        ]
        return Response(OfferedSerializer(shown, many=True).data)


class HealthRecordViewSet(ActorMixin, viewsets.ViewSet):
    """The health archive of a child and its planned vaccinations (FD-03, FD-07). Every reading is logged."""

    lookup_value_regex = r"\d{1,9}"
    required_scopes = {"read": "cases:read", "write": "cases:write"}

    @extend_schema(parameters=[MEMBER], responses=HealthRecordSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The entries of one child, the newest first."""
        _policy, rows = read_archive(self.actor, request.query_params.get("member", "")[:60])
        return Response(HealthRecordSerializer(rows, many=True).data)

    @extend_schema(
        request=serializer_for(HealthRecordInput, "HealthRecording"), responses={201: HealthRecordSerializer}
    )
    def create(self, request: Request) -> Response:
        """Write an entry, or plan a vaccination (`due_on`), of which the family is reminded."""
        row = add_record(self.actor, _object(request))
        return Response(HealthRecordSerializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=GivenSerializer, responses=HealthRecordSerializer)
    @action(detail=True, methods=["post"])
    def given(self, request: Request, pk: str) -> Response:
        """A planned vaccination was given on a day; nobody is reminded any more."""
        body = GivenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(
            HealthRecordSerializer(record_given(self.actor, int(pk), body.validated_data["done_on"])).data
        )

    @extend_schema(request=None, responses=HealthRecordSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """A planned vaccination falls away."""
        return Response(HealthRecordSerializer(withdraw_plan(self.actor, int(pk))).data)


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise InvalidInput(_("A JSON object is expected."), code="type")
    return request.data


def register(router: Any) -> None:
    router.register("home-tests", HomeTestViewSet, basename="home-test")
    router.register("services", ServiceViewSet, basename="service")
    router.register("health-records", HealthRecordViewSet, basename="health-record")
