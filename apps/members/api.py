"""Children, their policies, their limits."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.visibility import visible_to
from apps.core.api import ActorMixin
from apps.core.errors import InvalidInput, NotFound
from apps.members.models import Member, Policy
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


class MemberViewSet(ActorMixin, viewsets.ViewSet):
    required_scopes = {"read": "members:read"}
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


def register(router: Any) -> None:
    router.register("members", MemberViewSet, basename="member")
