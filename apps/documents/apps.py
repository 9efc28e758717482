from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "apps.documents"
    verbose_name = _("papers and letters")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.constraints import means
        from apps.core.errors import Blocked
        from apps.documents import deliveries, register
        from apps.documents.models import BillRegister
        from apps.messaging import attachments, outbox

        attachments.register_source(deliveries.letter_of)
        outbox.on_delivered(deliveries.mark_sent)
        words = _("One of these bills has been claimed already.")
        means(
            BillRegister,
            "bill_registered_once",
            lambda: Blocked(words, code=register.SEEN, rule=register.RULE),
        )
