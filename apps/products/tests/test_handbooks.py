"""Publishing and reading handbooks: once, all or nothing, never changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from apps.accounts.actors import SYSTEM, Actor
from apps.core.errors import Conflict, InvalidInputs, NotAllowed, NotFound
from apps.products import models
from apps.products.actions import preview_handbook, publish_handbook
from apps.products.models import HandbookVersion
from apps.products.queries import current_handbook, current_handbooks, handbook_for, series_codes
from apps.products.tests.helpers import load, text_of

pytestmark = pytest.mark.django_db
TEXT = text_of("2027")
CHEAPER = TEXT.replace('value = "2500.00"', 'value = "2000.00"')


def test_a_published_handbook_reads_back() -> None:
    load("2026")
    handbook = current_handbook("2026").handbook
    assert handbook.value("routing.online_maximum") == Decimal("10000.00")
    assert handbook.cite("RMB-22").source == "26:362,364"


def test_publishing_the_same_text_again_does_nothing() -> None:
    first = publish_handbook(TEXT, SYSTEM)
    again = publish_handbook(TEXT, SYSTEM)
    assert (first.created, again.created) == (True, False)
    assert HandbookVersion.objects.count() == 1


def test_a_changed_text_is_the_next_version_and_says_what_changed() -> None:
    publish_handbook(TEXT, SYSTEM)
    published = publish_handbook(CHEAPER, SYSTEM)
    assert published.version.number == 2
    (row,) = published.differences
    assert (row.key, row.left, row.right) == ("routing.online_maximum", "2,500.00", "2,000.00")
    assert current_handbook("2027") == published.version


def test_an_older_text_is_not_published_again() -> None:
    publish_handbook(TEXT, SYSTEM)
    publish_handbook(CHEAPER, SYSTEM)
    with pytest.raises(Conflict) as caught:
        publish_handbook(TEXT, SYSTEM)
    assert caught.value.code == "older_version"


def test_a_wrong_text_changes_nothing_and_lists_every_mistake() -> None:
    wrong = TEXT.replace('unit = "workdays"', 'unit = "moons"').replace(
        'operator = "INSURER"', 'operator = "X"'
    )
    with pytest.raises(InvalidInputs) as caught:
        publish_handbook(wrong, SYSTEM)
    fields = [error.field for error in caught.value.errors]
    assert "handbook.operator" in fields
    assert any(field.startswith("clocks[claim.decision]") for field in fields)
    assert all(error.data["expected"] for error in caught.value.errors)
    assert not HandbookVersion.objects.exists()


def test_only_a_manager_publishes() -> None:
    with pytest.raises(NotAllowed):
        publish_handbook(TEXT, Actor(label="clerk", roles=frozenset({"intake"})))
    assert publish_handbook(TEXT, Actor(label="boss", roles=frozenset({"manager"}))).created


def test_a_preview_writes_nothing() -> None:
    publish_handbook(TEXT, SYSTEM)
    assert len(preview_handbook(CHEAPER).differences) == 1
    assert HandbookVersion.objects.count() == 1


def test_a_version_is_never_saved_again_nor_deleted() -> None:
    (version,) = load("2027")
    version.number = 7
    with pytest.raises(Conflict):
        version.save()
    with pytest.raises(Conflict):
        version.delete()


@pytest.mark.parametrize(
    "statement", ["UPDATE products_handbookversion SET number = 9", "DELETE FROM products_handbookversion"]
)
def test_the_database_refuses_changes_of_a_version(statement: str) -> None:
    load("2027")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert HandbookVersion.objects.get().number == 1


def test_a_later_version_speaks_for_service_from_its_day() -> None:
    """C9: the day of service picks the version."""
    publish_handbook(TEXT, SYSTEM)
    from_july = CHEAPER.replace('series = "2027"', 'series = "2027"\neffective_on = 2027-07-01', 1)
    publish_handbook(from_july, SYSTEM)
    assert handbook_for("2027", date(2027, 6, 30)).number == 1
    assert handbook_for("2027", date(2027, 7, 1)).number == 2


def test_a_series_without_a_handbook_says_so() -> None:
    with pytest.raises(NotFound) as caught:
        current_handbook("1999")
    assert caught.value.code == "no_handbook"


def test_the_current_handbooks_stand_newest_first() -> None:
    load("2024", "2026", "2027")
    publish_handbook(CHEAPER, SYSTEM)
    assert [(row.series, row.number) for row in current_handbooks()] == [
        ("2027", 2),
        ("2026", 1),
        ("2024", 1),
    ]
    assert series_codes() == ["2027", "2026", "2024"]


def test_a_text_is_parsed_once_in_a_process(django_assert_num_queries, monkeypatch) -> None:
    load("2027")
    models.PARSED.clear()
    with django_assert_num_queries(2):  # the row, then its text
        first = current_handbook("2027").handbook
    monkeypatch.setattr(models, "parse_handbook", None)
    with django_assert_num_queries(1):
        assert current_handbook("2027").handbook is first


def test_all_current_handbooks_cost_two_queries_cold_and_one_warm(django_assert_num_queries) -> None:
    load("2026", "2027")
    models.PARSED.clear()
    for expected in (2, 1):
        with django_assert_num_queries(expected):
            assert [row.handbook.series for row in current_handbooks()] == ["2027", "2026"]


def run(*arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("load_handbook", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def written(folder: Path, text: str) -> Path:
    file = folder / "book.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_command_loads_shows_the_differences_and_does_nothing_twice(tmp_path: Path) -> None:
    file = written(tmp_path, TEXT)
    assert "version 1 published" in run(file)[0]
    assert "already has this text" in run(file)[0]
    out, _err = run(written(tmp_path, CHEAPER))
    assert "~ parameters routing.online_maximum value: 2,500.00 → 2,000.00" in out
    assert "version 2 published" in out


def test_the_command_only_checks_on_request(tmp_path: Path) -> None:
    assert "nothing written" in run(written(tmp_path, TEXT), "--check")[0]
    assert not HandbookVersion.objects.exists()


def test_the_command_prints_file_key_and_expectation(tmp_path: Path) -> None:
    file = written(tmp_path, TEXT.replace('class = "block"', 'class = "wall"', 1))
    err = StringIO()
    with pytest.raises(CommandError, match=r"book\.toml"):
        call_command("load_handbook", str(file), stdout=StringIO(), stderr=err)
    assert "rules[" in err.getvalue()
    assert "].class" in err.getvalue()
    assert "one of block, compute, master, record" in err.getvalue()
    assert str(file) in err.getvalue()


def test_the_command_reports_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("load_handbook", str(tmp_path / "none.toml"), stdout=StringIO(), stderr=StringIO())


def test_two_handbooks_may_be_gone_and_a_third_stand_alone() -> None:
    """The proof of the house: nothing asks for a printed series by name."""
    load("2027", plans=True)
    assert series_codes() == ["2027"]
    assert current_handbook("2027").handbook.service("reimbursement").offered
