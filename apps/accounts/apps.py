from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from apps.accounts import checks  # noqa: F401  (importing registers them)
        from apps.accounts.models import AccessLog
        from apps.accounts.roles import sync_roles
        from apps.core.triggers import append_only

        append_only(AccessLog._meta.db_table)
        post_migrate.connect(sync_roles, sender=self, dispatch_uid="accounts.roles")
