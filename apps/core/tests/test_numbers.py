"""Running numbers are given once, whoever asks at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from apps.core.models import Sequence
from apps.core.numbers import next_number, next_numbers


@pytest.mark.django_db
def test_numbers_run_on_by_prefix():
    assert next_number("C26") == "C26-000001"
    assert next_numbers("C26", 3) == ["C26-000002", "C26-000003", "C26-000004"]
    assert next_number("G26") == "G26-000001"
    assert next_numbers("C26", 0) == []
    assert Sequence.objects.get(prefix="C26").last == 4


@pytest.mark.django_db
def test_a_number_of_a_rolled_back_case_is_given_again():
    next_number("C26")
    with transaction.atomic():
        lost = next_number("C26")
        transaction.set_rollback(True)
    assert next_number("C26") == lost


@pytest.mark.django_db
def test_a_block_of_numbers_is_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        next_numbers("C26", 500)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_concurrent_takers_get_different_numbers():
    def take(count):
        try:
            with transaction.atomic():
                return next_numbers("C26", count)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        blocks = list(pool.map(take, [1, 2, 3, 1] * 5))
    numbers = sorted(number for block in blocks for number in block)
    assert numbers == [f"C26-{n:06d}" for n in range(1, 36)]
