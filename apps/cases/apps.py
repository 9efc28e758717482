from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    name = "apps.cases"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Cases and clocks")

    def ready(self) -> None:
        from apps.core.triggers import append_only

        append_only("cases_caseevent")
        append_only("cases_clockstep")

        from apps.cases.clocks import on_calendar_changed
        from apps.products.queries import calendar_changed

        calendar_changed.connect(on_calendar_changed, dispatch_uid="cases.clocks")
