from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Books")

    def ready(self) -> None:
        from apps.core.constraints import means
        from apps.core.errors import Conflict
        from apps.core.triggers import append_only
        from apps.ledger.models import LimitAccount

        append_only("ledger_limitentry")
        append_only("ledger_moneyentry")
        words = _("The limit was used up by another decision meanwhile. Decide again.")
        means(LimitAccount, "limit_not_exceeded", lambda: Conflict(words, code="limit_race"))
