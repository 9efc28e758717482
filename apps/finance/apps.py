from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FinanceConfig(AppConfig):
    name = "apps.finance"
    verbose_name = _("Finance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.triggers import append_only
        from apps.finance import actions, checks, panels, recoveries, subscriptions  # noqa: F401  (checks register)

        for table in ("movement", "monthclose", "monthcell", "voucher", "voucherline"):
            append_only(f"finance_{table}")
        actions.connect()
        panels.connect()
        subscriptions.connect()
        recoveries.connect()
