from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClaimsConfig(AppConfig):
    name = "apps.claims"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Claims")

    def ready(self) -> None:
        from apps.claims import actions, panels, subscriptions
        from apps.core.triggers import append_only

        for table in ("decision", "decisionline", "override"):
            append_only(f"claims_{table}")
        panels.add_panels(actions.KIND)
        subscriptions.connect()
