from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.triggers import append_only

        append_only("ledger_limitentry")
        append_only("ledger_moneyentry")
