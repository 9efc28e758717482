"""Contracts with hospitals over the API: payment terms and accounts, entered by one person, confirmed by another."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cases.serializers import serializer_for
from apps.core.api import ActorMixin
from apps.core.errors import InvalidInput
from apps.payments.payees import HospitalAccountInput
from apps.settlements import contracts, queries
from apps.settlements.access import READERS, SCOPES, need
from apps.settlements.contracts import TermsInput
from apps.settlements.models import HospitalAccount, PaymentTerms
from apps.settlements.terms import words


class TermsSerializer(serializers.ModelSerializer[PaymentTerms]):
    hospital = serializers.CharField(source="hospital.code", read_only=True)
    terms_kind = serializers.CharField(source="kind", read_only=True)
    contract_state = serializers.CharField(source="state", read_only=True)
    in_words = serializers.SerializerMethodField()

    class Meta:
        model = PaymentTerms
        fields = [
            "id", "hospital", "series", "tpa", "terms_kind", "days", "unit", "cutoff_day", "in_words", "contract",
            "contact_name", "contact_email", "starts_on", "ends_on", "contract_state", "reason", "proposed_at",
            "confirmed_at",
        ]  # fmt: skip

    @extend_schema_field(str)
    def get_in_words(self, row: PaymentTerms) -> str:
        return words(row)


class AccountSerializer(serializers.ModelSerializer[HospitalAccount]):
    """The number is masked; it is shown in full on the screen only, to a person with a reason."""

    hospital = serializers.CharField(source="hospital.code", read_only=True)
    name = serializers.CharField(source="payee.name", read_only=True)
    bank = serializers.CharField(source="payee.bank", read_only=True)
    branch = serializers.CharField(source="payee.branch", read_only=True)
    account = serializers.CharField(source="payee.account_masked", read_only=True)
    contract_state = serializers.CharField(source="state", read_only=True)

    class Meta:
        model = HospitalAccount
        fields = [
            "id", "hospital", "name", "bank", "branch", "account", "contract_state", "reason", "proposed_at", "confirmed_at",
        ]  # fmt: skip


class _Contracts(ActorMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    filterset_fields = {"hospital__code": ["exact"], "state": ["exact"]}
    ordering = ["-id"]
    ordering_fields = ["id"]
    lookup_value_regex = r"\d{1,18}"
    required_scopes = SCOPES

    def _row(self, row: Any, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data, status=code)


class PaymentTermsViewSet(_Contracts):
    """Payment terms (账期): entered by one person, confirmed by another; older ones stay as history (PR-25)."""

    queryset = PaymentTerms.objects.none()
    serializer_class = TermsSerializer

    def get_queryset(self) -> QuerySet[PaymentTerms]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return queries.terms_visible_to(self.actor)

    @extend_schema(request=serializer_for(TermsInput, "PaymentTermsInput"), responses={201: TermsSerializer},
                   parameters=[OpenApiParameter("hospital", OpenApiTypes.STR, required=True)])  # fmt: skip
    def create(self, request: Request) -> Response:
        """Enter terms for the hospital named in the query."""
        row = contracts.propose_terms(self.actor, request.query_params.get("hospital", ""), _object(request))
        return self._row(row, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=TermsSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Confirm terms somebody else entered; the former ones end the day before."""
        return self._row(contracts.confirm_terms(self.actor, int(pk)))

    @extend_schema(request=None, responses=TermsSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str) -> Response:
        return self._row(contracts.refuse_terms(self.actor, int(pk)))


class HospitalAccountViewSet(_Contracts):
    """Accounts of hospitals: entered by one person, confirmed by another; a corrected one is a new row."""

    queryset = HospitalAccount.objects.none()
    serializer_class = AccountSerializer

    def get_queryset(self) -> QuerySet[HospitalAccount]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        need(self.actor, READERS)
        return HospitalAccount.objects.select_related("hospital", "payee")

    @extend_schema(request=serializer_for(HospitalAccountInput, "HospitalAccountInput"), responses={201: AccountSerializer},
                   parameters=[OpenApiParameter("hospital", OpenApiTypes.STR, required=True)])  # fmt: skip
    def create(self, request: Request) -> Response:
        """Enter an account for the hospital named in the query."""
        row = contracts.propose_account(
            self.actor, request.query_params.get("hospital", ""), _object(request)
        )
        return self._row(row, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=AccountSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Confirm an account somebody else entered; it replaces the former one."""
        return self._row(contracts.confirm_account(self.actor, int(pk)))

    @extend_schema(request=None, responses=AccountSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str) -> Response:
        return self._row(contracts.refuse_account(self.actor, int(pk)))


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise InvalidInput(_("A JSON object is expected."), code="type")
    return dict(request.data.items())


def register(router: Any) -> None:
    router.register("hospital-terms", PaymentTermsViewSet, basename="hospital-terms")
    router.register("hospital-accounts", HospitalAccountViewSet, basename="hospital-account")
