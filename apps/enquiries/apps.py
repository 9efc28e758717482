from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnquiriesConfig(AppConfig):
    name = "apps.enquiries"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Enquiries")

    def ready(self) -> None:
        from apps.enquiries import actions, panels

        panels.add_panels(actions.KIND)
