"""Numbers in an event's metadata, exact; a text that is a plain decimal counts as its number."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

MOST = Decimal(10) ** 15
MOST_DIGITS = 38

_EXACTLY = Context(prec=200)

_PLAIN = re.compile(r"[+-]?[0-9]{1,38}(\.[0-9]{1,38})?")


def is_kept(number: int | Decimal) -> bool:
    """Whether a number is one that events may hold: below 10^15, at most 38 digits, and none of
    them further than 38 places behind the point."""
    # An int is measured before it becomes a Decimal: a huge one takes long.
    if isinstance(number, int):
        return abs(number) < 10**15
    # copy_abs() is exact; abs() rounds, and raises for an exponent that is too large.
    if not number.is_finite() or number.copy_abs() >= MOST:
        return False
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and exponent >= -MOST_DIGITS and len(digits) <= MOST_DIGITS


def number_in(value: Any) -> Decimal | None:
    """The number that a value is, or that a text spells as a plain decimal; None for all else."""
    match value:
        case bool():
            return None
        case int():
            return Decimal(value) if is_kept(value) else None
        case float():
            number = Decimal(str(value))
        case Decimal():
            number = value
        case str() if _PLAIN.fullmatch(value):
            number = Decimal(value)
        case _:
            return None
    return number if is_kept(number) else None


def spelled(number: Decimal) -> str:
    """One spelling for equal numbers: 1, 1.0 and 1.00 are all 1."""
    if not number:
        return "0"
    # Not normalize(), which would round to the context's precision.
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_of(fraction: Fraction) -> Decimal:
    """A sum of numbers that events may hold, exactly."""
    return _EXACTLY.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))
