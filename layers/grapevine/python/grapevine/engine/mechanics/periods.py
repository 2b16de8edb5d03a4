"""Calendar days, weeks and months of a campaign's time zone, each known by a number.

The number of the next one is one more. A day is as long as the clocks there make it: 23 or 25
hours when they change. Weeks begin on Mondays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from grapevine.engine.mechanics.parts import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
