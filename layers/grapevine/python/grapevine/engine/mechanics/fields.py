"""The kinds of values that a mechanics configuration is made of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from grapevine.engine.mechanics.numbers import number_in

MOST_POINTS = 10**9
MOST_TIMES_A_USER = 10**6

_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_MILLISECOND = _EPOCH.resolution * 1000


class Part(BaseModel):
    """A part of the configuration: unknown members are refused, numbers are no texts."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=False
    )


def whole(value: Any) -> Any:
    """Lets a whole number through, also one that is written 5.0; no text and no truth value."""
    number = None if isinstance(value, str) else number_in(value)
    if number is None or number != number.to_integral_value():
        raise PydanticCustomError("whole_number", "Must be a whole number.")
    return int(number)


def exact(value: Any) -> Any:
    """A number as it was written; no text and no truth value."""
    number = None if isinstance(value, str) else number_in(value)
    if number is None:
        raise PydanticCustomError("number", "Must be a number below 10^15 with at most 38 digits.")
    return number


def _factor(value: Any) -> Any:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or not Decimal(value):
        raise PydanticCustomError("factor", 'Must be a positive decimal in quotes, like "1.5".')
    return Decimal(value)


def _instant(value: Any) -> Any:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            # In years of UTC, whatever the offset: others can be counted but not written.
            if moment.tzinfo is not None and _EPOCH <= moment <= _LAST:
                return (moment - _EPOCH) // _MILLISECOND
    raise PydanticCustomError(
        "instant", "Must be a time of 1970 to 9999 with its offset: 2025-06-01T00:00:00Z."
    )


def instant_text(at: int) -> str:
    """A time (ms, up to the end of 9999) as the API writes it."""
    text = (_EPOCH + at * _MILLISECOND).isoformat(timespec="milliseconds")
    return text.replace(".000+00:00", "Z").replace("+00:00", "Z")


def _plain(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number


@cache
def _time_zones() -> frozenset[str]:
    """Those of the IANA's list, as the package `tzdata` has it: a machine may have others, which
    the next one knows nothing of (`localtime`, `right/Europe/Berlin`)."""
    return frozenset((files("tzdata") / "zones").read_text().split()) - {"Factory"}


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        raise PydanticCustomError("time_zone", "Must be an IANA time zone.")
    return name


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise PydanticCustomError("text", "Must be printable text, not blank.")
    return text


Name = Annotated[str, Field(max_length=100), AfterValidator(_printable)]
Message = Annotated[str, Field(max_length=500), AfterValidator(_printable)]
Path = Annotated[str, Field(max_length=100), AfterValidator(_printable)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Points = Annotated[int, BeforeValidator(whole), Field(ge=0, le=MOST_POINTS)]
Times = Annotated[int, BeforeValidator(whole), Field(ge=1, le=MOST_TIMES_A_USER)]
Exact = Annotated[Decimal, BeforeValidator(exact), PlainSerializer(_plain, return_type=Any)]
PositiveExact = Annotated[Exact, Field(gt=0)]
Factor = Annotated[Decimal, BeforeValidator(_factor), PlainSerializer(lambda factor: f"{factor:f}")]
Instant = Annotated[
    int,
    BeforeValidator(_instant),
    PlainSerializer(instant_text),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time of the years 1970 to 9999 (UTC), as milliseconds."""
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
