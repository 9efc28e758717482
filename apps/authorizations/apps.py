from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthorizationsConfig(AppConfig):
    name = "apps.authorizations"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Prior authorization")

    def ready(self) -> None:
        from apps.authorizations import actions, panels, subscriptions

        panels.add_panels(actions.KIND)
        subscriptions.connect()
