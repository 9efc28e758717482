from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SettlementsConfig(AppConfig):
    name = "apps.settlements"
    verbose_name = _("Settlements with hospitals")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.triggers import append_only
        from apps.settlements import subscriptions

        append_only("settlements_statementevent")
        subscriptions.connect()
