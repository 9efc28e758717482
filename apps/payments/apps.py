from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "apps.payments"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from apps.core.constraints import means
        from apps.core.errors import Conflict
        from apps.payments.models import PaymentOrder

        words = _("A payment for this decision exists already.")
        for name in ("one_live_payment_a_decision", "one_live_payment_a_reference"):
            means(PaymentOrder, name, lambda: Conflict(words, code="paid_twice"))
