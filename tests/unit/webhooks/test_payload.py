from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.engine.webhooks import payload
from tests.unit.webhooks.conftest import NodeReceiver
from tests.unit.webhooks.events import AWKWARD

TEXT = st.text(st.characters(exclude_categories=()))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
KEYS = TEXT | st.integers(0, 2**33).map(str)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
EVENTS = st.dictionaries(KEYS, VALUES, max_size=6)


@pytest.mark.parametrize("name", AWKWARD)
def test_javascript_writes_the_same_bytes_again(node: NodeReceiver, name: str) -> None:
    body = payload.to_bytes(AWKWARD[name])

    assert node.rewritten(body) == body


@given(event=EVENTS)
def test_javascript_writes_any_event_again(node: NodeReceiver, event: dict[str, Any]) -> None:
    body = payload.to_bytes(event)

    assert node.rewritten(body) == body


@given(number=NUMBERS)
def test_every_number_reads_back_as_itself(number: float) -> None:
    body = payload.to_bytes({"number": number})

    assert json.loads(body, parse_int=float) == {"number": number}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (123.456, "123.456"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-7, "1.25e-7"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1.5e21, "-1.5e+21"),
        (2.0**60, "1152921504606847000"),
        (5e-324, "5e-324"),
        (True, "true"),
        (None, "null"),
        ("Zoë\u2028", '"Zoë\u2028"'),
        ("\x7f\x1f", '"\x7f\\u001f"'),
        ("\ud800", '"\\ud800"'),
        ("\ud83d\ude00", '"😀"'),
        ((1, [2]), "[1,[2]]"),
    ],
)
def test_a_value_is_written_as_javascript_writes_it(value: object, written: str) -> None:
    body = payload.to_bytes({"value": value})

    assert body.decode() == f'{{"value":{written}}}'


def test_keys_like_array_indexes_come_first_in_ascending_order() -> None:
    body = payload.to_bytes({"b": 1, "10": 2, "2": 3, "a": 4, "01": 5, "4294967295": 6})

    assert body == b'{"2":3,"10":2,"b":1,"a":4,"01":5,"4294967295":6}'


def test_the_same_event_gives_the_same_bytes() -> None:
    bodies = {payload.to_bytes(dict(AWKWARD)) for _ in range(3)}

    assert len(bodies) == 1


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53 + 1,
        -(2**53) - 1,
        Decimal(1),
        b"bytes",
        {1, 2},
        {1: "a"},
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("wrap", [lambda v: {"v": v}, lambda v: {"v": [{"w": v}]}])
def test_what_javascript_would_change_is_refused(value: object, wrap: Any) -> None:
    event: Mapping[str, object] = wrap(value)

    with pytest.raises(payload.NotRepresentable):
        payload.to_bytes(event)
