from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "apps.cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.triggers import append_only

        append_only("cases_caseevent")
        append_only("cases_clockstep")
