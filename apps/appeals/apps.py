from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AppealsConfig(AppConfig):
    name = "apps.appeals"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Appeals")

    def ready(self) -> None:
        from apps.appeals import actions, on_claims, panels, subscriptions
        from apps.appeals.guards import open_already
        from apps.appeals.models import Appeal
        from apps.core.constraints import means
        from apps.messaging.purposes import add_purposes

        means(Appeal, "one_open_appeal", open_already)
        panels.add_panels(actions.KIND)
        on_claims.connect()
        subscriptions.connect()
        add_purposes(
            {
                "appeal_received": pgettext_lazy("call", "appeal received"),
                "appeal_information": pgettext_lazy("call", "papers for an appeal"),
                "appeal_answer": pgettext_lazy("call", "answer to an appeal"),
            }
        )
