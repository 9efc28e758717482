"""`/card/<token>/`: the page of a card for the family's browser."""

from django.urls import path

from apps.cards.views import card_page

urlpatterns = [path("<str:token>/", card_page, name="card-page")]
