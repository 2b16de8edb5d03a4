"""Calendar days, weeks and months of a campaign's time zone, each known by a number.

The number of the next one is one more. A day is as long as the clocks there make it: 23 or 25
hours when they change. Weeks begin on Mondays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from grapevine.table.points_board import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Periods:
    """Those that one moment falls into."""

    day: int
    week: int
    month: int

    def number(self, period: Period) -> int:
        match period:
            case "day":
                return self.day
            case "week":
                return self.week
            case "month":
                return self.month

    @property
    def date(self) -> int:
        """The day as the number yyyymmdd."""
        day = date.fromordinal(self.day)
        return day.year * 10_000 + day.month * 100 + day.day


def periods_at(at: int, timezone: str) -> Periods:
    """The periods of a time (ms) in an IANA time zone."""
    local = (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(timezone)).date()
    day = local.toordinal()
    return Periods(
        day=day,
        week=(day - 1) // 7,
        month=local.year * 12 + local.month - 1,
    )


def first_day(period: Period, number: int) -> date:
    """The day with which a period begins."""
    match period:
        case "day":
            return date.fromordinal(number)
        case "week":
            return date.fromordinal(number * 7 + 1)
        case "month":
            return date(number // 12, number % 12 + 1, 1)


def span_of(period: Period, number: int, timezone: str) -> tuple[int, int]:
    """The first and the last millisecond of a period in an IANA time zone."""
    start = _beginning(first_day(period, number), timezone)
    return start, _beginning(first_day(period, number + 1), timezone) - 1


def _beginning(day: date, timezone: str) -> int:
    # Where the clocks skip midnight, this is the moment at which they do; of two midnights of one
    # day, it is the first.
    midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(timezone))
    return (midnight.astimezone(UTC) - _EPOCH) // _MILLISECOND
