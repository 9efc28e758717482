"""The directory and the network on a date."""

from datetime import date

import pytest

from apps.accounts.actions import create_api_client
from apps.accounts.actors import SYSTEM, Actor
from apps.core.errors import InvalidInputs
from apps.hospitals.queries import Criteria, directory, network_answer, networks_on
from apps.hospitals.tests.factories import make_campus, make_entry, make_hospital

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
STAFF = Actor(label="desk", user_id=1, roles=frozenset({"service_specialist"}))
TODAY = date(2026, 6, 1)
GENERAL = {"department_group": "GENERAL", "series": "2026", "network_group": "NATIONAL"}


def found(**criteria):
    return list(directory(STAFF, Criteria(**{"on": TODAY} | criteria)))


def test_networks_on_a_date_in_one_query(django_assert_num_queries):
    campus = make_campus()
    make_entry(campus)
    make_entry(campus, benefit="VACCINE", ends_on=date(2026, 5, 31))
    make_entry(campus, benefit="EYE", starts_on=date(2026, 6, 2))
    make_entry(campus, benefit="DENTAL", department_group="SPECIAL")
    with django_assert_num_queries(1):
        assert networks_on(campus, **GENERAL, on=TODAY) == {"OUTPATIENT"}
    assert networks_on(campus, **GENERAL, on=date(2026, 5, 31)) == {"OUTPATIENT", "VACCINE"}
    assert networks_on(campus, **GENERAL, on=date(2026, 6, 2)) == {"OUTPATIENT", "EYE"}
    assert networks_on(campus, **GENERAL | {"department_group": "SPECIAL"}, on=TODAY) == {"DENTAL"}


def test_net_02_the_national_list_does_not_count_for_beijing():
    campus = make_campus()
    make_entry(campus)
    assert networks_on(campus, **GENERAL | {"network_group": "BEIJING"}, on=TODAY) == set()


def test_pr_09_a_campus_answers_for_itself_and_a_hospital_for_all():
    hospital = make_hospital()
    main, other = make_campus(hospital), make_campus(hospital, code="02")
    make_entry(main)
    assert networks_on(other, **GENERAL, on=TODAY) == set()
    assert networks_on(hospital, **GENERAL, on=TODAY) == {"OUTPATIENT"}


def test_an_inactive_hospital_is_in_no_network():
    campus = make_campus(make_hospital(active=False))
    make_entry(campus)
    assert networks_on(campus, **GENERAL, on=TODAY) == set()


@pytest.mark.parametrize(
    ("entries", "hospital", "codes"),
    [
        ([{}], {}, []),
        ([{}], {"active": False}, ["INACTIVE"]),
        ([], {}, ["NOT_LISTED"]),
        ([{"series": "2024"}], {}, ["NOT_LISTED"]),
        ([{"ends_on": date(2026, 5, 31)}], {}, ["ENDED"]),
        ([{"starts_on": date(2026, 7, 1)}], {}, ["NOT_YET"]),
        ([{"department_group": "SPECIAL"}], {}, ["OTHER_DEPARTMENT"]),  # PR-09
        ([{"network_group": "BEIJING"}], {}, ["OTHER_GROUP"]),  # NET-02
        ([{"benefit": "VACCINE"}], {}, ["OTHER_BENEFIT"]),
        ([{"benefit": "VACCINE", "network_group": "BEIJING"}], {}, ["NOT_LISTED"]),
        (
            [{"department_group": "SPECIAL"}, {"network_group": "BEIJING"}],
            {},
            ["OTHER_DEPARTMENT", "OTHER_GROUP"],
        ),
    ],
)
def test_why_a_hospital_is_out(entries, hospital, codes):
    campus = make_campus(make_hospital(**hospital))
    for entry in entries:
        make_entry(campus, **entry)
    answer = network_answer(campus.hospital, benefit="OUTPATIENT", **GENERAL, on=TODAY)
    assert answer.listed is (not codes)
    assert [reason.code for reason in answer.reasons] == codes
    assert all(str(reason.words) for reason in answer.reasons)


