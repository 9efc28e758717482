"""Appointments over the API: may it be booked, request, list, read; brands and their transfers.

Actions (confirm, cancel, reschedule, check_in, complete …) stand under `cases/<number>/actions/`.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.visibility import visible_to
from apps.appointments.actions import may_book, request_appointment
from apps.appointments.forms import CloseBrandInput, DecideInput, TransferInput
from apps.appointments.inputs import RequestInput, WishInput
from apps.appointments.models import Appointment
from apps.appointments.queries import visible_appointments
from apps.appointments.telling import cutoff_at
from apps.cases.api import CaseDetailSerializer
from apps.cases.inputs import parse_input
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import NUMBERED, ActorMixin
from apps.core.errors import InvalidInput
from apps.hospitals.actions import close_brand
from apps.members.brands import ask_transfer, decide_transfer
from apps.members.models import BrandLock, BrandTransfer
from apps.products.queries import working_calendar


class ReasonSerializer(serializers.Serializer[Any]):
    """Why not, or what to mind; each with the rule of the series."""

    code = serializers.CharField(help_text="e.g. WAITING, GREYED, NO_RIDER, NOT_LISTED, EXPERT, BRAND, LATE")
    rule = serializers.CharField()
    words = serializers.CharField()


def stored(reasons: list[dict[str, str]]) -> list[dict[str, str]]:
    """Kept in both languages, told in the caller's."""
    language = "en" if (get_language() or "").startswith("en") else "zh"
    return [{"code": one["code"], "rule": one["rule"], "words": one[language]} for one in reasons]


class AppointmentFields(serializers.ModelSerializer[Appointment]):
    hospital = serializers.CharField(source="case.hospital.code", read_only=True)
    campus = serializers.CharField(source="campus.code", read_only=True, allow_null=True)
    replaces = serializers.CharField(source="replaces.number", read_only=True, allow_null=True)
    cancel_by = serializers.SerializerMethodField(help_text=_("strictly before it a change is in time"))
    reasons = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()

    class Meta:
        model = Appointment
        fields = [
            "channel", "submitter", "hospital", "campus", "department", "department_group", "visit_type", "benefit",
            "cause", "emergency", "complaint", "preference", "visit_on", "visit_time", "lead", "lead_rule",
            "latest_on", "override_reason", "cancel_by", "reasons", "warnings", "alternatives", "replaces",
            "reference", "authorization", "card_shown_on", "shown_id_type", "id_photo", "checked_in_at",
            "form_signed", "receipt_signed", "signed_by", "completed_at", "flagged",
        ]  # fmt: skip

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_cancel_by(self, given: Appointment) -> Any:
        cutoff = cutoff_at(given.case, self.context.get("calendar"))
        return cutoff.at if cutoff and cutoff.binding else None

    @extend_schema_field(ReasonSerializer(many=True))
    def get_reasons(self, given: Appointment) -> Any:
        return stored(given.reasons)

    @extend_schema_field(ReasonSerializer(many=True))
    def get_warnings(self, given: Appointment) -> Any:
        return stored(given.warnings)


class AppointmentSerializer(CaseDetailSerializer):
    """The case with what is particular to an appointment."""

    appointment = AppointmentFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "appointment"]


class AppointmentRowSerializer(CaseDetailSerializer):
    """One row of a list: without what can be done with it."""

    appointment = AppointmentFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [
            name
            for name in [*CaseDetailSerializer.Meta.fields, "appointment"]
            if name not in ("actions", "clocks")
        ]


class MayBookSerializer(serializers.Serializer[Any]):
    """`possible`: no rule forbids it. A late one is possible and needs a permission."""

    possible = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)
    warnings = ReasonSerializer(many=True)
    lead = serializers.ChoiceField(choices=Appointment.Lead.choices)
    lead_rule = serializers.CharField()
    ask_until = serializers.DateField(allow_null=True, help_text=_("last day of asking in time"))
    cancel_by = serializers.DateTimeField(
        allow_null=True, help_text=_("strictly before it a change is in time")
    )
    policy = serializers.CharField()
    series = serializers.CharField()


class AppointmentFilter(django_filters.FilterSet):
    on = django_filters.DateFilter(field_name="appointment__visit_on")
    visit_from = django_filters.DateFilter(field_name="appointment__visit_on", lookup_expr="gte")
    visit_until = django_filters.DateFilter(field_name="appointment__visit_on", lookup_expr="lte")
    hospital = django_filters.CharFilter(field_name="hospital__code")
    benefit = django_filters.CharFilter(field_name="appointment__benefit")
    member = django_filters.CharFilter(field_name="member__number")

    class Meta:
        model = CaseFile
        fields = ["state", "series", "open"]


class AppointmentViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """Ask whether it may be booked, request it, list by day, hospital and state, read it whole."""

    queryset = CaseFile.objects.none()
    lookup_field = "number"
    lookup_value_regex = r"P\d{2}-\d{6,9}"
    filterset_class = AppointmentFilter
    filter_backends = NUMBERED
    search_fields = ["number", "policy__number"]
    ordering_fields = ["opened_at", "appointment__visit_on", "number"]
    ordering = ["-appointment__visit_on", "-pk"]
    required_scopes = {"check": "cases:read", "read": "cases:read", "write": "cases:write"}

    def get_serializer_class(self) -> Any:
        return AppointmentRowSerializer if self.action == "list" else AppointmentSerializer

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        related = ("member", "policy", "handbook", "hospital", "appointment__campus", "appointment__replaces")
        cases = visible_appointments(self.actor).select_related(*related).defer("handbook__text")
        return cases if self.action == "list" else cases.prefetch_related("clocks")

    def get_serializer_context(self) -> dict[str, Any]:
        """The calendar is read once for all rows of a list."""
        if getattr(self, "swagger_fake_view", False):
            return {**super().get_serializer_context(), "actor": None}
        return {**super().get_serializer_context(), "actor": self.actor, "calendar": working_calendar()}

    @extend_schema(
        request=serializer_for(RequestInput, "AppointmentRequest"), responses={201: AppointmentSerializer}
    )
    def create(self, request: Request) -> Response:
        """Request an appointment. What a rule forbids is filed as REJECTED with every reason; wrong input
        is an error and stores nothing. A late one goes on only with a reason given by a lead."""
        case = request_appointment(self.actor, data=_object(request.data))
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializer_for(WishInput, "AppointmentWish"), responses=MayBookSerializer)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def check(self, request: Request) -> Response:
        """May it be booked, is it in time, and until when may it be canceled? Nothing is stored."""
        read, found = may_book(self.actor, _object(request.data))
        lead, cutoff, policy = found.lead, found.cutoff, read.booking.policy
        body = {
            "possible": not found.refused, "reasons": found.refused, "warnings": found.minded,
            "lead": ("LATE" if lead.late else "ON_TIME") if lead else "", "lead_rule": lead.rule if lead else "",
            "ask_until": lead.latest if lead else None,
            "cancel_by": cutoff.at if cutoff and cutoff.binding else None, "policy": policy.number,
            "series": policy.series,
        }  # fmt: skip
        return Response(MayBookSerializer(body).data)


# --- Brands -------------------------------------------------------------------------------------------------


class TransferSerializer(serializers.ModelSerializer[BrandTransfer]):
    class Meta:
        model = BrandTransfer
        fields = [
            "id", "state", "from_brand", "to_brand", "rule", "reason", "asked_by", "asked_at", "answer",
            "decided_by", "decided_at",
        ]  # fmt: skip


class BrandLockSerializer(serializers.ModelSerializer[BrandLock]):
    member = serializers.CharField(source="policy.member.number", read_only=True)
    policy = serializers.CharField(source="policy.number", read_only=True)
    series = serializers.CharField(source="policy.series", read_only=True)
    transfers = TransferSerializer(many=True, read_only=True)

    class Meta:
        model = BrandLock
        fields = ["id", "member", "policy", "series", "benefit", "brand", "visited_on", "visit", "transfers"]


class BrandLockFilter(django_filters.FilterSet):
    member = django_filters.CharFilter(field_name="policy__member__number")
    brand = django_filters.CharFilter()

    class Meta:
        model = BrandLock
        fields = ["benefit"]


class BrandLockViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[BrandLock]
):
    """To which clinic brand a benefit is tied, and going on at another (VAC-04, VAC-05, VAC-22)."""

    queryset = BrandLock.objects.none()
    serializer_class = BrandLockSerializer
    filterset_class = BrandLockFilter
    filter_backends = [django_filters.rest_framework.DjangoFilterBackend]
    required_scopes = {"read": "cases:read", "write": "cases:write"}
    lookup_value_regex = r"\d{1,12}"

    def get_queryset(self) -> QuerySet[BrandLock]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        locks = BrandLock.objects.select_related("policy__member").prefetch_related("transfers")
        return visible_to(locks, self.actor).order_by("-pk")

    @extend_schema(
        request=serializer_for(TransferInput, "BrandTransferRequest"), responses={201: BrandLockSerializer}
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def transfer(self, request: Request, pk: str) -> Response:
        """Ask that the rest of the benefit goes to another brand."""
        lock, asked = self.get_object(), parse_input(TransferInput, _object(request.data))
        ask_transfer(self.actor, lock, to_brand=asked.to_brand, reason=asked.reason)
        fresh = self.get_queryset().get(pk=lock.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=serializer_for(DecideInput, "BrandTransferDecision"), responses=BrandLockSerializer
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def decide(self, request: Request, pk: str) -> Response:
        """Grant or refuse the open transfer; never by the one who asked."""
        lock, decided = self.get_object(), parse_input(DecideInput, _object(request.data))
        open_one = next((one for one in lock.transfers.all() if one.state == BrandTransfer.State.ASKED), None)
        if open_one is None:
            raise InvalidInput(_("No transfer is asked for."), code="no_transfer")
        decide_transfer(self.actor, open_one, grant=decided.grant, answer=decided.answer)
        return Response(self.get_serializer(self.get_queryset().get(pk=lock.pk)).data)

    @extend_schema(request=serializer_for(CloseBrandInput, "BrandClosure"), responses={204: None})
    @action(detail=False, methods=["post"], url_path="close-brand", filterset_class=None)
    def close_brand(self, request: Request) -> Response:
        """Keep that a brand closed and which brands take its children."""
        told = parse_input(CloseBrandInput, _object(request.data))
        close_brand(
            self.actor,
            brand=told.brand,
            closed_on=told.closed_on,
            designated=told.designated,
            evidence=told.evidence,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidInput(_("A JSON object is expected."), code="type")
    return dict(data)


def register(router: Any) -> None:
    router.register("appointments", AppointmentViewSet, basename="appointment")
    router.register("brand-locks", BrandLockViewSet, basename="brand-lock")
