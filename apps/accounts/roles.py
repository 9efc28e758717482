"""The roles this house knows: codes that actions name, words people use, limits to start from.

Names and limits are edited in the admin; `sync_roles` adds what is missing and overwrites nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core.errors import NotAllowed

if TYPE_CHECKING:
    from apps.accounts.actors import Actor

YUAN = 100  # fen


class RoleSpec(NamedTuple):
    code: str
    name: str
    name_en: str
    authority_fen: int = 0


CATALOGUE: tuple[RoleSpec, ...] = (
    RoleSpec("intake", "受理", "Intake"),
    RoleSpec("first_review", "初审", "First review", 5_000 * YUAN),
    RoleSpec("second_review", "复核", "Second review", 50_000 * YUAN),
    RoleSpec("senior_adjuster", "高级理赔员", "Senior adjuster", 100_000 * YUAN),
    RoleSpec("final_approval", "审批", "Final approval", 1_000_000 * YUAN),
    RoleSpec("investigation", "调查", "Investigation"),
    RoleSpec("medical_review", "医审", "Medical review"),
    RoleSpec("quality_check", "质检", "Quality check"),
    RoleSpec("payment_check", "支付复核", "Payment check"),
    RoleSpec("finance", "财务", "Finance"),
    RoleSpec("compliance", "合规", "Compliance"),
    RoleSpec("insurer_user", "保司用户", "Insurer's user"),
    RoleSpec("mailroom", "收件室", "Mailroom"),
    RoleSpec("service_specialist", "服务专员", "Service specialist"),
    RoleSpec("recovery", "追偿", "Recovery"),
    RoleSpec("manager", "经理", "Manager", 50_000 * YUAN),  # write-offs of recoveries
    RoleSpec("supervisor", "主管", "Supervisor", 100_000 * YUAN),
    RoleSpec("auditor", "审计（只读）", "Auditor (reads only)"),
    RoleSpec("adjuster_lead", "理赔组长", "Adjusters' lead", 100_000 * YUAN),
    RoleSpec("tpa_manager", "TPA 经理", "TPA manager"),
    RoleSpec("finance_lead", "财务负责人", "Finance lead"),
    RoleSpec("duty_lead", "值班负责人", "Duty lead"),
    # Whom the steps of clocks tell; handbooks name them. They decide nothing by this role.
    RoleSpec("booking_lead", "预约组长", "Booking lead"),
    RoleSpec("authorization_lead", "授权组长", "Authorization lead"),
    RoleSpec("service_lead", "服务组长", "Service lead"),
    RoleSpec("specialist", "专员", "Specialist"),
    RoleSpec("review_lead", "审核组长", "Review lead"),
    RoleSpec("investigation_lead", "查勘组长", "Investigation lead"),
    RoleSpec("provider_lead", "服务商负责人", "Provider lead"),
    RoleSpec("collections", "催缴", "Collections"),
    RoleSpec("recovery_lead", "追偿组长", "Recovery lead"),
    RoleSpec("mail_clerk", "收件员", "Mail clerk"),
    RoleSpec("claims_manager", "理赔经理", "Claims manager"),
    RoleSpec("tpa_lead", "TPA 组长", "TPA lead"),
    RoleSpec("reviewer", "审核员", "Reviewer"),
    RoleSpec("family_doctor_contact", "家庭医生联系人", "Family doctor contact"),
    RoleSpec("api_hospital", "接口：医院", "API: hospital"),
    RoleSpec("api_tpa", "接口：TPA", "API: TPA"),
    RoleSpec("api_provider", "接口：服务商", "API: service provider"),
    RoleSpec("api_member_app", "接口：会员端", "API: member front end"),
)
MACHINES = frozenset(spec.code for spec in CATALOGUE if spec.code.startswith("api_"))
# Who may read who read what (LAW-09).
READERS_OF_THE_ACCESS_LOG = frozenset({"compliance", "auditor"})


def sync_roles(using: str = "default", apps: Apps = current_apps, **kwargs: Any) -> None:
    """Create the roles that are missing; connected to `post_migrate`. One or two statements."""
    try:
        roles = apps.get_model("accounts", "Role").objects.using(using)
    except LookupError:
        return  # the table was migrated away
    known = set(roles.values_list("code", flat=True))
    missing = [spec for spec in CATALOGUE if spec.code not in known]
    roles.bulk_create([roles.model(**spec._asdict()) for spec in missing], ignore_conflicts=True)


def role_names(codes: Iterable[str]) -> str:
    """Roles as the house calls them, in the language of the reader: "初审、复核". One query."""
    codes = sorted(codes)
    roles = current_apps.get_model("accounts", "Role").objects.filter(code__in=codes)
    words = {role.code: str(role) for role in roles}
    return pgettext("between the items of a list", ", ").join(words.get(code, code) for code in codes)


def role_needed(actor: Actor, codes: Iterable[str]) -> NotAllowed:
    """The refusal of an actor who has none of the roles: names for people, codes in `data.roles`."""
    codes = sorted(codes)
    if not codes:
        return NotAllowed(_("Only the system does this."), code="role", data={"roles": []})
    words = {"who": actor.label, "roles": role_names(codes)}
    return NotAllowed(
        _("%(who)s may not do this: it needs one of the roles %(roles)s.") % words,
        code="role",
        data={"roles": codes},
    )
