from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QualityConfig(AppConfig):
    name = "apps.quality"
    verbose_name = _("Quality")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from apps.core.triggers import append_only
        from apps.quality import panels, subscriptions
        from apps.quality.catalogue import sync_error_codes

        for table in ("qualityrule", "inspectionerror", "draw"):
            append_only(f"quality_{table}")
        panels.connect()
        subscriptions.connect()
        post_migrate.connect(sync_error_codes, sender=self)
