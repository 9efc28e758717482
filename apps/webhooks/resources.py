"""What the lists of endpoints and deliveries are exported as."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from apps.core.lists import ListResource
from apps.webhooks.models import Delivery, Endpoint


class EndpointResource(ListResource):
    client = Field(attribute="client__name", column_name="client")
    events = Field(column_name=_("events"))

    class Meta:
        model = Endpoint
        fields = ("client", "url", "events", "language", "contact", "state", "created_at", "delivered_at",
                  "failing_since", "failures", "suspended_at", "suspended_for")  # fmt: skip
        export_order = fields

    def dehydrate_events(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.events)


class DeliveryResource(ListResource):
    client = Field(attribute="endpoint__client__name", column_name="client")
    url = Field(attribute="endpoint__url", column_name="url")
    case = Field(attribute="case__number", column_name="case")

    class Meta:
        model = Delivery
        fields = ("message_id", "event", "case", "seq", "client", "url", "occurred_at", "created_at", "state",
                  "attempts", "next_attempt_at", "delivered_at", "error")  # fmt: skip
        export_order = fields
