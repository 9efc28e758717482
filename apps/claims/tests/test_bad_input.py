"""Wrong reports: each error names its field, all come at once, and nothing is stored."""

from typing import Any

import pytest

from apps.cases.models import CaseFile
from apps.claims.models import Claim
from apps.claims.tests.world import World
from apps.core.errors import InvalidInputs, NotAllowed
from apps.documents.models import BillRegister
from apps.members.models import Policy
from apps.payments.models import Payee


def put(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *way, last = path.split(".")
    target: Any = data
    for step in way:
        target = target[int(step)] if step.isdigit() else target[step]
    if value is DELETE:
        del target[last]
    else:
        target[last] = value
    return data


DELETE = object()
LINE, BILL, VISIT = "visits.0.bills.0.lines.0", "visits.0.bills.0", "visits.0"
WRONG = [
    (f"{LINE}.amount", "-1.00", f"{LINE}.amount", "too_small"),
    (f"{LINE}.amount", "1.234", f"{LINE}.amount", "decimals"),
    (f"{LINE}.amount", 8.5, f"{LINE}.amount", "number"),
    (f"{LINE}.amount", "¥8", f"{LINE}.amount", "number"),
    (f"{LINE}.amount", "NaN", f"{LINE}.amount", "number"),
    (f"{LINE}.amount", "1e30", f"{LINE}.amount", "too_large"),
    (f"{LINE}.kind", "SPELL", f"{LINE}.kind", "unknown_code"),
    (f"{LINE}.category", "D", f"{LINE}.category", "unknown_code"),
    (f"{LINE}.benefit", "SPA", f"{LINE}.benefit", "unknown_code"),
    (f"{LINE}.quantity", "0", f"{LINE}.quantity", "too_small"),
    (f"{LINE}.third_party", "900.00", f"{LINE}.third_party", "too_large"),
    (f"{LINE}.procedure_categories", ["MAGIC"], f"{LINE}.procedure_categories", "unknown_code"),
    (f"{LINE}.name", "", f"{LINE}.name", "required"),
    (f"{LINE}.colour", "red", f"{LINE}.colour", "unknown_field"),
    (f"{BILL}.amount", "801.00", f"{BILL}.amount", "sum"),
    (f"{BILL}.lines", [], f"{BILL}.lines", "required"),
    (f"{BILL}.bill_type", "NAPKIN", f"{BILL}.bill_type", "unknown_code"),
    (f"{BILL}.code", "123", f"{BILL}.code", "bill_code"),
    (f"{BILL}.number", "123", f"{BILL}.number", "bill_number"),
    (f"{BILL}.issued_on", "2026-12-01", f"{BILL}.issued_on", "future"),
    (f"{BILL}.issued_on", "10.09.2026", f"{BILL}.issued_on", "date"),
    (f"{BILL}.pooled_fund", "900.00", f"{BILL}.pooled_fund", "too_large"),
    (f"{VISIT}.bills", [], f"{VISIT}.bills", "required"),
    (f"{VISIT}.hospital", "NOWHERE", f"{VISIT}.hospital", "unknown_hospital"),
    (f"{VISIT}.campus", "MOON", f"{VISIT}.campus", "unknown_campus"),
    (f"{VISIT}.visit_type", "PICNIC", f"{VISIT}.visit_type", "unknown_code"),
    (f"{VISIT}.started_on", "2026-12-01", f"{VISIT}.started_on", "future"),
    (f"{VISIT}.started_on", "2020-01-01", f"{VISIT}.started_on", "order"),
    (f"{VISIT}.ended_on", "2026-09-01", f"{VISIT}.ended_on", "order"),
    (f"{VISIT}.event_on", "2026-09-12", f"{VISIT}.event_on", "order"),
    (f"{VISIT}.admitted_at", "2026-09-11T10:00", f"{VISIT}.admitted_at", "order"),
    (f"{VISIT}.diagnoses", [{"code": "cough"}], f"{VISIT}.diagnoses.0.code", "unknown_code"),
    (f"{VISIT}.procedures", [{"code": "x"}], f"{VISIT}.procedures.0.code", "unknown_code"),
    (f"{VISIT}.prior_claim", "C26-999999", f"{VISIT}.prior_claim", "unknown_claim"),
    ("visits", [], "visits", "required"),
    ("visits", 7, "visits", "type"),
    ("member", {}, "member.number", "required"),
    ("member.number", "M-NOBODY", "member.number", "unknown_member"),
    ("member.name", "李四", "member.number", "unknown_member"),
    (
        "member",
        {"id_type": "RESIDENT_ID", "id_number": "310104202105040012"},
        "member.id_number",
        "id_check_digit",
    ),
    ("member", {"id_type": "TALISMAN", "id_number": "1"}, "member.id_type", "unknown_code"),
    ("channel", "PIGEON", "channel", "unknown_code"),
    ("category", "DIRECT", "category", "unknown_code"),
    ("reporter", DELETE, "reporter", "required"),
    ("payee.account", "62220210010985508", "payee.account", "check_digit"),
    ("payee.bank", "", "payee.bank", "required"),
    ("papers", [{"kind": "POEM"}], "papers.0.kind", "unknown_code"),
    ("papers", [{"kind": "INVOICE"}], "papers.0.file", "required"),
    ("papers", [{"kind": "INVOICE", "file": "f" * 64}], "papers.0.file", "unknown_file"),
    (
        "papers",
        [{"kind": "INVOICE", "form": "DATA", "subject": "bill:7.1"}],
        "papers.0.subject",
        "unknown_bill",
    ),
    ("note", "x" * 2001, "note", "too_long"),
]


@pytest.mark.parametrize(
    ("path", "value", "field", "code"), WRONG, ids=[f"{row[0]}={str(row[1])[:12]}" for row in WRONG]
)
def test_one_wrong_value(world: World, path: str, value: Any, field: str, code: str) -> None:
    data = put(world.report(), path, value)
    with pytest.raises(InvalidInputs) as caught:
        world_report(world, data)
    found = {(error.field, error.code) for error in caught.value.errors}
    assert (field, code) in found, found
    stored_nothing()


def world_report(world: World, data: dict[str, Any]) -> CaseFile:
    from apps.claims.actions import report_claim

    return report_claim(world.actor("intake"), data=data, now=world.now)


def stored_nothing() -> None:
    assert not CaseFile.objects.exists()
    assert not Claim.objects.exists()
    assert not BillRegister.objects.exists()
    assert not Payee.objects.exists()


def test_everything_wrong_is_said_at_once(world: World) -> None:
    data = world.report(
        world.visit([world.bill("10.00"), world.bill("20.00")]), world.visit(hospital="NOWHERE")
    )
    for path, value in (
        ("channel", "PIGEON"), ("member.number", "M-NOBODY"), (f"{LINE}.amount", "-1.00"),
        ("visits.0.bills.1.amount", "21.00"), ("visits.0.bills.1.number", "7"), ("visits.1.started_on", "2027-01-01"),
    ):  # fmt: skip
        put(data, path, value)
    with pytest.raises(InvalidInputs) as caught:
        world_report(world, data)
    fields = {error.field for error in caught.value.errors}
    assert fields >= {
        "channel", "member.number", f"{LINE}.amount", "visits.0.bills.1.amount", "visits.0.bills.1.number",
        "visits.1.started_on", "visits.1.hospital",
    }  # fmt: skip
    stored_nothing()


def test_more_than_two_thousand_lines_are_refused(world: World) -> None:
    data = world.report(world.visit([world.bill(lines=[world.line("1.00")] * 2001)]))
    with pytest.raises(InvalidInputs) as caught:
        world_report(world, data)
    assert ("visits", "too_many_lines") in {(error.field, error.code) for error in caught.value.errors}
    stored_nothing()


def test_visits_of_two_policy_periods_are_two_claims(world: World) -> None:
    policy = world.policy_of("2026")
    Policy.objects.create(
        number="P-OLD", member=policy.member, plan=policy.plan, series="2026", effective_on="2025-01-01",
        expires_on="2025-12-31", continuous_since="2025-01-01", status="IN_FORCE",
    )  # fmt: skip
    data = world.report(world.visit(started_on="2025-12-30"), world.visit())
    with pytest.raises(InvalidInputs) as caught:
        world_report(world, data)
    assert ("visits.1.started_on", "other_period") in {
        (error.field, error.code) for error in caught.value.errors
    }


def test_a_child_nobody_shows_me_does_not_exist(world: World) -> None:
    from apps.accounts.tests.factories import make_actor
    from apps.claims.actions import report_claim

    stranger = make_actor("intake", series=["2024"])
    with pytest.raises(InvalidInputs) as caught:
        report_claim(stranger, data=world.report(), now=world.now)
    assert caught.value.errors[0].code == "unknown_member"


def test_who_may_not_report_is_told_so(world: World) -> None:
    with pytest.raises(NotAllowed):
        world.claim(by="finance")
    stored_nothing()


def test_one_unreadable_diagnosis_hides_no_other_mistake(world: World) -> None:
    """The clerk mends the form once: a code too short to be read, and what else is wrong with the visit."""
    data = world.report()
    put(data, f"{VISIT}.diagnoses", [{"code": "J"}, {"code": "cough"}])
    put(data, f"{VISIT}.procedures", [{"code": "x"}])
    put(data, f"{VISIT}.started_on", "2026-12-01")
    put(data, f"{BILL}.amount", "801.00")
    put(data, f"{VISIT}.hospital", "NOWHERE")
    with pytest.raises(InvalidInputs) as refusal:
        world_report(world, data)
    fields = [error.field for error in refusal.value.errors]
    assert set(fields) >= {
        f"{VISIT}.diagnoses.0.code", f"{VISIT}.diagnoses.1.code", f"{VISIT}.procedures.0.code",
        f"{VISIT}.started_on", f"{BILL}.amount", f"{VISIT}.hospital",
    }  # fmt: skip
    assert len(fields) == len(set(fields))
    assert not CaseFile.objects.exists()
