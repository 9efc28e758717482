from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "apps.members"
    verbose_name = _("Members")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.parties import register_party
        from apps.core.imports.jobs import register
        from apps.members.queries import unless_member

        register_party("member", unless_member)
        register("roster", "apps.members.roster.RosterImporter")
