"""Identity numbers say what they say, and nothing wrong passes (CRD-05, CRD-06)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from apps.core.errors import InvalidInput
from apps.members.identity import PROVINCES, check_identity
from apps.members.tests.factories import resident_id

TODAY = date(2026, 6, 1)
BORN = date(2020, 1, 1)
GOOD = resident_id(BORN, "M", order=61)


def check(number, id_type="RESIDENT_ID", **known):
    return check_identity(id_type=id_type, number=number, today=TODAY, **known)


def code_of(number, id_type="RESIDENT_ID", **known):
    with pytest.raises(InvalidInput) as refused:
        check(number, id_type, **known)
    return refused.value


def test_a_resident_number_tells_birth_and_sex():
    found = check(f" {GOOD[:6]} {GOOD[6:14]} {GOOD[14:].lower()} ")
    assert (found.number, found.birth_date, found.sex) == (GOOD, BORN, "M")


def test_a_wrong_check_digit_is_refused_and_the_right_one_named():
    wrong = GOOD[:17] + ("1" if GOOD[17] != "1" else "2")
    error = code_of(wrong)
    assert error.code == "id_check_digit"
    assert error.data["right"] == GOOD[17]
    assert GOOD[17] in str(error.message)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (GOOD[:17], "id_length"),
        ("3101052020010112A" + "1", "id_format"),
        ("", "id_length"),
        (resident_id(date(2027, 1, 1)), "id_birth_future"),
        (resident_id(date(1899, 1, 1)), "id_birth_date"),
        (resident_id(BORN, region="000000"), "id_region"),
        (resident_id(BORN, region="810000"), "id_is_residence"),
    ],
)
def test_what_no_resident_number_is(number, code):
    assert code_of(number).code == code


def test_a_birth_date_that_does_not_exist():
    body = "31010520210230123"
    assert code_of(body + ric.calc_check_digit(body + "0")).code == "id_birth_date"


def test_fifteen_digits_are_explained():
    assert code_of("310105800101123").code == "id_15_digits"


def test_a_district_younger_than_the_tables_is_accepted():
    """330113 (since 2021) is unknown to the library's table; its children are real."""
    assert check(resident_id(BORN, region="330113")).birth_date == BORN


def test_birth_and_sex_must_agree_with_the_number():
    assert code_of(GOOD, birth_date=date(2020, 1, 2)).field == "birth_date"
    assert code_of(GOOD, sex="F").field == "sex"
    assert check(GOOD, birth_date=BORN, sex="M")


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_residents_from_hong_kong_macao_and_taiwan(region):
    number = resident_id(BORN, "F", region=region, order=3)
    assert check(number, "RESIDENCE_PERMIT", sex="F", birth_date=BORN).sex == "F"
    assert (
        code_of(number[:17] + ("0" if number[17] != "0" else "1"), "RESIDENCE_PERMIT").code
        == "id_check_digit"
    )


def test_a_resident_number_is_no_residence_permit():
    assert code_of(GOOD, "RESIDENCE_PERMIT").code == "id_is_resident"


@pytest.mark.parametrize(
    ("id_type", "good", "bad"),
    [
        ("PASSPORT", "e12345678", "护照"),
        ("PASSPORT", "EA1234567", "ABCDEFGH"),
        ("HK_MACAO_PERMIT", "H12345678", "A12345678"),
        ("TAIWAN_PERMIT", "12345678", "1234567"),
        ("BIRTH_CERTIFICATE", "R310012345", "310012345"),
        ("HOUSEHOLD_REGISTER", "310105123456", "-"),
        ("RESIDENCE_PERMIT", "CHN310012345678", "CH310012345678"),
        ("OTHER", "A-1", "?"),
    ],
)
def test_shapes_of_other_papers(id_type, good, bad):
    assert check(good, id_type).number == good.upper()
    with pytest.raises(InvalidInput):
        check(bad, id_type)


def test_a_household_register_with_a_resident_number_is_checked_like_one():
    assert check(GOOD, "HOUSEHOLD_REGISTER").birth_date == BORN
    assert code_of(GOOD, "HOUSEHOLD_REGISTER", sex="F").field == "sex"


def test_births_in_the_future_are_refused_whatever_the_paper():
    assert code_of("E12345678", "PASSPORT", birth_date=date(2027, 1, 1)).code == "birth_future"


@given(
    born=st.dates(date(1900, 1, 1), TODAY), sex=st.sampled_from("MF"), region=st.sampled_from(sorted(PROVINCES)),
    order=st.integers(0, 498), place=st.integers(0, 17), digit=st.sampled_from("0123456789"),
)  # fmt: skip
def test_every_right_number_passes_and_no_single_slip_does(born, sex, region, order, place, digit):
    number = resident_id(born, sex, region + "0101", order)
    assert check(number, birth_date=born, sex=sex).number == number
    slip = number[:place] + digit + number[place + 1 :]
    if slip != number:
        with pytest.raises(InvalidInput):
            check(slip)


@given(
    st.text(max_size=25),
    st.sampled_from(["RESIDENT_ID", "RESIDENCE_PERMIT", "PASSPORT", "HOUSEHOLD_REGISTER", "?"]),
)
def test_nothing_but_domain_errors_comes_out(number, id_type):
    refused = None
    try:
        check(number, id_type)
    except InvalidInput as error:
        refused = error
    assert refused is None or (refused.code and str(refused.message))
