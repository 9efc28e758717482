"""From an input dataclass to a form, and from a POST back to plain data."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from django.http import QueryDict

from apps.cases.forms import form_for, row_count, tidy, tree_of
from apps.cases.inputs import ask, parse_input
from apps.core.errors import InvalidInputs


@dataclass(frozen=True)
class Item:
    name: str = ask("Name")
    amount: Decimal = ask("Amount", widget="money")
    quantity: Decimal = ask("Quantity", default=Decimal(1))


@dataclass(frozen=True)
class Address:
    city: str = ask("City")
    country: str = ask("Country", default="CN")


@dataclass(frozen=True)
class Order:
    day: date = ask("Day")
    items: tuple[Item, ...] = ask("Items", widget="lines")
    rush: bool = ask("Rush", default=False)
    seen: bool | None = ask("Seen", default=None)
    colors: tuple[str, ...] = ask("Colors", default=(), choices=[("R", "red"), ("G", "green")])
    address: Address | None = ask("Address", default=None)


def filled(query: str) -> object:
    return form_for(Order)(tidy(QueryDict(query)))


def test_payload_becomes_the_input() -> None:
    form = filled(
        "day=2026-10-09&items.0.name=a&items.0.amount=1.50&colors=R&colors=G&rush=on&seen=false&version=3"
    )
    order = parse_input(Order, form.payload())
    assert order == Order(date(2026, 10, 9), (Item("a", Decimal("1.50")),), True, False, ("R", "G"))


def test_blank_rows_are_dropped_and_numbers_closed() -> None:
    data = tidy(QueryDict("items.0.name=&items.0.amount=&items.2.name=b&items.7.name=c"))
    assert sorted(data) == ["items.0.name", "items.1.name"]
    assert row_count(data, "items") == 2


@dataclass(frozen=True)
class Orders:
    orders: tuple[Order, ...] = ask("Orders", widget="lines")


def test_rows_a_form_starts_with_stay_when_nobody_fills_them() -> None:
    start = {"orders": [{"items": [{}, {}]}]}
    empty = form_for(Orders)(tidy(QueryDict("orders.0.items.0.name=")), initial=start)
    (order,) = empty.f["orders"].rows.forms
    assert len(order.f["items"].rows.forms) == 2
    assert empty.payload() == {"orders": []}

    half = form_for(Orders)(tidy(QueryDict("orders.0.day=2026-10-09&orders.1.day=x")), initial=start)
    assert [len(order.f["items"].rows.forms) for order in half.f["orders"].rows.forms] == [1, 1]

    removed = form_for(Orders)(tidy(QueryDict("")), initial={"orders": [{"day": date(2026, 10, 9)}]})
    assert not removed.f["orders"].rows.forms


def test_a_list_that_must_be_filled_in_starts_with_an_empty_row() -> None:
    (order,) = form_for(Orders)().f["orders"].rows.forms
    assert [row.prefix for row in order.f["items"].rows.forms] == ["orders.0.items.0"]
    again = form_for(Orders)(tidy(QueryDict("orders.0.items.0.name=")))
    assert len(again.f["orders"].rows.forms) == 1
    assert again.payload() == {"orders": []}


def test_nested_rows_are_renumbered_within_their_parent() -> None:
    data = tidy(QueryDict("v.3.b.5.l.9.x=1&v.3.b.6.l.2.x=2&v.3.b.6.l.1.x=3&v.8.b.0.l.0.x=4"))
    assert tree_of(data) == {
        "v": [{"b": [{"l": [{"x": "1"}]}, {"l": [{"x": "3"}, {"x": "2"}]}]}, {"b": [{"l": [{"x": "4"}]}]}]
    }


def test_an_optional_group_nobody_touched_is_left_out() -> None:
    assert "address" not in filled("day=2026-10-09&address.country=CN").payload()
    assert filled("address.city=Beijing&address.country=CN").payload()["address"] == {
        "city": "Beijing",
        "country": "CN",
    }


def test_errors_find_their_fields() -> None:
    form = filled("day=soon&items.0.name=a&items.0.amount=much")
    with pytest.raises(InvalidInputs) as caught:
        parse_input(Order, form.payload())
    form.take_error(caught.value)
    assert [error.code for error in form.f["day"].errors] == ["date"]
    assert [error.code for error in form.f["items"].rows.forms[0].f["amount"].errors] == ["number"]
    assert form.loose_errors() == []


def test_errors_without_a_field_stand_above() -> None:
    from apps.core.errors import Blocked

    form = filled("day=2026-10-09")
    form.take_error(Blocked("no", code="x", rule="R-1"))
    assert [error.rule for error in form.loose_errors()] == ["R-1"]


def test_the_blank_row_carries_a_placeholder_for_its_index() -> None:
    rows = form_for(Order)().f["items"].rows
    assert rows.blank.f["amount"].bound.html_name == "items.__0__.amount"
    assert 'placeholder="1"' in str(rows.blank.f["quantity"].bound)


def test_a_bound_form_shows_what_was_typed() -> None:
    form = filled("day=soon&items.0.name=%3Cb%3E&colors=G")
    assert 'value="soon"' in str(form.f["day"].bound)
    assert "&lt;b&gt;" in str(form.f["items"].rows.forms[0].f["name"].bound)


def test_rows_have_a_limit() -> None:
    assert row_count({f"items.{n}.name": "x" for n in range(9000)}, "items") == 500
