"""Finance over the API: the reserve of a case, months, returns, vouchers, statements.

Machines of hospitals, administrators and members see none of the books; sessions of finance staff do.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.visibility import visible_to
from apps.core.api import ActorMixin, YuanField
from apps.core.days import read_day
from apps.core.money import to_yuan
from apps.finance import behind, months, returns, statements, vouchers
from apps.finance.access import READERS, need
from apps.finance.models import Movement, Statement, Voucher, VoucherBatch, VoucherLine
from apps.finance.months import GROUPS, Cell, Month, parse_month
from apps.finance.queries import outstanding_on

MONTH = r"\d{4}-\d{2}"


def _in_yuan(cell: Cell) -> dict[str, Any]:
    """`_fen` amounts as yuan in text, counts as they are."""
    found: dict[str, Any] = {}
    for name, value in {**asdict(cell), "incurred_fen": cell.incurred_fen}.items():
        found[name.removesuffix("_fen")] = str(to_yuan(value)) if name.endswith("_fen") else value
    return found


# --- Reserves --------------------------------------------------------------------------------------


class MovementSerializer(serializers.ModelSerializer[Movement]):
    case = serializers.CharField(source="case.number", read_only=True)
    before = YuanField(source="before_fen")
    change = YuanField(source="reserve_fen")
    outstanding = YuanField(source="after_fen")
    decided = YuanField(source="due_fen")
    paid = YuanField(source="paid_fen")

    class Meta:
        model = Movement
        fields = [
            "id", "case", "seq", "event", "kind", "basis", "rule", "reason", "who", "at", "month", "series", "product",
            "benefit", "visit_type", "visit_year", "before", "change", "outstanding", "decided", "paid", "payment",
        ]  # fmt: skip


class MovementViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Movement]):
    """The journal of case reserves, newest first."""

    queryset = Movement.objects.none()
    serializer_class = MovementSerializer
    filterset_fields = {"case__number": ["exact"], "series": ["exact"], "kind": ["exact"], "month": ["exact"]}
    ordering = ["-id"]
    ordering_fields = ["id", "at"]
    required_scopes = {"read": "finance:read"}

    def get_queryset(self) -> QuerySet[Movement]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        need(self.actor, READERS)
        return visible_to(Movement.objects.select_related("case"), self.actor)

    @extend_schema(
        parameters=[OpenApiParameter("on", OpenApiTypes.DATE, description="2026-10-31")],
        responses={200: OpenApiTypes.OBJECT},
    )
    @action(detail=False, pagination_class=None, filterset_fields=None)
    def outstanding(self, request: Request) -> Response:
        """What was outstanding at the end of a day, in yuan by series."""
        need(self.actor, READERS)
        day = read_day(request.query_params.get("on", ""), "on")
        found = outstanding_on(day)
        own = {
            series: str(to_yuan(fen))
            for series, fen in found.items()
            if not self.actor.series or series in self.actor.series
        }
        return Response({"on": day.isoformat(), "outstanding": own})


# --- Months ----------------------------------------------------------------------------------------


def _month_json(report: Month) -> dict[str, Any]:
    return {
        "month": f"{report.month:%Y-%m}",
        "closed_at": report.close.closed_at.isoformat() if report.close else None,
        "sha256": report.close.sha256 if report.close else None,
        "total": _in_yuan(report.total),
        "groups": {
            name: [{name: value, **_in_yuan(cell)} for value, cell in report.grouped(name)] for name in GROUPS
        },
    }


class MonthViewSet(ActorMixin, viewsets.ViewSet):
    """Months of finance: read, open a number, close."""

    lookup_field = "month"
    lookup_value_regex = MONTH
    required_scopes = {"read": "finance:read", "write": "finance:write"}

    @extend_schema(
        responses={200: OpenApiTypes.OBJECT}, parameters=[OpenApiParameter("month", OpenApiTypes.STR, "path")]
    )
    def retrieve(self, request: Request, month: str) -> Response:
        """The roll-forward of a month ("2026-10"), as closed or as it stands; amounts in yuan."""
        return Response(_month_json(months.month_report(self.actor, parse_month(month))))

    @extend_schema(
        responses={200: OpenApiTypes.OBJECT},
        parameters=[
            OpenApiParameter("month", OpenApiTypes.STR, "path"),
            *(OpenApiParameter(name, OpenApiTypes.STR) for name in ("measure", "unit", *GROUPS)),
        ],
    )
    @action(detail=True)
    def cases(self, request: Request, month: str) -> Response:
        """The claims behind one number, largest first (at most 500)."""
        wanted = behind.asked(parse_month(month), request.query_params.dict())
        rows = behind.cases_behind(self.actor, wanted)[:500]
        return Response(
            [
                {
                    "case": row["case__number"],
                    "series": row["series"],
                    "product": row["product"],
                    "amount": str(to_yuan(row["amount"])) if wanted.unit == "fen" else row["amount"],
                }
                for row in rows
            ]
        )

    @extend_schema(
        request=None,
        responses={201: OpenApiTypes.OBJECT},
        parameters=[OpenApiParameter("month", OpenApiTypes.STR, "path")],
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, month: str) -> Response:
        """Close a month for ever. 409 while it is not over, not its turn, or the books disagree."""
        chosen = parse_month(month)
        months.close_month(self.actor, chosen)
        return Response(_month_json(months.month_report(self.actor, chosen)), status=status.HTTP_201_CREATED)


# --- Bank returns ----------------------------------------------------------------------------------


class BankReturnViewSet(ActorMixin, viewsets.ViewSet):
    """Payments the bank sent back."""

    required_scopes = {"read": "finance:read"}

    @extend_schema(
        responses={200: OpenApiTypes.OBJECT},
        parameters=[
            OpenApiParameter(name, OpenApiTypes.STR)
            for name in ("state", "band", "meaning", "series", "assignee")
        ],
    )
    def list(self, request: Request) -> Response:
        """Open returns (`state=all`: every one), oldest first, with what the bank's words mean."""
        rows = returns.worklist(self.actor, returns.filters_of(request.query_params))
        return Response(
            [
                {
                    "order": row.order.number,
                    "case": row.case.number if row.case else None,
                    "about": row.order.about,
                    "series": row.order.series,
                    "amount": str(to_yuan(row.order.amount_fen)),
                    "account": row.order.payee.account_masked,
                    "returned_at": row.order.returned_at.isoformat() if row.order.returned_at else None,
                    "days": row.days,
                    "attempt": row.order.attempt,
                    "reason": row.order.return_reason,
                    "meaning": row.meaning.key,
                    "meaning_zh": row.meaning.zh,
                    "meaning_en": row.meaning.en,
                    "next": row.next,
                    "asked_at": row.asked_at.isoformat() if row.asked_at else None,
                }
                for row in rows
            ]
        )


