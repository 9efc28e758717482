from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppointmentsConfig(AppConfig):
    name = "apps.appointments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Appointments")

    def ready(self) -> None:
        from apps.appointments import actions, panels, subscriptions

        panels.add_panels(actions.KIND)
        subscriptions.connect()
