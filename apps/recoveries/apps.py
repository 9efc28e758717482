from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class RecoveriesConfig(AppConfig):
    name = "apps.recoveries"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Recovery")

    def ready(self) -> None:
        from apps.messaging.purposes import add_purposes
        from apps.recoveries import actions, panels, subscriptions

        panels.add_panels(actions.KIND)
        subscriptions.connect()
        add_purposes({"recovery": pgettext_lazy("call", "request for refund")})
