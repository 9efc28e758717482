"""Cards for member front ends (bind, list, show, picture) and for hospitals (check)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions import log_read
from apps.cards import actions
from apps.cards.models import Card, CardState, Relation
from apps.cards.picture import png_of
from apps.cards.queries import card_of_account, cards_of_account, face_of, page_token, verify
from apps.core.api import ActorMixin
from apps.members.api import WhySerializer
from apps.members.models import IdType

PNG = (200, "image/png")


class AccountSerializer(serializers.Serializer[Any]):
    account = serializers.RegexField(
        r"^[A-Za-z0-9_\-.:@]{1,64}$", help_text="who is logged in at the front end, by its own name for them"
    )


ACCOUNT = OpenApiParameter(
    "account", OpenApiTypes.STR, required=True, description="the account at the front end"
)
NUMBER = OpenApiParameter("number", OpenApiTypes.STR, OpenApiParameter.PATH)


class CodeSerializer(AccountSerializer):
    series = serializers.CharField(max_length=10)
    name = serializers.CharField(max_length=80)
    mobile = serializers.CharField(max_length=30)


class BindSerializer(AccountSerializer):
    """What the series asks for (`card.binding_fields`): name, mobile and code; or relation, name and paper."""

    series = serializers.CharField(max_length=10)
    name = serializers.CharField(max_length=80)
    relation = serializers.ChoiceField(choices=Relation.choices, required=False)
    mobile = serializers.CharField(max_length=30, required=False)
    code = serializers.RegexField(r"^\d{6}$", required=False)
    id_type = serializers.ChoiceField(choices=IdType.choices, required=False)
    id_number = serializers.CharField(max_length=40, required=False)
    birth_date = serializers.DateField(required=False)
    sex = serializers.ChoiceField(choices=[("M", "male"), ("F", "female")], required=False)
    valid_until = serializers.DateField(required=False)


class CardSerializer(serializers.ModelSerializer[Card]):
    child = serializers.CharField(source="member.masked_name")
    series = serializers.CharField(source="policy.series")
    plan = serializers.CharField(source="policy.plan.name")
    policy = serializers.CharField(source="policy.number")
    valid_from = serializers.DateField(source="policy.effective_on")
    valid_until = serializers.DateField(source="policy.covered_until")
    state = serializers.SerializerMethodField()

    class Meta:
        model = Card
        fields = ["number", "child", "series", "plan", "policy", "valid_from", "valid_until", "state"]
        read_only_fields = fields

    def get_state(self, card: Card) -> str:
        return card.state_on(timezone.localdate()).value


class BenefitSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    rider = serializers.CharField()
    held = serializers.BooleanField()


class NoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    rule = serializers.CharField()


class FaceSerializer(serializers.Serializer[Any]):
    """The face of a card now; `page` may be opened in the family's browser for ten minutes."""

    number = serializers.CharField()
    title = serializers.CharField()
    name = serializers.CharField()
    series = serializers.CharField()
    plan = serializers.CharField()
    state = serializers.ChoiceField(choices=CardState.choices)
    shown_on = serializers.DateField(
        allow_null=True, help_text="CRD-02; null where the series prints no date"
    )
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()
    hotline = serializers.CharField()
    functions = serializers.ListField(child=serializers.CharField(), help_text="CRD-28")
    benefits = BenefitSerializer(many=True, help_text="CRD-03")
    notes = NoteSerializer(many=True, help_text="APP-26")
    why = WhySerializer(allow_null=True)
    qr = serializers.CharField(help_text="for the desk; good for ten minutes")
    page = serializers.CharField()


class SentSerializer(serializers.Serializer[Any]):
    expires_at = serializers.DateTimeField()


class CheckSerializer(serializers.Serializer[Any]):
    card = serializers.CharField(max_length=200, help_text="what the QR code says, or the 16 digits")
    on = serializers.DateField(required=False, help_text="day of the visit; today by default")
    hospital = serializers.CharField(
        max_length=40, required=False, help_text="for the desk; hospitals are known"
    )


class CoverSerializer(serializers.Serializer[Any]):
    benefit = serializers.CharField()
    direct = serializers.BooleanField()
    departments = serializers.ListField(child=serializers.CharField())
    why = WhySerializer(many=True)
    mind = WhySerializer(many=True)


class VerdictSerializer(serializers.Serializer[Any]):
    """`accepted`: something is billed directly here with this card; `covers` says what."""

    number = serializers.CharField()
    accepted = serializers.BooleanField()
    state = serializers.ChoiceField(choices=CardState.choices)
    on = serializers.DateField()
    shown_on = serializers.DateField(allow_null=True)
    child = serializers.CharField()
    sex = serializers.CharField()
    birth_date = serializers.DateField()
    id_type = serializers.CharField()
    id_masked = serializers.CharField()
    series = serializers.CharField()
    plan = serializers.CharField()
    why = WhySerializer(many=True)
    mind = WhySerializer(many=True)
    looked_up_at = serializers.DateTimeField(allow_null=True, help_text="DL-46")
    covers = CoverSerializer(many=True)


