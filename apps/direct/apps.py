from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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
        from apps.messaging.purposes import add_purposes

        append_only("direct_hospitalpayment")
        register("direct", "apps.direct.importer.DirectImporter")
        add_variant(actions.KIND.code, Direct())
        add_purposes(
            {
                "direct_papers": pgettext_lazy("call", "papers missing for a hospital's bill"),
                "direct_identity": pgettext_lazy("call", "photo identity asked for"),
                "direct_decided": pgettext_lazy("call", "decision for the hospital"),
                "direct_decision": pgettext_lazy("call", "decision for the family"),
                "direct_refusal": pgettext_lazy("call", "refusal for the family"),
            }
        )
        panels.add_panels(actions.KIND)
        subscriptions.connect()
