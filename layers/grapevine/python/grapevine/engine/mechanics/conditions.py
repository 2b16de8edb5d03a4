"""Whether an event is one that a rule means: conditions on its metadata.

An array matches when one of its members does. What is not there, null or an object matches no
condition but `exists: false`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grapevine.engine.mechanics.configuration import Condition
from grapevine.engine.mechanics.numbers import number_in

_COMPARED: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def values_at(metadata: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    """The scalars at a path: those in an array, else the one that is there, if any.

    A member with the very name goes before a path that leads through objects.
    """
    if path in metadata:
        found = metadata[path]
    else:
        found = metadata
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    members = found if isinstance(found, list | tuple) else (found,)
    return tuple(each for each in members if isinstance(each, str | bool | int | float | Decimal))


def sum_at(metadata: Mapping[str, Any], path: str) -> Fraction:
    """The sum of the numbers at a path; 0 where there are none."""
    numbers = (number_in(each) for each in values_at(metadata, path))
    return sum((Fraction(each) for each in numbers if each is not None), Fraction(0))


def all_hold(conditions: Sequence[Condition], metadata: Mapping[str, Any]) -> bool:
    return all(holds(each, metadata) for each in conditions)


def holds(condition: Condition, metadata: Mapping[str, Any]) -> bool:
    values = values_at(metadata, condition.field)
    match condition.op:
        case "exists":
            return bool(values) == condition.value
        case "neq":
            return bool(values) and not any(_equal(each, condition.value) for each in values)
    return any(_matches(condition, each) for each in values)


def _matches(condition: Condition, value: Any) -> bool:
    wanted = condition.value
    match condition.op:
        case "eq":
            return _equal(value, wanted)
        case "in":
            return any(_equal(value, each) for each in wanted)
        case "contains":
            return isinstance(value, str) and wanted in value
    number = number_in(value)
    if number is None:
        return False
    if condition.op == "between":
        low, high = wanted
        return low <= number <= high
    return _COMPARED[condition.op](number, wanted)


def _equal(value: Any, wanted: Any) -> bool:
    """A wanted number equals a text that spells it; a wanted text equals nothing but itself."""
    match wanted:
        case bool():
            return value is wanted
        case str():
            return isinstance(value, str) and value == wanted
    return number_in(value) == wanted
