"""`/webhook-receiver/<uid>/`: a receiver for trying things out; not in production."""

from django.urls import path

from apps.webhooks.views import receiver

urlpatterns = [path("<uuid:uid>/", receiver, name="webhook-receiver")]
