from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.mechanics.configuration import parse
from grapevine.engine.mechanics.natural_keys import natural_key
from grapevine.engine.mechanics.occurrences import Occurrence
from tests.unit.mechanics.samples import NOON, at

CONFIGURATION = parse(
    {
        "timezone": "Europe/Berlin",
        "dedupe": [
            {"eventType": "purchase", "by": "metadata.orderId"},
            {"eventType": "refund", "by": "metadata.order.id"},
            {"eventType": "daily_login", "by": "calendarDay"},
        ],
    }
)


def key_of(
    event_type: str, metadata: dict[str, Any] | None = None, *, user: str = "u", now: int = NOON
) -> str | None:
    occurrence = Occurrence(
        event_id="evt_1",
        user_id=user,
        event_type=event_type,
        metadata=metadata or {},
        at=now,
        trust="client",
        source="referd",
    )
    return natural_key(CONFIGURATION, occurrence)


def test_an_order_is_the_same_whatever_else_the_event_says() -> None:
    first = key_of("purchase", {"orderId": "A-1", "amount": 5})

    assert first is not None
    assert first == key_of("purchase", {"orderId": "A-1", "amount": 6}, now=NOON + 10**9)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (7, Decimal("7.00"), True),
        (7, "7", True),
        ("007", 7, False),
        ("a", "A", False),
        (["a"], "a", True),
        (["a", "b"], ["b", "a"], False),
        (["a", "b"], 'a","b', False),
        (True, "True", True),
    ],
)
def test_orders_are_the_same_when_they_are_written_the_same(
    one: Any, other: Any, same: bool
) -> None:
    keys = key_of("purchase", {"orderId": one}), key_of("purchase", {"orderId": other})

    assert None not in keys
    assert (keys[0] == keys[1]) is same


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"orderId": None},
        {"orderId": ""},
        {"orderId": "  "},
        {"orderId": []},
        {"orderId": {"id": 1}},
    ],
)
def test_an_event_without_its_value_is_a_new_one(metadata: dict[str, Any]) -> None:
    assert key_of("purchase", metadata) is None


def test_an_event_of_a_type_without_a_rule_is_a_new_one() -> None:
    assert key_of("review", {"orderId": "A-1"}) is None


def test_a_path_may_lead_into_an_object() -> None:
    assert key_of("refund", {"order": {"id": 5}}) == key_of("refund", {"order.id": "5"})


def test_a_day_is_one_of_the_campaigns_time_zone() -> None:
    last = key_of("daily_login", now=at("2025-07-15T23:59:59+02:00"))

    assert last == key_of("daily_login", now=at("2025-07-15T00:00:00+02:00"))
    assert last != key_of("daily_login", now=at("2025-07-16T00:00:00+02:00"))


TEXTS = st.text(max_size=6)


@given(one=st.tuples(TEXTS, TEXTS), other=st.tuples(TEXTS, TEXTS))
def test_keys_of_different_users_or_orders_differ(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    keys = [key_of("purchase", {"orderId": order}, user=user) for user, order in (one, other)]

    if None not in keys:
        assert (keys[0] == keys[1]) == (one == other)
