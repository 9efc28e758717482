from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "apps.core"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Imports")

    def ready(self) -> None:
        from apps.core import checks  # noqa: F401  (importing registers them)
        from apps.core.triggers import on_post_migrate

        # The signal is sent once an app, after the last migration of all: one of them suffices.
        post_migrate.connect(on_post_migrate, sender=self, dispatch_uid="core.triggers")
