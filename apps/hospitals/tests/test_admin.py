"""Lists, directory and the record of look-ups."""

import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.tests.factories import UserFactory, web_of
from apps.core.errors import Conflict
from apps.hospitals.models import NetworkLookup
from apps.hospitals.tests.factories import make_campus, make_entry, make_hospital
from apps.products.tests.helpers import load

DIRECTORY = "admin:hospitals_directory"


@pytest.fixture
def desk(db):
    load("2024", "2026")
    return web_of(UserFactory(roles=["service_specialist"]))


def body(client, name, query="", *args):
    response = client.get(reverse(name, args=args) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_searches_by_pinyin_and_filters_by_scope(desk):
    listed = make_entry(make_campus(make_hospital(name="上海嘉会医院")), benefit="INPATIENT").campus.hospital
    other = make_hospital(name="北京和睦家医院")
    assert listed.name in body(desk, "admin:hospitals_hospital_changelist", "?q=shjhyy")
    assert other.name not in body(desk, "admin:hospitals_hospital_changelist", "?q=jiahui")
    page = body(desk, "admin:hospitals_hospital_changelist", "?scope=INPATIENT")
    assert listed.name in page
    assert other.name not in page


@pytest.mark.parametrize("model", ["hospital", "networkentry", "networklookup"])
def test_lists_and_details_open_and_cannot_be_edited(desk, model):
    entry = make_entry()
    pk = {"hospital": entry.campus.hospital.pk, "networkentry": entry.pk}.get(model)
    body(desk, f"admin:hospitals_{model}_changelist")
    if pk:
        assert 'name="_save"' not in body(desk, f"admin:hospitals_{model}_change", "", pk)
    assert desk.get(reverse(f"admin:hospitals_{model}_add")).status_code == 403


def test_the_lists_cost_the_same_with_one_row_and_with_ten(desk, django_assert_max_num_queries):
    for size in (1, 9):
        for _ in range(size):
            make_entry()
        for model in ("hospital", "networkentry"):
            with django_assert_max_num_queries(16):
                body(desk, f"admin:hospitals_{model}_changelist")


@pytest.mark.parametrize("model", ["hospital", "networkentry"])
def test_excel_export_keeps_texts_texts(desk, model):
    make_entry(make_campus(make_hospital(name='=HYPERLINK("http://x")')))
    address = reverse(f"admin:hospitals_{model}_export")
    assert desk.get(address).status_code == 200
    response = desk.post(address, {"format": "0", "resource": "0"})
    assert response.status_code == 200
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert not [cell for row in sheet for cell in row if cell.data_type == "f"]


def test_net_06_the_directory_page(desk):
    make_entry(make_campus(make_hospital(name="上海嘉会医院", city="上海")))
    assert "上海" in body(desk, DIRECTORY)
    page = body(desk, DIRECTORY, "?on=2026-06-01&network=2026.NATIONAL&benefit=OUTPATIENT")
    assert "上海嘉会医院" in page


def test_net_04_a_look_up_is_recorded_with_its_answer_and_why_a_house_is_out(desk, rulebook):
    listed = make_entry().campus.hospital
    out = make_entry(make_campus(make_hospital(name="北京示例诊所")), network_group="BEIJING").campus.hospital
    page = body(desk, DIRECTORY, "?on=2026-06-01&network=2026.NATIONAL&benefit=OUTPATIENT&text=北京")
    lookup = NetworkLookup.objects.get()
    assert lookup.user is not None
    assert lookup.criteria["on"] == "2026-06-01"
    assert lookup.result == {"count": 1, "hospitals": [listed.code], "out": {out.code: ["OTHER_GROUP"]}}
    assert "BEIJING" in page
    assert "2026-06-01" in body(desk, "admin:hospitals_networklookup_changelist")
    rulebook.read_back("NET-04", lookup.result)


def test_looking_at_the_empty_form_is_no_look_up(desk):
    body(desk, DIRECTORY)
    assert not NetworkLookup.objects.exists()


@pytest.mark.parametrize(
    "query",
    ["?on=gestern", "?on=2026-06-01&network=2019.X", "?on=2026-06-01&benefit=HAIR", "?page=0&on=2026-01-01"],
)
def test_wrong_criteria_are_shown_on_the_form(desk, query):
    body(desk, DIRECTORY, query)


def test_look_ups_are_written_once(desk):
    body(desk, DIRECTORY, "?on=2026-06-01")
    with pytest.raises(Conflict):
        NetworkLookup.objects.get().save()


def test_a_tpa_sees_the_networks_of_its_series_only(db):
    load("2024", "2026")
    client = web_of(UserFactory(roles=["service_specialist"], series=["2024"], tpa="WINDSTONE"))
    make_entry(make_campus(make_hospital(name="新系列医院")))
    make_entry(make_campus(make_hospital(name="旧系列医院")), series="2024", network_group="A")
    page = body(client, "admin:hospitals_networkentry_changelist")
    assert "旧系列医院" in page
    assert "新系列医院" not in page
    assert "2026.NATIONAL" not in body(client, DIRECTORY)


@pytest.mark.parametrize(("role", "allowed"), [("manager", True), ("service_specialist", False)])
def test_only_managers_are_offered_the_import(db, role, allowed):
    load("2026")
    client = web_of(UserFactory(roles=[role]))
    assert ("import-excel" in body(client, "admin:hospitals_hospital_changelist")) is allowed
