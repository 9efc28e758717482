"""Reading a report: everything wrong with it at once, and everything it names looked up.

A constant number of queries, however many visits, bills and lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.inputs import parse_input
from apps.cases.models import ExternalNumber
from apps.claims.checks import all_at_once, check_bill, check_code, check_size, check_visit
from apps.claims.inputs import BillInput, DiagnosisInput, MemberInput, ProcedureInput, ReportInput, VisitInput
from apps.claims.models import Visit
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.documents.models import Paper, StoredFile
from apps.hospitals.models import Campus, Hospital
from apps.members.identity import check_identity
from apps.members.models import Member, Policy, id_index
from apps.payments.models import Payee
from apps.payments.payees import build_payee
from apps.products.models import HandbookVersion
from apps.products.queries import handbook_for


@dataclass
class Report:
    """A report that can be booked: the input and what it names."""

    input: ReportInput
    member: Member
    policy: Policy
    handbook: HandbookVersion
    hospitals: dict[str, Hospital]
    campuses: dict[tuple[str, str], Campus]
    files: dict[str, StoredFile]
    prior_visits: dict[str, Visit]
    payee: Payee | None = None


Found = tuple[list[Policy], list[DomainError]]


@dataclass(frozen=True)
class Shape:
    """The input classes of a report; `policies` finds the child that is meant, by default as the actor sees it."""

    report: type[ReportInput] = ReportInput
    visit: type[VisitInput] = VisitInput
    bill: type[BillInput] = BillInput
    policies: Callable[[Actor, MemberInput, date], Found] | None = None


REIMBURSEMENT = Shape()


@dataclass
class _Parts:
    """What of a report could be read, though other parts of it could not."""

    visits: list[tuple[int, VisitInput]] = field(default_factory=list)
    loose_bills: list[tuple[str, BillInput]] = field(default_factory=list)
    member: MemberInput | None = None
    codes: list[tuple[str, DiagnosisInput | ProcedureInput]] = field(default_factory=list)


def read_report(
    actor: Actor,
    data: ReportInput | Mapping[str, Any],
    now: datetime,
    *,
    shape: Shape = REIMBURSEMENT,
) -> Report:
    """Parse, check and look up; raises InvalidInputs with every error and its path.

    `shape` is the input of another kind of claim, and who may name which child there.
    """
    today = timezone.localtime(now).date()
    report, parts, errors = _parse(data, shape)
    for index, visit in parts.visits:
        errors += check_visit(visit, f"visits.{index}", today)
        for position, bill in enumerate(visit.bills):
            errors += check_bill(bill, f"visits.{index}.bills.{position}", today, visit.hospital)
    for path, bill in parts.loose_bills:
        errors += check_bill(bill, path, today)
    for path, code in parts.codes:
        errors += check_code(code, path)
    errors += check_size(visit for _index, visit in parts.visits)
    hospitals, campuses, wrong = places_of(parts.visits)
    errors += wrong
    find = shape.policies or policies_of
    policies, wrong = find(actor, parts.member, today) if parts.member else ([], [])
    errors += wrong
    if report is None or not policies:
        all_at_once(errors)
        raise AssertionError("unreachable")
    return _complete(report, policies, hospitals, campuses, errors)


def _complete(
    report: ReportInput,
    policies: list[Policy],
    hospitals: dict[str, Hospital],
    campuses: dict[tuple[str, str], Campus],
    errors: list[DomainError],
) -> Report:
    """The second half of the checks, for a report whose fields could all be read."""
    member = policies[0].member
    if not report.visits:
        errors.append(InvalidInput(_("A claim has at least one visit."), code="required", field="visits"))
        all_at_once(errors)
    for index, visit in enumerate(report.visits):
        if visit.started_on < member.birth_date:
            errors.append(
                InvalidInput(
                    _("The visit lies before the child's birth."),
                    code="order",
                    field=f"visits.{index}.started_on",
                )
            )
    policy, wrong = choose_policy(policies, report)
    errors += wrong
    files, wrong = _files(report)
    errors += wrong
    prior, wrong = _prior_visits(report, member)
    errors += wrong
    errors += _numbers_taken(report)
    handbook = handbook_for(policy.series, min(visit.started_on for visit in report.visits))
    payee = None
    try:
        payee = build_payee(member, report.payee, branch_rule=branch_rule(handbook)) if report.payee else None
    except InvalidInputs as several:
        errors += several.errors
    all_at_once(errors)
    return Report(report, member, policy, handbook, hospitals, campuses, files, prior, payee)


def _numbers_taken(report: ReportInput) -> list[DomainError]:
    """The number of another system stands for one case only; a query where any was given."""
    given = [(row.system, row.number) for row in report.external_numbers]
    if not given:
        return []
    rows = ExternalNumber.objects.filter(number__in={number for _system, number in given})
    known = set(rows.values_list("system", "number"))
    return [
        InvalidInput(
            _("%(system)s %(number)s belongs to another claim, or stands here twice.")
            % {"system": pair[0].removeprefix("HOSPITAL:"), "number": pair[1]},
            code="number_taken",
            field=f"external_numbers.{index}.number",
        )
        for index, pair in enumerate(given)
        if pair in known or pair in given[:index]
    ]


# --- Reading as much as can be read -----------------------------------------------------------


def _parse(
    data: ReportInput | Mapping[str, Any], shape: Shape
) -> tuple[ReportInput | None, _Parts, list[DomainError]]:
    if not isinstance(data, ReportInput):
        try:
            data = parse_input(shape.report, data)
        except InvalidInputs as several:
            return None, _salvage(data, shape), list(several.errors)  # type: ignore[arg-type]
    parts = _Parts(list(enumerate(data.visits)), [], data.member)
    return data, parts, []


def _salvage(data: Mapping[str, Any], shape: Shape) -> _Parts:
    """The visits, bills and member of a report whose other fields are wrong."""
    parts = _Parts()
    raw_member = data.get("member")
    parts.member = _try(MemberInput, raw_member)
    visits = data.get("visits")
    for index, raw in enumerate(visits if isinstance(visits, (list, tuple)) else ()):
        visit, wrong = _readable(raw, shape.visit)
        parts.codes += _codes(raw, f"visits.{index}", wrong)
        if visit is not None:
            parts.visits.append((index, visit))
            continue
        bills = raw.get("bills") if isinstance(raw, Mapping) else None
        for position, raw_bill in enumerate(bills if isinstance(bills, (list, tuple)) else ()):
            bill = _try(shape.bill, raw_bill)
            if bill is not None:
                parts.loose_bills.append((f"visits.{index}.bills.{position}", bill))
    return parts


CODED = {"diagnoses": DiagnosisInput, "procedures": ProcedureInput}


def _readable(raw: Any, cls: type[VisitInput]) -> tuple[VisitInput | None, Iterable[str]]:
    """A visit less its wrong fields, and their names, so that the rest of it is checked in the same go."""
    if isinstance(raw, VisitInput):
        return raw, ()
    if not isinstance(raw, Mapping):
        return None, ()
    try:
        return parse_input(cls, raw), ()
    except InvalidInputs as several:
        wrong = {error.field.split(".")[0] for error in several.errors}
    rest: VisitInput | None = _try(cls, {key: raw[key] for key in raw if key not in wrong})
    return rest, wrong if rest else CODED


def _codes(raw: Any, path: str, names: Iterable[str]) -> list[tuple[str, DiagnosisInput | ProcedureInput]]:
    """Diagnoses and procedures that can be read, of the fields `names` in which others cannot."""
    found = []
    for name in CODED:
        rows = raw.get(name) if name in names else None
        for index, row in enumerate(rows if isinstance(rows, (list, tuple)) else ()):
            given = _try(CODED[name], row)
            if given is not None:
                found.append((f"{path}.{name}.{index}.code", given))
    return found


def _try(cls: type[Any], raw: Any) -> Any:
    if isinstance(raw, cls):
        return raw
    try:
        return parse_input(cls, raw) if isinstance(raw, Mapping) else None
    except DomainError:
        return None


# --- Places -----------------------------------------------------------------------------------


def places_of(
    visits: list[tuple[int, VisitInput]],
) -> tuple[dict[str, Hospital], dict[tuple[str, str], Campus], list[DomainError]]:
    """Hospitals and campuses by code: two queries."""
    hospitals = {
        row.code: row
        for row in Hospital.objects.filter(code__in={visit.hospital for _index, visit in visits})
    }
    wanted = {visit.campus for _index, visit in visits if visit.campus}
    rows = (
        Campus.objects.filter(hospital__in=hospitals.values(), code__in=wanted).select_related("hospital")
        if wanted
        else ()
    )
    campuses = {(row.hospital.code, row.code): row for row in rows}
    return hospitals, campuses, list(_unknown_places(visits, hospitals, campuses))


def _unknown_places(
    visits: list[tuple[int, VisitInput]],
    hospitals: dict[str, Hospital],
    campuses: dict[tuple[str, str], Campus],
) -> Iterator[DomainError]:
    for index, visit in visits:
        if visit.hospital not in hospitals:
            yield InvalidInput(
                _("No hospital has the code “%(code)s”.") % {"code": visit.hospital},
                code="unknown_hospital",
                field=f"visits.{index}.hospital",
            )
        elif visit.campus and (visit.hospital, visit.campus) not in campuses:
            yield InvalidInput(
                _("This hospital has no campus “%(code)s”.") % {"code": visit.campus},
                code="unknown_campus",
                field=f"visits.{index}.campus",
            )


# --- Child and policy -------------------------------------------------------------------------


def policies_of(actor: Actor, given: MemberInput, today: date) -> tuple[list[Policy], list[DomainError]]:
    """All policies of the one child that is meant and that the actor may see; one query."""
    if not (given.number or given.policy or given.id_number):
        words = _("Name the child by member number, policy number or identity number.")
        return [], [InvalidInput(words, code="required", field="member.number")]
    if given.id_number:
        try:
            identity = check_identity(
                id_type=given.id_type or "RESIDENT_ID",
                number=given.id_number,
                today=today,
                birth_date=given.birth_date,
            )
        except InvalidInput as error:
            error.field = f"member.{error.field}"
            return [], [error]
    condition = Q()
    if given.number:
        condition &= Q(member__number=given.number)
    if given.policy:
        condition &= Q(member__policies__number=given.policy)
    if given.id_number:
        index = id_index(identity.number)
        condition &= Q(member__id_index=index) | Q(member__former_identities__id_index=index)
    found = visible_to(Policy.objects.filter(condition), actor).select_related("member", "plan").distinct()
    policies = [policy for policy in found.order_by("-effective_on", "-id") if _is(policy.member, given)]
    return policies, _who(policies, given)


def _is(member: Member, given: MemberInput) -> bool:
    """Name and date of birth, where given, must be those on file."""
    same_name = not given.name or given.name.replace(" ", "") == member.name.replace(" ", "")
    return same_name and (given.birth_date is None or given.birth_date == member.birth_date)


def _who(policies: list[Policy], given: MemberInput) -> list[DomainError]:
    where = "number" if given.number else "policy" if given.policy else "id_number"
    if not policies:
        words = _("No insured child is found with these data; compare number, name and date of birth.")
        return [InvalidInput(words, code="unknown_member", field=f"member.{where}")]
    if len({policy.member_id for policy in policies}) > 1:
        words = _(
            "Several children are insured under this number; name the child by member or identity number."
        )
        return [InvalidInput(words, code="several_children", field=f"member.{where}")]
    return []


def choose_policy(policies: list[Policy], report: ReportInput) -> tuple[Policy, list[DomainError]]:
    """The policy whose series governs: the one in force on the date of service (C9); a stay counts
    by its admission (PR-14). None in force: the nearest one, and intake will refuse (PR-06)."""
    named = [policy for policy in policies if policy.number == report.member.policy] or policies
    day = min(visit.started_on for visit in report.visits)
    covering = [policy for policy in named if policy.in_force_on(day)]
    errors: list[DomainError] = []
    if len(covering) > 1:
        numbers = ", ".join(f"{policy.number} ({policy.series})" for policy in covering)
        errors.append(
            InvalidInput(
                _("Several policies cover %(day)s: %(numbers)s. Name one.")
                % {"day": day.isoformat(), "numbers": numbers},
                code="several_policies",
                field="member.policy",
                rule="C9",
                data={"policies": [policy.number for policy in covering]},
            )
        )
    policy = covering[0] if covering else min(named, key=lambda policy: _distance(policy, day))
    for index, visit in enumerate(report.visits):
        if (
            covering
            and not policy.in_force_on(visit.started_on)
            and any(other.in_force_on(visit.started_on) for other in policies)
        ):
            errors.append(
                InvalidInput(
                    _(
                        "This visit belongs to another policy period than the first one; report it as a claim of its own."
                    ),
                    code="other_period",
                    field=f"visits.{index}.started_on",
                    rule="C9",
                )
            )
    return policy, errors


def _distance(policy: Policy, day: date) -> int:
    if day < policy.effective_on:
        return (policy.effective_on - day).days
    return max((day - policy.expires_on).days, 0)


def branch_rule(handbook: HandbookVersion) -> str:
    """The rule by which the series asks for number *and branch* as typed data (RMB-33), or ''."""
    for document in handbook.handbook.documents:
        if document.key == "BANK_ACCOUNT" and document.form == "DATA":
            return document.rule
    return ""


# --- Papers and earlier visits ----------------------------------------------------------------

NEEDS_FILE = {Paper.Form.IMAGE, Paper.Form.COPY, Paper.Form.SOURCE_FILE}


def _files(report: ReportInput) -> tuple[dict[str, StoredFile], list[DomainError]]:
    """Stored files by SHA-256 (never by running number: that could be guessed); one query."""
    wanted = {paper.file for paper in report.papers if paper.file}
    files = {row.sha256: row for row in StoredFile.objects.filter(sha256__in=wanted)} if wanted else {}
    bills = {
        f"bill:{visit}.{bill}"
        for visit, row in enumerate(report.visits, 1)
        for bill, _bill in enumerate(row.bills, 1)
    }
    errors: list[DomainError] = []
    for index, paper in enumerate(report.papers):
        path = f"papers.{index}"
        if paper.file and paper.file not in files:
            errors.append(
                InvalidInput(
                    _("No such file is stored; upload it first."), code="unknown_file", field=f"{path}.file"
                )
            )
        if not paper.file and paper.form in NEEDS_FILE:
            errors.append(InvalidInput(_("Add at least one file."), code="required", field=f"{path}.file"))
        if paper.subject.startswith("bill:") and paper.subject not in bills:
            errors.append(
                InvalidInput(
                    _("“%(value)s” is no bill of this claim. Expected: bill:<visit>.<bill>, counted from 1.")
                    % {"value": paper.subject},
                    code="unknown_bill",
                    field=f"{path}.subject",
                )
            )
    return files, errors


def _prior_visits(report: ReportInput, member: Member) -> tuple[dict[str, Visit], list[DomainError]]:
    """The earlier visits that follow-ups name, by claim number; one query, none when none is named."""
    wanted = {visit.prior_claim for visit in report.visits if visit.prior_claim}
    found: dict[str, Visit] = {}
    if wanted:
        rows = Visit.objects.filter(claim__case__number__in=wanted, claim__case__member=member)
        for visit in rows.select_related("claim__case").order_by("-position"):
            found[visit.claim.case.number] = visit
    errors: list[DomainError] = [
        InvalidInput(
            _("This child has no claim %(number)s.") % {"number": visit.prior_claim},
            code="unknown_claim",
            field=f"visits.{index}.prior_claim",
            rule="INT-01",
        )
        for index, visit in enumerate(report.visits)
        if visit.prior_claim and visit.prior_claim not in found
    ]
    return found, errors
