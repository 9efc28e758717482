"""Handbook texts: what the two printed series must carry, and how mistakes are reported."""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from apps.adjudication import keys
from apps.adjudication.handbook import Basis, Handbook, Level
from apps.adjudication.parse import effective_date, parse_handbook
from apps.adjudication.reading import HandbookErrors

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    "2024": ROOT / "fixtures/handbooks/2024.toml",
    "2026": ROOT / "fixtures/handbooks/2026.toml",
    "2027": ROOT / "apps/products/tests/data/2027.toml",
}


@cache
def text(series: str) -> str:
    return FILES[series].read_text(encoding="utf-8")


@cache
def book(series: str) -> Handbook:
    return parse_handbook(text(series))


def ids(prefix: str, *numbers: int | tuple[int, int]) -> set[str]:
    """ids("PA", (1, 3), 5) = PA-01 PA-02 PA-03 PA-05."""
    spans = [number if isinstance(number, tuple) else (number, number) for number in numbers]
    return {f"{prefix}-{n:02d}" for first, last in spans for n in range(first, last + 1)}


# Typed from the rulebook, section 1 …
BOTH = {"NET-04", "VIS-04", "APT-10", "PA-08", "REC-05"} | ids("HLC", (1, 4))
RULES = {
    "2026": BOTH
    | ids("GEN", 1, 5, 7, 8)
    | ids("NET", 1, 2, 3, 6)
    | ids("VAS", (1, 3))
    | ids("FD", (1, 10))
    | ids("TST", (1, 12))
    | ids("CRD", (1, 7))
    | ids("APP", (1, 6))
    | ids("APT", (1, 9), (11, 13))
    | ids("VIS", (1, 3))
    | ids("BIL", (1, 3))
    | ids("KYC", 1, 2)
    | ids("REC", (1, 4))
    | {"DBO-01", "DBI-01"}
    | ids("PA", (1, 7), (9, 12))
    | ids("ADV", (1, 21))
    | ids("RMB", 1, (10, 18), (20, 26))
    | {"APL-01", "INT-06"}
    | ids("VAC", (1, 7), 34, 35),
    "2024": BOTH
    | ids("GEN", 2, 3, 4, 6)
    | ids("NET", 5, 7)
    | ids("VAS", (10, 17))
    | ids("CRD", (20, 28))
    | ids("APP", (20, 27))
    | ids("APT", (20, 26))
    | ids("BIL", (20, 22))
    | ids("EPY", 1, 2)
    | ids("DBO", 2, 3)
    | ids("DBI", 2, 3)
    | ids("PA", (20, 27), (30, 34))
    | {"ADV-22"}
    | ids("RMB", (30, 40))
    | ids("INT", (1, 5))
    | ids("VAC", (20, 26)),
}
# … section 4 …
DEADLINES = {
    "2024": ids("DL", (1, 16), 27, 46, 47),
    "2026": ids("DL", (20, 50)),
}
# … and what holds in every series: law, practice, conventions.
EVERYWHERE = ids("LAW", (1, 12)) | ids("PR", (1, 25)) | {f"C{n}" for n in range(1, 13)}


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_every_rule_of_the_rulebook_is_in_its_series(series: str) -> None:
    assert RULES[series] | EVERYWHERE <= set(book(series).rules)


def test_the_rulebook_has_225_printed_rules_and_47_deadlines() -> None:
    assert len(RULES["2024"] | RULES["2026"]) == 132 + 84 + 9
    assert len(DEADLINES["2024"] | DEADLINES["2026"]) == 47


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_every_deadline_is_a_clock_or_a_rule(series: str) -> None:
    handbook = book(series)
    assert DEADLINES[series] <= {clock.id for clock in handbook.clocks} | set(handbook.rules)


@pytest.mark.parametrize(("series", "other"), [("2024", "2026"), ("2026", "2024")])
def test_no_series_carries_the_printed_rules_of_the_other(series: str, other: str) -> None:
    """Except the identity check, which the 2024 series has as a setting (KYC-01, KYC-02)."""
    assert set(book(series).rules) & (RULES[other] - BOTH) <= {"KYC-01", "KYC-02"}
    assert book("2024").cite("KYC-01").basis is Basis.CONFIG


