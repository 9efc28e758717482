"""The roster import: natural keys, repetition, corrections, refusals."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.imports import Report, run
from apps.core.imports.importer import find_tables
from apps.core.imports.workbook import open_workbook
from apps.members.models import FormerIdentity, Guardian, Member, Policy
from apps.members.roster import RosterImporter
from apps.members.roster_columns import ROSTER
from apps.members.tests.factories import resident_id, roster, row
from apps.products.models import Plan
from apps.products.tests.helpers import load

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TODAY = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def handbooks(db):
    load("2024", "2026", plans=True)


def imported(*rows, dry_run=False) -> Report:
    return run(RosterImporter(TODAY), roster(list(rows)), dry_run=dry_run)


def good(*rows) -> Report:
    report = imported(*rows)
    assert report.errors == []
    return report


def refused(*rows) -> list[tuple[int, str]]:
    report = imported(*rows)
    assert report.errors
    assert not Policy.objects.exists()
    return [(error.row, error.column) for error in report.errors]


def test_a_row_becomes_child_guardian_and_policy():
    line = row(
        riders="疫苗、齿科", agreement="哮喘除外", exclusions="J45、J46", channel="线下纸质", scheme=""
    )
    report = good(line)
    policy = Policy.objects.select_related("member", "plan", "policyholder").get()
    member = policy.member
    assert (member.name, member.pinyin, member.initials, member.birth_date) == (
        "王小明", "wangxiaoming", "wxm", date(2020, 1, 1),
    )  # fmt: skip
    assert member.id_number == line["id_number"]
    assert member.id_masked == line["id_number"][:3] + "*" * 11 + line["id_number"][-4:]
    assert member.social_insurance
    assert policy.enrolled_with_social
    assert (policy.series, policy.tpa, policy.plan.code) == ("2026", "", "NATIONAL")
    assert policy.riders == ["DENTAL", "VACCINE"]
    assert policy.exclusions == ["J45", "J46"]
    assert policy.enroll_channel == "PAPER"
    assert policy.continuous_since == date(2026, 1, 1)
    assert policy.policyholder.relation == "MOTHER"
    assert report.entities["children"]["created"] == 1


def test_identity_and_mobile_numbers_are_encrypted_at_rest():
    """LAW-09."""
    line = row()
    good(line)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, mobile, id_index, id_masked FROM members_member")
        stored = cursor.fetchone()
        cursor.execute("SELECT id_number, mobile FROM members_guardian")
        stored += cursor.fetchone()
    assert not any(secret in str(value) for value in stored for secret in (line["id_number"], line["mobile"]))


def test_gen_02_a_2024_policy_keeps_scheme_plan_edition_and_its_tpa():
    good(row(series="2024系列", plan="优享PLUS计划", scheme="成长优享PLUS方案", edition="即时版"))
    policy = Policy.objects.select_related("plan").get()
    assert (policy.scheme, policy.plan.code, policy.edition) == ("PLUS", "PREFERRED_PLUS", "即时版")
    assert policy.tpa


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"plan": "优享PLUS计划"}, "保障计划"),  # GEN-01: a plan of the other series
        ({"series": "2024系列"}, "保障计划"),  # GEN-03
        ({"series": "2019系列"}, "产品系列"),
        ({"series": "2024系列", "plan": "成长计划", "riders": "眼科"}, "可选责任"),  # NET-03
        ({"series": "2024系列", "plan": "成长计划", "scheme": "钻石方案"}, "投保方案"),
        ({"birth": date(2020, 1, 2), "id_number": resident_id(date(2020, 1, 1))}, "出生日期"),
        ({"sex": "女", "id_number": resident_id(date(2020, 1, 1), "M")}, "性别"),
        ({"expires": date(2025, 12, 31)}, "满期日期"),
        ({"expires": date(2036, 12, 31)}, "满期日期"),
        ({"status": "退保"}, "提前终止日期"),
        ({"status": "失效"}, "提前终止日期"),
        ({"ended": date(2025, 12, 1)}, "提前终止日期"),
        ({"ended": date(2027, 1, 1)}, "提前终止日期"),
        ({"concluded": date(2026, 1, 2)}, "合同成立日"),
        ({"since": date(2026, 2, 1)}, "连续投保起始日"),
        ({"renewed": "续保"}, "连续投保起始日"),
        ({"holder_id": None}, "投保人证件号码"),
        ({"holder_id": "310105198801010"}, "投保人证件号码"),
    ],
)
def test_a_wrong_row_is_refused_with_its_column(fields, column):
    line = row(**fields)
    assert refused(row(), line) == [(4, column)]


def test_all_or_nothing():
    assert refused(row(), row(), row(name=None)) == [(5, "被保险人姓名")]
    assert not Member.objects.exists()
    assert not Guardian.objects.exists()


def test_a_dry_run_changes_nothing_and_counts_what_would():
    report = imported(row(), row(), dry_run=True)
    assert report.entities["policies"] == {"created": 2, "changed": 0, "unchanged": 0}
    assert not Member.objects.exists()


def test_the_same_file_twice_doubles_nothing():
    rows = [row(), row(series="2024系列", plan="成长计划"), row(riders="疫苗")]
    good(*rows)
    before = list(Member.objects.order_by("pk").values())
    report = good(*rows)
    assert report.outcomes == {"created": 0, "changed": 0, "unchanged": 3}
    assert list(Member.objects.order_by("pk").values()) == before
    assert Policy.objects.count() == Guardian.objects.count() == 3


def test_a_changed_row_shows_old_and_new_with_secrets_masked():
    line = row()
    good(line)
    report = good(
        line
        | {"mobile": "13700001234", "expires": date(2026, 6, 30), "status": "退保", "ended": date(2026, 5, 1)}
    )
    assert report.outcomes["changed"] == 1
    samples = {sample["field"].split(": ")[-1]: (sample["old"], sample["new"]) for sample in report.changes}
    shown = str(report.changes)
    assert "137****1234" in shown
    assert "13700001234" not in shown
    assert any("2026-12-31" in pair and "2026-06-30" in pair for pair in samples.values())
    member, policy = Member.objects.get(), Policy.objects.get()
    assert member.mobile == "13700001234"
    assert Member.objects.filter(mobile_index=member.mobile_index).exists()
    assert policy.ended_on == date(2026, 5, 1)


def test_twins_are_two_children():
    mother = {
        "holder": "李丽",
        "holder_id": resident_id(date(1988, 1, 1), "F"),
        "holder_mobile": "13900001111",
    }
    good(row(name="王大宝", **mother), row(name="王小宝", **mother))
    assert Member.objects.count() == 2
    assert Guardian.objects.count() == 2


def test_twins_with_one_identity_number_are_a_mistake_of_the_file():
    number = resident_id(date(2020, 1, 1))
    assert refused(row(name="王大宝", id_number=number), row(name="李小宝", id_number=number)) == [
        (4, "证件号码")
    ]


def test_a_known_identity_under_another_name_is_refused_unless_its_policy_says_so():
    line = row(name="王大宝")
    good(line)
    report = imported(line | {"number": "P99999999", "name": "李小宝"})
    assert [error.column for error in report.errors] == ["证件号码"]
    good(line | {"name": "李小宝"})
    member = Member.objects.get()
    assert (member.name, member.pinyin) == ("李小宝", "lixiaobao")


def test_a_child_with_two_policies_is_one_child():
    """C9: both may be in force at once."""
    line = row()
    good(line, line | {"number": "P24000001", "series": "2024系列", "plan": "成长计划"})
    assert Member.objects.count() == 1
    assert Policy.objects.count() == 2


def test_a_renewal_is_a_policy_of_its_own():
    line = row(effective=date(2025, 1, 1), expires=date(2025, 12, 31), status="满期")
    renewal = line | {"number": "P26000001", "effective": date(2026, 1, 1), "expires": date(2026, 12, 31),
                      "status": "有效", "renewed": "续保", "since": date(2025, 1, 1)}  # fmt: skip
    good(line, renewal)
    assert Policy.objects.filter(renewed=True, continuous_since=date(2025, 1, 1)).count() == 1


def test_a_renewal_under_the_old_number_would_overwrite_history_and_is_refused():
    line = row(effective=date(2025, 1, 1), expires=date(2025, 12, 31), status="满期")
    good(line)
    report = imported(line | {"effective": date(2026, 1, 1), "expires": date(2026, 12, 31), "status": "有效"})
    assert [error.column for error in report.errors] == ["保单号"]
    assert Policy.objects.get().effective_on == date(2025, 1, 1)


def test_a_new_identity_paper_keeps_the_child():
    """Birth certificate first, identity card later: by the policy, or by guardian and name."""
    newborn = row(id_type="出生医学证明", id_number="R310012345", effective=date(2025, 1, 1), expires=date(2025, 12, 31),
                  status="满期")  # fmt: skip
    card = resident_id(date(2020, 1, 1))
    renewal = newborn | {"number": "P26000002", "id_type": "身份证", "id_number": card, "status": "有效",
                         "effective": date(2026, 1, 1), "expires": date(2026, 12, 31)}  # fmt: skip
    good(newborn)
    good(renewal)
    member = Member.objects.get()
    assert (member.id_type, member.id_number) == ("RESIDENT_ID", card)
    assert FormerIdentity.objects.get().id_number == "R310012345"
    report = good(newborn, renewal)  # an old row in a new file does not turn the clock back
    assert report.outcomes["unchanged"] == 2
    assert Member.objects.get().id_type == "RESIDENT_ID"


def test_old_and_new_paper_in_one_file():
    newborn = row(id_type="出生医学证明", id_number="R310012346", effective=date(2025, 1, 1), expires=date(2025, 12, 31),
                  status="满期")  # fmt: skip
    renewal = newborn | {"number": "P26000003", "id_type": "身份证", "id_number": resident_id(date(2020, 1, 1)),
                         "status": "有效", "effective": date(2026, 1, 1), "expires": date(2026, 12, 31)}  # fmt: skip
    good(newborn, renewal)
    assert FormerIdentity.objects.get().id_number == "R310012346"
    report = good(renewal, newborn)
    assert report.outcomes["unchanged"] == 2
    assert Member.objects.count() == 1


def test_the_same_policy_of_a_child_twice_is_refused():
    line = row()
    assert refused(line, line) == [(4, "保单号")]


def test_a_parent_is_told_by_the_policyholders_identity():
    good(row(relation="子女", holder="王强", holder_id=resident_id(date(1985, 1, 1), "M")))
    assert Guardian.objects.get().relation == "FATHER"


def test_a_policy_keeps_the_plan_definition_it_was_sold_with():
    line = row()
    good(line)
    sold = Policy.objects.get().plan
    Plan.every.create(
        series=sold.series, code=sold.code, version=sold.version, name=sold.name, name_en=sold.name_en,
        text=sold.text + "\n# newer\n", sha256="f" * 64,
    )  # fmt: skip
    assert good(line).outcomes["unchanged"] == 1
    assert Policy.objects.get().plan_id == sold.pk


def test_other_papers_and_rare_names():
    good(
        row(name="王䶮", id_type="护照", id_number="E12345678", nation="美国"),
        row(name="𠮷田", id_type="台胞证", id_number="12345678", nation="中国台湾"),
        row(
            name="万俟雨",
            id_type="港澳台居民居住证",
            id_number=resident_id(date(2020, 1, 1), region="810000"),
        ),
    )
    assert set(Member.objects.values_list("name", flat=True)) == {"王䶮", "𠮷田", "万俟雨"}
    assert Member.objects.get(pinyin="jitian").nationality == "TW"


def test_a_row_that_does_not_speak_for_the_child_changes_only_its_policy():
    new = row()
    old = new | {
        "number": "P25000001",
        "effective": date(2025, 1, 1),
        "expires": date(2025, 12, 31),
        "status": "满期",
    }
    good(new, old)
    good(old | {"mobile": "13600000000", "agreement": "补充约定"})
    assert Member.objects.get().mobile == new["mobile"]
    assert Policy.objects.get(number="P25000001").special_agreement == "补充约定"


@pytest.mark.parametrize("again", [False, True])
def test_the_queries_of_a_chunk_do_not_grow_with_its_rows(again):
    """One chunk: look-ups by each key, running numbers, inserts in as many batches as the database needs."""

    def queries(size):
        rows = [row() for _ in range(size)]
        if again:
            good(*rows)
            rows = [line | {"mobile": f"1370000{number:04d}"} for number, line in enumerate(rows)]
        with open_workbook(roster(rows)) as book:
            importer, report = RosterImporter(TODAY), Report()
            importer.prepare(report)
            chunk = next(find_tables(book, (ROSTER,))[0].chunks(report))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            importer.apply(ROSTER, chunk, report)
        assert not report.errors
        return len(captured)

    assert queries(20) == queries(3) <= 16


def test_sheet_headers_are_told_apart():
    names = [header for column in ROSTER.columns for header in column.headers]
    assert len(names) == len(set(names))
    assert replace(ROSTER, titles=("x",)).columns is ROSTER.columns
