from django.apps import AppConfig


class FinanceConfig(AppConfig):
    name = "apps.finance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.triggers import append_only
        from apps.finance import actions, checks, panels, subscriptions  # noqa: F401  (checks register)

        for table in ("movement", "monthclose", "monthcell", "voucher", "voucherline"):
            append_only(f"finance_{table}")
        actions.connect()
        panels.connect()
        subscriptions.connect()
