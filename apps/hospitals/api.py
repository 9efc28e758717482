"""The hospital directory over the API (NET-04, NET-06)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets

from apps.core.api import ActorMixin
from apps.hospitals.models import Campus, DepartmentGroup, Hospital, NetworkEntry, Ownership
from apps.hospitals.queries import Criteria, directory


class EntrySerializer(serializers.ModelSerializer[NetworkEntry]):
    class Meta:
        model = NetworkEntry
        fields = [
            "department_group",
            "series",
            "network_group",
            "benefit",
            "direct_billing",
            "starts_on",
            "ends_on",
        ]


class CampusSerializer(serializers.ModelSerializer[Campus]):
    """`network` holds the entries that matched the search on its date."""

    network = EntrySerializer(source="listed", many=True, read_only=True)

    class Meta:
        model = Campus
        fields = ["code", "name", "address", "phone", "network"]


class HospitalSerializer(serializers.ModelSerializer[Hospital]):
    campuses = CampusSerializer(many=True, read_only=True)

    class Meta:
        model = Hospital
        fields = [
            "code", "name", "name_en", "city", "ownership", "hospital_type", "grade", "brand", "popular", "profile",
            "service_hours", "visit_tips", "special_departments", "campuses",
        ]  # fmt: skip


class CriteriaSerializer(serializers.Serializer[Any]):
    """What to look for; the list is that of the day `on` (default: today)."""

    on = serializers.DateField(required=False)
    text = serializers.CharField(required=False, max_length=80)
    city = serializers.CharField(required=False, max_length=40)
    hospital_type = serializers.CharField(required=False, max_length=40)
    ownership = serializers.ChoiceField(choices=Ownership.choices, required=False)
    scope = serializers.RegexField(r"^[A-Z_]{3,20}$", required=False)
    department_group = serializers.ChoiceField(choices=DepartmentGroup.choices, required=False)
    benefit = serializers.RegexField(r"^[A-Z_]{3,30}$", required=False)
    series = serializers.CharField(required=False, max_length=10)
    network_group = serializers.CharField(required=False, max_length=40)


def today() -> date:
    return timezone.localdate()


@extend_schema_view(
    list=extend_schema(parameters=[CriteriaSerializer]),
    retrieve=extend_schema(parameters=[CriteriaSerializer]),
)
class HospitalViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Hospital]):
    """Hospitals with the network entries that match, by city, type, scope, benefit and date."""

    queryset = Hospital.objects.none()
    serializer_class = HospitalSerializer
    filter_backends = []
    lookup_field = "code"
    lookup_value_regex = r"[A-Za-z0-9_\-]{1,40}"
    required_scopes = {"read": "hospitals:read"}

    def get_queryset(self) -> QuerySet[Hospital]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        asked = CriteriaSerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        return directory(self.actor, Criteria(**{"on": today(), **asked.validated_data}))


def register(router: Any) -> None:
    router.register("hospitals", HospitalViewSet, basename="hospital")
