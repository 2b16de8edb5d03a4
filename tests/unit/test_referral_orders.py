"""Cursors of the referral lists, and the order of what is read into memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.referral_lists.orders import (
    ORDERS,
    STATUSES,
    Filters,
    Order,
    cursor_of,
    in_order,
    row_id_in,
    start_in,
    start_of,
)
from grapevine.table.referral_rows import Row

NAMES = st.one_of(st.none(), st.text(max_size=40))
ROWS = st.builds(
    Row,
    row_id=st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True),
    referrer_id=st.just("gavin1"),
    status=st.sampled_from(STATUSES),
    created_at=st.integers(0, 10**14),
    updated_at=st.integers(0, 10**14),
    email=st.text(max_size=60),
    first_name=NAMES,
    last_name=NAMES,
)
ANY_ORDER = st.sampled_from(sorted(ORDERS.values(), key=lambda order: order.name))


@given(ANY_ORDER, ROWS)
def test_a_cursor_leads_back_to_the_place_that_it_was_made_of(order: Order, row: Row) -> None:
    start = start_of(order, row)

    cursor = cursor_of(order, start)

    assert start_in(order, cursor) == start
    assert row_id_in(cursor) == row.row_id


@given(ANY_ORDER, ANY_ORDER, ROWS)
def test_a_cursor_of_another_order_names_its_row_only(one: Order, other: Order, row: Row) -> None:
    cursor = cursor_of(one, start_of(one, row))

    assert (start_in(other, cursor) is None) == (one != other)


@given(ANY_ORDER, st.text(max_size=100))
def test_any_text_is_a_cursor_or_none_at_all(order: Order, text: str) -> None:
    for cursor in (text, f"a.{order.name}.0.{text}"):
        start = start_in(order, cursor)

        assert start is None or cursor_of(order, start).split(".")[:3] == cursor.split(".")[:3]


@given(ANY_ORDER, st.lists(ROWS, unique_by=lambda row: row.row_id), st.booleans(), st.data())
def test_a_list_in_memory_goes_on_where_a_row_stands(
    order: Order, rows: list[Row], descending: bool, data: st.DataObject
) -> None:
    everything = in_order(rows, order, descending=descending, start=None)
    position = data.draw(st.integers(0, max(len(rows) - 1, 0)))
    start = start_of(order, everything[position]) if rows else None

    rest = in_order(rows, order, descending=descending, start=start)

    assert sorted(everything, key=lambda row: row.row_id) == sorted(
        rows, key=lambda row: row.row_id
    )
    assert rest == everything[position:]


@pytest.mark.parametrize(
    "filters",
    [
        Filters(email="a@example.com"),
        Filters(first_name="a@example.com"),
        Filters(last_name="a@example.com"),
    ],
)
def test_an_invite_is_found_by_nothing_that_is_personal(filters: Filters) -> None:
    row = Row(
        row_id="gavin1-hash",
        referrer_id="gavin1",
        status="INVITE_SENT",
        created_at=1,
        updated_at=1,
    )
    told = "a@example.com"
    named = replace(row, email=told, first_name=told, last_name=told)

    assert Filters(status="INVITE_SENT").match(named)
    assert not filters.match(named)
