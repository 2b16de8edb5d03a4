from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.months import DAY_MS, month_at, month_named, name_of, start_of

LATEST_MS = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp() * 1000)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("last_moment", "first_moment"),
    [
        ("2026-11-30T23:59:59.999+00:00", "2026-12-01T00:00:00+00:00"),
        ("2026-12-31T23:59:59.999+00:00", "2027-01-01T00:00:00+00:00"),
        ("2028-02-29T23:59:59.999+00:00", "2028-03-01T00:00:00+00:00"),
        ("2026-02-28T23:59:59.999+00:00", "2026-03-01T00:00:00+00:00"),
    ],
)
def test_the_next_month_begins_at_midnight_utc(last_moment: str, first_moment: str) -> None:
    before = month_at(at(last_moment))

    after = month_at(at(first_moment))

    assert after == before + 1
    assert start_of(after) == at(first_moment)


def test_a_month_is_counted_in_utc_whatever_the_offset_it_is_written_with() -> None:
    evening_in_new_york = at("2026-11-30T20:00:00-05:00")

    month = month_at(evening_in_new_york)

    assert month == month_at(at("2026-12-01T01:00:00+00:00"))
    assert month == 2026 * 12 + 11


@given(st.integers(min_value=0, max_value=LATEST_MS))
def test_every_moment_lies_within_its_month(moment: int) -> None:
    month = month_at(moment)

    assert start_of(month) <= moment < start_of(month + 1)


@given(st.integers(min_value=1970 * 12, max_value=8999 * 12))
def test_months_have_between_28_and_31_days(month: int) -> None:
    days, rest = divmod(start_of(month + 1) - start_of(month), DAY_MS)

    assert rest == 0
    assert 28 <= days <= 31


@given(st.integers(12, 9999 * 12 + 11))
def test_a_month_is_found_by_its_name(month: int) -> None:
    assert month_named(name_of(month)) == month


@given(st.text(max_size=8))
def test_other_text_is_no_month(text: str) -> None:
    named = month_named(text)

    assert named is None or name_of(named) == text
