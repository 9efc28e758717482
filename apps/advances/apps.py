from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdvancesConfig(AppConfig):
    name = "apps.advances"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Inpatient advances")

    def ready(self) -> None:
        from apps.advances import actions, panels, subscriptions

        panels.add_panels(actions.KIND)
        subscriptions.connect()
