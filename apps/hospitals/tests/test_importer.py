"""The hospital import: three sheets, one transaction."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.imports import run
from apps.hospitals.importer import HospitalImporter
from apps.hospitals.models import Campus, Hospital, NetworkEntry
from apps.hospitals.tests.factories import workbook
from apps.products.tests.helpers import load

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
HOSPITALS = [("H1", "北京儿童医院", "北京", "公立", "儿童医院", "三级甲等", "", "是"),
             ("h 2", "上海和睦家医院", "上海", "民营", "综合医院", "未定级", "和睦家", "否")]  # fmt: skip
CAMPUSES = [
    ("H1", "01", "本部", "南礼士路56号", "010-5961"),
    ("H1", "02", "顺义院区", "", ""),
    ("H2", "01", "本部", "", ""),
]
NETWORK = [
    ("H1", "01", "国际部", "2026系列", "全国版", "门诊", "门诊、急诊", date(2026, 1, 1), None),
    ("H1", "01", "特需", "2024系列", "A组", "疫苗", "疫苗", "2024年1月1日", "2026-6-30"),
    ("H2", "01", "普通部", "2026", "BEIJING", "齿科", "牙科", "20260101", None),
]


@pytest.fixture(autouse=True)
def handbooks(db):
    load("2024", "2026")


def imported(hospitals=HOSPITALS, campuses=CAMPUSES, network=NETWORK, dry_run=False):
    return run(HospitalImporter(), workbook(hospitals, campuses, network), dry_run=dry_run)


def test_a_workbook_becomes_hospitals_campuses_and_network():
    report = imported()
    assert report.errors == []
    first, second = Hospital.objects.order_by("code")
    assert (first.grade, first.ownership, first.popular) == (3, "PUBLIC", True)
    assert (first.pinyin, first.initials) == ("beijingertongyiyuan", "bjetyy")
    assert (second.code, second.ownership, second.grade, second.brand) == ("H2", "PRIVATE", None, "和睦家")
    assert Campus.objects.filter(hospital=first).count() == 2
    entry = NetworkEntry.objects.get(series="2026", benefit="OUTPATIENT")
    assert (entry.network_group, entry.department_group) == ("NATIONAL", "INTERNATIONAL")
    assert entry.direct_billing == ["EMERGENCY", "OUTPATIENT"]
    ended = NetworkEntry.objects.get(series="2024")
    assert (ended.network_group, ended.starts_on, ended.ends_on) == ("A", date(2024, 1, 1), date(2026, 6, 30))


def test_the_same_workbook_twice_doubles_nothing():
    imported()
    report = imported()
    assert report.outcomes == {"created": 0, "changed": 0, "unchanged": 8}
    assert NetworkEntry.objects.count() == 3


def test_a_dry_run_changes_nothing():
    assert imported(dry_run=True).entities["hospitals"]["created"] == 2
    assert not Hospital.objects.exists()


def test_an_ended_network_and_a_new_name_are_changes():
    imported()
    renamed = [("H1", "首都儿童医院", *HOSPITALS[0][2:]), HOSPITALS[1]]
    ended = [(*NETWORK[0][:8], date(2026, 6, 30)), *NETWORK[1:]]
    report = imported(hospitals=renamed, network=ended)
    assert report.outcomes["changed"] == 2
    assert Hospital.objects.get(code="H1").pinyin == "shouduertongyiyuan"
    assert {(sample["old"], sample["new"]) for sample in report.changes} == {
        ("北京儿童医院", "首都儿童医院"), ("", "2026-06-30"),
    }  # fmt: skip


def test_entries_that_the_file_does_not_mention_stay_and_are_counted():
    imported()
    report = imported(network=NETWORK[:1] + NETWORK[2:])
    assert NetworkEntry.objects.count() == 3
    assert "1" in report.notices[0]


@pytest.mark.parametrize(
    ("sheet", "line", "column"),
    [
        ("hospitals", ("H1", "又一次", "北京", "公立", "", "", "", ""), "医院编码"),
        ("hospitals", ("H3", "示例", "北京", "军队", "", "", "", ""), "性质"),
        ("hospitals", ("H3", "示例", "北京", "公立", "", "四级", "", ""), "医院等级"),
        ("hospitals", ("H3", None, "北京", "公立", "", "", "", ""), "医院名称"),
        ("campuses", ("H9", "01", "本部", "", ""), "医院编码"),
        ("campuses", ("H1", "01", "又一次", "", ""), "院区编码"),
        ("network", ("H1", "99", *NETWORK[0][2:]), "院区编码"),
        ("network", (*NETWORK[0][:2], "门诊部", *NETWORK[0][3:]), "科室类别"),
        ("network", (*NETWORK[0][:3], "2019系列", *NETWORK[0][4:]), "系列"),
        ("network", (*NETWORK[0][:4], "上海版", *NETWORK[0][5:]), "网络组"),
        ("network", (*NETWORK[1][:5], "眼科", *NETWORK[1][6:]), "责任"),  # NET-05: 2024 has no eye network
        ("network", (*NETWORK[0][:5], "中医", *NETWORK[0][6:]), "责任"),
        ("network", (*NETWORK[0][:5], "急诊", "急诊", date(2026, 1, 1), date(2025, 1, 1)), "终止日期"),
        ("network", NETWORK[0], "责任"),
        ("network", (*NETWORK[0][:7], date(2026, 5, 1), None), "生效日期"),  # overlaps the entry from January
    ],
)
def test_one_wrong_row_refuses_the_workbook(sheet, line, column):
    sheets = {"hospitals": [*HOSPITALS], "campuses": [*CAMPUSES], "network": [*NETWORK]}
    sheets[sheet].append(line)
    report = imported(**sheets)
    assert [error.column for error in report.errors] == [column]
    assert not Hospital.objects.exists()


def test_the_queries_do_not_grow_with_the_rows():
    def queries(size):
        hospitals = [(f"Q{size}{n:03d}", "示例医院", "北京", "公立", "", "", "", "") for n in range(size)]
        campuses = [(f"Q{size}{n:03d}", "01", "本部", "", "") for n in range(size)]
        network = [(f"Q{size}{n:03d}", *NETWORK[0][1:]) for n in range(size)]
        with CaptureQueriesContext(connection) as captured:
            assert imported(hospitals, campuses, network).errors == []
        return len(captured)

    assert queries(30) == queries(4) <= 16