@pytest.mark.parametrize("series", ["2024", "2026", "2027"])
def test_rules_say_something_in_both_languages(series: str) -> None:
    for rule in book(series).rules.values():
        assert re.search(r"[一-鿿]", rule.title.zh), rule.id
        assert re.search(r"[一-鿿]", rule.says.zh), rule.id
        assert not re.search(r"[一-鿿]", rule.title.en + rule.says.en), rule.id


@pytest.mark.parametrize(
    ("series", "key", "rule"),
    [
        ("2026", "intake.private_refused", "APT-02"),
        ("2024", "intake.private_refused", "DBO-03"),
        ("2026", "route.mail", "RMB-22"),
        ("2024", "route.mail", "RMB-39"),
        ("2026", "intake.vaccine_department", "VAC-06"),
        ("2024", "intake.vaccine_department", "VAC-23"),
        ("2026", "papers.annotation", "RMB-21"),
        ("2026", "intake.rider", "NET-03"),
        ("2024", "decide.mental_health", "VAS-17"),
        ("2024", "decide.full_visits", "EPY-01"),
        ("2026", "decide.annual_limit", "REC-02"),
        ("2024", "decide.annual_limit", "APP-20"),
        ("2026", "decide.vaccine_limit", "VAC-03"),
        ("2024", "decide.vaccine_limit", "VAC-21"),
    ],
)
def test_a_key_leads_to_the_rule_of_the_series(series: str, key: str, rule: str) -> None:
    found = book(series).rule(key)
    assert found is not None
    assert found.id == rule


@pytest.mark.parametrize(
    ("series", "key"),
    [
        ("2024", "papers.annotation"),  # RMB-21 is printed in 2026 only
        ("2024", "intake.rider"),
        ("2024", "route.split_flag"),
        ("2026", "intake.internet"),
        ("2026", "decide.full_visits"),
        ("2026", "intake.vaccine_grade"),
    ],
)
def test_a_rule_that_a_series_does_not_have_has_no_key(series: str, key: str) -> None:
    assert book(series).rule(key) is None


FIGURES = [
    ("2026", "routing.online_maximum", Decimal("10000.00")),  # RMB-20
    ("2026", "photo_id.threshold", Decimal("10000.00")),  # KYC-01
    ("2024", "photo_id.threshold", Decimal("10000.00")),
    ("2026", "authorization.exam_unit_price", Decimal("5000.00")),  # PA-09
    ("2024", "authorization.exam_unit_price", Decimal("5000.00")),  # PA-24
    ("2024", "authorization.item_above", Decimal("5000.00")),  # PA-34
    ("2026", "authorization.drug_single", Decimal("3000.00")),  # PA-10
    ("2026", "authorization.cumulative", Decimal("30000.00")),  # PA-12
    ("2024", "authorization.cumulative", Decimal("30000.00")),  # PA-26
    ("2026", "health_check.maximum", 8),  # HLC-01
    ("2024", "health_check.maximum", 8),
    ("2026", "small_claim.maximum", Decimal("3000.00")),  # PR-21
    ("2026", "routing.basis", "AMOUNT"),
    ("2024", "routing.basis", "INPATIENT"),
    ("2024", "routing.online_maximum", None),
    ("2024", "vaccine.minimum_grade", 2),  # VAC-23
    ("2026", "vaccine.minimum_grade", None),
    ("2026", "appointment.cancel_cutoff", time(14)),  # APT-11
    ("2024", "appointment.cancel_cutoff", time(16)),  # APT-24
    ("2026", "authorization.lead", 5),  # PA-03
    ("2024", "authorization.lead", 2),  # PA-22
    ("2026", "emergency.notice", 48),  # PA-06
    ("2024", "emergency.notice", None),
    ("2026", "card.grey_after_reminders", 3),  # BIL-03
    ("2024", "card.grey_after_reminders", 1),  # BIL-21
    ("2026", "home_test.maximum", 5),  # TST-04
    ("2024", "consult.late_from", time(20)),  # VAS-11
    ("2027", "routing.online_maximum", Decimal("2500.00")),
]


@pytest.mark.parametrize(("series", "key", "value"), FIGURES)
def test_a_printed_figure_reads_back(series: str, key: str, value: object) -> None:
    assert book(series).value(key) == value


