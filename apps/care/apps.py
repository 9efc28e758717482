from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CareConfig(AppConfig):
    name = "apps.care"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Health services")

    def ready(self) -> None:
        from apps.care import actions, panels, words
        from apps.care.guards import month_taken
        from apps.care.models import HomeTest
        from apps.core.constraints import means

        panels.add_panels(actions.HOME_TEST, actions.SERVICE)
        words.add_words()
        means(HomeTest, "home_test_once_a_month", month_taken)
