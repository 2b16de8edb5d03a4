"""Filter patterns of event source mappings: the EventBridge subset that Lambda accepts."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Predicate = Callable[[Any], bool]

# What a leaf sees when the record has no such field.
_ABSENT = object()


class BadPattern(ValueError):
    """A filter pattern that Lambda would refuse, or that is not emulated."""


class Filters:
    """Holds when any pattern does; without patterns every record passes."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns = [_compile(json.loads(pattern)) for pattern in patterns]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def __call__(self, record: Mapping[str, Any]) -> bool:
        return not self._patterns or any(holds(record) for holds in self._patterns)


def _compile(pattern: Any) -> Predicate:
    if isinstance(pattern, list):
        return _leaf(pattern)
    if not isinstance(pattern, Mapping):
        raise BadPattern(f"expected an object or a list, not {pattern!r}")
    fields = [_field(name, inner) for name, inner in pattern.items()]
    return lambda record: all(field(record) for field in fields)


def _field(name: str, inner: Any) -> Predicate:
    if name == "$or":
        branches = [_compile(branch) for branch in inner]
        return lambda record: any(branch(record) for branch in branches)
    holds = _compile(inner)

    def look_up(record: Any) -> bool:
        found = record.get(name, _ABSENT) if isinstance(record, Mapping) else _ABSENT
        return holds(found)

    return look_up


def _leaf(alternatives: list[Any]) -> Predicate:
    tests = [_test(each) for each in alternatives]

    def holds(value: Any) -> bool:
        # A list in the record matches if any of its elements does.
        values = value if isinstance(value, list) else [value]
        return any(test(each) for test in tests for each in values)

    return holds


def _test(rule: Any) -> Predicate:
    if not isinstance(rule, Mapping):
        return lambda value: _same(value, rule)
    if len(rule) != 1:
        raise BadPattern(f"one rule at a time, not {rule!r}")
    ((name, argument),) = rule.items()
    if name not in _RULES:
        raise BadPattern(f"the rule {name!r} is not emulated")
    return _RULES[name](argument)


def _same(value: Any, expected: Any) -> bool:
    # In Python True equals 1; in JSON it does not.
    return isinstance(value, bool) == isinstance(expected, bool) and bool(value == expected)


def _exists(argument: Any) -> Predicate:
    def holds(value: Any) -> bool:
        is_leaf = value is not _ABSENT and not isinstance(value, Mapping)
        return is_leaf is bool(argument)

    return holds


def _prefix(argument: str) -> Predicate:
    return lambda value: isinstance(value, str) and value.startswith(argument)


def _suffix(argument: str) -> Predicate:
    return lambda value: isinstance(value, str) and value.endswith(argument)


def _ignore_case(argument: str) -> Predicate:
    return lambda value: isinstance(value, str) and value.lower() == argument.lower()


def _anything_but(argument: Any) -> Predicate:
    if isinstance(argument, Mapping):
        inner = _test(argument)
        return lambda value: value is not _ABSENT and not inner(value)
    refused = argument if isinstance(argument, list) else [argument]
    return lambda value: value is not _ABSENT and not any(_same(value, each) for each in refused)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _numeric(argument: list[Any]) -> Predicate:
    """DynamoDB's numbers travel as strings, so this never matches one (nor does it in AWS)."""
    try:
        pairs = [
            (_COMPARISONS[name], bound)
            for name, bound in zip(argument[::2], argument[1::2], strict=True)
        ]
    except (KeyError, ValueError):
        raise BadPattern(f"not a numeric range: {argument!r}") from None

    def holds(value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and all(compare(value, bound) for compare, bound in pairs)

    return holds


_RULES: dict[str, Callable[[Any], Predicate]] = {
    "anything-but": _anything_but,
    "equals-ignore-case": _ignore_case,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
}
