"""Calendar months in UTC, as one integer each: `year * 12 + month - 1`.

A count is stored together with its month and compared with the clock when it is read, so the
turn of a month needs no write.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

DAY_MS = 24 * 60 * 60 * 1000

_NAME = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")


def month_at(time_ms: int) -> int:
    """The month that `time_ms` (Unix milliseconds) falls in."""
    moment = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    return moment.year * 12 + moment.month - 1


def year_of(month: int) -> int:
    return month // 12


def start_of(month: int) -> int:
    """The first millisecond of `month`."""
    year, month_index = divmod(month, 12)
    return int(datetime(year, month_index + 1, 1, tzinfo=UTC).timestamp() * 1000)


def month_named(text: str) -> int | None:
    """The month that is written `2026-11`; None for any other text."""
    named = _NAME.fullmatch(text)
    return int(named[1]) * 12 + int(named[2]) - 1 if named else None


def name_of(month: int) -> str:
    """The month as `2026-11`."""
    year, month_index = divmod(month, 12)
    return f"{year:04d}-{month_index + 1:02d}"


_IN_WORDS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def in_words(month: int) -> str:
    """The month as `November 2026`."""
    year, month_index = divmod(month, 12)
    return f"{_IN_WORDS[month_index]} {year}"
