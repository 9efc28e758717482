"""Users, roles and teams."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, ManyToManyField, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminDecimalFieldWidget

from apps.accounts.actions import confirm_authority, reset_second_factor, set_authority
from apps.accounts.actors import actor_of
from apps.accounts.admin.common import SCOPE_FIELDS, AccountsAdmin
from apps.accounts.models import Role, Team, User
from apps.accounts.roles import CATALOGUE, MACHINES
from apps.core.errors import DomainError
from apps.core.money import format_yuan, to_fen, to_yuan


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AccountsAdmin):  # type: ignore[misc, type-arg]
    """Nobody is deleted: a user who left is made inactive, and what they did keeps its name."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "username",
        "name",
        "roles_shown",
        "team",
        "tpa",
        "factor_shown",
        "is_active",
        "last_login",
    )
    list_display_links = ("username", "name")
    list_filter = (
        ("roles", RelatedDropdownFilter),
        ("team", RelatedDropdownFilter),
        "is_active",
        "is_staff",
        "is_superuser",
    )
    list_filter_submit = True
    list_select_related = ("team",)
    search_fields = ("username", "name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    actions_detail = ["reset_factor"]
    fieldsets = (
        (None, {"fields": ("username", "password", "name", "email", "team")}),
        (_("Roles"), {"fields": ("roles",)}),
        (_("Sees only"), {"fields": SCOPE_FIELDS, "description": _("Empty fields do not restrict.")}),
        (_("Account"), {"fields": ("is_active", "is_staff", "is_superuser", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "name", "email", "password1", "password2")}),
        (_("Roles"), {"fields": ("roles", "team", "is_staff")}),
        (_("Sees only"), {"fields": SCOPE_FIELDS, "description": _("Empty fields do not restrict.")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factor = Authenticator.objects.filter(user=OuterRef("pk"))
        return super().get_queryset(request).prefetch_related("roles").annotate(has_factor=Exists(factor))

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "roles":  # the roles of machines belong to machines
            kwargs["queryset"] = Role.objects.exclude(code__in=MACHINES).order_by("pk")
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser makes superusers."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        above = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not above

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @display(description=_("roles"))
    def roles_shown(self, user: User) -> str:
        return "、".join(str(role) for role in user.roles.all())

    @display(description=_("second factor"), boolean=True)
    def factor_shown(self, user: User) -> bool:
        return bool(user.has_factor)  # type: ignore[attr-defined]

    @action(description=_("Remove second factor"), url_path="reset-factor", icon="phonelink_erase")
    def reset_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For somebody who lost the phone: at the next log-in only the password is asked."""
        user: User | None = self.get_object(request, object_id)
        if user is None or not self.has_change_permission(request, user):
            raise PermissionDenied
        if request.method != "POST":
            return self.ask(
                request,
                user,
                question=_("Remove the second factor of %(user)s?") % {"user": user},
                consequence=_("Until a new one is set up, the password alone opens the account."),
                answer=_("Remove second factor"),
            )
        reset_second_factor(actor_of(request), user)
        self.say(request, _("The second factor is removed."))
        return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[user.pk]))


class RoleForm(forms.ModelForm[Role]):
    authority = forms.DecimalField(
        label=_("authority (yuan)"),
        help_text=_("Highest insurer amount this role may decide alone."),
        min_value=Decimal(0),
        max_digits=14,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
    )

    class Meta:
        model = Role
        fields = ("name", "name_en")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["authority"].initial = to_yuan(self.instance.authority_fen)


@admin.register(Role)
class RoleAdmin(AccountsAdmin):
    """What a role may do stands in the code of each action; its words and its limit stand here."""

    form = RoleForm
    list_display = ("name", "name_en", "code", "authority_shown", "people")
    ordering = ("pk",)
    readonly_fields = ("code", "asked")
    fields = ("code", "name", "name_en", "authority", "asked")
    actions_detail = ["confirm_limit"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        return super().get_queryset(request).annotate(people=Count("users", filter=Q(users__is_active=True)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (
            obj is None or any(spec.code == obj.code for spec in CATALOGUE)
        )

    def construct_change_message(
        self, request: HttpRequest, form: forms.BaseForm, formsets: Any, add: bool = False
    ) -> Any:
        """A changed limit is written down with both figures."""
        if "authority" in form.changed_data:
            before, after = form.fields["authority"].initial, form.cleaned_data["authority"]
            return f"authority {before} → {after}; {', '.join(form.changed_data)}"
        return super().construct_change_message(request, form, formsets, add)

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "authority" in form.changed_data and not set_authority(
            actor_of(request), obj, to_fen(form.cleaned_data["authority"])
        ):
            self.say(request, _("The higher limit holds once another administrator confirms it."))

    @action(description=_("Confirm the higher limit"), url_path="confirm-limit", icon="verified")
    def confirm_limit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Four eyes: who asked for a higher limit does not confirm it."""
        role: Role | None = self.get_object(request, object_id)
        if role is None or not self.has_change_permission(request, role):
            raise PermissionDenied
        page = HttpResponseRedirect(reverse("admin:accounts_role_change", args=[role.pk]))
        if role.asked_fen is not None and request.method != "POST":
            return self.ask(
                request,
                role,
                question=_("Raise the limit of %(role)s to %(limit)s yuan?")
                % {"role": role, "limit": format_yuan(role.asked_fen)},
                consequence=_("Whoever has this role decides up to it alone."),
                answer=_("Confirm the higher limit"),
            )
        try:
            confirm_authority(actor_of(request), role)
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            self.say(request, _("The higher limit holds from now on."))
        return page

    @display(description=_("higher limit asked for"))
    def asked(self, role: Role) -> str:
        return f"{format_yuan(role.asked_fen)} · {role.asked_by}" if role.asked_fen is not None else "—"

    @display(description=_("authority (yuan)"), ordering="authority_fen")
    def authority_shown(self, role: Role) -> str:
        return format_yuan(role.authority_fen) if role.authority_fen else "-"

    @display(description=_("people"), ordering="people")
    def people(self, role: Role) -> int:
        return int(role.people)  # type: ignore[attr-defined]


@admin.register(Team)
class TeamAdmin(AccountsAdmin):
    list_display = ("name", "code", "tpa", "people")
    search_fields = ("name", "code")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).annotate(people=Count("user", filter=Q(user__is_active=True)))

    @display(description=_("people"), ordering="people")
    def people(self, team: Team) -> int:
        return int(team.people)  # type: ignore[attr-defined]
