from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "apps.webhooks"
    verbose_name = _("Webhooks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.cases import subscribers
        from apps.core.triggers import append_only
        from apps.webhooks.recording import note

        append_only("webhooks_endpointevent")
        subscribers.watch(note)
