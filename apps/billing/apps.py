from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BillingConfig(AppConfig):
    name = "apps.billing"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Self-pay bills")

    def ready(self) -> None:
        from apps.billing import actions, checks, panels, subscriptions  # noqa: F401  (checks register)
        from apps.core.triggers import append_only
        from apps.direct.workflow import KIND as DIRECT
        from apps.messaging.purposes import add_purposes

        for table in ("billrevision", "billpayment", "gatewaynotice"):
            append_only(f"billing_{table}")
        panels.add_panels(actions.KIND, DIRECT)
        subscriptions.connect()
        add_purposes({"bill_reminder": pgettext_lazy("call", "reminder of a self-pay bill")})