@pytest.mark.parametrize(
    ("series", "key", "length"),
    [
        ("2026", "home_test.cities", 15),  # TST-09
        ("2024", "mental_health.conditions", 8),  # VAS-17
        ("2026", "assistance.sites", 4),  # VAS-02
        ("2024", "assistance.sites", 3),  # VAS-16
        ("2026", "authorization.procedures", 8),  # PA-08
        ("2024", "card.functions", 8),  # CRD-28
        ("2026", "health_manager.channels", 3),  # FD-10
    ],
)
def test_a_printed_list_has_its_length(series: str, key: str, length: int) -> None:
    assert len(book(series).value(key)) == length


CLOCKS = [
    # series, key, id, duration, unit, pauses
    ("2026", "claim.decision", "DL-34", 5, "workdays", ("dispute",)),
    ("2026", "claim.payment", "DL-35", 10, "days", ()),
    ("2024", "claim.decision", "DL-08", 3, "workdays", ("missing_papers",)),
    ("2024", "claim.decision", "DL-10", 10, "workdays", ("missing_papers",)),
    ("2024", "claim.decision", "DL-11", 3, "workdays", ("missing_papers",)),
    ("2024", "claim.decision", "DL-14", 3, "workdays", ("missing_papers",)),
    ("2024", "claim.payment", "DL-12", 2, "workdays", ()),
    ("2024", "law.decision", "LAW-02", 30, "days", ("missing_papers",)),
    ("2026", "law.decision", "LAW-02", 30, "days", ("missing_papers",)),
    ("2026", "law.payment", "LAW-03", 10, "days", ()),
    ("2026", "law.refusal", "LAW-04", 3, "days", ()),
    ("2026", "claim.emergency_hold", "PR-20", 1, "workdays", ()),
    ("2026", "claim.small_notice", "PR-21", 1, "workdays", ()),
    ("2026", "authorization.emergency_notice", "DL-26", 48, "hours", ()),
    ("2026", "advance.investigation", "DL-30", 15, "workdays", ()),
    ("2024", "consult.response", "DL-01", 2, "hours", ()),
    ("2024", "claim.internet_sending", "DL-07", 1, "workdays", ()),
]


@pytest.mark.parametrize(("series", "key", "id_", "duration", "unit", "pauses"), CLOCKS)
def test_a_deadline_has_its_duration_and_pauses(
    series: str, key: str, id_: str, duration: int, unit: str, pauses: tuple[str, ...]
) -> None:
    """DL-*, LAW-*, PR-20, PR-21; pauses by PR-04."""
    found = [clock for clock in book(series).clocks if (clock.key, clock.id) == (key, id_)]
    assert found
    assert {(clock.duration, clock.unit, clock.pauses) for clock in found} == {(duration, unit, pauses)}


@pytest.mark.parametrize("series", ["2024", "2026", "2027"])
def test_clocks_of_a_key_end_with_one_for_every_case(series: str) -> None:
    """The first that fits is meant, so the last of a key that is chosen by facts fits always."""
    last = {clock.key: clock for clock in book(series).clocks}
    for key in ("claim.decision", "claim.payment", "law.decision"):
        assert last[key].when == ()


@pytest.mark.parametrize(
    ("key", "parameter", "series"),
    [
        ("appointment.private_lead", "appointment.private_lead", "2026"),
        ("appointment.public_lead", "appointment.public_lead", "2026"),
        ("appointment.popular_lead", "appointment.popular_lead", "2026"),
        ("authorization.submission", "authorization.lead", "2026"),
        ("authorization.submission", "authorization.lead", "2024"),
        ("authorization.emergency_notice", "emergency.notice", "2026"),
        ("recovery.refund", "recovery.due", "2026"),
        ("advance.refund", "advance.refund_due", "2026"),
        ("appeal.answer", "appeal.workdays", "2026"),
        ("appeal.answer_limit", "appeal.days", "2026"),
        ("bill.reminder", "card.reminder_interval", "2026"),
        ("bill.grace", "card.grace", "2026"),
        ("bill.payment", "card.payment_period", "2024"),
        ("claim.tracking", "originals.tracking_after", "2026"),
        ("law.undisputed", "undisputed.day", "2026"),
        ("law.rescission", "rescission.days", "2026"),
    ],
)
def test_a_figure_that_is_also_a_clock_says_the_same(key: str, parameter: str, series: str) -> None:
    handbook = book(series)
    clock = next(clock for clock in handbook.clocks if clock.key == key)
    assert clock.duration == handbook.value(parameter)


