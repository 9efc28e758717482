from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HospitalsConfig(AppConfig):
    name = "apps.hospitals"
    verbose_name = _("Hospitals")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.parties import register_party
        from apps.core.imports.jobs import register
        from apps.core.triggers import append_only
        from apps.hospitals.queries import unless_hospital

        register("hospitals", "apps.hospitals.importer.HospitalImporter")
        append_only("hospitals_networklookup")
        register_party("hospital", unless_hospital)
