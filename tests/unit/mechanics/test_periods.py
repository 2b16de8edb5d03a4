from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grapevine.engine.mechanics.configuration import Configuration, parse
from grapevine.engine.mechanics.counters import PERIODS
from grapevine.engine.mechanics.periods import periods_at, span_of
from grapevine.table.points_board import Period
from tests.unit.mechanics.samples import DAY, HOUR, Playing, at, rule

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def capped(timezone: str, **limits: object) -> Configuration:
    """Ten points for each `buy`, as `limits` or `capPerUser` allow."""
    cap = limits.pop("capPerUser", {})
    return parse(
        {
            "timezone": timezone,
            "points": {"rules": [rule("r", "buy", 10, perUser=limits)], "capPerUser": cap},
        }
    )


def earned_at(configuration: Configuration, *times: str) -> list[int]:
    playing = Playing(configuration, now=at(times[0]))
    earned = []
    for time in times:
        playing.now = at(time)
        earned.append(playing.earns("buy"))
    return earned


@pytest.mark.parametrize(
    ("timezone", "last", "first"),
    [
        (BERLIN, "2025-07-15T21:59:59.999+00:00", "2025-07-15T22:00:00+00:00"),
        (BERLIN, "2025-01-15T22:59:59.999+00:00", "2025-01-15T23:00:00+00:00"),
        (NEW_YORK, "2025-07-16T03:59:59.999+00:00", "2025-07-16T04:00:00+00:00"),
        (NEW_YORK, "2025-01-16T04:59:59.999+00:00", "2025-01-16T05:00:00+00:00"),
        ("UTC", "2025-07-15T23:59:59.999+00:00", "2025-07-16T00:00:00+00:00"),
        ("Asia/Kathmandu", "2025-07-15T18:14:59.999+00:00", "2025-07-15T18:15:00+00:00"),
    ],
)
def test_i14_a_day_ends_at_the_campaigns_midnight(timezone: str, last: str, first: str) -> None:
    configuration = capped(timezone, capPerUser={"day": 10})

    assert earned_at(configuration, last, last, first, first) == [10, 0, 10, 0]


@pytest.mark.parametrize(
    ("timezone", "midnight", "hours"),
    [
        (BERLIN, "2025-03-30T00:00:00+01:00", 23),
        (BERLIN, "2025-10-26T00:00:00+02:00", 25),
        (NEW_YORK, "2025-03-09T00:00:00-05:00", 23),
        (NEW_YORK, "2025-11-02T00:00:00-04:00", 25),
        (BERLIN, "2025-07-15T00:00:00+02:00", 24),
    ],
)
def test_i14_a_day_is_one_day_when_the_clocks_change(
    timezone: str, midnight: str, hours: int
) -> None:
    start = at(midnight)
    playing = Playing(capped(timezone, capPerUser={"day": 25}), now=start - HOUR)
    earned = []
    for hour in range(-1, hours + 1):
        for minute in (0, 59):
            playing.now = start + hour * HOUR + minute * 60_000
            earned.append(playing.earns("buy"))

    day_before, day, day_after = earned[:2], earned[2:-2], earned[-2:]
    assert day_before == [10, 10]
    assert sum(day) == 25
    assert day[:3] == [10, 10, 5]
    assert day_after == [10, 10]


def test_the_hour_that_comes_twice_is_one_hour_of_one_day() -> None:
    twice = ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]

    assert at(twice[1]) - at(twice[0]) == HOUR
    assert earned_at(capped(BERLIN, day=1), *twice) == [10, 0]


@pytest.mark.parametrize("timezone", [BERLIN, NEW_YORK, "Pacific/Apia"])
@pytest.mark.parametrize("year", [2011, 2025])
def test_i14_no_day_of_a_year_gives_more_than_its_cap(timezone: str, year: int) -> None:
    start = datetime(year, 1, 1, tzinfo=UTC)
    playing = Playing(capped(timezone, capPerUser={"day": 30}))
    by_day: dict[object, int] = {}
    for step in range(4 * 366):
        moment = start + timedelta(hours=6 * step)
        playing.now = round(moment.timestamp() * 1000)
        day = moment.astimezone(ZoneInfo(timezone)).date()
        by_day[day] = by_day.get(day, 0) + playing.earns("buy")

    assert max(by_day.values()) == 30
    assert len(by_day) >= 365


