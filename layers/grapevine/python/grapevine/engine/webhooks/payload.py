"""The bytes of an event: JSON exactly as a receiver in JavaScript would write it again.

GrowSurf's own verifier hashes `JSON.stringify(JSON.parse(body))`, not the body as it came. Both
kinds of receiver agree when the two are equal, so this writes what JSON.stringify would write
(growsurf E.7): its separators, its escapes, its numbers and its order of keys.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

LARGEST_INTEGER = 2**53
"""Beyond it JavaScript reads a neighbour instead."""

_LARGEST_INDEX = 2**32 - 2
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotRepresentable(ValueError):
    """A value that JavaScript would lose or change: a defect of whoever built the event."""


def to_bytes(event: Mapping[str, object]) -> bytes:
    """The body of every attempt to deliver the event; the same event gives the same bytes.

    Keys that look like array indexes come first, in ascending order, as in JavaScript.

    Raises:
        NotRepresentable: NaN, an infinity, an integer beyond 2^53, a key that is not text, or a
            value that is none of JSON's.
    """
    return _value(event).encode()


def _value(value: object) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            return _string(value)
        case int():
            return _integer(value)
        case float():
            return _number(value)
        case Mapping():
            members = (f"{_string(key)}:{_value(member)}" for key, member in _in_order(value))
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            return f"[{','.join(_value(element) for element in value)}]"
    raise NotRepresentable(f"an event cannot hold a {type(value).__name__}")


def _string(text: str) -> str:
    if not _SURROGATE.search(text):
        return json.dumps(text, ensure_ascii=False)
    quoted = json.dumps(_paired(text), ensure_ascii=False)
    return _SURROGATE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", quoted)


def _paired(text: str) -> str:
    """The text with each two surrogates that form a character joined to it."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _integer(number: int) -> str:
    if abs(number) > LARGEST_INTEGER:
        raise NotRepresentable("an integer of an event lies beyond 2^53")
    return int.__repr__(number)


def _number(number: float) -> str:
    """The shortest digits that read back as the number, laid out as ECMAScript's Number::toString.

    Both languages choose the same digits; they differ in when they use an exponent.
    """
    if not math.isfinite(number):
        raise NotRepresentable("a number of an event is not finite")
    if number == 0:
        return "0"
    mantissa, _, exponent = float.__repr__(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    padded = whole + fraction
    digits = padded.lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(padded) - len(digits))
    return ("-" if number < 0 else "") + _laid_out(digits.rstrip("0"), point)


def _laid_out(digits: str, point: int) -> str:
    """`point` is the place of the decimal point, counted from the first digit."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"


def _in_order(mapping: Mapping[object, object]) -> list[tuple[str, object]]:
    members: dict[str, object] = {}
    for key, value in mapping.items():
        if not isinstance(key, str):
            raise NotRepresentable("a key of an event is not text")
        members[_paired(key)] = value
    indexes = sorted((key for key in members if _is_index(key)), key=int)
    names = [key for key in members if not _is_index(key)]
    return [(key, members[key]) for key in (*indexes, *names)]


def _is_index(key: str) -> bool:
    return bool(_INDEX.fullmatch(key)) and int(key) <= _LARGEST_INDEX