# --- Vouchers --------------------------------------------------------------------------------------


class VoucherLineSerializer(serializers.ModelSerializer[VoucherLine]):
    debit = YuanField(source="debit_fen")
    credit = YuanField(source="credit_fen")

    class Meta:
        model = VoucherLine
        fields = ["position", "summary", "account", "account_name", "items", "debit", "credit"]


class VoucherSerializer(serializers.ModelSerializer[Voucher]):
    lines = VoucherLineSerializer(many=True, read_only=True)
    total = YuanField(source="debit_fen")

    class Meta:
        model = Voucher
        fields = ["word", "number", "date", "aspect", "summary", "total", "lines"]


class BatchSerializer(serializers.ModelSerializer[VoucherBatch]):
    total = YuanField(source="total_fen")
    made_by = serializers.CharField(source="made_by.username", read_only=True)
    released_by = serializers.CharField(source="released_by.username", read_only=True, default=None)
    reverses = serializers.CharField(source="reverses.number", read_only=True, default=None)

    class Meta:
        model = VoucherBatch
        fields = [
            "number", "series", "month", "state", "vouchers", "total", "made_by", "made_at", "released_by",
            "released_at", "reverses", "reason",
        ]  # fmt: skip


class BatchDetailSerializer(BatchSerializer):
    items = VoucherSerializer(many=True, read_only=True)

    class Meta(BatchSerializer.Meta):
        fields = [*BatchSerializer.Meta.fields, "items"]


class PrepareSerializer(serializers.Serializer[Any]):
    """`month` as "2026-10": everything up to it that has no voucher yet."""

    series = serializers.CharField(max_length=10)
    month = serializers.CharField(max_length=7)


