from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DirectConfig(AppConfig):
    name = "apps.direct"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Direct billing")

    def ready(self) -> None:
        from apps.claims.variants import add_variant
        from apps.core.imports.jobs import register
        from apps.core.triggers import append_only
        from apps.direct import actions, panels, subscriptions
        from apps.direct.variant import Direct

        append_only("direct_hospitalpayment")
        register("direct", "apps.direct.importer.DirectImporter")
        add_variant(actions.KIND.code, Direct())
        panels.add_panels(actions.KIND)
        subscriptions.connect()
