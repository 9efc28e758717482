from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Books")

    def ready(self) -> None:
        from apps.core.triggers import append_only

        append_only("ledger_limitentry")
        append_only("ledger_moneyentry")
