"""How a dataclass becomes an item and back, for the entities that need nothing special.

An attribute is named like its field in camelCase; a field that is None is not stored; a field
marked `as_json()` is stored as JSON text, which keeps numbers exactly as they were sent; one marked
`as_exact_json()` may hold Decimals.
"""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from functools import cache
from typing import Any, ClassVar, Self

from grapevine.table import exact_json
from grapevine.table.attributes import Item
from grapevine.table.keys import Key


def as_json() -> Any:
    """A field with a mapping that is stored as JSON text; empty by default."""
    return dataclasses.field(default_factory=dict, metadata={"json": True})


def as_exact_json() -> Any:
    """The same for a mapping whose fractions are Decimals."""
    return dataclasses.field(default_factory=dict, metadata={"json": "exact"})


@cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entity(ABC):
    TYPE: ClassVar[str]

    @property
    @abstractmethod
    def key(self) -> Key: ...

    def index_attributes(self) -> Item:
        """Key attributes of the indexes that this item is in."""
        return {}

    def to_item(self) -> Item:
        item: Item = {
            "partition": self.key.partition,
            "sort": self.key.sort,
            "type": self.TYPE,
            **self.index_attributes(),
        }
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None or _camel(field.name) in item:
                continue
            if field.metadata.get("json") == "exact":
                value = exact_json.dumps(value)
            elif field.metadata.get("json"):
                value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            item[_camel(field.name)] = (
                list(value) if isinstance(value, tuple | frozenset) else value
            )
        return item

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Raises KeyError or TypeError when the item is not one of these."""
        if item["type"] != cls.TYPE:
            raise TypeError(f"expected {cls.TYPE}, found {item['type']}")
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            name = _camel(field.name)
            if name in item:
                value = item[name]
                if field.metadata.get("json") == "exact":
                    value = exact_json.loads(value)
                elif field.metadata.get("json"):
                    value = json.loads(value)
                values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)
