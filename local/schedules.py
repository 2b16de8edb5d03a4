"""When schedules fire: EventBridge's rate() and cron() expressions, in UTC."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_UNIT_MS = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": 24 * HOUR_MS}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)
}
_LAST_YEAR = 2199


class BadSchedule(ValueError):
    """An expression that EventBridge would refuse, or that is not emulated (W, # and 5L)."""


class Timing(Protocol):
    def next_after(self, moment_ms: int) -> int | None:
        """The first time later than `moment_ms`; None if there is none."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Fires every `period_ms` since `anchor_ms`, when the schedule was made."""

    period_ms: int
    anchor_ms: int

    def next_after(self, moment_ms: int) -> int:
        return self.last_until(moment_ms) + self.period_ms

    def last_until(self, moment_ms: int) -> int:
        """The latest time that is not after `moment_ms`."""
        return moment_ms - (moment_ms - self.anchor_ms) % self.period_ms


@dataclass(frozen=True, slots=True)
class Cron:
    """`days` None means any day of the month, `weekdays` None any day of the week."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int] | None
    on_last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]

    def next_after(self, moment_ms: int) -> int | None:
        after = datetime.datetime.fromtimestamp(moment_ms // 1000, datetime.UTC)
        for day in self._days_from(after.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    time = datetime.time(hour, minute, tzinfo=datetime.UTC)
                    found = int(datetime.datetime.combine(day, time).timestamp()) * 1000
                    if found > moment_ms:
                        return found
        return None

    def _days_from(self, day: datetime.date) -> Iterator[datetime.date]:
        while day.year <= max(self.years):
            if day.year not in self.years or day.month not in self.months:
                last = calendar.monthrange(day.year, day.month)[1]
                day = day.replace(day=last) + datetime.timedelta(days=1)
                continue
            if self._is_on(day):
                yield day
            day += datetime.timedelta(days=1)

    def _is_on(self, day: datetime.date) -> bool:
        if self.weekdays is not None:
            return day.isoweekday() % 7 + 1 in self.weekdays
        if self.on_last_day:
            return day.day == calendar.monthrange(day.year, day.month)[1]
        return self.days is None or day.day in self.days


def parse(expression: str, anchor_ms: int) -> Timing:
    """The timing of a schedule that is made at `anchor_ms`.

    Raises:
        BadSchedule: see there.
    """
    if rate := _RATE.fullmatch(expression):
        return Rate(int(rate[1]) * _UNIT_MS[rate[2]], anchor_ms)
    if cron := _CRON.fullmatch(expression):
        return _cron(*cron.groups())
    raise BadSchedule(expression)


def _cron(minutes: str, hours: str, days: str, months: str, weekdays: str, years: str) -> Cron:
    if (days == "?") == (weekdays == "?"):
        raise BadSchedule("one of day of month and day of week must be ?")
    return Cron(
        minutes=tuple(sorted(_numbers(minutes, 0, 59))),
        hours=tuple(sorted(_numbers(hours, 0, 23))),
        days=None if days in ("?", "*", "L") else _numbers(days, 1, 31),
        on_last_day=days == "L",
        months=_numbers(months, 1, 12, _MONTHS),
        weekdays=None if weekdays in ("?", "*") else _numbers(weekdays, 1, 7, _WEEKDAYS),
        years=_numbers(years, 1970, _LAST_YEAR),
    )


def _numbers(
    field: str, first: int, last: int, names: dict[str, int] | None = None
) -> frozenset[int]:
    """The numbers that a field of a cron expression stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        start, end = _span(span, first, last, names or {})
        if step and "-" not in span and span != "*":
            end = last
        found |= set(range(start, end + 1, _number(step, {}) if step else 1))
    if not found or min(found) < first or max(found) > last:
        raise BadSchedule(field)
    return frozenset(found)


def _span(span: str, first: int, last: int, names: dict[str, int]) -> tuple[int, int]:
    if span == "*":
        return first, last
    start, dash, end = span.partition("-")
    number = _number(start, names)
    return number, _number(end, names) if dash else number


def _number(text: str, names: dict[str, int]) -> int:
    if text.upper() in names:
        return names[text.upper()]
    if not text.isdigit():
        raise BadSchedule(text)
    return int(text)
