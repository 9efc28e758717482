from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailroomConfig(AppConfig):
    name = "apps.mailroom"
    verbose_name = _("mailroom")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.triggers import append_only
        from apps.mailroom import checks, threads  # noqa: F401  (importing registers the checks)
        from apps.messaging import headers

        append_only("mailroom_emailevent")
        headers.register_source(threads.headers_of)
