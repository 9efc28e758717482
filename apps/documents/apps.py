from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "apps.documents"
    verbose_name = _("papers and letters")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.documents import deliveries
        from apps.messaging import attachments, outbox

        attachments.register_source(deliveries.letter_of)
        outbox.on_delivered(deliveries.mark_sent)
