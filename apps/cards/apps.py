from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CardsConfig(AppConfig):
    name = "apps.cards"
    verbose_name = _("Electronic cards")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.cards.actions import hide_code, on_policies_written
        from apps.core.triggers import append_only
        from apps.members.models import policies_written
        from apps.messaging.outbox import on_delivered

        append_only("cards_cardevent")
        append_only("cards_bindingfailure")
        policies_written.connect(on_policies_written, dispatch_uid="cards.issue")
        on_delivered(hide_code)
