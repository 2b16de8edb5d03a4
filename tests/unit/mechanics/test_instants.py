from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from grapevine.engine.mechanics.fields import Instant, instant_text

INSTANT: TypeAdapter[int] = TypeAdapter(Instant)

DAYS = st.one_of(
    st.sampled_from(["0001-01-01", "1969-12-31", "1970-01-01", "1970-01-02", "9999-12-31"]),
    st.dates().map(str),
)
OFFSETS = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(
    lambda minutes: f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
)


@given(DAYS, st.times(), OFFSETS)
def test_what_is_taken_can_be_shown_and_means_the_same(day: str, time: object, offset: str) -> None:
    written = f"{day}T{time}{offset}"

    try:
        at = INSTANT.validate_python(written)
    except ValidationError:
        return
    shown = instant_text(at)

    assert INSTANT.validate_python(shown) == at
    cut_off = datetime.fromisoformat(written) - datetime.fromisoformat(shown)
    assert timedelta(0) <= cut_off < timedelta(milliseconds=1)


@given(DAYS.filter(lambda day: day >= "1970"), st.times())
def test_every_time_of_utc_from_1970_on_is_taken(day: str, time: object) -> None:
    assert INSTANT.validate_python(f"{day}T{time}Z") >= 0


@pytest.mark.parametrize(
    "written",
    [
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:59.999999-00:01",
        "1970-01-01T00:00:00+00:01",
        "1970-01-01T12:00:00+13:00",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_times_beyond_the_years_of_utc_are_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="Must be a time"):
        INSTANT.validate_python(written)


def test_the_last_and_the_first_time_are_taken_in_any_offset() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)

    assert INSTANT.validate_python("1969-12-31T23:00:00-01:00") == 0
    assert instant_text(INSTANT.validate_python("9999-12-31T22:59:59.999-01:00")) == (
        last.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