def papers(series: str, name: str) -> list[str]:
    return [document.key for document in book(series).documents if name in document.lists]


def test_the_papers_of_a_2026_claim_are_those_printed() -> None:
    """RMB-10…18, and the identity check KYC-01."""
    assert papers("2026", "REIMBURSEMENT") == [
        "CLAIM_FORM",
        "CLAIM_APPLICATION",
        "BANK_ACCOUNT",
        "INSURED_ID",
        "BIRTH_CERTIFICATE",
        "RELATIONSHIP_PROOF",
        "INVOICE",
        "THIRD_PARTY_SETTLEMENT",
        "ITEMIZED_BILL",
        "MEDICAL_RECORD",
        "DISCHARGE_SUMMARY",
        "SURGERY_REPORT",
        "PHOTO_ID",
    ]
    assert papers("2026", "VACCINE") == papers("2026", "REIMBURSEMENT")


def test_the_papers_of_a_2024_claim_are_those_printed() -> None:
    """RMB-31…37, VAS-17, INT-02."""
    assert papers("2024", "REIMBURSEMENT") == [
        "MEDICAL_RECORD",
        "INSURED_ID",
        "E_CARD",
        "BANK_ACCOUNT",
        "ITEMIZED_BILL",
        "INVOICE",
        "DISCHARGE_SUMMARY",
        "BIRTH_CERTIFICATE",
        "GUARDIAN_ID",
        "CLAIM_FORM",
        "PSYCHIATRIST_REPORT",
        "PHOTO_ID",
    ]
    internet = papers("2024", "INTERNET")
    assert {"E_INVOICE_CONSULT", "E_INVOICE_PRESCRIPTION"} <= set(internet)
    assert "INVOICE" not in internet


def test_a_household_register_replaces_the_birth_certificate_in_2026_only() -> None:
    """RMB-14 against RMB-36."""
    found = {
        series: next(
            document
            for document in book(series).documents
            if document.key == "BIRTH_CERTIFICATE" and "REIMBURSEMENT" in document.lists
        )
        for series in ("2024", "2026")
    }
    assert "HOUSEHOLD_REGISTER" in found["2026"].satisfied_by
    assert "HOUSEHOLD_REGISTER" not in found["2024"].satisfied_by


def test_the_papers_of_an_advance_and_of_a_discharge_are_those_printed() -> None:
    """ADV-06 (five), ADV-10 (six)."""
    printed = {
        "ADMISSION_RECORD",
        "MEDICAL_RECORD",
        "EXAM_REPORT",
        "DIAGNOSIS_CERTIFICATE",
        "ACCIDENT_EVIDENCE",
    }
    assert printed <= set(papers("2026", "ADVANCE"))
    assert len(papers("2026", "DISCHARGE")) == 6


def test_nebulizers_need_authorization_in_2024_and_not_in_2026() -> None:
    """PA-25 against PA-11."""
    arguments = {
        series: next(trigger for trigger in book(series).triggers if trigger.key == "equipment").when[0].args
        for series in ("2024", "2026")
    }
    assert "NEBULIZER" in arguments["2026"]["none_of"]
    assert "NEBULIZER" not in arguments["2024"]["none_of"]


def test_the_tip_list_only_warns_outside_a_stay() -> None:
    """PR-08 on PA-31 and PA-34."""
    warning = [trigger for trigger in book("2024").triggers if trigger.rule == "PR-08"]
    assert {trigger.level for trigger in warning} == {Level.WARN}
    assert all(trigger.when[0].test == "outside_stay" for trigger in warning)
    assert len(warning) == 2


def test_services_of_the_other_series_are_closed_with_a_reason() -> None:
    """GEN-04, ADV-22, NET-05 · INT-06, VAC-06."""
    for series, closed in (
        ("2024", ("advance", "home_test", "family_doctor", "health_archive", "dental_direct", "eye_direct")),
        ("2026", ("internet_claim", "phone_consult", "triage", "lectures", "dental_claim", "eye_claim")),
    ):
        for key in closed:
            service = book(series).services[key]
            assert not service.offered
            assert service.redirect is not None


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_every_service_is_either_offered_or_closed(series: str) -> None:
    assert set(book(series).services) == set(keys.SERVICES)