class CardViewSet(ActorMixin, viewsets.ViewSet):
    """A card is seen by the accounts that hold it, at the front end where they bound it."""

    required_scopes = {"verify": "cards:verify", "read": "cards:read", "write": "cards:write"}
    lookup_field = "number"
    lookup_value_regex = r"\d{16}"

    def _account(self) -> str:
        asked = AccountSerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        return str(asked.validated_data["account"])

    @extend_schema(parameters=[ACCOUNT], responses=CardSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The cards of an account, all series, the newest first."""
        return Response(CardSerializer(cards_of_account(self.actor, self._account()), many=True).data)

    @extend_schema(parameters=[ACCOUNT, NUMBER], responses=FaceSerializer)
    def retrieve(self, request: Request, number: str) -> Response:
        """The face of a card, with its date and a fresh code (CRD-02, CRD-03)."""
        card = card_of_account(self.actor, self._account(), number)
        log_read(self.actor, subject=f"member:{card.member.number}", what="card")
        face = face_of(card, timezone.now(), whole_name=True)
        page = request.build_absolute_uri(reverse("card-page", args=[page_token(card, self.actor.client_id)]))
        return Response(FaceSerializer({**asdict(face), "page": page}).data)

    @extend_schema(parameters=[ACCOUNT, NUMBER], responses={PNG: OpenApiTypes.BINARY})
    @action(detail=True)
    def image(self, request: Request, number: str) -> HttpResponse:
        """The same as a picture."""
        card = card_of_account(self.actor, self._account(), number)
        log_read(self.actor, subject=f"member:{card.member.number}", what="card")
        picture = png_of(face_of(card, timezone.now(), whole_name=True))
        return HttpResponse(picture, content_type="image/png", headers={"Cache-Control": "no-store"})

    @extend_schema(request=CodeSerializer, responses={202: SentSerializer})
    @action(detail=False, methods=["post"])
    def code(self, request: Request) -> Response:
        """Send a code to the mobile number of the enrollment (CRD-24).

        The answer is the same whether such a child is enrolled or not.
        """
        asked = CodeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        until = actions.request_code(self.actor, **asked.validated_data)
        return Response({"expires_at": until}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=BindSerializer, responses={201: CardSerializer(many=True)})
    @action(detail=False, methods=["post"])
    def bind(self, request: Request) -> Response:
        """Link the account with all cards of the child in the series (CRD-04, CRD-05, CRD-24, CRD-27)."""
        asked = BindSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        cards = actions.bind(self.actor, actions.Binding(**asked.validated_data))
        for card in cards:
            log_read(self.actor, subject=f"member:{card.member.number}", what="card")
        return Response(CardSerializer(cards, many=True).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=AccountSerializer, parameters=[NUMBER], responses={204: None})
    @action(detail=True, methods=["post"])
    def unbind(self, request: Request, number: str) -> Response:
        """Take the card off this account; others of the family keep it."""
        asked = AccountSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        actions.unbind(self.actor, account=asked.validated_data["account"], number=number)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=CheckSerializer, responses=VerdictSerializer)
    @action(detail=False, methods=["post"])
    def verify(self, request: Request) -> Response:
        """Check a card at the desk: valid, greyed, not yet, ended; and what is billed directly here."""
        asked = CheckSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        now = timezone.now()
        found = verify(
            self.actor, text=asked.validated_data["card"], on=asked.validated_data.get("on") or timezone.localdate(now),
            now=now, hospital=asked.validated_data.get("hospital", ""),
        )  # fmt: skip
        member, policy = found.card.member, found.card.policy
        log_read(self.actor, subject=f"member:{member.number}", what="card check")
        body = {
            "number": found.card.number, "accepted": found.accepted, "state": found.state, "on": found.on,
            "shown_on": found.shown_on, "child": member.masked_name, "sex": member.sex,
            "birth_date": member.birth_date, "id_type": member.id_type, "id_masked": member.id_masked,
            "series": policy.series, "plan": policy.plan.name, "why": found.why, "mind": found.mind,
            "looked_up_at": found.looked_up.at if found.looked_up else None,
            "covers": [
                {"benefit": benefit, "direct": place.direct, "why": place.why, "mind": place.mind,
                 "departments": sorted({entry.department_group for entry in place.entries})}
                for benefit, place in found.covers
            ],
        }  # fmt: skip
        return Response(VerdictSerializer(body).data)


def register(router: Any) -> None:
    router.register("cards", CardViewSet, basename="card")
