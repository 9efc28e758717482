"""The inbox over the API: lists, one message with its files, and the same steps people take."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ActorMixin
from apps.core.api_parameters import EnvelopeSerializer
from apps.core.errors import InvalidInput
from apps.documents.storage import open_stored
from apps.mailroom import queries, reasons
from apps.mailroom.actions.emails import act, may_handle
from apps.mailroom.models import Email, EmailFile


class EmailFileSerializer(serializers.ModelSerializer[EmailFile]):
    sha256 = serializers.CharField(source="file.sha256", read_only=True, default="")
    pages = serializers.IntegerField(source="file.pages", read_only=True, default=0)
    why = serializers.SerializerMethodField(help_text=_("Why there is no file"))

    class Meta:
        model = EmailFile
        fields = [
            "id",
            "position",
            "name",
            "size",
            "sha256",
            "pages",
            "kind",
            "decoration",
            "inside",
            "reason",
            "why",
            "paper",
        ]

    def get_why(self, row: EmailFile) -> str:
        return str(reasons.words(row.reason)) if row.reason else ""


class EmailSerializer(serializers.ModelSerializer[Email]):
    """One row of the inbox; the sender is masked."""

    mailbox = serializers.CharField(source="mailbox.address", read_only=True)
    rule = serializers.CharField(source="mailbox.rule", read_only=True)
    case = serializers.CharField(source="case.number", read_only=True, default="")
    suggested = serializers.CharField(source="suggested.number", read_only=True, default="")
    member = serializers.CharField(source="member.number", read_only=True, default="")
    why = serializers.SerializerMethodField(help_text=_("The reason in words"))

    class Meta:
        model = Email
        fields = [
            "id", "mailbox", "rule", "series", "state", "reason", "why", "automatic", "subject", "sender_masked",
            "received_at", "sent_at", "size", "whole", "case", "suggested", "member", "opened_at", "handled_at", "handled_by",
            "version",
        ]  # fmt: skip

    def get_why(self, email: Email) -> str:
        return str(reasons.words(email.reason)) if email.reason else ""


class EmailDetailSerializer(EmailSerializer):
    """The whole message; reading it is logged (LAW-09). Text is plain text, whatever was sent."""

    subject = serializers.CharField(source="subject_whole", read_only=True)
    files = serializers.SerializerMethodField()

    class Meta(EmailSerializer.Meta):
        fields = [
            *EmailSerializer.Meta.fields,
            "message_id",
            "sender",
            "sender_name",
            "text",
            "cut",
            "defects",
            "files",
        ]

    @extend_schema_field(EmailFileSerializer(many=True))
    def get_files(self, email: Email) -> Any:
        return EmailFileSerializer(email.files.select_related("file").order_by("position"), many=True).data


class StepSerializer(EnvelopeSerializer):
    """`version` is the message's version as you saw it; `input` holds the fields of the step."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    input = serializers.DictField(required=False, default=dict)


class EmailFilter(django_filters.FilterSet):
    received_after = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gte")
    received_before = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="lt")
    mailbox = django_filters.CharFilter(field_name="mailbox__address")
    case = django_filters.CharFilter(field_name="case__number")
    unread = django_filters.BooleanFilter(field_name="opened_at", lookup_expr="isnull")

    class Meta:
        model = Email
        fields = ["state", "series", "automatic", "reason"]


class EmailViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Email]):
    """E-mails of the mailboxes the caller may see."""

    queryset = Email.objects.none()
    serializer_class = EmailSerializer
    filterset_class = EmailFilter
    search_fields = ["subject", "case__number", "message_id"]
    ordering_fields = ["received_at"]
    ordering = ["-received_at"]
    lookup_value_regex = r"\d{1,18}"
    required_scopes = {"read": "mail:read", "write": "mail:write"}

    def get_queryset(self) -> QuerySet[Email]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return queries.emails(self.actor)

    @extend_schema(responses=EmailDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(EmailDetailSerializer(queries.email_for(self.actor, int(kwargs["pk"]))).data)

    @extend_schema(
        request=StepSerializer,
        responses=EmailDetailSerializer,
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)],
    )
    @action(detail=True, methods=["post"], url_path=r"steps/(?P<name>[a-z_]{2,40})")
    def step(self, request: Request, pk: str, name: str) -> Response:
        """Do one step: file, report, authorize, tracking, answer, sort, dismiss, reopen. A stale version is a 409."""
        may_handle(self.actor)
        body = StepSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data["input"]
        reserved = {"version", "now"} & data.keys()
        if reserved:
            raise InvalidInput(_("Unknown field."), field=f"input.{min(reserved)}", code="unknown_field")
        doing = act(int(pk), name, self.actor, version=body.validated_data["version"], **data)
        fresh = Email.objects.select_related("mailbox", "case", "suggested", "member").get(pk=doing.email.pk)
        return Response(EmailDetailSerializer(fresh).data)

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("position", OpenApiTypes.INT, OpenApiParameter.PATH)],
    )
    @action(detail=True, url_path=r"files/(?P<position>\d{1,4})", filterset_class=None, pagination_class=None)
    def files(self, request: Request, pk: str, position: str) -> Any:
        """A file of the message as it came; reading it is logged (LAW-09)."""
        row = queries.file_for(self.actor, int(pk), int(position))
        assert row.file is not None
        return FileResponse(
            open_stored(row.file), as_attachment=True, filename=row.name, content_type=row.file.content_type
        )


def register(router: Any) -> None:
    router.register("emails", EmailViewSet, basename="email")