def test_channels_are_those_of_the_series() -> None:
    """RMB-20 and RMB-22 against RMB-38; ADV-04; PA-04."""
    assert book("2024").services["reimbursement"].channels == ("ONLINE", "EMAIL")
    assert book("2026").services["reimbursement"].channels == ("MINIPROGRAM", "HOTLINE", "MAIL")
    assert book("2026").services["advance"].channels == ("HOTLINE",)
    assert set(book("2026").services["authorization"].channels) == {"HOTLINE", "MINIPROGRAM", "EMAIL"}


def test_contacts_are_those_printed() -> None:
    """GEN-05, GEN-06, PA-04, RMB-24, RMB-26, RMB-38, RMB-39."""
    assert book("2026").contacts["hotline"].value == "950610 转 8"
    assert book("2024").contacts["hotline"].value == "021-80209058"
    assert book("2026").contacts["originals_address"].postcode == "100176"
    assert book("2024").contacts["originals_address"].value.startswith("上海徐汇区")
    assert (
        book("2026").contacts["authorization_mailbox"].value != book("2026").contacts["claims_mailbox"].value
    )


def test_network_groups_and_riders() -> None:
    """GEN-01, GEN-03, NET-01…03, NET-05."""
    assert {version.code for version in book("2026").versions.values()} == {"NATIONAL", "BEIJING"}
    plans = {
        code: version.network_group
        for code, version in book("2024").versions.items()
        if version.network_group
    }
    assert len(plans) == 6
    assert sorted(plans.values()) == ["A"] * 3 + ["B"] * 3
    riders = {network.benefit for network in book("2026").networks if network.optional}
    assert riders == {"VACCINE", "EYE", "DENTAL"}
    assert not any(network.optional for network in book("2024").networks)
    assert not {network.benefit for network in book("2024").networks} & {"EYE", "DENTAL"}


def test_the_made_up_series_shares_no_rule_id_with_the_printed_ones() -> None:
    """Code knows keys; were an id or a year in it, this series would not work."""
    printed = set(book("2024").rules) | set(book("2026").rules)
    assert not printed & set(book("2027").rules)


# --- Mistakes --------------------------------------------------------------------------------

SMALL = """
[handbook]
series = "2031"
title = { zh = "样本", en = "Sample" }
operator = "INSURER"

[[rules]]
id = "R-1"
area = "scope"
title = { zh = "题", en = "Title" }
says = { zh = "内容", en = "Clause" }
source = "31:5"
level = "BLOCK"
class = "block"
keys = ["route.mail"]

[[versions]]
code = "ONE"
title = { zh = "一", en = "One" }
network_group = "G"
rule = "R-1"

[[parameters]]
key = "routing.online_maximum"
value = "100.00"
unit = "yuan"
rule = "R-1"
source = "31:6"
title = { zh = "上限", en = "Maximum" }

[[documents]]
key = "INVOICE"
title = { zh = "发票", en = "Invoice" }
rule = "R-1"
source = "31:7"
form = "ORIGINAL"
lists = ["REIMBURSEMENT"]
when = [{ test = "amount_at_least", yuan = "5.00" }]

[[clocks]]
key = "claim.decision"
id = "K-1"
rules = ["R-1"]
title = { zh = "核赔", en = "Decision" }
start = "materials_complete"
stop = ["decided"]
duration = 3
unit = "workdays"
basis = "printed"
steps = [{ key = "remind", kind = "REMIND", to = "ASSIGNEE", at = "0.75" }]
"""


def mistakes(changed: str) -> dict[str, str]:
    with pytest.raises(HandbookErrors) as caught:
        parse_handbook(changed)
    return {error.where: error.expected for error in caught.value.errors}


def test_the_small_text_is_right() -> None:
    assert parse_handbook(SMALL).value("routing.online_maximum") == Decimal("100.00")


