"""Handbooks and the working-day calculator over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.visibility import is_visible, visible_to
from apps.adjudication.clocks import Pause, due_at
from apps.core.api import ActorMixin
from apps.core.errors import InvalidInput, NotFound
from apps.products.models import HandbookVersion
from apps.products.queries import current_handbook, working_calendar


class HandbookSerializer(serializers.ModelSerializer[HandbookVersion]):
    class Meta:
        model = HandbookVersion
        fields = ["id", "series", "number", "sha256", "effective_on", "loaded_at"]


class PauseSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False, allow_null=True)


class DueSerializer(serializers.Serializer[Any]):
    """`clock` is the key of a clock of the series ("claim.decision"); `rule` picks among several."""

    series = serializers.CharField(max_length=10)
    clock = serializers.CharField(max_length=60)
    rule = serializers.CharField(max_length=12, required=False, help_text=_("e.g. DL-34"))
    start = serializers.DateTimeField()
    pauses = PauseSerializer(many=True, required=False, default=list)


class DueAnswerSerializer(serializers.Serializer[Any]):
    """`due_at` is exclusive (24:00 of `day`); `counted` are the days that were counted."""

    clock = serializers.CharField()
    rule = serializers.CharField()
    due_at = serializers.DateTimeField()
    day = serializers.DateField()
    target = serializers.DateTimeField(allow_null=True)
    act_by = serializers.DateField(allow_null=True)
    provisional = serializers.BooleanField()
    standing = serializers.BooleanField()
    counted = serializers.ListField(child=serializers.DateField())


class HandbookViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[HandbookVersion]):
    """Published handbooks of the series the caller works for."""

    queryset = HandbookVersion.objects.none()
    serializer_class = HandbookSerializer
    filterset_fields = ["series"]
    ordering_fields = ["series", "number"]
    required_scopes = {"read": "handbooks:read", "write": "handbooks:read"}

    def get_queryset(self) -> QuerySet[HandbookVersion]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return visible_to(HandbookVersion.objects.all(), self.actor)

    @extend_schema(responses={(200, "application/toml"): OpenApiTypes.STR})
    @action(detail=True)
    def text(self, request: Request, pk: str) -> Response:
        """The handbook as it was loaded, TOML."""
        version = self.get_object()
        return Response({"series": version.series, "sha256": version.sha256, "text": version.text})

    @extend_schema(request=DueSerializer, responses=DueAnswerSerializer)
    @action(detail=False, methods=["post"])
    def due(self, request: Request) -> Response:
        """When a promise is due, with the days counted. Nothing is stored."""
        body = DueSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        start = _reasonable(asked["start"], "start")
        version = current_handbook(asked["series"])
        if not is_visible(version, self.actor):
            raise NotFound(_("There is nothing at this address, or it is not yours to see."), field="series")
        handbook = version.handbook
        matching = [clock for clock in handbook.clocks if clock.key == asked["clock"]]
        if asked.get("rule"):
            matching = [clock for clock in matching if clock.id == asked["rule"]]
        if not matching:
            known = ", ".join(sorted({f"{clock.key} ({clock.id})" for clock in handbook.clocks}))
            raise InvalidInput(
                _("No such clock. Known: %(known)s") % {"known": known}, field="clock", code="unknown_clock"
            )
        spec = matching[0]
        pauses = [
            Pause(
                _reasonable(pause["start"], "pauses"),
                pause.get("until") and _reasonable(pause["until"], "pauses"),
            )
            for pause in asked["pauses"]
        ]
        if any(pause.until and pause.until < pause.start for pause in pauses):
            raise InvalidInput(_("A pause ends after it begins."), field="pauses", code="pause")
        due = due_at(spec, start, working_calendar(), pauses)
        answer = {
            "clock": spec.key,
            "rule": spec.id,
            "due_at": due.at,
            **{
                name: getattr(due, name)
                for name in ("day", "target", "act_by", "provisional", "standing", "counted")
            },
        }
        return Response(DueAnswerSerializer(answer).data)


def _reasonable(moment: datetime, field: str) -> datetime:
    """Shanghai time between 2000 and 2100, so that no date arithmetic overflows."""
    if not 2000 <= moment.year < 2100:
        raise InvalidInput(_("A time between 2000 and 2099 is expected."), field=field, code="datetime")
    return timezone.localtime(moment)


def register(router: Any) -> None:
    router.register("handbooks", HandbookViewSet, basename="handbook")
