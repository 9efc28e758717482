from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecoveriesConfig(AppConfig):
    name = "apps.recoveries"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Recovery")

    def ready(self) -> None:
        from apps.recoveries import actions, panels, subscriptions

        panels.add_panels(actions.KIND)
        subscriptions.connect()