@pytest.mark.parametrize(
    ("old", "new", "where", "expected"),
    [
        ('level = "BLOCK"', 'level = "FORBID"', "rules[R-1].level", "one of BLOCK"),
        ('area = "scope"', 'area = "attic"', "rules[R-1].area", "one of advance"),
        ('source = "31:5"', 'source = "26:5"', "rules[R-1].source", "31:251"),
        ('source = "31:5"', 'source = "page 5"', "rules[R-1].source", "31:251"),
        ('keys = ["route.mail"]', 'keys = ["route.male"]', "rules[R-1].keys.0", "route.mail"),
        ('title = { zh = "题", en = "Title" }', 'title = { zh = "题" }', "rules[R-1].title.en", "missing"),
        ('key = "routing.online_maximum"', 'key = "routing.max"', "parameters[routing.max].key", "routing"),
        ('value = "100.00"', "value = 100.5", "parameters[routing.online_maximum].value", "figure"),
        ('value = "100.00"', 'value = "100.005"', "parameters[routing.online_maximum].value", "two decimals"),
        ('value = "100.00"', 'value = "-1"', "parameters[routing.online_maximum].value", "from 0"),
        ('unit = "yuan"', 'unit = "days"', "parameters[routing.online_maximum].unit", "yuan"),
        (
            'rule = "R-1"\nsource = "31:6"',
            'rule = "R-9"\nsource = "31:6"',
            "parameters[routing.online_maximum].rule",
            "id of a rule",
        ),
        (
            'rule = "R-1"\nsource = "31:7"',
            'rule = "R-9"\nsource = "31:7"',
            "documents[INVOICE].rule",
            "id of a rule",
        ),
        ('form = "ORIGINAL"', 'form = "FAX"', "documents[INVOICE].form", "COPY"),
        ('lists = ["REIMBURSEMENT"]', 'lists = ["SHOPPING"]', "documents[INVOICE].lists.0", "REIMBURSEMENT"),
        (
            'test = "amount_at_least"',
            'test = "amount_over"',
            "documents[INVOICE].when[amount_over].test",
            "amount_at_least",
        ),
        (
            'yuan = "5.00"',
            'dollars = "5.00"',
            "documents[INVOICE].when[amount_at_least].dollars",
            "no such key",
        ),
        ('rules = ["R-1"]', 'rules = ["R-2"]', "clocks[claim.decision].rules", "id of a rule"),
        (
            'start = "materials_complete"',
            'start = "dawn"',
            "clocks[claim.decision].start",
            "materials_complete",
        ),
        ("duration = 3", "duration = true", "clocks[claim.decision].duration", "whole number"),
        ("duration = 3", "duration = 3\ntarget = 4", "clocks[claim.decision].target", "at most the duration"),
        ('unit = "workdays"', 'unit = "fortnights"', "clocks[claim.decision].unit", "workdays"),
        ('at = "0.75"', "offset = -1", "clocks[claim.decision].steps[remind].offset_unit", "one of days"),
        ('operator = "INSURER"', 'operator = "US"', "handbook.operator", "INSURER"),
        ('operator = "INSURER"', 'operator = "INSURER"\nmotto = "x"', "handbook.motto", "no such key"),
    ],
)
def test_a_mistake_says_where_and_what_was_expected(old: str, new: str, where: str, expected: str) -> None:
    assert old in SMALL
    found = mistakes(SMALL.replace(old, new, 1))
    assert where in found
    assert expected in found[where]


def test_all_mistakes_are_reported_at_once() -> None:
    found = mistakes(SMALL.replace('"BLOCK"', '"X"').replace('"ORIGINAL"', '"Y"').replace("duration = 3", ""))
    assert {"rules[R-1].level", "documents[INVOICE].form", "clocks[claim.decision].duration"} <= set(found)


@pytest.mark.parametrize("section", ["rules", "parameters", "documents", "clocks", "versions"])
def test_doubles_are_refused(section: str) -> None:
    blocks = re.findall(rf"\[\[{section}\]\].*?(?=\n\[\[|\Z)", SMALL, re.S)
    assert mistakes(SMALL + "\n" + blocks[0])[section] == "every entry once"


def test_one_key_belongs_to_one_rule() -> None:
    block = re.findall(r"\[\[rules\]\].*?(?=\n\[\[)", SMALL, re.S)[0].replace("R-1", "R-2")
    assert "held by R-1" in mistakes(SMALL + block)["rules[R-2].keys"]


def test_text_that_is_no_toml_is_refused_with_its_line() -> None:
    with pytest.raises(HandbookErrors, match="line 2"):
        parse_handbook("[handbook]\nseries = 2026-")


def test_an_effective_date_is_a_date() -> None:
    with_date = SMALL.replace('series = "2031"', 'series = "2031"\neffective_on = 2031-07-01')
    parse_handbook(with_date)
    assert str(effective_date(with_date)) == "2031-07-01"
    assert effective_date(SMALL) is None
    assert "handbook.effective_on" in mistakes(with_date.replace("2031-07-01", '"July"'))
