"""Case files over the API: lists, one case, what can be done with it, and doing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.context import Batch, Ctx
from apps.cases.counted import counts
from apps.cases.engine import Availability, available, perform, perform_each
from apps.cases.kinds import KINDS
from apps.cases.models import CaseEvent, CaseFile, Clock
from apps.cases.serializers import input_rows
from apps.core.api import NUMBERED, ActorMixin, YuanField
from apps.core.api_errors import entry_of
from apps.core.api_parameters import EnvelopeSerializer
from apps.core.errors import InvalidInput, NotFound

MANY = 100  # cases of one request; all of them are locked until the commit


class ClockSerializer(serializers.ModelSerializer[Clock]):
    class Meta:
        model = Clock
        fields = [
            "key", "spec_id", "statutory", "state", "started_at", "due_at", "day", "act_by", "target_at",
            "provisional", "breached", "stopped_at",
        ]  # fmt: skip


class CaseSerializer(serializers.ModelSerializer[CaseFile]):
    """One row of a list. Names are masked; amounts are yuan as text."""

    state_label = serializers.CharField(source="get_state_display", read_only=True)
    member = serializers.CharField(source="member.number", read_only=True)
    member_name = serializers.CharField(source="member.masked_name", read_only=True)
    policy = serializers.CharField(source="policy.number", read_only=True)
    amount = YuanField(source="amount_fen")

    class Meta:
        model = CaseFile
        fields = [
            "number", "kind", "state", "state_label", "series", "member", "member_name", "policy", "amount",
            "priority", "next_due", "open", "version", "opened_at", "closed_at",
        ]  # fmt: skip


class ActionSerializer(serializers.Serializer[dict[str, Any]]):
    """An action the caller's roles know in this state, and why it is blocked if it is."""

    name = serializers.CharField()
    title = serializers.CharField()
    allowed = serializers.BooleanField()
    blockers = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    inputs = serializers.ListField(
        child=serializers.DictField(),
        help_text=_("name, title, type, required, choices, fields of an object"),
    )


def action_row(found: Availability, ctx: Ctx[Any]) -> dict[str, Any]:
    """What may be done now is asked with the codes that this case offers, as the form asks."""
    act = found.action
    ctx.action = act.name
    return {
        "name": act.name,
        "title": str(act.label),
        "allowed": found.allowed,
        "blockers": [
            {"code": blocker.code, "message": str(blocker.message), "rule": blocker.rule}
            for blocker in found.blockers
        ],
        "inputs": input_rows(act.input, ctx if found.allowed else None),
    }


class CaseDetailSerializer(CaseSerializer):
    clocks = ClockSerializer(many=True, read_only=True)
    actions = serializers.SerializerMethodField()

    class Meta(CaseSerializer.Meta):
        fields = [*CaseSerializer.Meta.fields, "clocks", "actions"]

    @extend_schema_field(ActionSerializer(many=True))
    def get_actions(self, case: CaseFile) -> Any:
        actor, now = self.context["actor"], timezone.now()
        ctx: Ctx[Any] = Ctx(case=case, kind=KINDS[case.kind], actor=actor, now=now, batch=Batch(actor, now))
        return [action_row(found, ctx) for found in available(case, actor, now=now, loaded=ctx.loaded)]


class EventSerializer(serializers.ModelSerializer[CaseEvent]):
    """Whoever is outside the desk reads what happened; who there did it and why stays inside."""

    actor_label = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()

    class Meta:
        model = CaseEvent
        fields = ["seq", "name", "action", "from_state", "to_state", "actor_label", "at", "reason"]

    def get_actor_label(self, event: CaseEvent) -> str:
        hidden = event.user_id is not None and not self._told(event)
        return str(_("Claims desk")) if hidden else event.actor_label

    def get_reason(self, event: CaseEvent) -> str:
        return event.reason if self._told(event) else ""

    def _told(self, event: CaseEvent) -> bool:
        actor = self.context["actor"]
        return not actor.is_outside or _by(event, actor)


def _by(event: CaseEvent, actor: Actor) -> bool:
    return (event.user_id, event.client_id) == (actor.user_id, actor.client_id)


class ProofSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    evidence = serializers.CharField()
    paper = serializers.CharField()
    reached = serializers.CharField()
    ended_by = serializers.CharField()


class CountLineSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["START", "COUNTED", "DAY_OFF", "PAUSED", "DUE", "STANDING"])
    first = serializers.DateField()
    last = serializers.DateField()
    days = serializers.IntegerField()
    total = serializers.IntegerField(help_text=_("counted so far"))
    rule = serializers.CharField()
    words = serializers.CharField()
    proof = ProofSerializer(allow_null=True)


class CountSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    rule = serializers.CharField()
    statutory = serializers.BooleanField()
    state = serializers.CharField()
    started_at = serializers.DateTimeField()
    duration = serializers.IntegerField()
    length = serializers.CharField()
    standing = serializers.BooleanField()
    left = serializers.IntegerField(help_text=_("days left to count while it stands still"))
    day = serializers.DateField(allow_null=True)
    act_by = serializers.DateField(allow_null=True)
    provisional = serializers.BooleanField()
    lines = CountLineSerializer(many=True)


