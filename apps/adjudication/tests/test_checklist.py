"""Check lists of both series: what is asked, what satisfies it, what is wrong with it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from apps.adjudication.checklist import (
    MISSING,
    SATISFIED,
    UNUSABLE,
    Requirement,
    checklist,
    is_complete,
    lacking,
)
from apps.adjudication.facts import Facts, PaperFacts
from apps.adjudication.routing import MAIL, ONLINE, route
from apps.adjudication.tests.builders import (
    SPECIAL,
    bill,
    hospital,
    line,
    make_document,
    make_facts,
    make_handbook,
    make_plan,
    member,
    paid,
    printed,
    visit,
    when,
)

ADULT = member(birth_date=date(2000, 1, 1))


def paper(kind: str, form: str = "IMAGE", **more: Any) -> PaperFacts:
    return PaperFacts(kind, form, **more)


def facts_of(series: str, *visits: Any, papers: Any = (), **more: Any) -> Facts:
    chosen = visits or (visit(bill(line(100), ref="B1")),)
    return make_facts(
        *chosen, handbook=printed(series), plan=make_plan(series=series), papers=tuple(papers), **more
    )


def entry(facts: Facts, ref: str, route: str = ONLINE, list_name: str = "") -> Requirement:
    return {one.ref: one for one in checklist(facts, route, list_name)}[ref]


def refs(facts: Facts, route: str = ONLINE, list_name: str = "") -> list[str]:
    return [one.ref for one in checklist(facts, route, list_name)]


# --- what is asked ----------------------------------------------------------------------------

BASE_2026 = ["CLAIM_FORM", "CLAIM_APPLICATION", "BANK_ACCOUNT", "INSURED_ID"]
MINOR_2026 = ["BIRTH_CERTIFICATE", "RELATIONSHIP_PROOF"]
REST_2026 = ["INVOICE@bill:B1", "ITEMIZED_BILL", "MEDICAL_RECORD"]


def test_rmb10_to_18_the_list_of_2026() -> None:
    assert refs(facts_of("2026")) == [*BASE_2026, *MINOR_2026, *REST_2026, "INVOICE_ANNOTATION@bill:B1"]
    assert refs(facts_of("2026"), MAIL) == [*BASE_2026, *MINOR_2026, *REST_2026]


def test_rmb14_minors_only() -> None:
    assert set(MINOR_2026).isdisjoint(refs(facts_of("2026", member=ADULT)))


@pytest.mark.parametrize(
    ("row", "asked", "not_asked"),
    [
        (visit(bill(line(1), third_party=1)), "THIRD_PARTY_SETTLEMENT", "DISCHARGE_SUMMARY"),
        (visit(bill(line(1)), visit_type="INPATIENT"), "DISCHARGE_SUMMARY", "MEDICAL_RECORD"),
        (visit(bill(line(1, "SURGERY"))), "SURGERY_REPORT", "THIRD_PARTY_SETTLEMENT"),
        (visit(bill(line(10000))), "PHOTO_ID", "SURGERY_REPORT"),
        (visit(bill(line("9999.99"))), "INSURED_ID", "PHOTO_ID"),
    ],
)
def test_conditional_entries(row: Any, asked: str, not_asked: str) -> None:
    asked_for = refs(facts_of("2026", row))
    assert asked in asked_for
    assert not_asked not in asked_for


def test_rmb31_to_37_the_list_of_2024() -> None:
    assert refs(facts_of("2024")) == [
        "MEDICAL_RECORD", "INSURED_ID", "E_CARD", "BANK_ACCOUNT", "ITEMIZED_BILL", "INVOICE@bill:B1",
        "BIRTH_CERTIFICATE", "GUARDIAN_ID", "CLAIM_FORM",
    ]  # fmt: skip


def test_d29_no_annotation_in_2024() -> None:
    assert not any(ref.startswith("INVOICE_ANNOTATION") for ref in refs(facts_of("2024")))


def test_int02_the_prescription_invoice_only_with_drugs() -> None:
    consult = facts_of("2024", paid(1, "CONSULT", visit_type="INTERNET"), category="INTERNET")
    with_drug = facts_of("2024", paid(1, "DRUG", visit_type="INTERNET"), category="INTERNET")
    assert "E_INVOICE_PRESCRIPTION" not in refs(consult)
    assert {"E_INVOICE_CONSULT", "E_INVOICE_PRESCRIPTION"} <= set(refs(with_drug))


def test_adv06_adv10_lists_of_other_matters() -> None:
    stay = visit(bill(line(1), ref="B1"), visit_type="INPATIENT")
    accident = replace(stay, cause="ACCIDENT")
    assert "ACCIDENT_EVIDENCE" not in refs(facts_of("2026", stay), MAIL, "ADVANCE")
    assert "ACCIDENT_EVIDENCE" in refs(facts_of("2026", accident), MAIL, "ADVANCE")
    assert len(refs(facts_of("2026", stay), MAIL, "DISCHARGE")) == 6
    assert "INVOICE" in refs(facts_of("2026", visit(visit_type="INPATIENT")), MAIL, "DISCHARGE")


def test_vis03_an_emergency_asks_for_the_three_originals() -> None:
    emergency = visit(bill(line(20000), ref="B1"), emergency=True)
    listed = {one.ref: one for one in checklist(facts_of("2026", emergency), MAIL)}
    assert {listed[ref].rule for ref in ("MEDICAL_RECORD", "ITEMIZED_BILL", "INVOICE@bill:B1")} == {"VIS-03"}
    copy = facts_of("2026", emergency, papers=[paper("ITEMIZED_BILL", "COPY")])
    assert entry(copy, "ITEMIZED_BILL", MAIL).fault == "NOT_ORIGINAL"


# --- what satisfies it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ref", "papers", "status", "fault"),
    [
        ("ITEMIZED_BILL", [], MISSING, ""),
        ("ITEMIZED_BILL", [paper("ITEMIZED_BILL")], SATISFIED, ""),
        ("ITEMIZED_BILL", [paper("ITEMIZED_BILL", legible=False)], UNUSABLE, "ILLEGIBLE"),
        ("ITEMIZED_BILL", [paper("ITEMIZED_BILL", color=False)], UNUSABLE, "NOT_COLOR"),
        ("ITEMIZED_BILL", [paper("ITEMIZED_BILL", usable=False)], UNUSABLE, "UNUSABLE"),
        ("ITEMIZED_BILL", [paper("ITEMIZED_BILL", legible=False), paper("ITEMIZED_BILL")], SATISFIED, ""),
        ("CLAIM_FORM", [paper("CLAIM_FORM")], UNUSABLE, "UNSIGNED"),
        ("CLAIM_FORM", [paper("CLAIM_FORM", signed=True)], SATISFIED, ""),
        ("CLAIM_FORM", [paper("CLAIM_APPLICATION", "E_SIGNED")], SATISFIED, ""),
        ("INSURED_ID", [paper("INSURED_ID")], UNUSABLE, "PAGES"),
        ("INSURED_ID", [paper("INSURED_ID"), paper("INSURED_ID")], SATISFIED, ""),
        ("INSURED_ID", [paper("INSURED_ID", pages=2)], SATISFIED, ""),
        ("INSURED_ID", [paper("PASSPORT")], SATISFIED, ""),
        ("INSURED_ID", [paper("HOUSEHOLD_REGISTER")], SATISFIED, ""),  # PR-02
        ("INSURED_ID", [paper("INSURED_ID", pages=2, valid_until=date(2026, 9, 15))], UNUSABLE, "EXPIRED"),
        ("INSURED_ID", [paper("INSURED_ID", pages=2, valid_until=date(2026, 9, 16))], SATISFIED, ""),
        ("BIRTH_CERTIFICATE", [paper("HOUSEHOLD_REGISTER")], SATISFIED, ""),
        ("RELATIONSHIP_PROOF", [paper("BIRTH_CERTIFICATE_NAMING_PARENTS")], SATISFIED, ""),
        ("RELATIONSHIP_PROOF", [paper("HOUSEHOLD_REGISTER")], MISSING, ""),
        ("INVOICE@bill:B1", [paper("INVOICE", subject="bill:B1")], SATISFIED, ""),
        ("INVOICE@bill:B1", [paper("INVOICE")], SATISFIED, ""),
        ("INVOICE@bill:B1", [paper("INVOICE", subject="bill:B2")], MISSING, ""),
    ],
)
def test_papers_on_line(ref: str, papers: list[PaperFacts], status: str, fault: str) -> None:
    found = entry(facts_of("2026", papers=papers), ref)
    assert (found.status, found.fault) == (status, fault)
    if status != SATISFIED:
        assert found.why.zh
        assert found.remedy.zh
        assert found.remedy.en


def test_rmb36_the_household_register_is_no_alternative_in_2024() -> None:
    facts = facts_of("2024", papers=[paper("HOUSEHOLD_REGISTER")])
    assert entry(facts, "BIRTH_CERTIFICATE").status == MISSING


def test_rmb22_mailed_claims_need_originals() -> None:
    image = facts_of("2026", papers=[paper("INVOICE")])
    original = facts_of("2026", papers=[paper("INVOICE", "ORIGINAL")])
    assert entry(image, "INVOICE@bill:B1", MAIL).fault == "NOT_ORIGINAL"
    assert entry(original, "INVOICE@bill:B1", MAIL).status == SATISFIED
    gray = facts_of("2026", papers=[paper("ITEMIZED_BILL", color=False)])
    assert entry(gray, "ITEMIZED_BILL", MAIL).status == SATISFIED


def test_pr03_nothing_is_asked_that_the_house_has_already() -> None:
    facts = facts_of("2026", e_signed=True, payee_structured=True)
    assert all(entry(facts, ref).automatic for ref in ("CLAIM_FORM", "CLAIM_APPLICATION", "BANK_ACCOUNT"))
    by_phone = facts_of("2026", channel="HOTLINE")
    assert not entry(by_phone, "CLAIM_APPLICATION").automatic
    assert entry(facts_of("2024", e_card=True), "E_CARD").automatic


# --- bills ------------------------------------------------------------------------------------


def electronic(**more: Any) -> Any:
    return visit(bill(line(20000), ref="B1", electronic=True, bill_type="FISCAL_E", **more))


@pytest.mark.parametrize(
    ("bill_state", "papers", "status", "fault"),
    [
        ({"verified": True}, [paper("E_INVOICE_SOURCE", "SOURCE_FILE")], SATISFIED, ""),
        ({"verified": True}, [paper("INVOICE", "SOURCE_FILE")], SATISFIED, ""),
        ({"verified": False}, [paper("INVOICE", "SOURCE_FILE")], UNUSABLE, "UNVERIFIED"),
        ({"verified": True}, [paper("INVOICE", "IMAGE")], UNUSABLE, "NOT_ORIGINAL"),
        ({"verified": True, "state": "EXCHANGED"}, [paper("INVOICE", "SOURCE_FILE")], UNUSABLE, "EXCHANGED"),
        ({"verified": True, "state": "EXCHANGED"}, [paper("INVOICE", "ORIGINAL")], SATISFIED, ""),
        ({"verified": True}, [], MISSING, ""),
    ],
)
def test_pr01_the_verified_source_file_is_the_original(
    bill_state: dict[str, Any], papers: list[PaperFacts], status: str, fault: str
) -> None:
    found = entry(facts_of("2026", electronic(**bill_state), papers=papers), "INVOICE@bill:B1", MAIL)
    assert (found.status, found.fault) == (status, fault)


@pytest.mark.parametrize(
    ("one", "status", "automatic"),
    [
        ({"annotated": True}, SATISFIED, False),
        ({}, MISSING, False),
        ({"electronic": True, "verified": True}, SATISFIED, True),  # PR-01: waived
        ({"electronic": True}, MISSING, False),
    ],
)
def test_rmb21_the_annotation_is_seen_or_waived(one: dict[str, Any], status: str, automatic: bool) -> None:
    found = entry(facts_of("2026", visit(bill(line(1), ref="B1", **one))), "INVOICE_ANNOTATION@bill:B1")
    assert (found.status, found.automatic) == (status, automatic)
    if status == MISSING:
        assert "已在“京东安联”索赔" in found.remedy.zh


def test_every_bill_needs_its_invoice_but_void_bills_need_none() -> None:
    three = visit(bill(line(1), ref="B1"), bill(line(1), ref="B2"), bill(line(1), ref="B3", state="VOID"))
    facts = facts_of("2026", three, papers=[paper("INVOICE", subject="bill:B1")])
    assert entry(facts, "INVOICE@bill:B1").status == SATISFIED
    assert entry(facts, "INVOICE@bill:B2").status == MISSING
    assert "INVOICE@bill:B3" not in refs(facts)


# --- photo identity ---------------------------------------------------------------------------

LARGE = visit(bill(line(10000), ref="B1"))
PHOTO = {"pages": 2, "has_photo": True}


@pytest.mark.parametrize(
    ("papers", "relation", "status", "fault"),
    [
        ([paper("INSURED_ID", **PHOTO)], "", SATISFIED, ""),
        ([paper("PASSPORT", has_photo=True, subject="INSURED")], "", SATISFIED, ""),
        ([], "", MISSING, "ABSENT"),
        ([paper("INSURED_ID", pages=2)], "", UNUSABLE, "NO_PHOTO"),
        ([paper("INSURED_ID", valid_until=date(2026, 9, 15), **PHOTO)], "", UNUSABLE, "EXPIRED"),
        ([paper("INSURED_ID", legible=False, **PHOTO)], "", UNUSABLE, "ILLEGIBLE"),
        ([paper("BIRTH_CERTIFICATE", has_photo=True)], "", UNUSABLE, "NO_PHOTO"),
        ([paper("MEDICAL_RECORD", **PHOTO), paper("OTHER", has_photo=True, subject="INSURED")], "", MISSING, "ABSENT"),
        # PR-02: the page of the register shows the child, the guardian shows a photo
        ([paper("HOUSEHOLD_REGISTER"), paper("GUARDIAN_ID", **PHOTO)], "GUARDIAN", SATISFIED, ""),
        ([paper("HOUSEHOLD_REGISTER"), paper("GUARDIAN_ID", **PHOTO)], "", SATISFIED, ""),
        ([paper("HOUSEHOLD_REGISTER")], "GUARDIAN", MISSING, "ABSENT"),
        ([paper("INSURED_ID", **PHOTO)], "GUARDIAN", MISSING, "ABSENT"),
        ([paper("INSURED_ID", **PHOTO), paper("PASSPORT", has_photo=True, subject="PAYEE")], "GUARDIAN", SATISFIED, ""),
        ([paper("HOUSEHOLD_REGISTER")], "INSURED", UNUSABLE, "NO_PHOTO"),
    ],
)  # fmt: skip
def test_kyc01_kyc02_pr02(papers: list[PaperFacts], relation: str, status: str, fault: str) -> None:
    found = entry(facts_of("2026", LARGE, papers=papers, payee_relation=relation), "PHOTO_ID")
    assert (found.status, found.fault) == (status, fault)
    assert found.discretion is (status != SATISFIED)


def test_kyc02_the_register_does_not_show_an_adult() -> None:
    papers = [paper("HOUSEHOLD_REGISTER"), paper("GUARDIAN_ID", **PHOTO)]
    found = entry(facts_of("2026", LARGE, papers=papers, member=ADULT), "PHOTO_ID")
    assert found.status == UNUSABLE


def test_s22_at_ten_thousand_both_boundaries_meet() -> None:
    """On line, annotated *and* with photo identity."""
    facts = facts_of("2026", LARGE)
    assert route(facts).route == ONLINE
    missing = {one.ref for one in lacking(checklist(facts, ONLINE))}
    assert {"PHOTO_ID", "INVOICE_ANNOTATION@bill:B1"} <= missing


# --- the whole --------------------------------------------------------------------------------


def test_law01_everything_missing_is_named_at_once_and_completeness_follows() -> None:
    facts = facts_of("2026", member=ADULT, e_signed=True, payee_structured=True)
    missing = {one.ref for one in lacking(checklist(facts, ONLINE))}
    assert missing == {
        "INSURED_ID", "INVOICE@bill:B1", "ITEMIZED_BILL", "MEDICAL_RECORD", "INVOICE_ANNOTATION@bill:B1",
    }  # fmt: skip
    papers = (
        paper("INSURED_ID", pages=2), paper("INVOICE"), paper("ITEMIZED_BILL"), paper("MEDICAL_RECORD"),
    )  # fmt: skip
    marked = visit(bill(line(100), ref="B1", annotated=True))
    assert is_complete(checklist(replace(facts, visits=(marked,), papers=papers), ONLINE))


def test_a_made_up_series_has_its_own_list() -> None:
    handbook = make_handbook(
        without=SPECIAL,
        documents=[make_document("MEDICAL_RECORD", when=(when("in_stay"),)), make_document("EXAM_REPORT")],
        parameters={"annotation.required": False},
    )
    assert refs(make_facts(paid(1), handbook=handbook)) == ["EXAM_REPORT"]


def test_direct_billing_asks_for_signatures() -> None:
    there = hospital("HP", "PRIVATE", networks=("OUTPATIENT",))
    facts = facts_of("2026", visit(bill(line(1), ref="B1"), hospital=there), category="DIRECT")
    assert {"CARD_CHECK", "DIRECT_CLAIM_FORM", "SIGNED_RECEIPT", "INVOICE@bill:B1"} <= set(
        refs(facts, "DIRECT")
    )
