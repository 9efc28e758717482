"""One chunk of a roster: match each row with a stored child, compare, write (see `roster`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.core.errors import DomainError, InvalidInput
from apps.core.imports import CHANGED, CREATED, UNCHANGED, Report, Row, Sheet
from apps.core.imports.upsert import Batch, Differences, assign, shown
from apps.core.numbers import next_numbers
from apps.members.identity import Identity
from apps.members.models import FormerIdentity, Guardian, Member, Policy, policies_written
from apps.members.names import reading
from apps.members.plans import PlanBook, PlanChoice

ENTITIES = (
    gettext_noop("children"),
    gettext_noop("guardians"),
    gettext_noop("policies"),
)  # as reports name them
Spoken = tuple[date, str]  # (effective date, policy number) of the policy that spoke last
DERIVED = {
    "name": {"pinyin", "initials"},
    "id_number": {"id_index", "id_masked"},
    "mobile": {"mobile_index", "mobile_masked"},
}
SECRET = {"id_number": "id_masked", "mobile": "mobile_masked"}
MEMBER_FIELDS = ("name", "sex", "birth_date", "mobile", "email", "nationality", "social_insurance")
POLICY_FIELDS = (
    "certificate", "status", "concluded_on", "effective_on", "expires_on", "ended_on", "enroll_channel",
    "special_agreement", "edition",
)  # fmt: skip


@dataclass(slots=True)
class Run:
    """What one import remembers from chunk to chunk."""

    plans: PlanBook
    names: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)  # identity → (name, row)
    policies: dict[tuple[str, int], int] = field(default_factory=dict)  # (policy number, member pk) → row


@dataclass(slots=True)
class Entry:
    """A row that passed its own checks, with what was found for it."""

    row: Row
    identity: Identity
    holder: Identity | None
    relation: str
    plan: PlanChoice
    index: str
    holder_index: str
    member: Member | None = None
    by_former: bool = False
    differences: list[Differences] = field(default_factory=list)

    @property
    def spoken(self) -> Spoken:
        return self.row["effective_on"], self.row["number"]

    @property
    def person(self) -> tuple[str, date]:
        return self.row["name"], self.row["birth_date"]


class Chunk:
    """One chunk of rows: loads what is stored, matches, compares and writes; a constant number of queries."""

    def __init__(self, run: Run, sheet: Sheet, entries: list[Entry], report: Report):
        self.run, self.sheet, self.entries, self.report = run, sheet, entries, report
        self.members: Batch[Member] = Batch(Member)
        self.guardians: Batch[Guardian] = Batch(Guardian)
        self.policies: Batch[Policy] = Batch(Policy)
        self.former: Batch[FormerIdentity] = Batch(FormerIdentity)
        self.latest: dict[int, Spoken] = {}  # id(member object) → the policy that spoke last
        self.policy_of: dict[tuple[int, str], Policy] = {}
        self.guardian_of: dict[tuple[int, str, str], Guardian] = {}
        self.claimed: dict[tuple[int, str], int] = {}

    def work(self) -> None:
        self._load()
        self._load_dependents()
        done = [entry for entry in self.entries if self._take(entry)]
        self._write()
        for entry in done:
            assert entry.member is not None
            self.run.policies[entry.row["number"], entry.member.pk] = entry.row.number

    # --- what is stored -----------------------------------------------------------------------------

    def _load(self) -> None:
        """Index the stored children by every key a row may know them by."""
        indexes = {entry.index for entry in self.entries}
        numbers = {entry.row["number"] for entry in self.entries}
        holders = {entry.holder_index for entry in self.entries if entry.holder_index}
        self._one: dict[int, Member] = {}  # one object a child, whichever way it was found
        self.by_identity = {
            (member.id_type, member.id_index): self._same(member)
            for member in Member.objects.filter(id_index__in=indexes)
        }
        self.by_former = {
            (former.id_type, former.id_index): self._same(former.member)
            for former in FormerIdentity.objects.filter(id_index__in=indexes).select_related("member")
        }
        self.by_policy = {
            (policy.number, policy.member.name, policy.member.birth_date): self._same(policy.member)
            for policy in Policy.objects.filter(number__in=numbers).select_related("member")
        }
        self.by_guardian = {
            (guardian.id_index, guardian.member.name, guardian.member.birth_date): self._same(guardian.member)
            for guardian in Guardian.objects.filter(id_index__in=holders).select_related("member")
        }

    def _same(self, member: Member) -> Member:
        return self._one.setdefault(member.pk, member)

    def _load_dependents(self) -> None:
        """Policies and guardians of all children found."""
        members = list(self._one)
        for policy in Policy.objects.filter(member_id__in=members):
            member = self._one[policy.member_id]
            self.policy_of[id(member), policy.number] = policy
            spoken = policy.effective_on, policy.number
            self.latest[id(member)] = max(self.latest.get(id(member), spoken), spoken)
        for guardian in Guardian.objects.filter(member_id__in=members):
            member = self._one[guardian.member_id]
            self.guardian_of[id(member), guardian.relation, guardian.name] = guardian

    # --- one row --------------------------------------------------------------------------------------

    def _take(self, entry: Entry) -> bool:
        """Match and compare one row; False when it is refused."""
        try:
            entry.member = self._match(entry)
            self._refuse_doubles(entry)
        except DomainError as error:
            self.report.refuse(self.sheet, entry.row, error, "id_number")
            return False
        new = entry.member is None
        member = entry.member = entry.member or self._new_member(entry)
        self.claimed[id(member), entry.row["number"]] = entry.row.number
        speaks = new or entry.spoken >= self.latest.get(id(member), entry.spoken)
        if speaks:
            self.latest[id(member)] = entry.spoken
            if not new:
                self._change_member(entry, member)
        guardian = self._guardian(entry, member, speaks)
        try:
            outcome = self._policy(entry, member, guardian)
        except DomainError as error:
            self.report.refuse(self.sheet, entry.row, error, "number")
            return False
        changed = any(entry.differences)
        self.report.outcomes[CHANGED if changed and outcome == UNCHANGED else outcome] += 1
        return True

    def _match(self, entry: Entry) -> Member | None:
        key = entry.identity.id_type, entry.index
        member = self.by_identity.get(key)
        if not member or (id(member), entry.row["number"]) not in self.policy_of:
            self._refuse_shared(entry, key, member)  # a stored policy of the child may correct its name
        if member:
            return member
        member = self.by_former.get(key)
        if member:
            entry.by_former = True
            return member
        person = entry.person
        return self.by_policy.get((entry.row["number"], *person)) or (
            self.by_guardian.get((entry.holder_index, *person)) if entry.holder_index else None
        )

    def _refuse_shared(self, entry: Entry, key: tuple[str, str], member: Member | None) -> None:
        """Twins with one identity number are a mistake of the file, not a child with two names."""
        name, row = self.run.names.setdefault(key, (entry.row["name"], entry.row.number))
        if not _same_sound(name, entry.row["name"]):
            raise InvalidInput(
                _("another number: row %(row)s has this one for another child") % {"row": row},
                code="identity_shared",
                field="id_number",
            )
        if member and not _same_sound(member.name, entry.row["name"]):
            raise InvalidInput(
                _("another number: this one belongs to %(name)s (%(number)s)")
                % {"name": member.masked_name, "number": member.number},
                code="identity_taken",
                field="id_number",
            )

    def _refuse_doubles(self, entry: Entry) -> None:
        number, member = entry.row["number"], entry.member
        if member is None:
            return
        row = self.claimed.get((id(member), number)) or (
            self.run.policies.get((number, member.pk)) if member.pk else None
        )
        if row:
            raise InvalidInput(
                _("each policy of a child once; row %(row)s has it already") % {"row": row},
                code="doubled",
                field="number",
            )

    def _new_member(self, entry: Entry) -> Member:
        member = Member(
            id_type=entry.identity.id_type, id_number=entry.identity.number,
            **{name: entry.row[name] for name in MEMBER_FIELDS},
        )  # fmt: skip
        member.derive()
        self.members.add(member)
        self.by_identity[entry.identity.id_type, entry.index] = member
        self.by_policy[(entry.row["number"], *entry.person)] = member
        if entry.holder_index:
            self.by_guardian[(entry.holder_index, *entry.person)] = member
        self.report.count("children", CREATED)
        return member

    def _change_member(self, entry: Entry, member: Member) -> None:
        values: dict[str, Any] = {name: entry.row[name] for name in MEMBER_FIELDS}
        known = {name: value for name, value in values.items() if value != "" or name == "name"}
        if not entry.by_former:
            known |= {"id_type": entry.identity.id_type, "id_number": entry.identity.number}
        old = FormerIdentity(
            member=member, id_type=member.id_type, id_number=member.id_number, id_index=member.id_index,
            id_masked=member.id_masked,
        )  # fmt: skip
        found = self._assign(entry, member, known)
        if {"id_type", "id_number"} & set(found):
            self.former.add(old)
            self.by_former[old.id_type, old.id_index] = member
        self.by_identity[member.id_type, member.id_index] = member
        self.members.change(member, _with_derived(found))
        if member.pk:
            self.report.count("children", CHANGED if found else UNCHANGED)

    def _assign(self, entry: Entry, record: Any, values: dict[str, Any]) -> Differences:
        """Set values and note each difference for the summary; what is secret is shown masked."""
        masked = {name: getattr(record, shown, "") for name, shown in SECRET.items()}
        found = assign(record, values)
        if found:
            entry.differences.append(found)
            if isinstance(record, (Member, Guardian)):
                record.derive()
            if record.pk is None:
                return found  # made by an earlier row of this chunk; nothing stored has changed
            label = f"{entry.row['number']} {entry.member.masked_name if entry.member else ''}"
            for name, (old, new) in found.items():
                if name == "plan_id":
                    old, new = self.run.plans.code_of(old), self.run.plans.code_of(new)
                if name in SECRET:
                    old, new = masked[name], getattr(record, SECRET[name])
                what = f"{record._meta.verbose_name}: {record._meta.get_field(name).verbose_name}"  # type: ignore[str-bytes-safe]
                self.report.sample(entry.row, label, what, shown(record, name, old), shown(record, name, new))
        return found

    def _guardian(self, entry: Entry, member: Member, speaks: bool) -> Guardian:
        row = entry.row
        key = id(member), entry.relation, row["holder_name"]
        values = {
            "id_type": entry.holder.id_type if entry.holder else "",
            "id_number": entry.holder.number if entry.holder else "",
            "mobile": row["holder_mobile"],
            "email": row["holder_email"],
        }
        guardian = self.guardian_of.get(key)
        if guardian is None:
            guardian = Guardian(
                member=member,
                relation=entry.relation,
                name=row["holder_name"],
                is_policyholder=True,
                **values,
            )
            guardian.derive()
            self.guardians.add(guardian)
            self.guardian_of[key] = guardian
            self.report.count("guardians", CREATED)
            if not speaks or member.pk:
                entry.differences.append({"guardian": ("", guardian.name)})
            return guardian
        known = {name: value for name, value in values.items() if value} | {"is_policyholder": True}
        found = self._assign(entry, guardian, known) if speaks else {}
        self.guardians.change(guardian, _with_derived(found))
        if guardian.pk:
            self.report.count("guardians", CHANGED if found else UNCHANGED)
        return guardian

    def _policy(self, entry: Entry, member: Member, guardian: Guardian) -> str:
        row, choice = entry.row, entry.plan
        values: dict[str, Any] = {name: row[name] for name in POLICY_FIELDS} | {
            "plan_id": choice.plan_id,
            "scheme": choice.scheme,
            "series": choice.series,
            "tpa": choice.tpa,
            "renewed": row["renewed"] == "Y",
            "continuous_since": row["continuous_since"] or row["effective_on"],
            "enrolled_with_social": (
                row["social_insurance"]
                if row["enrolled_with_social"] is None
                else row["enrolled_with_social"]
            ),
            "riders": list(row["riders"]),
            "exclusions": list(row["exclusions"]),
        }
        policy = self.policy_of.get((id(member), row["number"]))
        if policy is None:
            policy = Policy(number=row["number"], member=member, policyholder=guardian, **values)
            self.policies.add(policy)
            self.policy_of[id(member), row["number"]] = policy
            self.report.count("policies", CREATED)
            return CREATED
        if policy.expires_on < row["effective_on"] or row["expires_on"] < policy.effective_on:
            raise InvalidInput(
                _("a number of its own for a renewal: this one stands for %(start)s to %(end)s")
                % {"start": policy.effective_on, "end": policy.expires_on},
                code="period_moved",
                field="number",
            )
        if (policy.series, self.run.plans.code_of(policy.plan_id)) == (choice.series, choice.code):
            values["plan_id"] = policy.plan_id  # the terms it was sold with, not the newest ones of the plan
        found = self._assign(entry, policy, values)
        if policy.policyholder_id != guardian.pk or guardian.pk is None:
            policy.policyholder = guardian
            found["policyholder"] = ("", guardian.name)
            entry.differences.append(found)
        self.policies.change(policy, set(found))
        self.report.count("policies", CHANGED if found else UNCHANGED)
        return CHANGED if found else UNCHANGED

    # --- writing ----------------------------------------------------------------------------------------

    def _write(self) -> None:
        if self.members.new:
            numbers = next_numbers("M", len(self.members.new))
            for member, number in zip(self.members.new, numbers, strict=True):
                member.number = number
        for batch in (self.members, self.former, self.guardians, self.policies):
            batch.write()
        if written := [*self.policies.new, *self.policies.changed.values()]:
            policies_written.send(Policy, policies=written)


def _same_sound(one: str, other: str) -> bool:
    """Also true of 'John Smith' and 'SMITH JOHN'."""
    return one == other or sorted(reading(one)[0]) == sorted(reading(other)[0])


def _with_derived(found: Differences) -> set[str]:
    """The changed columns and those computed from them."""
    return set(found).union(*(DERIVED.get(name, set()) for name in found))
