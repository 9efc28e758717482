"""Children and policies as the decision core reads them."""

from __future__ import annotations

from apps.adjudication.facts import MemberFacts, PolicyFacts
from apps.members.models import Member, Policy


def member_facts(member: Member) -> MemberFacts:
    return MemberFacts(
        ref=member.number,
        birth_date=member.birth_date,
        sex=member.sex,
        id_type=member.id_type,
        social_insurance=member.social_insurance,
    )


def policy_facts(policy: Policy) -> PolicyFacts:
    return PolicyFacts(
        ref=policy.number,
        status=policy.status,
        effective_on=policy.effective_on,
        expires_on=policy.expires_on,
        continuous_since=policy.continuous_since,
        renewed=policy.renewed,
        riders=tuple(policy.riders),
        exclusions=tuple(policy.exclusions),
        exclusion_text=policy.special_agreement,
        concluded_on=policy.concluded_on,
        ended_on=policy.ended_on,
    )
