from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HospitalsConfig(AppConfig):
    name = "apps.hospitals"
    verbose_name = _("Hospitals")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core.imports.jobs import register
        from apps.core.triggers import append_only

        register("hospitals", "apps.hospitals.importer.HospitalImporter")
        append_only("hospitals_networklookup")
