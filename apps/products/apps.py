from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProductsConfig(AppConfig):
    name = "apps.products"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Products")

    def ready(self) -> None:
        from apps.accounts.parties import register_party
        from apps.core.triggers import append_only
        from apps.products import calendars
        from apps.products.queries import unless_administrator, unless_series

        append_only("products_handbookversion")
        append_only("products_plan")
        calendars.connect()
        register_party("series", unless_series)
        register_party("tpa", unless_administrator)
