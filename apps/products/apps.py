from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProductsConfig(AppConfig):
    name = "apps.products"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Products")

    def ready(self) -> None:
        from apps.core.triggers import append_only
        from apps.products import calendars

        append_only("products_handbookversion")
        append_only("products_plan")
        calendars.connect()
