"""Whether an event is one that a rule means: conditions on its metadata.

An array matches when one of its members does. What is not there, null or an object matches no
condition but `exists: false`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from grapevine.engine.mechanics.fields import Part, Path, exact
from grapevine.engine.mechanics.numbers import number_in

Op = Literal["eq", "neq", "in", "gt", "gte", "lt", "lte", "between", "contains", "exists"]


def _operand(value: Any) -> Any:
    """Numbers become exact, lists tuples."""
    match value:
        case None | bool():
            return value
        case str() if len(value) <= 1000:
            return value
        case int() | float() | Decimal():
            return exact(value)
        case list() | tuple():
            return tuple(_operand(each) for each in value)
    raise PydanticCustomError("operand", "Must be a text, a number, a truth value or a list.")


class Condition(Part):
    """`field` is a path into the metadata. `value` is a number for comparisons, two for `between`,
    a list for `in`, a text for `contains`; for `exists` it may be left out and is true then."""

    field: Path
    op: Op
    value: Annotated[Any, BeforeValidator(_operand)] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not _FITS[self.op](self.value):
            raise PydanticCustomError("operand", "The value does not fit the operator.")
        return self


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | str | Decimal)


def _is_number(value: Any) -> bool:
    return isinstance(value, Decimal)


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple) and 1 <= len(value) <= 100 and all(map(_is_scalar, value))


def _is_range(value: Any) -> bool:
    match value:
        case (Decimal() as low, Decimal() as high):
            return low <= high
    return False


_FITS: Mapping[Op, Callable[[Any], bool]] = {
    "eq": _is_scalar,
    "neq": _is_scalar,
    "in": _is_list,
    "gt": _is_number,
    "gte": _is_number,
    "lt": _is_number,
    "lte": _is_number,
    "between": _is_range,
    "contains": lambda value: isinstance(value, str) and value != "",
    "exists": lambda value: value is None or isinstance(value, bool),
}


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
            return bool(values) == (condition.value is not False)
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
        return Decimal(low) <= number <= Decimal(high)
    return _COMPARED[condition.op](number, Decimal(wanted))


def _equal(value: Any, wanted: Any) -> bool:
    """A wanted number equals a text that spells it; a wanted text equals nothing but itself."""
    match wanted:
        case bool():
            return value is wanted
        case str():
            return isinstance(value, str) and value == wanted
    return number_in(value) == Decimal(wanted)