def test_a_week_begins_on_monday() -> None:
    assert earned_at(
        capped(BERLIN, week=1),
        "2025-07-13T12:00:00+02:00",  # Sunday
        "2025-07-13T23:59:59+02:00",
        "2025-07-14T00:00:00+02:00",  # Monday
        "2025-07-20T23:59:59+02:00",
        "2025-07-21T00:00:00+02:00",
    ) == [10, 0, 10, 0, 10]


def test_a_week_goes_on_across_the_year() -> None:
    assert earned_at(
        capped(BERLIN, week=1),
        "2024-12-30T00:00:00+01:00",  # Monday
        "2025-01-05T23:59:59+01:00",
        "2025-01-06T00:00:00+01:00",
    ) == [10, 0, 10]


def test_a_month_is_a_calendar_month() -> None:
    assert earned_at(
        capped(BERLIN, month=1),
        "2024-02-01T00:00:00+01:00",
        "2024-02-29T23:59:59+01:00",
        "2024-03-01T00:00:00+01:00",
        "2024-03-31T23:59:59+02:00",
        "2024-04-01T00:00:00+02:00",
        "2025-04-01T00:00:00+02:00",
    ) == [10, 0, 10, 0, 10, 10]


def test_limits_of_several_periods_hold_together() -> None:
    playing = Playing(capped(BERLIN, day=2, week=3, month=4, total=5), now=at("2025-07-01T12:00Z"))
    earned = []
    for _ in range(40):
        earned.append(sum(playing.earns("buy") for _ in range(3)))
        playing.now += DAY

    assert [awards // 10 for awards in earned if awards] == [2, 1, 1, 1]


TIMES = st.integers(at("1971-01-01T00:00:00+00:00"), at("2100-01-01T00:00:00+00:00"))
ZONES = st.sampled_from([BERLIN, NEW_YORK, "UTC", "Pacific/Apia", "Australia/Lord_Howe"])


@given(time=TIMES, timezone=ZONES)
@example(time=at("2011-12-30T10:00:00+00:00"), timezone="Pacific/Apia")
def test_periods_never_go_back_and_skip_at_most_what_the_calendar_does(
    time: int, timezone: str
) -> None:
    now, later = periods_at(time, timezone), periods_at(time + 26 * HOUR, timezone)

    # Apia went from the 29th to the 31st of December 2011.
    assert 1 <= later.day - now.day <= 3
    assert 0 <= later.week - now.week <= 1
    assert 0 <= later.month - now.month <= 1
    assert str(now.date) == (
        datetime.fromtimestamp(time / 1000, tz=ZoneInfo(timezone)).strftime("%Y%m%d")
    )


@given(time=TIMES, timezone=ZONES | st.sampled_from(["Asia/Beirut", "America/Havana", "Cuba"]))
@example(time=at("2011-12-30T10:00:00+00:00"), timezone="Pacific/Apia")
@example(time=at("2025-03-29T23:30:00+00:00"), timezone="Asia/Beirut")
@example(time=at("2025-11-02T05:30:00+00:00"), timezone="America/Havana")
def test_a_period_spans_all_its_moments_and_no_other_one(time: int, timezone: str) -> None:
    now = periods_at(time, timezone)
    for period in PERIODS:
        number = now.number(period)

        first, last = span_of(period, number, timezone)

        assert first <= time <= last
        assert periods_at(first, timezone).number(period) == number
        assert periods_at(last, timezone).number(period) == number
        assert periods_at(first - 1, timezone).number(period) < number
        assert periods_at(last + 1, timezone).number(period) > number


def test_the_days_of_a_change_of_the_clocks_are_shorter_and_longer() -> None:
    def hours(period: Period, time: str) -> float:
        number = periods_at(at(time), BERLIN).number(period)
        first, last = span_of(period, number, BERLIN)
        return (last + 1 - first) / HOUR

    assert hours("day", "2025-03-30T12:00:00+02:00") == 23
    assert hours("day", "2025-10-26T12:00:00+01:00") == 25
    assert hours("week", "2025-03-30T12:00:00+02:00") == 7 * 24 - 1
    assert hours("month", "2025-10-31T23:59:59+01:00") == 31 * 24 + 1
