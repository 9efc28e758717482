"""API clients manage their own endpoints and read their log. Scopes `webhooks:read` and `webhooks:write`."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiCallback,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    inline_serializer,
)
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import ApiClient
from apps.core.api import NUMBERED, ActorMixin
from apps.core.errors import NotAllowed
from apps.webhooks import actions
from apps.webhooks.catalog import offered, words_of
from apps.webhooks.models import Attempt, Delivery, Endpoint
from apps.webhooks.queries import deliveries_of, endpoints_of

UID = OpenApiParameter("uid", OpenApiTypes.UUID, OpenApiParameter.PATH)
SCOPES = {"read": "webhooks:read", "write": "webhooks:write"}


class EventNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="claim.decided")
    words = serializers.CharField()


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """`failing_since`: since when nothing could be delivered."""

    class Meta:
        model = Endpoint
        fields = [
            "uid", "url", "events", "language", "contact", "description", "state", "created_at", "delivered_at",
            "failing_since", "failures", "resting_until", "suspended_at", "suspended_for", "previous_until",
        ]  # fmt: skip
        read_only_fields = fields

    events = serializers.ListField(child=serializers.CharField(), read_only=True)


class EndpointWriteSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=500, help_text="https, a public address")
    events = serializers.ListField(
        child=serializers.CharField(max_length=60), help_text="names of /webhook-events/"
    )
    language = serializers.ChoiceField(choices=Endpoint.Language.choices, required=False)
    contact = serializers.EmailField(required=False, allow_blank=True, help_text="told of suspensions")
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)


class SecretSerializer(serializers.Serializer[Any]):
    """The secret is shown this once."""

    secret = serializers.CharField(help_text="whsec_…")


class NewEndpointSerializer(EndpointSerializer):
    """With its secret, shown this once."""

    secret = serializers.CharField(read_only=True, help_text="whsec_…")

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class ResentSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    endpoint = serializers.UUIDField(source="endpoint.uid", read_only=True)
    case = serializers.CharField(source="case.number", read_only=True, default=None, allow_null=True)
    words = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = [
            "id", "endpoint", "message_id", "event", "words", "case", "seq", "occurred_at", "created_at", "state",
            "attempts", "next_attempt_at", "delivered_at", "error",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.STR)
    def get_words(self, delivery: Delivery) -> str:
        return words_of(delivery.event)


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    class Meta:
        model = Attempt
        fields = ["at", "status", "took_ms", "error", "answer"]
        read_only_fields = fields


class DeliveryDetailSerializer(DeliverySerializer):
    log = AttemptSerializer(many=True, read_only=True)

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "log"]
        read_only_fields = fields


# --- What receivers get -----------------------------------------------------------------------


class WebhookStateSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    words = serializers.CharField()


WebhookSerializer = inline_serializer(
    "Webhook",
    {
        "id": serializers.CharField(help_text="the same at every attempt"),
        "type": serializers.CharField(help_text="a name of /webhook-events/, or ping"),
        "schema": serializers.IntegerField(help_text="1"),
        "timestamp": serializers.DateTimeField(help_text="when it happened"),
        "data": inline_serializer(
            "WebhookData",
            {
                "words": serializers.CharField(),
                "case": serializers.CharField(required=False),
                "kind": serializers.CharField(required=False),
                "series": serializers.CharField(required=False),
                "version": serializers.IntegerField(required=False, help_text="of the case, after the event"),
                "from": WebhookStateSerializer(allow_null=True, required=False),
                "to": WebhookStateSerializer(required=False),
                "recorded_at": serializers.DateTimeField(required=False),
                "link": serializers.CharField(required=False),
            },
            help_text="a ping has only `words`",
        ),
    },
)
DELIVERED = OpenApiCallback(
    "delivery",
    "{$request.body#/url}",
    extend_schema(
        request=WebhookSerializer,
        responses={
            200: OpenApiResponse(description="Any 2xx within ten seconds; everything else is tried again.")
        },
        description="Headers `webhook-id`, `webhook-timestamp`, `webhook-signature` (Standard Webhooks: "
        "HMAC-SHA256 over id.timestamp.body). Order, retries and an example of the verification: docs/webhooks.md.",
    ),
)


class WebhookEventViewSet(ActorMixin, viewsets.ViewSet):
    """What one can subscribe to."""

    required_scopes = SCOPES

    @extend_schema(responses=EventNameSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The closed list of event names, with words in the language of the request."""
        rows = [{"name": name, "words": words_of(name)} for name in offered()]
        return Response(EventNameSerializer(rows, many=True).data)


class WebhookEndpointViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Endpoint]):
    """The caller's own endpoints. See docs/webhooks.md for what they are sent and how to verify it."""

    queryset = Endpoint.objects.none()
    serializer_class = EndpointSerializer
    filterset_fields = ["state"]
    ordering = ["-created_at"]
    ordering_fields = ["created_at"]
    lookup_field = "uid"
    lookup_value_regex = "[0-9a-f-]{36}"
    required_scopes = SCOPES

    def get_queryset(self) -> QuerySet[Endpoint]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return endpoints_of(self.actor).exclude(state=Endpoint.State.REMOVED)

    @extend_schema(
        request=EndpointWriteSerializer, responses={201: NewEndpointSerializer}, callbacks=[DELIVERED]
    )
    def create(self, request: Request) -> Response:
        """Make an endpoint; the answer holds its secret, this once."""
        client = self._client()
        endpoint, secret = actions.create(self.actor, client, **self._given())
        body = EndpointSerializer(endpoint).data | {"secret": secret}
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[UID], request=EndpointWriteSerializer(partial=True), responses=EndpointSerializer
    )
    def partial_update(self, request: Request, uid: str) -> Response:
        """Change what is given; what is queued goes to the new address."""
        return self._shown(actions.change(self.actor, self.get_object(), **self._given(partial=True)))

    @extend_schema(parameters=[UID], responses={204: None})
    def destroy(self, request: Request, uid: str) -> Response:
        """Remove it; what was queued is canceled."""
        actions.remove(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(parameters=[UID], request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, uid: str) -> Response:
        """A new secret, shown this once; the former one signs beside it for 24 hours."""
        return Response({"secret": actions.rotate_secret(self.actor, self.get_object())})

    @extend_schema(parameters=[UID], request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def ping(self, request: Request, uid: str) -> Response:
        """Send a test, once; its delivery tells how it went."""
        delivery = actions.ping(self.actor, self.get_object())
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(parameters=[UID], request=ReasonSerializer, responses=EndpointSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, uid: str) -> Response:
        """Stop sending for now; what happens meanwhile is kept."""
        return self._shown(actions.suspend(self.actor, self.get_object(), reason=self._reason()))

    @extend_schema(parameters=[UID], request=None, responses=EndpointSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, uid: str) -> Response:
        """Send again; what waited goes out in order."""
        return self._shown(actions.resume(self.actor, self.get_object()))

    @extend_schema(parameters=[UID], request=ReasonSerializer, responses=ResentSerializer)
    @action(detail=True, methods=["post"], url_path="resend-dead")
    def resend_dead(self, request: Request, uid: str) -> Response:
        """Send again what was given up."""
        return Response({"count": actions.resend_dead(self.actor, self.get_object(), reason=self._reason())})

    def _client(self) -> ApiClient:
        if self.actor.client_id is None:
            raise NotAllowed(
                _("Log in with an API key, or make the endpoint in the admin."), code="machine_needed"
            )
        return ApiClient.objects.get(pk=self.actor.client_id)

    def _given(self, *, partial: bool = False) -> dict[str, Any]:
        body = EndpointWriteSerializer(data=self.request.data, partial=partial)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def _reason(self) -> str:
        return _reason(self.request)

    def _shown(self, endpoint: Endpoint) -> Response:
        return Response(EndpointSerializer(endpoint).data)


class DeliveryFilter(django_filters.FilterSet):
    endpoint = django_filters.UUIDFilter(field_name="endpoint__uid")
    case = django_filters.CharFilter(field_name="case__number")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Delivery
        fields = ["endpoint", "case", "state", "event"]


class WebhookDeliveryViewSet(
    ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delivery]
):
    """What was sent to the caller's endpoints, and each attempt."""

    queryset = Delivery.objects.none()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    filter_backends = NUMBERED
    ordering = ["-created_at"]
    ordering_fields = ["created_at"]
    lookup_value_regex = r"\d{1,18}"
    required_scopes = SCOPES

    def get_queryset(self) -> QuerySet[Delivery]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return deliveries_of(self.actor).prefetch_related("endpoint", "case")

    def get_serializer_class(self) -> Any:
        return DeliveryDetailSerializer if self.action == "retrieve" else DeliverySerializer

    @extend_schema(request=ReasonSerializer, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> Response:
        """Send one again that was delivered or given up, under its old id."""
        delivery = actions.resend(self.actor, self.get_object(), reason=_reason(request))
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)


def _reason(request: Request) -> str:
    body = ReasonSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    return str(body.validated_data["reason"])


def register(router: Any) -> None:
    router.register("webhook-events", WebhookEventViewSet, basename="webhook-event")
    router.register("webhook-endpoints", WebhookEndpointViewSet, basename="webhook-endpoint")
    router.register("webhook-deliveries", WebhookDeliveryViewSet, basename="webhook-delivery")
