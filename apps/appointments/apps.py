from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AppointmentsConfig(AppConfig):
    name = "apps.appointments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Appointments")

    def ready(self) -> None:
        from apps.appointments import actions, panels, subscriptions
        from apps.messaging.purposes import add_purposes

        panels.add_panels(actions.KIND)
        subscriptions.connect()
        add_purposes({"appointment_hospital": pgettext_lazy("call", "arranging with the hospital")})
