"""Limits over the API (APP-20: limit, used, reserved and what is left)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from apps.accounts.visibility import visible_to
from apps.core.api import ActorMixin
from apps.core.money import to_yuan
from apps.ledger.models import LimitAccount


class LimitSerializer(serializers.ModelSerializer[LimitAccount]):
    """Amounts in yuan, counts as they are (`unit`)."""

    policy = serializers.CharField(source="policy.number", read_only=True)
    ceiling = serializers.SerializerMethodField()
    used = serializers.SerializerMethodField()
    reserved = serializers.SerializerMethodField()
    left = serializers.SerializerMethodField()

    class Meta:
        model = LimitAccount
        fields = ["id", "policy", "key", "unit", "ceiling", "used", "reserved", "left"]

    def _shown(self, account: LimitAccount, amount: int) -> str:
        return str(to_yuan(amount)) if account.unit == "FEN" else str(amount)

    @extend_schema_field(str)
    def get_ceiling(self, account: LimitAccount) -> str:
        return self._shown(account, account.ceiling)

    @extend_schema_field(str)
    def get_used(self, account: LimitAccount) -> str:
        return self._shown(account, account.used)

    @extend_schema_field(str)
    def get_reserved(self, account: LimitAccount) -> str:
        return self._shown(account, account.reserved)

    @extend_schema_field(str)
    def get_left(self, account: LimitAccount) -> str:
        return self._shown(account, account.left)


class LimitViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[LimitAccount]):
    """Limits and deductibles of policies: what they are, what is used and reserved, what is left."""

    queryset = LimitAccount.objects.none()
    serializer_class = LimitSerializer
    filterset_fields = {"policy__number": ["exact"], "policy__member__number": ["exact"]}
    ordering = ["policy_id", "key"]
    ordering_fields = ["key"]
    required_scopes = {"read": "members:read"}

    def get_queryset(self) -> QuerySet[LimitAccount]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return visible_to(LimitAccount.objects.select_related("policy"), self.actor)


def register(router: Any) -> None:
    router.register("limits", LimitViewSet, basename="limit")
