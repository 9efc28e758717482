"""Plans: definitions are added, never changed; policies keep the one they have."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from apps.accounts.actors import SYSTEM, Actor
from apps.core.errors import InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.products.actions import publish_plan
from apps.products.models import Plan
from apps.products.queries import current_handbook, network_group, plan_by_code
from apps.products.tests.helpers import MADE_UP, ROOT, load

pytestmark = pytest.mark.django_db
EAST = (MADE_UP / "2027-EAST.toml").read_text(encoding="utf-8")
RICHER = EAST.replace('annual_maximum = "80000.00"', 'annual_maximum = "90000.00"')


def test_a_plan_reads_back_as_the_core_takes_it() -> None:
    publish_plan(EAST, SYSTEM)
    terms = plan_by_code("EAST").terms
    assert terms.annual_maximum == Decimal("80000.00")
    assert terms.benefit("OUTPATIENT").deductible_visit == Decimal("30.00")
    assert plan_by_code("EAST", series="2027").terms is terms  # parsed once


def test_a_changed_plan_is_a_new_row_and_the_old_one_stays() -> None:
    old, _new = publish_plan(EAST, SYSTEM)
    newer, created = publish_plan(RICHER, SYSTEM)
    assert created
    assert plan_by_code("EAST") == newer
    assert list(Plan.objects.filter(code="EAST")) == [newer]
    assert Plan.every.get(pk=old.pk).terms.annual_maximum == Decimal("80000.00")


def test_the_same_plan_is_added_once() -> None:
    assert publish_plan(EAST, SYSTEM)[1] is True
    assert publish_plan(EAST, SYSTEM)[1] is False
    assert Plan.every.count() == 1


def test_a_plan_of_an_unknown_version_is_refused() -> None:
    """GEN-01, GEN-02, GEN-03."""
    load("2027")
    with pytest.raises(InvalidInput) as caught:
        publish_plan(EAST.replace('version = "EAST"', 'version = "SOUTH"'), SYSTEM)
    assert caught.value.field == "plan.version"
    assert caught.value.data["expected"] == ["EAST", "WEST"]


def test_a_wrong_plan_lists_its_mistakes() -> None:
    with pytest.raises(InvalidInputs):
        publish_plan(EAST.replace('standard = "0.75"', 'standard = "7.5"'), SYSTEM)


def test_only_a_manager_adds_plans() -> None:
    with pytest.raises(NotAllowed):
        publish_plan(EAST, Actor(label="clerk", roles=frozenset({"intake"})))


def test_an_unknown_plan_says_so() -> None:
    with pytest.raises(NotFound):
        plan_by_code("NOTHING")


def test_the_database_refuses_to_change_a_plan() -> None:
    publish_plan(EAST, SYSTEM)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE products_plan SET name = 'x'")


def test_the_network_group_follows_from_the_version() -> None:
    """GEN-03: six plans in two groups."""
    load("2024", plans=True)
    handbook = current_handbook("2024").handbook
    groups = {plan.code: network_group(plan, handbook) for plan in Plan.objects.filter(series="2024")}
    assert groups == {
        "GROWTH_PLUS": "A",
        "PREFERRED_PLUS": "A",
        "PREFERRED_PLUS_MAX": "A",
        "GROWTH": "B",
        "PREFERRED": "B",
        "PREFERRED_MAX": "B",
    }


def test_the_command_loads_all_samples() -> None:
    load("2024", "2026")
    out = StringIO()
    call_command("load_plans", str(ROOT / "fixtures/plans"), stdout=out)
    assert "8 plans read, 8 new" in out.getvalue()
    assert all(Plan.objects.values_list("sample", flat=True))


def test_the_command_loads_all_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(EAST, encoding="utf-8")
    (tmp_path / "b.toml").write_text(EAST.replace('"80000.00"', '"much"'), encoding="utf-8")
    err = StringIO()
    with pytest.raises(CommandError):
        call_command("load_plans", str(tmp_path), stdout=StringIO(), stderr=err)
    assert "plan.annual_maximum" in err.getvalue()
    assert not Plan.every.exists()
