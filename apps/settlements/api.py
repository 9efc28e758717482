"""Settlements over the API. A hospital's machine reads its own statements from the check on, with their PDF and
Excel; the rest is for sessions of staff, as in the admin."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions import log_read
from apps.core.api import NUMBERED, ActorMixin, YuanField
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.settlements import actions, api_contracts, queries, reconciling, runs
from apps.settlements.access import SCOPES
from apps.settlements.models import Difference, Statement, StatementLine
from apps.settlements.terms import words
from apps.settlements.views import file_of

NUMBER = r"HS\d{2}-\d{6,9}"


class SettlementLineSerializer(serializers.ModelSerializer[StatementLine]):
    """One claim of a statement; the child's name is masked."""

    case = serializers.CharField(source="case.number", read_only=True)
    billed = YuanField(source="billed_fen")
    third_party = YuanField(source="third_party_fen")
    not_covered = YuanField(source="not_covered_fen")
    member_share = YuanField(source="member_fen")
    insurer_pays = YuanField(source="insurer_fen")
    paid_before = YuanField(source="before_fen")
    amount = YuanField(source="amount_fen")
    before_review = serializers.SerializerMethodField()
    set_off = serializers.SerializerMethodField(
        help_text=gettext_lazy("the bill was lowered after its payment")
    )

    class Meta:
        model = StatementLine
        fields = [
            "position", "case", "hospital_number", "child", "visited_on", "visited_until", "bills", "billed", "third_party",
            "not_covered", "member_share", "insurer_pays", "paid_before", "amount", "received_on", "due_on",
            "before_review", "set_off",
        ]  # fmt: skip

    @extend_schema_field(bool)
    def get_set_off(self, line: StatementLine) -> bool:
        return line.amount_fen < 0

    @extend_schema_field(bool)
    def get_before_review(self, line: StatementLine) -> bool:
        return line.decision_version == 0


class SettlementSerializer(serializers.ModelSerializer[Statement]):
    hospital = serializers.CharField(source="hospital.code", read_only=True)
    hospital_name = serializers.CharField(source="hospital.name", read_only=True)
    billed = YuanField(source="billed_fen")
    total = YuanField(source="total_fen")
    payment = serializers.CharField(source="order.number", read_only=True, default=None)
    account = serializers.CharField(source="order.payee.account_masked", read_only=True, default=None)
    printed = serializers.SerializerMethodField()

    class Meta:
        model = Statement
        fields = [
            "number", "hospital", "hospital_name", "series", "tpa", "until", "due_on", "state", "version", "claims", "billed",
            "total", "payment", "account", "made_at", "checked_at", "paid_at", "sent_at", "printed",
        ]  # fmt: skip

    @extend_schema_field(bool)
    def get_printed(self, row: Statement) -> bool:
        return row.file_id is not None


class SettlementDetailSerializer(SettlementSerializer):
    lines = serializers.SerializerMethodField()
    terms = serializers.SerializerMethodField()

    class Meta(SettlementSerializer.Meta):
        fields = [*SettlementSerializer.Meta.fields, "terms", "lines"]

    @extend_schema_field(SettlementLineSerializer(many=True))
    def get_lines(self, row: Statement) -> Any:
        return SettlementLineSerializer(queries.lines_of(row), many=True).data

    @extend_schema_field(str)
    def get_terms(self, row: Statement) -> str:
        return words(row.terms)


class RunSerializer(serializers.Serializer[Any]):
    """`until`: claims that were complete up to this day (inclusive). One statement for each series."""

    hospital = serializers.CharField(max_length=40)
    until = serializers.DateField()
    series = serializers.CharField(max_length=10, required=False, default="")


class SeenSerializer(serializers.Serializer[Any]):
    """`version` as it was read: a newer one is a conflict."""

    version = serializers.IntegerField(min_value=1)
    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class DropSerializer(SeenSerializer):
    cases = serializers.ListField(child=serializers.CharField(max_length=30), min_length=1, max_length=2000)


class HospitalListUploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class DifferenceSerializer(serializers.ModelSerializer[Difference]):
    statement = serializers.CharField(source="hospital_list.statement.number", read_only=True)
    hospital = serializers.CharField(source="hospital_list.statement.hospital.code", read_only=True)
    case = serializers.CharField(source="case.number", read_only=True, default=None)
    our_amount = YuanField(source="ours_fen", allow_null=True)
    their_amount = YuanField(source="theirs_fen", allow_null=True)
    difference_outcome = serializers.CharField(source="outcome", read_only=True)
    difference_kind = serializers.CharField(source="kind", read_only=True)

    class Meta:
        model = Difference
        fields = [
            "id", "statement", "hospital", "difference_kind", "case", "about", "rows", "our_amount", "their_amount", "ours",
            "theirs", "difference_outcome", "reason", "resolved_at",
        ]  # fmt: skip


class ReconciliationSerializer(serializers.Serializer[Any]):
    rows = serializers.IntegerField()
    agreed = serializers.IntegerField()
    differences = DifferenceSerializer(many=True)


class SettlementViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Statement]
):
    """Statements of hospitals (批量结算单): make, check, pay, compare with the hospital's list (PR-25)."""

    queryset = Statement.objects.none()
    serializer_class = SettlementSerializer
    filter_backends = NUMBERED
    filterset_fields = {
        "series": ["exact"], "state": ["exact"], "hospital__code": ["exact"], "due_on": ["lte", "gte"],
    }  # fmt: skip
    search_fields = ["number", "order__number"]
    ordering = ["-id"]
    ordering_fields = ["id", "due_on", "total_fen"]
    lookup_field = "number"
    lookup_value_regex = NUMBER
    required_scopes = SCOPES

    def get_queryset(self) -> QuerySet[Statement]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return queries.statements_visible_to(self.actor)

    def get_serializer_class(self) -> Any:
        return SettlementDetailSerializer if self.action == "retrieve" else SettlementSerializer

    @extend_schema(request=RunSerializer, responses={201: SettlementSerializer(many=True)})
    def create(self, request: Request) -> Response:
        """Draft statements of everything a hospital can be paid for; 409 when nothing waits."""
        given = _read(RunSerializer, request)
        made = runs.make(self.actor, given["hospital"], given["until"], series=given["series"])
        return Response(SettlementSerializer(made, many=True).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=SeenSerializer, responses=SettlementSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, number: str) -> Response:
        """Check a statement somebody else made: the payment is ordered, the letter made and sent."""
        given = _read(SeenSerializer, request)
        return self._answer(actions.check(self.actor, number, version=given["version"]))

    @extend_schema(request=DropSerializer, responses=SettlementSerializer)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, number: str) -> Response:
        """Take claims out of a draft."""
        given = _read(DropSerializer, request)
        return self._answer(
            actions.drop(self.actor, number, given["cases"], reason=given["reason"], version=given["version"])
        )

    @extend_schema(request=SeenSerializer, responses=SettlementSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Give up a draft."""
        given = _read(SeenSerializer, request)
        return self._answer(actions.cancel(self.actor, number, **given))

    @extend_schema(request=SeenSerializer, responses=SettlementSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, number: str) -> Response:
        """Stop the payment while no file carries it, or give up one that came back."""
        given = _read(SeenSerializer, request)
        return self._answer(actions.stop(self.actor, number, **given))

    @extend_schema(request=SeenSerializer, responses=SettlementSerializer)
    @action(detail=True, methods=["post"], url_path="order-again")
    def order_again(self, request: Request, number: str) -> Response:
        """After a bank return: to the account in force; to the one that was refused only with a reason."""
        given = _read(SeenSerializer, request)
        return self._answer(actions.order_again(self.actor, number, **given))

    def _answer(self, row: Statement) -> Response:
        fresh = queries.statements_visible_to(self.actor).get(pk=row.pk)
        return Response(SettlementSerializer(fresh).data)

    @extend_schema(
        operation_id="hospital_statements_file",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("kind", OpenApiTypes.STR, "path", enum=["pdf", "xlsx"])],
    )
    @action(detail=True, url_path=r"(?P<kind>pdf|xlsx)", url_name="file")
    def download(self, request: Request, number: str, kind: str) -> HttpResponse:
        """The letter or the Excel; reading it is logged. 409 while the letter is not made."""
        found = self.get_object()
        answer = file_of(found, kind)
        log_read(self.actor, subject=f"settlement:{found.number}", what=kind)
        return answer

    @extend_schema(
        request={"multipart/form-data": HospitalListUploadSerializer},
        responses={201: ReconciliationSerializer},
    )
    @action(detail=True, methods=["post"])
    def reconcile(self, request: Request, number: str) -> Response:
        """Compare the hospital's own list (.xlsx). All or nothing: errors name row, column and what is expected."""
        given = _read(HospitalListUploadSerializer, request)
        read, report = reconciling.reconcile(self.actor, number, given["file"], given["file"].name)
        if read is None:
            errors: list[DomainError] = [
                InvalidInput(
                    _("Row %(row)d, column “%(column)s”: “%(value)s”; expected %(expected)s.")
                    % {"row": one.row, "column": one.column, "value": one.value, "expected": one.expected},
                    field=f"{one.row}.{one.column}",
                    code="row",
                )
                for one in report.errors
            ]
            raise InvalidInputs(errors)
        body = {
            "rows": read.rows,
            "agreed": read.matched,
            "differences": read.differences.select_related("hospital_list__statement__hospital", "case"),
        }
        return Response(ReconciliationSerializer(body).data, status=status.HTTP_201_CREATED)


class ResolveSerializer(serializers.Serializer[Any]):
    outcome = serializers.CharField(max_length=10)
    reason = serializers.CharField(max_length=400)


class DifferenceViewSet(ActorMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Difference]):
    """Where hospitals' lists and our statements differ; `outcome=OPEN` is what is to be done."""

    queryset = Difference.objects.none()
    serializer_class = DifferenceSerializer
    filterset_fields = {
        "outcome": ["exact"], "kind": ["exact"], "hospital_list__statement__number": ["exact"],
    }  # fmt: skip
    ordering = ["id"]
    ordering_fields = ["id"]
    lookup_value_regex = r"\d{1,18}"
    required_scopes = SCOPES

    def get_queryset(self) -> QuerySet[Difference]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return queries.differences_visible_to(self.actor)

    @extend_schema(request=ResolveSerializer, responses=DifferenceSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Settle a difference with an outcome and a reason; once."""
        given = _read(ResolveSerializer, request)
        row = reconciling.resolve(self.actor, int(pk), given["outcome"], reason=given["reason"])
        return Response(DifferenceSerializer(self.get_queryset().get(pk=row.pk)).data)


def _read(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    found: dict[str, Any] = body.validated_data
    return found


def register(router: Any) -> None:
    router.register("hospital-statements", SettlementViewSet, basename="hospital-statement")
    router.register("hospital-differences", DifferenceViewSet, basename="hospital-difference")
    api_contracts.register(router)
