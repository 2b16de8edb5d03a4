"""Items as plain Python values: to DynamoDB's typed attributes, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

Item = dict[str, Any]

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serializer.serialize(value) for name, value in item.items()}


def unmarshal(raw: Mapping[str, Any]) -> Item:
    return {name: _plain(_deserializer.deserialize(value)) for name, value in raw.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """An item before and after, as a stream record tells it; `old` is None for a new item."""

    old: Item | None
    new: Item


def change_in(record: Mapping[str, Any]) -> Change:
    """The change in a stream record. Raises KeyError for a record without a new image."""
    images = record["dynamodb"]
    old = unmarshal(images["OldImage"]) if "OldImage" in images else None
    return Change(old, unmarshal(images["NewImage"]))


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value)
        case Binary():
            return value.value  # type: ignore[attr-defined] # its stub forgets it
        case list():
            return [_plain(entry) for entry in value]
        case dict():
            return {name: _plain(entry) for name, entry in value.items()}
    return value
