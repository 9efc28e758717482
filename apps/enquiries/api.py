"""Enquiries over the API: ask, complain, read the answers, have forms sent.

Actions (answer, close, reopen …) stand under `cases/<number>/actions/`, like those of every kind.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cases.api import CaseDetailSerializer
from apps.cases.models import CaseFile
from apps.cases.serializers import serializer_for
from apps.core.api import NUMBERED, ActorMixin
from apps.core.errors import InvalidInput
from apps.enquiries.actions import policy_named, record, send_forms
from apps.enquiries.forms_offered import offered
from apps.enquiries.inputs import FormsInput, RecordInput
from apps.enquiries.models import Enquiry, Sort
from apps.enquiries.queries import visible_enquiries
from apps.products.queries import handbook_for


class EnquiryFields(serializers.ModelSerializer[Enquiry]):
    """Question and answer; nothing of whom a complaint is about or who handles it."""

    about = serializers.CharField(source="about.number", allow_null=True, read_only=True)

    class Meta:
        model = Enquiry
        fields = [
            "sort", "rule", "channel", "asker", "text", "about", "received_at", "appeal_wished", "answer", "answered_at",
            "forms", "sent_to",
        ]  # fmt: skip


class EnquirySerializer(CaseDetailSerializer):
    """The case with what is particular to an enquiry."""

    enquiry = EnquiryFields(read_only=True)

    class Meta(CaseDetailSerializer.Meta):
        fields = [*CaseDetailSerializer.Meta.fields, "enquiry"]


class FormSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="CLAIM_FORM, PAPERS, MINOR_PAPERS, MAILING")
    words = serializers.CharField()


class EnquiryFilter(django_filters.FilterSet):
    sort = django_filters.ChoiceFilter(field_name="enquiry__sort", choices=Sort.choices)
    about = django_filters.CharFilter(field_name="enquiry__about__number")
    appeal = django_filters.BooleanFilter(field_name="enquiry__appeal_wished")
    member = django_filters.CharFilter(field_name="member__number")

    class Meta:
        model = CaseFile
        fields = ["state", "series", "open"]


class EnquiryViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[CaseFile]
):
    """Questions, complaints and suggestions (APP-06, APP-22, APP-27), and forms by e-mail (APP-05)."""

    queryset = CaseFile.objects.none()
    serializer_class = EnquirySerializer
    filterset_class = EnquiryFilter
    filter_backends = NUMBERED
    search_fields = ["number", "enquiry__about__number"]
    ordering_fields = ["opened_at"]
    ordering = ["-opened_at"]
    lookup_field = "number"
    lookup_value_regex = r"E\d{2}-\d{6,9}"
    required_scopes = {"read": "cases:read", "write": "cases:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        related = ("member", "policy", "handbook", "enquiry__about")
        return visible_enquiries(self.actor).select_related(*related)

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(
        request=serializer_for(RecordInput, "EnquiryRecording"), responses={201: EnquirySerializer}
    )
    def create(self, request: Request) -> Response:
        """Ask, complain or suggest. A member front end leaves out channel, complained_of and answer."""
        return self._shown(record(self.actor, _object(request)))

    @extend_schema(
        methods=["GET"],
        parameters=[OpenApiParameter("member", str, required=True, description=_("member or policy number"))],
        responses={200: FormSerializer(many=True)},
    )
    @extend_schema(
        methods=["POST"],
        request=serializer_for(FormsInput, "FormsOrder"),
        responses={201: EnquirySerializer},
    )
    @action(detail=False, methods=["get", "post"], filter_backends=[], pagination_class=None)
    def forms(self, request: Request) -> Response:
        """GET: the forms a child's series has. POST: send them to the address on file (APP-05)."""
        if request.method == "POST":
            return self._shown(send_forms(self.actor, _object(request)))
        policy = policy_named(self.actor, request.query_params.get("member", "")[:60])
        book = handbook_for(policy.series).handbook
        return Response([{"key": form.key, "words": str(form.words)} for form in offered(book)])

    def _shown(self, case: CaseFile) -> Response:
        fresh = self.get_queryset().get(pk=case.pk)
        return Response(self.get_serializer(fresh).data, status=status.HTTP_201_CREATED)


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise InvalidInput(_("A JSON object is expected."), code="type")
    return request.data


def register(router: Any) -> None:
    router.register("enquiries", EnquiryViewSet, basename="enquiry")
