"""A day's vouchers stand as the day went, and the files name plans in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import make_actor, web_of
from apps.cases.models import CaseFile
from apps.finance.booking import digest
from apps.finance.models import Voucher
from apps.finance.vouchers import COLUMNS, export_rows, prepare, preview, release

SEPTEMBER = date(2026, 9, 1)


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_days_vouchers_stand_as_the_day_went_and_name_the_plan(world: Any, series: str) -> None:
    world.claim(world.visit(department="外科"), series=series)
    case: CaseFile = world.closed(world.visit(), series=series)
    plan = case.policy.plan
    maker, checker = make_actor("finance"), make_actor("payment_check")
    batch = prepare(maker, series, SEPTEMBER)
    page = (
        web_of(User.objects.get(pk=checker.user_id))
        .get(f"/admin/finance/vouchers/{batch.number}/")
        .content.decode()
    )
    assert plan.name in page
    assert plan.code not in page
    assert digest(preview(batch)[::-1]) == batch.digest
    release(checker, batch.number)
    rows = Voucher.objects.order_by("number")
    assert [row.aspect for row in rows] == ["PROVISION", "DUE", "PAID"]
    place = COLUMNS.index("辅助核算-产品")
    named = {line[place] for line in export_rows(rows, maker="a", checker="b")} - {""}
    assert named == {plan.name}
    detail = (
        web_of(User.objects.get(pk=checker.user_id))
        .get(f"/admin/finance/voucher/{rows[0].pk}/")
        .content.decode()
    )
    assert (plan.name in detail, plan.code in detail) == (True, False)
