"""DynamoDB's published arithmetic: the size of an item, and what reading or writing it costs.

Items are in botocore's form ({"name": {"S": "text"}}, bytes for B). Units are request units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Mapping[str, Any]]

_READ_BLOCK = 4096
_WRITE_BLOCK = 1024


def item_size(item: Item) -> int:
    """Bytes that DynamoDB counts for an item: its attributes' names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def read_units(size: int, *, consistent: bool = False, transactional: bool = False) -> float:
    """The cost of reading `size` bytes at once; reading nothing costs the least unit."""
    blocks = max(1, math.ceil(size / _READ_BLOCK))
    if transactional:
        return 2.0 * blocks
    return float(blocks) if consistent else 0.5 * blocks


def write_blocks(*images: Item | None) -> float:
    """The cost of a plain write, which counts the larger of the images before and after it."""
    largest = max((item_size(image) for image in images if image), default=0)
    return float(max(1, math.ceil(largest / _WRITE_BLOCK)))


@dataclass(frozen=True, slots=True)
class IndexShape:
    """`attributes` are the projected ones beside the keys; None projects all."""

    keys: tuple[str, ...]
    attributes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TableShape:
    """What must be known of a table to say what a write costs."""

    keys: tuple[str, ...]
    indexes: Mapping[str, IndexShape]

    @staticmethod
    def of(request: Mapping[str, Any]) -> TableShape:
        """From the body of a CreateTable call."""
        keys = _key_names(request)
        declared = [
            *request.get("LocalSecondaryIndexes", []),
            *request.get("GlobalSecondaryIndexes", []),
        ]
        return TableShape(keys, {each["IndexName"]: _index_shape(each) for each in declared})

    def key_of(self, item: Item) -> dict[str, Mapping[str, Any]]:
        return {name: item[name] for name in self.keys}

    def index_units(self, before: Item | None, after: Item | None) -> dict[str, float]:
        """What a write costs in each index that it touches."""
        costs = {
            name: _index_write(
                _entry(index, self.keys, before), _entry(index, self.keys, after), index.keys
            )
            for name, index in self.indexes.items()
        }
        return {name: cost for name, cost in costs.items() if cost}

    def write_units(
        self, before: Item | None, after: Item | None, *, transactional: bool = False
    ) -> float:
        """A write with its index writes; a transaction doubles the table's part only."""
        table = write_blocks(before, after) * (2 if transactional else 1)
        return table + sum(self.index_units(before, after).values())


def _key_names(declared: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in declared["KeySchema"])


def _index_shape(declared: Mapping[str, Any]) -> IndexShape:
    projection = declared["Projection"]
    everything = projection["ProjectionType"] == "ALL"
    included = frozenset(projection.get("NonKeyAttributes", ()))
    return IndexShape(_key_names(declared), None if everything else included)


def _entry(index: IndexShape, table_keys: tuple[str, ...], item: Item | None) -> Item | None:
    """The item as the index holds it; None if it lacks one of the index's keys."""
    if item is None or any(name not in item for name in index.keys):
        return None
    if index.attributes is None:
        return item
    kept = {*index.keys, *table_keys, *index.attributes}
    return {name: value for name, value in item.items() if name in kept}


def _index_write(before: Item | None, after: Item | None, keys: tuple[str, ...]) -> float:
    if before == after:
        return 0.0
    moved = before and after and any(before[name] != after[name] for name in keys)
    # An entry that moves is deleted in one place and put in another.
    return write_blocks(before) + write_blocks(after) if moved else write_blocks(before, after)


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    return _SIZES[kind](content)


def _number_size(number: str) -> int:
    """About one byte for two significant digits, one for the exponent, one for a minus sign."""
    digits = number.lower().lstrip("+-").split("e")[0].replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1 + number.startswith("-")


def _sum(size: Callable[[Any], int]) -> Callable[[Iterable[Any]], int]:
    return lambda elements: sum(map(size, elements))


def _text_size(text: str) -> int:
    return len(text.encode())


def _list_size(elements: Iterable[Mapping[str, Any]]) -> int:
    return 3 + sum(1 + _value_size(element) for element in elements)


def _map_size(entries: Item) -> int:
    return 3 + len(entries) + item_size(entries)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": _sum(_text_size),
    "NS": _sum(_number_size),
    "BS": _sum(len),
    "L": _list_size,
    "M": _map_size,
}