class ReverseSerializer(serializers.Serializer[Any]):
    month = serializers.CharField(max_length=7)
    reason = serializers.CharField(max_length=400)


class VoucherBatchViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[VoucherBatch]
):
    """Batches of vouchers: prepare, release by a second person, cancel, reverse."""

    queryset = VoucherBatch.objects.none()
    serializer_class = BatchSerializer
    filterset_fields = {"series": ["exact"], "month": ["exact"], "state": ["exact"]}
    ordering = ["-id"]
    ordering_fields = ["id"]
    lookup_field = "number"
    lookup_value_regex = r"V\d{4}-\d{6,9}"
    required_scopes = {"read": "finance:read", "write": "finance:write"}

    def get_queryset(self) -> QuerySet[VoucherBatch]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        found = vouchers.batches_visible_to(self.actor)
        return found.prefetch_related("items__lines") if self.action == "retrieve" else found

    def get_serializer_class(self) -> Any:
        return BatchDetailSerializer if self.action == "retrieve" else BatchSerializer

    @extend_schema(request=PrepareSerializer, responses={201: BatchSerializer})
    def create(self, request: Request) -> Response:
        """Take every free entry of a series up to a month into a batch."""
        body = PrepareSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        batch = vouchers.prepare(self.actor, given["series"], parse_month(given["month"]))
        return Response(BatchSerializer(batch).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: str) -> Response:
        """Release a batch that somebody else prepared."""
        return Response(BatchSerializer(vouchers.release(self.actor, number)).data)

    @extend_schema(request=None, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Give the entries of a draft back."""
        return Response(BatchSerializer(vouchers.cancel(self.actor, number)).data)

    @extend_schema(request=ReverseSerializer, responses={201: BatchSerializer})
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, number: str) -> Response:
        """Prepare a released batch in red; somebody else releases it."""
        body = ReverseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        batch = vouchers.prepare_reversal(
            self.actor, number, parse_month(given["month"]), reason=given["reason"]
        )
        return Response(BatchSerializer(batch).data, status=status.HTTP_201_CREATED)


# --- Statements ------------------------------------------------------------------------------------


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """`context` holds the figures in fen, as they were when the statement was made."""

    policy = serializers.CharField(source="policy.number", read_only=True)
    printed = serializers.SerializerMethodField()

    class Meta:
        model = Statement
        fields = ["number", "policy", "since", "until", "language", "made_at", "printed", "context"]

    @extend_schema_field(bool)
    def get_printed(self, statement: Statement) -> bool:
        return statement.file_id is not None


class MakeStatementSerializer(serializers.Serializer[Any]):
    policy = serializers.CharField(max_length=40)
    since = serializers.DateField()
    until = serializers.DateField()
    language = serializers.ChoiceField(choices=["zh-hans", "en"], default="zh-hans")


class StatementViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Statement]
):
    """Member statements of the policies the caller may see."""

    queryset = Statement.objects.none()
    serializer_class = StatementSerializer
    filterset_fields = {"policy__number": ["exact"]}
    ordering = ["-id"]
    ordering_fields = ["id"]
    lookup_field = "number"
    lookup_value_regex = r"S\d{2}-\d{6,9}"
    required_scopes = {"read": "finance:read", "write": "finance:write"}

    def get_queryset(self) -> QuerySet[Statement]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return statements.statements_visible_to(self.actor)

    @extend_schema(request=MakeStatementSerializer, responses={201: StatementSerializer})
    def create(self, request: Request) -> Response:
        """Make a statement; its PDF follows in a moment (`printed`)."""
        body = MakeStatementSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        made = statements.make_statement(
            self.actor, given["policy"], given["since"], given["until"], language=given["language"]
        )
        return Response(StatementSerializer(made).data, status=status.HTTP_201_CREATED)


def register(router: Any) -> None:
    router.register("finance/reserves", MovementViewSet, basename="finance-reserve")
    router.register("finance/months", MonthViewSet, basename="finance-month")
    router.register("finance/returns", BankReturnViewSet, basename="finance-return")
    router.register("finance/vouchers", VoucherBatchViewSet, basename="finance-voucher")
    router.register("finance/statements", StatementViewSet, basename="finance-statement")
