"""Children, their policies, their limits."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.visibility import visible_to
from apps.core.api import ActorMixin, StandardPagination
from apps.core.errors import InvalidInput, NotFound
from apps.hospitals.models import DepartmentGroup, Ownership, Scope
from apps.members.models import Member, Policy
from apps.members.network import CAUSES, Wish, channel_of, insured_on, look_up
from apps.members.queries import find_members, visible_members


class PolicySerializer(serializers.ModelSerializer[Policy]):
    plan = serializers.CharField(source="plan.code", read_only=True)

    class Meta:
        model = Policy
        fields = [
            "number", "certificate", "series", "plan", "status", "effective_on", "expires_on", "renewed", "riders",
        ]  # fmt: skip


class MemberSerializer(serializers.ModelSerializer[Member]):
    """Identity and mobile are masked; whole numbers are never given out by the API (LAW-09)."""

    name = serializers.CharField(source="masked_name", read_only=True)
    policies = PolicySerializer(many=True, read_only=True)

    class Meta:
        model = Member
        fields = ["number", "name", "sex", "birth_date", "id_type", "id_masked", "mobile_masked", "policies"]


class WhySerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="e.g. NOT_LISTED, OTHER_GROUP, NO_RIDER, WAITING, NO_POLICY")
    words = serializers.CharField()
    rule = serializers.CharField()


class SiteSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    address = serializers.CharField()
    phone = serializers.CharField()


class PlaceSerializer(serializers.Serializer[Any]):
    """A hospital for this child; `direct` says whether the visit is billed directly, `why` why not."""

    code = serializers.CharField(source="hospital.code")
    name = serializers.CharField(source="hospital.name")
    city = serializers.CharField(source="hospital.city")
    ownership = serializers.CharField(source="hospital.ownership")
    hospital_type = serializers.CharField(source="hospital.hospital_type")
    profile = serializers.CharField(source="hospital.profile")
    service_hours = serializers.CharField(source="hospital.service_hours")
    visit_tips = serializers.CharField(source="hospital.visit_tips")
    campuses = SiteSerializer(source="hospital.campuses.all", many=True)
    direct = serializers.BooleanField()
    scopes = serializers.ListField(child=serializers.CharField())
    why = WhySerializer(many=True)
    mind = WhySerializer(many=True)


class WishSerializer(serializers.Serializer[Any]):
    """What the family looks for; `on` defaults to today, `benefit` to OUTPATIENT."""

    on = serializers.DateField(required=False)
    benefit = serializers.ChoiceField(choices=Scope.choices, required=False)
    department_group = serializers.ChoiceField(choices=DepartmentGroup.choices, required=False)
    scope = serializers.ChoiceField(choices=Scope.choices, required=False)
    cause = serializers.ChoiceField(choices=CAUSES, required=False)
    city = serializers.CharField(required=False, max_length=40)
    hospital_type = serializers.CharField(required=False, max_length=40)
    ownership = serializers.ChoiceField(choices=Ownership.choices, required=False)
    text = serializers.CharField(required=False, max_length=80)
    only_listed = serializers.BooleanField(required=False)
    series = serializers.CharField(
        required=False, max_length=10, help_text="where two policies cover the day"
    )
    channel = serializers.RegexField(
        r"^[A-Z]{3,20}$",
        required=False,
        help_text="how the family asked, one of the series: HOTLINE, ONLINE, …",
    )


class MemberViewSet(ActorMixin, viewsets.ViewSet):
    """A child with its policies; identity and mobile number are masked."""

    required_scopes = {"read": "members:read"}
    pagination_class: type[StandardPagination] | None = None
    lookup_value_regex = r"[A-Za-z0-9\-]{1,40}"
    lookup_field = "number"

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "q",
                OpenApiTypes.STR,
                required=True,
                description="name, pinyin, policy, identity or mobile number",
            )
        ],
        responses=MemberSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """Find children; at most 50."""
        text = request.query_params.get("q", "").strip()
        if len(text) < 1 or len(text) > 80:
            raise InvalidInput(_("What to look for? 1 to 80 characters."), field="q", code="required")
        return Response(MemberSerializer(find_members(self.actor, text), many=True).data)

    @extend_schema(
        responses=MemberSerializer,
        parameters=[OpenApiParameter("number", OpenApiTypes.STR, OpenApiParameter.PATH)],
    )
    def retrieve(self, request: Request, number: str) -> Response:
        policies = visible_to(Policy.objects.select_related("plan").order_by("-effective_on"), self.actor)
        found = visible_members(self.actor).filter(number=number)
        member = found.prefetch_related(Prefetch("policies", queryset=policies)).first()
        if member is None:
            raise NotFound(_("There is nothing at this address, or it is not yours to see."))
        return Response(MemberSerializer(member).data)

    @extend_schema(
        parameters=[OpenApiParameter("number", OpenApiTypes.STR, OpenApiParameter.PATH), WishSerializer],
        responses=PlaceSerializer(many=True),
    )
    @action(detail=True, methods=["get"], pagination_class=StandardPagination)
    def hospitals(self, request: Request, number: str) -> Response:
        """Hospitals for this child on a day, those that bill directly first, and why others do not.

        Each look-up is kept with its answer (NET-04, DL-46).
        """
        asked = WishSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wish: dict[str, Any] = {"on": timezone.localdate(), **asked.validated_data}
        series, channel = wish.pop("series", ""), wish.pop("channel", "")
        member = visible_members(self.actor).filter(number=number).first()
        if member is None:
            raise NotFound(_("There is nothing at this address, or it is not yours to see."))
        insured = insured_on(member, wish["on"], series=series)
        pages = StandardPagination()
        found, _page = look_up(
            self.actor, insured, Wish(**wish), lambda rows: pages.paginate_queryset(rows, request, self),
            channel=channel or channel_of(insured, machine=self.actor.client_id is not None),
        )  # fmt: skip
        return pages.get_paginated_response(PlaceSerializer(found, many=True).data)


def register(router: Any) -> None:
    router.register("members", MemberViewSet, basename="member")
