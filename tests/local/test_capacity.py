from __future__ import annotations

from typing import Any

import pytest

from local.capacity import TableShape, item_size, read_units

SHAPE = TableShape.of(
    {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "places",
                "KeySchema": [
                    {"AttributeName": "board", "KeyType": "HASH"},
                    {"AttributeName": "place", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    }
)


def item(place: int | None = None, size: int = 0) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {"pk": {"S": "1"}, "pad": {"S": "x" * size}}
    if place is not None:
        made |= {"board": {"S": "b"}, "place": {"N": str(place)}}
    return made


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "Zoë"}, 4),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "1234"}, 3),
        ({"N": "-1234"}, 4),
        ({"N": "12000"}, 2),
        ({"N": "0.0012"}, 2),
        ({"B": b"abcde"}, 5),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "bc"]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}]}, 6),
        ({"M": {"k": {"S": "ab"}}}, 7),
    ],
)
def test_a_value_has_its_documented_size(value: dict[str, Any], size: int) -> None:
    assert item_size({"name": value}) == len("name") + size


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, False, 0.5), (4096, False, 0.5), (4097, False, 1), (0, True, 1), (4097, True, 2)],
)
def test_a_read_is_counted_by_four_kilobytes(*, size: int, consistent: bool, units: float) -> None:
    assert read_units(size, consistent=consistent) == units


def test_a_transactional_read_costs_double() -> None:
    assert read_units(100, transactional=True) == 2


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, item(), 1),
        (None, item(size=1100), 2),
        (item(size=3000), item(), 3),
        (item(), None, 1),
        (None, item(place=1), 2),
        (item(place=1), item(place=1, size=9), 1),
        (item(place=1), item(place=2), 3),
        (item(place=1), item(), 2),
        (item(place=1), None, 2),
        (None, None, 1),
    ],
)
def test_a_write_pays_for_the_larger_image_and_for_each_index_entry(
    before: Any, after: Any, units: float
) -> None:
    assert SHAPE.write_units(before, after) == units


def test_a_transaction_doubles_the_tables_part_only() -> None:
    assert SHAPE.write_units(None, item(place=1), transactional=True) == 3
