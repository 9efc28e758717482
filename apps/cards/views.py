"""The page of a card, opened by a link that its front end was given a moment ago."""

from __future__ import annotations

import base64

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from apps.accounts.actions import log_read
from apps.accounts.actors import Actor
from apps.cards.picture import png_of
from apps.cards.queries import QR_LIVES, card_of_page, face_of
from apps.cards.words import BENEFITS, FUNCTIONS


@require_safe
def card_page(request: HttpRequest, token: str) -> HttpResponse:
    """The card with today's date, plan and state; says that the link is old, and nothing more, when it is."""
    found = card_of_page(token)
    context: dict[str, object] = {"face": None}
    if found is not None:
        card, client = found
        reader = Actor(label="card page", client_id=client)
        log_read(reader, subject=f"member:{card.member.number}", what="card page")
        face = face_of(card, timezone.now(), whole_name=True)
        picture = base64.b64encode(png_of(face)).decode()
        context = {
            "face": face,
            "picture": picture,
            "minutes": QR_LIVES.seconds // 60,
            "benefits": [
                {"name": BENEFITS.get(benefit.code, benefit.code), "held": benefit.held}
                for benefit in face.benefits
            ],
            "functions": [FUNCTIONS.get(name, name) for name in face.functions],
        }
    response = render(request, "cards/card.html", context, status=200 if found else 404)
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