class PerformSerializer(EnvelopeSerializer):
    """`version` is the case's version as you saw it; `input` holds the fields of the action."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    input = serializers.DictField(required=False, default=dict)


class CaseSeenSerializer(serializers.Serializer[Any]):
    number = serializers.CharField(max_length=20)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class PerformEachSerializer(EnvelopeSerializer):
    """Up to 100 cases as you saw them; `input` holds the fields of the action, the same for all."""

    cases = serializers.ListField(child=CaseSeenSerializer(), allow_empty=False, max_length=MANY)
    input = serializers.DictField(required=False, default=dict)

    def validate_cases(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        numbers = [row["number"] for row in value]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise serializers.ValidationError(
                _("Named twice: %(numbers)s") % {"numbers": ", ".join(twice)}, code="duplicate"
            )
        return value


class CaseAnswerSerializer(serializers.Serializer[Any]):
    """What became of one case: as it is now, or the reason why it stayed as it was."""

    number = serializers.CharField()
    done = serializers.BooleanField()
    state = serializers.CharField(allow_null=True, help_text=_("null when the case is not yours to see"))
    version = serializers.IntegerField(allow_null=True)
    error = serializers.DictField(allow_null=True, help_text=_("code, message, field, rule"))


class CaseFilter(django_filters.FilterSet):
    due_before = django_filters.IsoDateTimeFilter(field_name="next_due", lookup_expr="lt")
    opened_after = django_filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="gte")
    opened_before = django_filters.IsoDateTimeFilter(field_name="opened_at", lookup_expr="lt")
    member = django_filters.CharFilter(field_name="member__number")
    policy = django_filters.CharFilter(field_name="policy__number")

    class Meta:
        model = CaseFile
        fields = ["kind", "state", "series", "open", "member", "policy"]


class CaseViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[CaseFile]):
    """Cases of every kind that the caller may see."""

    queryset = CaseFile.objects.none()
    serializer_class = CaseSerializer
    filterset_class = CaseFilter
    filter_backends = NUMBERED
    search_fields = ["number", "external_numbers__number", "policy__number"]
    ordering_fields = ["opened_at", "next_due", "number"]
    ordering = ["-opened_at"]
    lookup_field = "number"
    lookup_value_regex = r"[A-Z]\d{2}-\d{6,9}"
    required_scopes = {"read": "cases:read", "write": "cases:write"}

    def get_queryset(self) -> QuerySet[CaseFile]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return visible_to(CaseFile.objects.prefetch_related("member", "policy", "handbook"), self.actor)

    def get_serializer_class(self) -> Any:
        return CaseDetailSerializer if self.action == "retrieve" else CaseSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        fake = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "actor": None if fake else self.actor}

    @extend_schema(responses=EventSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None, filter_backends=[])
    def events(self, request: Request, number: str) -> Response:
        """The timeline of a case, oldest first. Hospitals and families read the steps between states and what
        they did themselves."""
        events: Sequence[CaseEvent] | QuerySet[CaseEvent] = CaseEvent.objects.filter(
            case=self.get_object()
        ).order_by("seq")
        if self.actor.is_outside:
            events = [
                event for event in events if event.from_state != event.to_state or _by(event, self.actor)
            ]
        return Response(EventSerializer(events, many=True, context={"actor": self.actor}).data)

    @extend_schema(responses=CountSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None, filter_backends=[])
    def clocks(self, request: Request, number: str) -> Response:
        """How each clock was counted, line by line: day 0, counted days, pauses with their proof, due day."""
        return Response(CountSerializer([one.as_json() for one in counts(self.get_object())], many=True).data)

    @extend_schema(
        request=PerformSerializer,
        responses=CaseDetailSerializer,
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)],
    )
    @action(detail=True, methods=["post"], url_path=r"actions/(?P<name>[a-z_]{2,40})")
    def act(self, request: Request, number: str, name: str) -> Response:
        """Do one action. A stale version is a 409 with code `stale` and the version it has now."""
        body = PerformSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        case = self.get_object()
        data = _fields_of_the_action(body.validated_data["input"])
        perform(case.number, name, self.actor, version=body.validated_data["version"], **data)
        fresh = self.get_queryset().filter(pk=case.pk).first()
        if fresh is None:
            raise NotFound(_("There is nothing at this address."))
        return Response(CaseDetailSerializer(fresh, context=self.get_serializer_context()).data)

    @extend_schema(
        operation_id="cases_actions_each_create",
        request=PerformEachSerializer,
        responses=CaseAnswerSerializer(many=True),
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)],
    )
    @action(
        detail=False,
        methods=["post"],
        url_path=r"actions/(?P<name>[a-z_]{2,40})",
        pagination_class=None,
        filterset_class=None,
    )
    def act_on_each(self, request: Request, name: str) -> Response:
        """Do one action on many cases in one transaction. A case that refuses stays as it was and says why;
        the others are done. Answers stand in the order of the request."""
        body = PerformEachSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        seen = {row["number"]: row["version"] for row in body.validated_data["cases"]}
        data = _fields_of_the_action(body.validated_data["input"])
        refused = perform_each(seen, name, self.actor, data=data)
        rows = self.get_queryset().filter(number__in=seen).values_list("number", "state", "version")
        now = {number: (state, version) for number, state, version in rows}
        answers = [
            {
                "number": number,
                "done": error is None,
                "state": now.get(number, (None, None))[0],
                "version": now.get(number, (None, None))[1],
                "error": entry_of(error) if error is not None else None,
            }
            for number, error in refused.items()
        ]
        return Response(CaseAnswerSerializer(answers, many=True).data)


def _fields_of_the_action(data: dict[str, Any]) -> dict[str, Any]:
    """Raises InvalidInput for the names that `perform` keeps for itself."""
    reserved = {"version", "now", "number", "action", "actor"} & data.keys()
    if reserved:
        raise InvalidInput(_("Unknown field."), field=f"input.{min(reserved)}", code="unknown_field")
    return data


def register(router: Any) -> None:
    router.register("cases", CaseViewSet, basename="case")
