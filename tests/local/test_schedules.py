from __future__ import annotations

import datetime

import pytest

from local.schedules import BadSchedule, Rate, parse


def at(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text + "+00:00").timestamp()) * 1000


@pytest.mark.parametrize(
    ("expression", "after", "following"),
    [
        ("cron(0 0 1 * ? *)", "2026-01-31T23:59:59", "2026-02-01T00:00:00"),
        ("cron(0 0 1 * ? *)", "2026-02-01T00:00:00", "2026-03-01T00:00:00"),
        ("cron(0 0 L * ? *)", "2028-02-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(15,45 8-9 ? * MON-FRI *)", "2026-11-20T09:45:00", "2026-11-23T08:15:00"),
        ("cron(0 12 ? * 1 *)", "2026-11-22T12:00:00", "2026-11-29T12:00:00"),
        ("cron(0/20 * * * ? *)", "2026-11-22T10:40:00", "2026-11-22T11:00:00"),
        ("cron(10/25 * * * ? *)", "2026-11-22T10:00:00", "2026-11-22T10:10:00"),
        ("cron(0 0 29 FEB ? *)", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 1 1 ? 2030/5)", "2031-01-01T00:00:00", "2035-01-01T00:00:00"),
        ("rate(1 minute)", "2026-01-01T00:00:30", "2026-01-01T00:01:00"),
        ("rate(2 hours)", "2026-01-01T02:00:00", "2026-01-01T04:00:00"),
        ("rate(1 day)", "2026-01-01T00:00:01", "2026-01-02T00:00:00"),
    ],
)
def test_the_next_time_is_the_first_one_after(expression: str, after: str, following: str) -> None:
    timing = parse(expression, at("2026-01-01T00:00:00"))

    assert timing.next_after(at(after)) == at(following)


def test_a_schedule_whose_years_have_passed_never_fires() -> None:
    assert parse("cron(0 0 1 1 ? 2020)", 0).next_after(at("2026-01-01T00:00:00")) is None


def test_a_rate_counts_from_its_making() -> None:
    rate = parse("rate(5 minutes)", 1_000)

    assert isinstance(rate, Rate)
    assert (rate.next_after(1_000), rate.last_until(700_000)) == (301_000, 601_000)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 second)",
        "cron(0 0 * * * *)",
        "cron(0 0 ? * ? *)",
        "cron(60 0 1 * ? *)",
        "cron(0 0 1W * ? *)",
        "cron(0 0 ? * 2#1 *)",
        "at(2026-01-01T00:00:00)",
    ],
)
def test_what_is_wrong_or_not_emulated_is_refused(expression: str) -> None:
    with pytest.raises(BadSchedule):
        parse(expression, 0)