def test_the_answer_names_the_scopes_billed_directly(django_assert_num_queries):
    campus = make_campus()
    make_entry(campus, direct_billing=["OUTPATIENT", "EMERGENCY"])
    with django_assert_num_queries(1):
        answer = network_answer(campus.hospital, benefit="OUTPATIENT", **GENERAL, on=TODAY)
    assert answer.scopes == {"OUTPATIENT", "EMERGENCY"}


def test_net_06_the_directory_filters():
    beijing = make_hospital(name="北京示例医院", hospital_type="儿童医院")
    shanghai = make_hospital(
        name="上海嘉会医院", city="上海", ownership="PUBLIC", brand="嘉会", name_en="Jiahui"
    )
    make_hospital(name="停业医院", active=False)
    make_entry(make_campus(beijing))
    make_entry(make_campus(shanghai), benefit="INPATIENT", department_group="INTERNATIONAL",
               direct_billing=["INPATIENT"])  # fmt: skip
    assert found() == [shanghai, beijing]
    for criteria in (
        {"city": "上海"}, {"ownership": "PUBLIC"}, {"scope": "INPATIENT"}, {"department_group": "INTERNATIONAL"},
        {"benefit": "INPATIENT"}, {"text": "嘉会"}, {"text": "jiahui"}, {"text": "shjhyy"}, {"text": "shanghai jia"},
        {"text": shanghai.code.lower()}, {"benefit": "INPATIENT", "series": "2026", "network_group": "NATIONAL"},
    ):  # fmt: skip
        assert found(**criteria) == [shanghai], criteria
    assert found(hospital_type="儿童医院") == [beijing]
    assert found(on=date(2025, 1, 1), series="2026") == []
    assert found(series="2024") == []


def test_scopes_are_matched_whole():
    make_entry(direct_billing=["INPATIENT"], benefit="INPATIENT")
    assert found(scope="PATIENT") == []


def test_the_directory_costs_three_queries_however_long(django_assert_num_queries):
    for _ in range(2):
        make_entry()
    with django_assert_num_queries(3):
        one = [[campus.listed for campus in hospital.campuses.all()] for hospital in found(series="2026")]
    for _ in range(10):
        make_entry()
    with django_assert_num_queries(3):
        many = [[campus.listed for campus in hospital.campuses.all()] for hospital in found(series="2026")]
    assert (len(one), len(many)) == (2, 12)


def test_a_hospitals_own_users_see_their_house_and_others_their_series():
    mine, other = make_entry(), make_entry(series="2024", network_group="A")
    house = Actor(label="h", user_id=1, roles=frozenset({"x"}), hospital=mine.campus.hospital.code)
    assert list(directory(house, Criteria(on=TODAY))) == [mine.campus.hospital]
    tpa = Actor(label="t", user_id=1, roles=frozenset({"x"}), series=frozenset({"2024"}), tpa="T")
    assert list(directory(tpa, Criteria(on=TODAY, benefit="OUTPATIENT"))) == [other.campus.hospital]


def test_a_key_is_given_to_a_hospital_there_is():
    """What is typed of a code or a name finds the hospital; what is like nothing shows the first of all."""
    make_hospital(code="PUB0001", name="北京儿童医院"), make_hospital(code="PRI0001", name="和睦家医院")
    new = {"name": "医院系统", "kind": "HOSPITAL", "scopes": ["claims:read"]}
    for typed, others in (("儿童", "PUB0001 北京儿童医院"), ("pri", "PRI0001 和睦家医院"),
                          ("X", "PRI0001 和睦家医院、PUB0001 北京儿童医院")):  # fmt: skip
        with pytest.raises(InvalidInputs) as refused:
            create_api_client(SYSTEM, hospital=typed, **new)
        (error,) = refused.value.errors
        assert (error.field, error.code) == ("hospital", "unknown")
        assert str(error.message).endswith(f"现有：{others}。")
    assert create_api_client(SYSTEM, hospital="PUB0001", **new)[0].hospital == "PUB0001"
