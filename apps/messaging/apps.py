from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "apps.messaging"
    verbose_name = _("messages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.messaging import subscribers

        subscribers.register()
